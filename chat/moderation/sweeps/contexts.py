"""What templates are told about sweeps."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from chat.accounts.contexts import PersonContext
from chat.rooms.contexts import Choice, RoomContext


@dataclass(frozen=True)
class SweepContext:
    """Messages of one person that were removed in one go, as far as they are within reach."""

    id: str
    person: PersonContext
    #: Where, if all of it is in one room; None: in several.
    room: RoomContext | None
    #: None when their account is gone.
    actor: PersonContext | None
    reason: str
    created_at: datetime
    #: How many of them are still removed by it.
    left: int

    @classmethod
    def sample(cls) -> SweepContext:
        """Return one to look at."""
        person = PersonContext("samplesamplesamr", "Dee Fontaine")
        moment = datetime(2026, 11, 21, 9, 12, tzinfo=UTC)
        return cls("samplesamplesams", person, RoomContext.sample(), PersonContext.sample(), "A flood", moment, 50)


@dataclass(frozen=True)
class SweptContext:
    """A message that a sweep removed, with its text, which only moderators see."""

    id: str
    room: str
    line: str
    pictures: int
    created_at: datetime

    @classmethod
    def sample(cls) -> SweptContext:
        """Return one to look at."""
        return cls("samplesamplesamp", "lamp-room", "buy now buy now", 0, datetime(2026, 11, 21, 9, 11, tzinfo=UTC))


@dataclass(frozen=True)
class SweepPage:
    """One sweep with its messages, latest first. That they are shown is in the audit log already."""

    sweep: SweepContext
    since: datetime
    #: How many it removed.
    messages: int
    #: It, or the undoing of it, was cut off: not all of what it was to remove is gone, or back.
    unfinished: bool
    undone_at: datetime | None
    rows: tuple[SweptContext, ...]
    #: Whether the viewer may have a say over the person elsewhere, too.
    may_sanction: bool
    #: Whether all of it is within the viewer's reach: only then may they finish it, or put all of it back.
    whole: bool = True

    @classmethod
    def sample(cls) -> SweepPage:
        """Return one to look at."""
        sweep = SweepContext.sample()
        return cls(sweep, sweep.created_at, 50, False, None, (SweptContext.sample(),), True)


@dataclass(frozen=True)
class SweepForm:
    """The form to remove what somebody wrote lately."""

    person: PersonContext
    rooms: tuple[Choice, ...]
    spans: tuple[Choice, ...]
    #: The room's id; empty for every room within reach.
    room: str
    span: str
    #: How many messages it would remove now.
    count: int
    #: Where they can be banned: ``room``, ``site``, or empty for nowhere.
    bans: str
    reason: str = ""
    ban: bool = False
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def sample(cls) -> SweepForm:
        """Return one to look at."""
        return cls(
            PersonContext("samplesamplesamr", "Dee Fontaine"), (Choice.sample(),), (Choice("1h", "The last hour"),), "", "1h",
            50, "site",
        )  # fmt: skip
