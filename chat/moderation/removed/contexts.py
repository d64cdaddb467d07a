"""What templates are told about moderation."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from chat.accounts.contexts import ActivityContext, PersonContext
from chat.messages.contexts import MessageContext, PictureContext
from chat.moderation.keeping.contexts import KeepingFoot
from chat.rooms.contexts import FilterContext, RoomContext


@dataclass(frozen=True)
class RemovedContext:
    """A message that was taken away, with the text that only moderators see."""

    id: str
    #: None for a sweep through several.
    room: RoomContext | None
    author: PersonContext
    #: The text in one plain line; empty for a sweep.
    line: str
    #: How many pictures it has.
    pictures: int
    created_at: datetime
    removed_at: datetime
    #: Who took it away; None when their account is gone.
    remover: PersonContext | None
    by_author: bool
    #: A moderator's reason; empty when the author did it.
    reason: str = ""
    #: How many were removed together with it, where one line stands for all of them; ``id`` is the sweep's.
    swept: int = 0

    @classmethod
    def sample(cls) -> RemovedContext:
        """Return one to look at."""
        moment = datetime(2026, 11, 21, 9, 48, tzinfo=UTC)
        return cls(
            "samplesamplesamp",
            RoomContext.sample(),
            PersonContext("samplesamplesamq", "Kit Marlow"),
            "Selling two tickets for the ferry, message me",
            0,
            moment,
            moment.replace(hour=9, minute=58),
            PersonContext.sample(),
            by_author=False,
            reason="Scam or spam",
        )


@dataclass(frozen=True)
class Piece:
    """A piece of a text that was edited: ``kept``, ``added`` or ``taken``."""

    kind: str
    text: str

    @classmethod
    def sample(cls) -> Piece:
        """Return one to look at."""
        return cls("added", "before they are gone")


@dataclass(frozen=True)
class VersionContext:
    """What an edit changed, word by word."""

    at: datetime
    pieces: tuple[Piece, ...]

    @classmethod
    def sample(cls) -> VersionContext:
        """Return one to look at."""
        return cls(datetime(2026, 11, 21, 9, 51, tzinfo=UTC), (Piece("kept", "Two tickets "), Piece.sample()))


@dataclass(frozen=True)
class Happening:
    """One thing that happened to a message."""

    at: datetime
    sentence: str

    @classmethod
    def sample(cls) -> Happening:
        """Return one to look at."""
        return cls(datetime(2026, 11, 21, 9, 58, tzinfo=UTC), "Removed by Ada Lindqvist")


@dataclass(frozen=True)
class RemovedDetail:
    """A removed message in its place. That it is shown is in the audit log already."""

    removed: RemovedContext
    #: The text as it was last, as safe HTML.
    html: str
    versions: tuple[VersionContext, ...]
    #: Not shown before somebody presses for them, which is written down, too.
    pictures: tuple[PictureContext, ...]
    before: tuple[MessageContext, ...]
    after: tuple[MessageContext, ...]
    #: How many lines are shown on either side, and whether there are more.
    around: int
    may_see_more: bool
    #: Until when the text is kept; None for without an end.
    kept_until: datetime | None
    #: When the author joined, and how many messages they wrote; 1,001 stands for any number.
    joined_at: datetime
    messages: int
    happened: tuple[Happening, ...]
    foot: KeepingFoot
    #: What comes before it and after it in the list; None at its ends.
    previous: RemovedContext | None = None
    next: RemovedContext | None = None

    @classmethod
    def sample(cls) -> RemovedDetail:
        """Return one to look at."""
        removed, moment = RemovedContext.sample(), datetime(2026, 12, 21, 9, 58, tzinfo=UTC)
        return cls(
            removed, removed.line, (VersionContext.sample(),), (PictureContext.sample(),), (MessageContext.sample(),), (), 5,
            True, moment, moment.replace(month=11), 11, (Happening.sample(),), KeepingFoot.sample(),
        )  # fmt: skip


@dataclass(frozen=True)
class RestoredContext:
    """A message that the viewer put back a moment ago, which can be undone."""

    id: str
    room_id: str
    author: str
    room: str

    @classmethod
    def sample(cls) -> RestoredContext:
        """Return one to look at."""
        return cls("samplesamplesamp", "samplesamplesamr", "Kit Marlow", "everyone")


@dataclass(frozen=True)
class RemovedPage:
    """What was removed, latest first, and one message of it in full. That they are shown is in the audit log already."""

    rows: tuple[RemovedContext, ...]
    filters: tuple[FilterContext, ...]
    #: The filters as they stand in an address, to go on with.
    query: dict[str, str]
    #: How many the filters let through; 1,001 stands for any number.
    found: int
    #: Where this page begins, and the next one; empty on the first, and on the last.
    begin: str = ""
    more: str = ""
    detail: RemovedDetail | None = None
    restored: RestoredContext | None = None

    @classmethod
    def sample(cls) -> RemovedPage:
        """Return one to look at."""
        filters = (FilterContext.sample(),)
        return cls((RemovedContext.sample(),), filters, {"by": "moderator"}, 64, detail=RemovedDetail.sample())

    @classmethod
    def samples(cls) -> dict[str, RemovedPage]:
        """Return others to look at, by the name of the state."""
        return {"one was put back": replace(cls.sample(), restored=RestoredContext.sample())}


@dataclass(frozen=True)
class Peek:
    """A removed message, shown under its tombstone in the room. That it is shown is in the audit log already."""

    removed: RemovedContext
    html: str
    versions: tuple[VersionContext, ...]
    pictures: tuple[PictureContext, ...]

    @classmethod
    def sample(cls) -> Peek:
        """Return one to look at."""
        removed = RemovedContext.sample()
        return cls(removed, removed.line, (VersionContext.sample(),), (PictureContext.sample(),))


@dataclass(frozen=True)
class PicturePart:
    """A picture of a removed message that somebody asked to see."""

    message_id: str
    picture_id: str

    @classmethod
    def sample(cls) -> PicturePart:
        """Return one to look at."""
        return cls("samplesamplesamp", "samplesamplesamq")


@dataclass(frozen=True)
class EditedContext:
    """A message with what its edits changed."""

    id: str
    room: RoomContext
    author: PersonContext
    created_at: datetime
    edited_at: datetime
    #: What it said first.
    first: str
    versions: tuple[VersionContext, ...]

    @classmethod
    def sample(cls) -> EditedContext:
        """Return one to look at."""
        moment = datetime(2026, 11, 21, 9, 51, tzinfo=UTC)
        return cls(
            "samplesamplesamp", RoomContext.sample(), PersonContext.sample(), moment.replace(minute=48), moment, "Two tickets",
            (VersionContext.sample(),),
        )  # fmt: skip


@dataclass(frozen=True)
class EditedPage:
    """Messages that were edited, latest first."""

    rows: tuple[EditedContext, ...]
    filters: tuple[FilterContext, ...]
    query: dict[str, str]
    more: str = ""

    @classmethod
    def sample(cls) -> EditedPage:
        """Return one to look at."""
        return cls((EditedContext.sample(),), (FilterContext.sample(),), {})


@dataclass(frozen=True)
class VersionsPage:
    """What a message said before, for its author and for moderators."""

    edited: EditedContext
    #: The text is the viewer's own; else, that it is shown is in the audit log already.
    own: bool

    @classmethod
    def sample(cls) -> VersionsPage:
        """Return one to look at."""
        return cls(EditedContext.sample(), True)


@dataclass(frozen=True)
class AuditContext:
    """One row of the audit log in words."""

    number: int
    at: datetime
    #: Who did it; None for a rule, a job or a command.
    actor: PersonContext | None
    #: What was done, in words.
    did: str
    #: The name of an icon.
    sign: str
    #: Whom it concerns, and where.
    person: PersonContext | None
    room: str
    target_id: str
    reason: str
    before: str
    after: str
    address: str
    seal: str

    @classmethod
    def sample(cls) -> AuditContext:
        """Return one to look at."""
        return cls(
            18203,
            datetime(2026, 11, 21, 9, 58, tzinfo=UTC),
            PersonContext.sample(),
            "Removed a message",
            "eye-off",
            PersonContext("samplesamplesamq", "Kit Marlow"),
            "lamp-room",
            "samplesamplesamp",
            "Scam or spam",
            '{"state":"visible"}',
            '{"state":"removed"}',
            "10.8.0.14",
            "7f3a19c0b2e455d17f3a19",
        )


@dataclass(frozen=True)
class AuditPage:
    """The audit log, latest first."""

    rows: tuple[AuditContext, ...]
    filters: tuple[FilterContext, ...]
    #: The filters as they stand in an address, to go on with.
    query: dict[str, str]
    #: Where the next page begins; empty on the last one.
    more: str = ""
    detail: AuditContext | None = None

    @classmethod
    def sample(cls) -> AuditPage:
        """Return one to look at."""
        return cls((AuditContext.sample(),), (FilterContext.sample(),), {}, "", AuditContext.sample())


@dataclass(frozen=True)
class SecurityPage:
    """Security events, latest first: sign-ins with their networks, and refusals."""

    rows: tuple[ActivityContext, ...]
    filters: tuple[FilterContext, ...]
    #: The filters as they stand in an address, to go on with.
    query: dict[str, str]
    #: Where the next page begins; empty on the last one.
    more: str = ""
    #: Days for which they are kept.
    days: int = 90
    #: Whether there are too many wrong passwords just now.
    alarmed: bool = False

    @classmethod
    def sample(cls) -> SecurityPage:
        """Return one to look at."""
        return cls((ActivityContext.sample(),), (FilterContext.sample(),), {}, alarmed=True)

    @classmethod
    def samples(cls) -> dict[str, SecurityPage]:
        """Return others to look at, by the name of the state."""
        return {"nothing": cls((), (FilterContext.sample(),), {})}
