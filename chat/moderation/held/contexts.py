"""What templates are told about the queue of held messages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from markupsafe import Markup

from chat.accounts.contexts import PersonContext
from chat.rooms.contexts import RoomContext


@dataclass(frozen=True)
class HeldCase:
    """A held message with its text, which only its author and moderators see."""

    id: str
    room: RoomContext
    author: PersonContext
    #: The text as safe HTML.
    html: Markup
    #: Ids of pictures.
    pictures: tuple[str, ...]
    #: What the rule is called.
    label: str
    created_at: datetime

    @classmethod
    def sample(cls) -> HeldCase:
        """Return one to look at."""
        from chat.messages.body import to_html

        text = to_html("Cheap lenses at lens.example")
        moment = datetime(2026, 11, 21, 9, 12, tzinfo=UTC)
        return cls(
            "samplesamplesamh", RoomContext.sample(), PersonContext.sample(), text, (), "Links of newcomers", moment
        )


@dataclass(frozen=True)
class AlertContext:
    """A message that was posted, and that a rule told moderators of."""

    id: int
    room: RoomContext
    author: PersonContext
    message_id: str
    label: str
    at: datetime

    @classmethod
    def sample(cls) -> AlertContext:
        """Return one to look at."""
        moment = datetime(2026, 11, 21, 9, 12, tzinfo=UTC)
        return cls(12, RoomContext.sample(), PersonContext.sample(), "samplesamplesamp", "Capitals", moment)


@dataclass(frozen=True)
class Decided:
    """What was decided a moment ago. A refusal can be taken back."""

    id: str
    approved: bool
    author: str
    room: RoomContext
    #: Where the message is now; None: it was refused.
    message_id: str | None

    @classmethod
    def sample(cls) -> Decided:
        """Return one to look at."""
        return cls("samplesamplesamh", True, "Alice Okafor", RoomContext.sample(), "samplesamplesamp")


@dataclass(frozen=True)
class HeldPage:
    """The queue, oldest first."""

    cases: tuple[HeldCase, ...]
    #: How many there are, also those that are not shown.
    waiting: int
    alerts: tuple[AlertContext, ...]
    #: How many of these there are, also those that are not shown.
    told: int = 0
    decided: Decided | None = None
    #: One whose refusal was sent without a reason, and the error.
    refused_id: str = ""
    error: str = ""
    reason: str = ""

    @classmethod
    def sample(cls) -> HeldPage:
        """Return one to look at."""
        return cls((HeldCase.sample(),), 1, (AlertContext.sample(),), 1, Decided.sample())


@dataclass(frozen=True)
class HeldPeek:
    """One held message, in its room."""

    case: HeldCase

    @classmethod
    def sample(cls) -> HeldPeek:
        """Return one to look at."""
        return cls(HeldCase.sample())
