"""What templates are told about sanctions."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from chat.accounts.contexts import PersonContext
from chat.notices.contexts import NoticeContext
from chat.rooms.contexts import Choice, FilterContext

_SAMPLE = datetime(2026, 11, 21, 9, 58, tzinfo=UTC)


@dataclass(frozen=True)
class Target:
    """Whom a sanction is imposed on: a person, or a range of addresses."""

    person: PersonContext | None
    network: str = ""

    @classmethod
    def sample(cls) -> Target:
        """Return one to look at."""
        return cls(PersonContext("samplesamplesamq", "Kit Marlow"))


@dataclass(frozen=True)
class SanctionContext:
    """A sanction."""

    id: str
    #: ``mute``, ``suspend`` or ``ban``.
    kind: str
    #: The kind as a verb, as a state, what it means, and the name of an icon.
    words: str
    state: str
    means: str
    sign: str
    target: Target
    #: The room's name; empty for everywhere.
    room: str
    room_id: str
    reason: str
    #: For moderators; empty where the person looks.
    note: str
    #: Who imposed it; empty where the person looks.
    imposer: str
    created_at: datetime
    #: None: until it is lifted.
    expires_at: datetime | None
    lifted_at: datetime | None = None
    #: Its time was over; it was not lifted.
    ended: bool = False
    lift_reason: str = ""
    #: Where the person looks: what became of an appeal, and the answer.
    appeal: str = ""
    answer: str = ""

    @classmethod
    def sample(cls) -> SanctionContext:
        """Return one to look at."""
        return cls(
            "samplesamplesamp", "mute", "Mute", "muted", "reads, but does not write", "volume-x", Target.sample(), "lamp-room",
            "samplesamplesamr", "Flooding", "Second time this week", "Ada Lindqvist", _SAMPLE, _SAMPLE.replace(hour=11),
        )  # fmt: skip


@dataclass(frozen=True)
class SanctionsPage:
    """The sanctions within reach, latest first."""

    rows: tuple[SanctionContext, ...]
    filters: tuple[FilterContext, ...]
    #: The filters as they stand in an address, to go on with.
    query: dict[str, str]
    #: Where the next page begins; empty on the last one.
    more: str = ""
    #: Whether one may put ranges of addresses under a sanction.
    may_addresses: bool = False

    @classmethod
    def sample(cls) -> SanctionsPage:
        """Return one to look at."""
        return cls((SanctionContext.sample(),), (FilterContext.sample(),), {"kind": "mute"}, "", may_addresses=True)


@dataclass(frozen=True)
class SanctionForm:
    """The form to impose a sanction on a person, or on a range of addresses."""

    #: None for a range.
    person: PersonContext | None
    #: The rooms it may be for.
    rooms: tuple[Choice, ...]
    #: Kinds that can be chosen: value, words and what each means.
    kinds: tuple[tuple[str, str, str], ...]
    durations: tuple[Choice, ...]
    #: Whether it may be for everywhere.
    everywhere: bool
    kind: str = "mute"
    room: str = ""
    duration: str = "24h"
    network: str = ""
    reason: str = ""
    note: str = ""
    errors: dict[str, str] = field(default_factory=dict)
    #: The moment for the duration ``until``, as typed.
    until: str = ""

    @classmethod
    def sample(cls) -> SanctionForm:
        """Return one to look at."""
        kinds = (("mute", "Mute", "reads, but does not write"), ("ban", "Ban", "is out"))
        return cls(PersonContext.sample(), (Choice.sample(),), kinds, (Choice("24h", "24 hours"),), everywhere=True)


@dataclass(frozen=True)
class LiftForm:
    """The form to lift a sanction."""

    sanction: SanctionContext
    reason: str = ""
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def sample(cls) -> LiftForm:
        """Return one to look at."""
        return cls(SanctionContext.sample())


@dataclass(frozen=True)
class AppealContext:
    """What somebody says against a decision."""

    id: str
    person: PersonContext
    #: ``muted``, ``suspended``, ``banned``, or ``message`` for the removal of one.
    against: str
    #: The room's name; empty for everywhere.
    room: str
    #: Why it was decided so.
    reason: str
    body: str
    created_at: datetime
    #: ``open``, ``granted`` or ``refused``.
    state: str
    answer: str = ""
    #: The removed message; empty where it is about a sanction.
    message_id: str = ""
    #: The moderator whose decision it is about; empty when a rule made it.
    decided_by_id: str = ""

    @classmethod
    def sample(cls) -> AppealContext:
        """Return one to look at."""
        person = PersonContext("samplesamplesamq", "Kit Marlow")
        return cls(
            "samplesamplesamp", person, "muted", "lamp-room", "Flooding", "I pasted a log by mistake.", _SAMPLE, "open"
        )


@dataclass(frozen=True)
class AppealsPage:
    """The appeals within reach."""

    rows: tuple[AppealContext, ...]
    #: ``open`` or ``decided``.
    state: str
    #: What was typed as an answer and refused, with why, by the id of the appeal.
    error_id: str = ""
    answer: str = ""
    error: str = ""

    @classmethod
    def sample(cls) -> AppealsPage:
        """Return one to look at."""
        return cls((AppealContext.sample(),), "open")


@dataclass(frozen=True)
class RemovalContext:
    """A message of one's own that a moderator removed."""

    id: str
    room_id: str
    room: str
    created_at: datetime
    removed_at: datetime
    reason: str
    #: Until when its text is kept; None when it is destroyed already, or kept without an end.
    kept_until: datetime | None
    #: What became of an appeal, and the answer; empty without one.
    appeal: str = ""
    answer: str = ""

    @classmethod
    def sample(cls) -> RemovalContext:
        """Return one to look at."""
        later = _SAMPLE.replace(month=12)
        return cls("samplesamplesamp", "samplesamplesamr", "lamp-room", _SAMPLE, _SAMPLE, "private details", later)


@dataclass(frozen=True)
class StandingPage:
    """What moderators decided about the person who looks."""

    #: What is in force.
    sanctions: tuple[SanctionContext, ...]
    removals: tuple[RemovalContext, ...]
    #: Latest first.
    notices: tuple[NoticeContext, ...]
    #: What was typed as an appeal and refused, with why, and against what: an id.
    about: str = ""
    body: str = ""
    error: str = ""

    @classmethod
    def sample(cls) -> StandingPage:
        """Return one to look at."""
        return cls((SanctionContext.sample(),), (RemovalContext.sample(),), (NoticeContext.sample(),))
