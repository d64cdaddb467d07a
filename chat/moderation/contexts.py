"""What templates are told about moderation."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from chat.accounts.contexts import PersonContext
from chat.messages.contexts import MessageContext
from chat.rooms.contexts import RoomContext


@dataclass(frozen=True)
class RemovedContext:
    """A message that was taken away, with the text that only moderators see."""

    id: str
    room: RoomContext
    author: PersonContext
    #: The text in one plain line.
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
class Choice:
    """One entry of a filter."""

    value: str
    name: str

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

    @property
    def chosen(self) -> str:
        """Return the name of what is chosen; empty when nothing is."""
        return next((choice.name for choice in self.choices if choice.value == self.value and self.value), "")

    @classmethod
    def sample(cls) -> FilterContext:
        """Return one to look at."""
        return cls("by", "Removed by", (Choice.sample(),), "moderator")


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
class RemovedDetail:
    """A removed message in its place. That it is shown is in the audit log already."""

    removed: RemovedContext
    #: The text as it was last, as safe HTML.
    html: str
    versions: tuple[VersionContext, ...]
    before: tuple[MessageContext, ...]
    after: tuple[MessageContext, ...]

    @classmethod
    def sample(cls) -> RemovedDetail:
        """Return one to look at."""
        removed = RemovedContext.sample()
        return cls(removed, removed.line, (VersionContext.sample(),), (MessageContext.sample(),), ())


@dataclass(frozen=True)
class RemovedPage:
    """The messages that were taken away, latest first, and one of them in full."""

    rows: tuple[RemovedContext, ...]
    filters: tuple[FilterContext, ...]
    #: The filters as they stand in an address, to go on with.
    query: dict[str, str]
    #: Where the next page begins; empty on the last one.
    more: str = ""
    detail: RemovedDetail | None = None

    @classmethod
    def sample(cls) -> RemovedPage:
        """Return one to look at."""
        return cls(
            (RemovedContext.sample(),), (FilterContext.sample(),), {"by": "moderator"}, "", RemovedDetail.sample()
        )


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
