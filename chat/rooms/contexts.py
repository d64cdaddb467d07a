"""What templates are told about rooms."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from chat.accounts.contexts import HUES, PersonContext
from chat.rooms import kinds
from chat.rooms.kinds import open


@dataclass(frozen=True)
class RoomContext:
    """A room as one of its members sees it."""

    id: str
    #: ``open``, ``group`` or ``direct``.
    kind: str
    #: For a direct room the name of the other person.
    name: str
    purpose: str = ""
    #: The other person of a direct room.
    person: PersonContext | None = None

    @property
    def icon(self) -> str:
        """Return the name of the icon of its kind."""
        return kinds.get(self.kind).icon

    @property
    def joinable(self) -> bool:
        """Tell whether anybody who is signed in may join it."""
        return kinds.get(self.kind).joinable

    @property
    def hue(self) -> int:
        """Return which of the twelve hues is its own."""
        return zlib.crc32(self.id.encode()) % HUES

    @classmethod
    def sample(cls) -> RoomContext:
        """Return one to look at."""
        return cls("samplesamplesamp", "open", "lamp-room", "Lens, clockwork and everything that turns")

    @classmethod
    def samples(cls) -> dict[str, RoomContext]:
        """Return others to look at, by the name of the state."""
        one, other = cls.sample(), PersonContext.sample()
        return {
            "a group": replace(one, kind="group"),
            "a direct room": replace(one, kind="direct", name=other.name, purpose="", person=other),
        }


@dataclass(frozen=True)
class PreviewContext:
    """The last message of a room in one line; the same for everybody in it. Of a deleted one nothing is said of whom."""

    text: str
    author_id: str = ""
    #: The first word of their name; empty in a conversation of two.
    author: str = ""

    @classmethod
    def sample(cls) -> PreviewContext:
        """Return one to look at."""
        return cls("Inside the shim range", "samplesamplesamp", "Bram")


@dataclass(frozen=True)
class RowContext:
    """One line of the list of one's rooms."""

    room: RoomContext
    #: When something was last said; when it was made, while nothing was.
    active_at: datetime
    #: The last message; None while nothing was said.
    preview: PreviewContext | None
    #: Messages that this person has not read.
    unread: int

    @classmethod
    def sample(cls) -> RowContext:
        """Return one to look at."""
        return cls(RoomContext.sample(), datetime(2026, 11, 21, 9, 25, tzinfo=UTC), PreviewContext.sample(), 3)


@dataclass(frozen=True)
class RowLine:
    """One line of the list of one's rooms, as it stands there."""

    row: RowContext
    #: It is the room that one looks at.
    current: bool

    @classmethod
    def sample(cls) -> RowLine:
        """Return one to look at."""
        return cls(RowContext.sample(), current=True)


@dataclass(frozen=True)
class RoomList:
    """The list of one's rooms, latest first."""

    rows: tuple[RowContext, ...]

    @classmethod
    def sample(cls) -> RoomList:
        """Return one to look at."""
        return cls((RowContext.sample(),))


@dataclass(frozen=True)
class UnreadSignal:
    """What changed in somebody's list: the line's text and its number."""

    row: RowContext

    @classmethod
    def sample(cls) -> UnreadSignal:
        """Return one to look at."""
        return cls(RowContext.sample())


@dataclass(frozen=True)
class MemberContext:
    """Somebody in a room."""

    person: PersonContext
    #: ``owner``, ``moderator`` or ``member``.
    role: str
    room_id: str

    @classmethod
    def sample(cls) -> MemberContext:
        """Return one to look at."""
        return cls(PersonContext.sample(), "owner", RoomContext.sample().id)


@dataclass(frozen=True)
class MemberLine:
    """One line of the list of members; the same for everybody in the room."""

    member: MemberContext

    @classmethod
    def sample(cls) -> MemberLine:
        """Return one to look at."""
        return cls(MemberContext.sample())


@dataclass(frozen=True)
class OpenRoomContext:
    """A room that anybody may join."""

    room: RoomContext
    members: int
    joined: bool

    @classmethod
    def sample(cls) -> OpenRoomContext:
        """Return one to look at."""
        return cls(RoomContext.sample(), 14, False)


@dataclass(frozen=True)
class HomePage:
    """The way in: the rooms one may join and the people one may write to."""

    open_rooms: tuple[OpenRoomContext, ...]
    people: tuple[PersonContext, ...]
    #: What was searched for among the people.
    search: str = ""
    #: Whether this person may find rooms and people, and make rooms.
    may_find: bool = True

    @classmethod
    def sample(cls) -> HomePage:
        """Return one to look at."""
        return cls((OpenRoomContext.sample(),), (PersonContext.sample(),))


