"""What templates are told about people and roles."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from chat.accounts.contexts import PersonContext
from chat.messages.contexts import MessageContext
from chat.moderation.sanctions.contexts import SanctionContext
from chat.rooms.contexts import Choice, RoomContext

_SAMPLE = datetime(2026, 11, 21, 9, 58, tzinfo=UTC)


@dataclass(frozen=True)
class PermissionRow:
    """One line of the table of permissions."""

    name: str
    #: How it reads after "may".
    words: str
    #: The roles that have it, in words.
    roles: tuple[str, ...]

    @classmethod
    def sample(cls) -> PermissionRow:
        """Return one to look at."""
        return cls("message.post", "write in a room they are in", ("Administrator", "Member"))


@dataclass(frozen=True)
class OfficeContext:
    """Somebody with a role that is not that of everybody."""

    person: PersonContext
    #: The role in words.
    role: str
    #: The room that they moderate; empty for a role on the site.
    room: str = ""
    room_id: str = ""

    @classmethod
    def sample(cls) -> OfficeContext:
        """Return one to look at."""
        return cls(PersonContext.sample(), "Moderator of the room", "lamp-room", "samplesamplesamr")


@dataclass(frozen=True)
class RolesPage:
    """Who may do what, and who has which role."""

    table: tuple[PermissionRow, ...]
    offices: tuple[OfficeContext, ...]
    may_change: bool

    @classmethod
    def sample(cls) -> RolesPage:
        """Return one to look at."""
        return cls((PermissionRow.sample(),), (OfficeContext.sample(),), may_change=True)


@dataclass(frozen=True)
class Ground:
    """One step of why somebody may do something, or may not."""

    #: Whether it speaks for them.
    speaks_for: bool
    sentence: str

    @classmethod
    def sample(cls) -> Ground:
        """Return one to look at."""
        return cls(True, "Ines Okafor is a moderator of lamp-room.")


@dataclass(frozen=True)
class WhyPage:
    """Why somebody may do something here, or may not."""

    people: tuple[Choice, ...]
    rooms: tuple[Choice, ...]
    permissions: tuple[Choice, ...]
    person: str = ""
    room: str = ""
    permission: str = ""
    #: The answer as a sentence; empty while nothing was asked.
    answer: str = ""
    allowed: bool = False
    grounds: tuple[Ground, ...] = ()

    @classmethod
    def sample(cls) -> WhyPage:
        """Return one to look at."""
        choices = (Choice.sample(),)
        return cls(
            choices,
            choices,
            choices,
            answer="Ines Okafor may remove what others wrote.",
            allowed=True,
            grounds=(Ground.sample(),),
        )


@dataclass(frozen=True)
class PeopleFound:
    """People whom a moderator looks for by name."""

    people: tuple[PersonContext, ...]
    search: str = ""

    @classmethod
    def sample(cls) -> PeopleFound:
        """Return one to look at."""
        return cls((PersonContext.sample(),), "ines")


@dataclass(frozen=True)
class PersonPage:
    """What a moderator sees of a person: of rooms within reach, and never of direct ones."""

    person: PersonContext
    #: The role on the site, by its name and in words.
    role: str
    role_words: str
    joined_at: datetime
    last_seen_at: datetime | None
    #: Messages within reach, how many of them are removed, and how often the person was reported.
    messages: int
    removed: int
    reports: int
    rooms: tuple[OfficeContext, ...]
    sanctions: tuple[SanctionContext, ...]
    latest: tuple[tuple[str, MessageContext], ...]
    #: Roles that can be chosen for them; empty where one may not.
    roles: tuple[Choice, ...] = ()
    reason: str = ""
    #: Rooms of which they can be made a moderator, or be one no longer: ``appoint:`` or ``dismiss:`` and the room.
    offices: tuple[Choice, ...] = ()
    why: str = ""
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def sample(cls) -> PersonPage:
        """Return one to look at."""
        latest = (("lamp-room", MessageContext.sample()),)
        return cls(
            PersonContext.sample(), "member", "Member", _SAMPLE, _SAMPLE, 1842, 3, 2, (OfficeContext.sample(),),
            (SanctionContext.sample(),), latest, (Choice("guest", "Guest"),),
        )  # fmt: skip


@dataclass(frozen=True)
class OwnedRoom:
    """A room and who owns it."""

    room: RoomContext
    #: None: nobody.
    owner: PersonContext | None
    members: int
    #: Whether whoever owns it stands in for an owner whom a sanction keeps out.
    stands_in: bool = False

    @property
    def line(self) -> str:
        """Return its owner and its number of members, in words."""
        owns = "stands in for its owner" if self.stands_in else "owns it"
        return f"{f'{self.owner.name} {owns}' if self.owner else 'Nobody owns it'} · {self.members:,} in it"

    @classmethod
    def sample(cls) -> OwnedRoom:
        """Return one to look at."""
        return cls(RoomContext.sample(), PersonContext.sample(), 14)


@dataclass(frozen=True)
class RoomsPage:
    """Rooms and who owns them."""

    rooms: tuple[OwnedRoom, ...]
    search: str = ""

    @classmethod
    def sample(cls) -> RoomsPage:
        """Return one to look at."""
        return cls((OwnedRoom.sample(),))


@dataclass(frozen=True)
class RoomOwnerPage:
    """The owner of a room, and the people who can be named in their place."""

    room: RoomContext
    #: None: nobody.
    owner: PersonContext | None
    #: The person for whom the owner stands in, while a sanction lasts; None: nobody.
    away: PersonContext | None
    members: int
    choices: tuple[Choice, ...]
    #: The person and the reason, as chosen and typed.
    chosen: str = ""
    reason: str = ""
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def sample(cls) -> RoomOwnerPage:
        """Return one to look at."""
        return cls(RoomContext.sample(), PersonContext.sample(), None, 14, (Choice.sample(),))
