"""What templates are told about purges, retention and legal holds."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from chat.accounts.contexts import PersonContext
from chat.rooms.contexts import Choice

_SAMPLE = datetime(2026, 11, 21, 9, 58, tzinfo=UTC)


@dataclass(frozen=True)
class ApproveForm:
    """The form to agree to a purge: what is destroyed, and a word to type."""

    purge: PurgeContext
    posted_at: datetime
    removed_at: datetime | None
    #: Earlier versions and pictures that go with it.
    versions: int
    files: int
    #: The word to type, and the text that was typed.
    word: str
    typed: str = ""
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def sample(cls) -> ApproveForm:
        """Return one to look at."""
        purge = PurgeContext.sample()
        return cls(purge, purge.requested_at, purge.requested_at, 2, 1, "destroy")


@dataclass(frozen=True)
class PurgeForm:
    """The form to destroy the text of a removed message."""

    message_id: str
    author: PersonContext
    room: str
    versions: int
    files: int
    #: Whether somebody else has to agree.
    two: bool
    reason: str = ""
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def sample(cls) -> PurgeForm:
        """Return one to look at."""
        return cls("samplesamplesamp", PersonContext("samplesamplesamq", "Kit Marlow"), "everyone", 2, 1, two=True)


@dataclass(frozen=True)
class KeepingFoot:
    """What the foot of a removed message says about keeping it."""

    message_id: str
    #: The names of the legal holds that cover it.
    holds: tuple[str, ...]
    #: Somebody asked to destroy it, and nobody has agreed yet.
    waiting: bool
    may_purge: bool

    @classmethod
    def sample(cls) -> KeepingFoot:
        """Return one to look at."""
        return cls("samplesamplesamp", (), waiting=False, may_purge=True)


@dataclass(frozen=True)
class PurgeContext:
    """A purge that waits for somebody to agree."""

    id: str
    message_id: str
    author: PersonContext
    room: str
    requested_by: PersonContext | None
    requested_at: datetime
    reason: str

    @classmethod
    def sample(cls) -> PurgeContext:
        """Return one to look at."""
        author = PersonContext("samplesamplesamq", "Kit Marlow")
        return cls(
            "samplesamplesamr", "samplesamplesamp", author, "everyone", PersonContext.sample(), _SAMPLE, "A card number"
        )


@dataclass(frozen=True)
class HoldContext:
    """A legal hold."""

    id: str
    name: str
    #: Whom, where and when it covers; empty for what it does not ask for.
    person: PersonContext | None
    room: str
    since: datetime | None
    until: datetime | None
    reason: str
    created_by: str
    created_at: datetime
    released_at: datetime | None = None
    #: How many messages it covers, and how many of them are removed.
    messages: int = 0
    removed: int = 0

    @classmethod
    def sample(cls) -> HoldContext:
        """Return one to look at."""
        person = PersonContext("samplesamplesamq", "Kit Marlow")
        return cls(
            "samplesamplesams",
            "Case 14/2026",
            person,
            "",
            _SAMPLE,
            None,
            "Court order",
            "Ada Lindqvist",
            _SAMPLE,
            None,
            64,
            3,
        )


@dataclass(frozen=True)
class KeepingPage:
    """How long removed text is kept, what waits to be destroyed, and what must not be."""

    #: Days; None for without an end.
    days: int | None
    #: Whether two people have to agree to a purge.
    two: bool
    waiting: tuple[PurgeContext, ...]
    holds: tuple[HoldContext, ...]
    #: Whether one may change these.
    may_change: bool
    may_hold: bool
    #: What was typed as days and refused, with why.
    typed: str = ""
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def sample(cls) -> KeepingPage:
        """Return one to look at."""
        return cls(30, True, (PurgeContext.sample(),), (HoldContext.sample(),), may_change=True, may_hold=True)


@dataclass(frozen=True)
class RetentionPreview:
    """What another number of days would destroy at once."""

    #: The number as it is typed; empty for without an end.
    days: str
    before: int | None
    messages: int
    versions: int
    files: int
    #: How many more would be, were they not under a hold.
    on_hold: int
    #: When the oldest of them was removed; None if there is none.
    oldest: datetime | None
    reason: str = ""
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def sample(cls) -> RetentionPreview:
        """Return one to look at."""
        return cls("7", 30, 1204, 87, 31, 3, _SAMPLE)


@dataclass(frozen=True)
class HoldForm:
    """The form to make a legal hold."""

    rooms: tuple[Choice, ...]
    people: tuple[Choice, ...]
    name: str = ""
    person: str = ""
    room: str = ""
    since: str = ""
    until: str = ""
    reason: str = ""
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def sample(cls) -> HoldForm:
        """Return one to look at."""
        return cls((Choice.sample(),), (Choice.sample(),), "Case 14/2026")


@dataclass(frozen=True)
class HoldPage:
    """One legal hold: what it covers, its export, and the way to release it."""

    hold: HoldContext
    reason: str = ""
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def sample(cls) -> HoldPage:
        """Return one to look at."""
        return cls(HoldContext.sample())


@dataclass(frozen=True)
class ReceiptPage:
    """That the text of a message was destroyed, sealed."""

    id: str
    room: str
    posted_at: datetime
    removed_at: datetime
    purged_at: datetime
    reason: str
    versions: int
    files: int
    fingerprint: str
    seal: str

    @classmethod
    def sample(cls) -> ReceiptPage:
        """Return one to look at."""
        return cls(
            "samplesamplesamr",
            "everyone",
            _SAMPLE,
            _SAMPLE,
            _SAMPLE,
            "A card number",
            2,
            1,
            "7f3a19c0b2e455d17f3a19",
            "c0b2e455d17f3a197f3a19",
        )