@dataclass(frozen=True)
class RoomKindContext:
    """A kind of room that one can make, in words."""

    name: str
    icon: str
    title: str
    #: Who may read what is said there.
    promise: str

    @classmethod
    def all(cls) -> tuple[RoomKindContext, ...]:
        """Return what there is to choose from, the most open first."""
        found = [kinds.get(name) for name in kinds.creatable()]
        ordered = sorted(found, key=lambda kind: not kind.joinable)
        return tuple(cls(kind.name, kind.icon, kind.title, kind.promise) for kind in ordered)

    @classmethod
    def sample(cls) -> RoomKindContext:
        """Return a sample of a kind."""
        return cls.all()[0]


@dataclass(frozen=True)
class NewRoomPage:
    """The form to make a room."""

    name: str = ""
    kind: str = open.KIND.name
    purpose: str = ""
    errors: dict[str, str] = field(default_factory=dict)
    #: What one can make.
    kinds: tuple[RoomKindContext, ...] = field(default_factory=lambda: RoomKindContext.all())

    @classmethod
    def sample(cls) -> NewRoomPage:
        """Return one to look at."""
        return cls("night sky")


@dataclass(frozen=True)
class JoinPage:
    """An open room that one is not in yet."""

    room: RoomContext
    members: int

    @classmethod
    def sample(cls) -> JoinPage:
        """Return one to look at."""
        return cls(RoomContext.sample(), 14)


@dataclass(frozen=True)
class MembersPage:
    """The members of a room, how to add one, and the way out."""

    room: RoomContext
    members: tuple[MemberContext, ...]
    #: People who could be added.
    others: tuple[PersonContext, ...]
    may_add: bool
    may_remove: bool
    may_leave: bool
    #: Whoever leaves may join again as what they were, so that it takes no second question.
    may_return: bool = False
    email: str = ""
    #: What was just done, such as ``Invited tomasz@example.org.``
    notice: str = ""
    #: Who was just removed and can be added again.
    undo_id: str = ""
    error: str = ""

    @classmethod
    def sample(cls) -> MembersPage:
        """Return one to look at."""
        return cls(RoomContext.sample(), (MemberContext.sample(),), (PersonContext.sample(),), True, True, True)


@dataclass(frozen=True)
class LeavePage:
    """The question before somebody leaves a room."""

    room: RoomContext
    #: Anybody may join it.
    joinable: bool
    #: Of who is asked, in it: ``owner``, ``moderator`` or ``member``.
    role: str
    #: Who owns it afterwards; None if there is nobody who could.
    heir: PersonContext | None

    @classmethod
    def sample(cls) -> LeavePage:
        """Return a page about a room that its owner leaves."""
        return cls(RoomContext.sample(), False, "owner", PersonContext.sample())


@dataclass(frozen=True)
class RoomSettingsPage:
    """The form for a room's name and purpose."""

    room: RoomContext
    name: str
    purpose: str
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def sample(cls) -> RoomSettingsPage:
        """Return one to look at."""
        return cls(RoomContext.sample(), "lamp-room", "Lens, clockwork and everything that turns")


@dataclass(frozen=True)
class RoomTitle:
    """A room's name and purpose, as its members see them; not for direct rooms, whose name depends on who looks."""

    room: RoomContext

    @classmethod
    def sample(cls) -> RoomTitle:
        """Return one to look at."""
        return cls(RoomContext.sample())


@dataclass(frozen=True)
class Choice:
    """One entry of a filter."""

    value: str
    name: str

    @classmethod
    def among(cls, names: Mapping[str, str]) -> tuple[Choice, ...]:
        """Return one for each value, by its name."""
        return tuple(cls(value, name) for value, name in names.items())

    @classmethod
    def sample(cls) -> Choice:
        """Return one to look at."""
        return cls("moderator", "By a moderator")


@dataclass(frozen=True)
class FilterContext:
    """A filter of a list: a field of the address, what may be chosen, and what is. No choice is an empty value."""

    name: str
    label: str
    choices: tuple[Choice, ...]
    value: str = ""
    #: How no choice reads; empty for the label with "any".
    any: str = ""
    #: Whether it is a day, without choices.
    day: bool = False

    @property
    def chosen(self) -> str:
        """Return the name of what is chosen; empty when nothing is."""
        if self.day:
            return f"{self.label} {self.value}" if self.value else ""
        return next((choice.name for choice in self.choices if choice.value == self.value and self.value), "")

    @classmethod
    def sample(cls) -> FilterContext:
        """Return one to look at."""
        return cls("by", "Removed by", (Choice.sample(),), "moderator")
