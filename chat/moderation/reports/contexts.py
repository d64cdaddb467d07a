"""What templates are told about reports."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from chat.accounts.contexts import PersonContext
from chat.messages.contexts import DeletionContext, MessageContext, PictureContext
from chat.rooms.contexts import Choice, FilterContext, RoomContext

_MOMENT = datetime(2026, 11, 21, 9, 48, tzinfo=UTC)
_KIT = PersonContext("samplesamplesamq", "Kit Marlow")


@dataclass(frozen=True)
class LineChoice:
    """A message around the one that is reported, which goes with it if it is chosen."""

    message: MessageContext
    chosen: bool = False

    @classmethod
    def sample(cls) -> LineChoice:
        """Return one to look at."""
        return cls(MessageContext.sample())


@dataclass(frozen=True)
class FilingPage:
    """The form to report a message, or a person."""

    #: Where it is sent, and where one goes without sending it.
    action: str
    back: str
    #: Whom it is about.
    person: PersonContext
    #: None when it is about the person as such.
    message: MessageContext | None
    reasons: tuple[Choice, ...]
    #: What is around a message of a direct room, oldest first. In other rooms nothing has to be chosen.
    lines: tuple[LineChoice, ...] = ()
    reason: str = ""
    comment: str = ""
    limit: int = 1000
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def sample(cls) -> FilingPage:
        """Return one to look at."""
        choices = (Choice("spam", "Spam or scam"), Choice("other", "Something else"))
        return cls(
            "/messages/samplesamplesamp/report",
            "/rooms",
            _KIT,
            MessageContext.sample(),
            choices,
            (LineChoice.sample(),),
        )


@dataclass(frozen=True)
class FiledPage:
    """That somebody has reported a message, or a person."""

    person: PersonContext
    #: Whether it was a message of theirs.
    message: bool
    at: datetime
    #: Whether moderators have decided by now.
    decided: bool
    #: Where one goes from here.
    back: str
    #: Whether they have just tried a second time.
    again: bool = False

    @classmethod
    def sample(cls) -> FiledPage:
        """Return one to look at."""
        return cls(_KIT, True, _MOMENT, False, "/rooms", again=True)


@dataclass(frozen=True)
class CaseContext:
    """Everything that was reported about one message, or one person. It holds no text of a direct room."""

    id: str
    #: Whom it is about.
    person: PersonContext
    #: The message that was reported; empty when it is the person as such.
    message_id: str
    #: Where it was said; None in a direct room, and for a person.
    room: RoomContext | None
    #: The text in one plain line; empty for what is hidden, or was said in a direct room.
    line: str
    #: Whether the message is still there for everybody in its room.
    standing: bool
    #: How many reported it, and why: each reason once.
    reports: int
    reasons: tuple[str, ...]
    #: When it was last reported.
    reported_at: datetime
    #: ``open``, ``kept`` or ``removed``.
    state: str
    assignee: PersonContext | None = None
    #: That only administrators see it, and why.
    escalated: bool = False
    escalation: str = ""
    closed_at: datetime | None = None
    closer: PersonContext | None = None
    answer: str = ""

    @property
    def direct(self) -> bool:
        """Tell whether it was said in a direct room."""
        return bool(self.message_id) and self.room is None

    @property
    def outcome(self) -> str:
        """Return what became of it, in a word or two; nothing while it is open."""
        words = {"kept": "Kept", "removed": "Removed"}
        if not self.message_id:
            words = {"kept": "Nothing to do", "removed": "Acted on"}
        return words.get(self.state, "")

    @classmethod
    def sample(cls) -> CaseContext:
        """Return one to look at."""
        return cls(
            "samplesamplesamr",
            _KIT,
            "samplesamplesamp",
            RoomContext.sample(),
            "Selling two tickets for the ferry, message me",
            True,
            3,
            ("Spam or scam", "Something else"),
            _MOMENT,
            "open",
            PersonContext.sample(),
        )


@dataclass(frozen=True)
class ReportContext:
    """What one person reported. Their name is for moderators alone."""

    reporter: PersonContext
    reason: str
    comment: str
    at: datetime

    @classmethod
    def sample(cls) -> ReportContext:
        """Return one to look at."""
        return cls(
            PersonContext.sample(), "Something else", "Asked me for card details in a direct message too.", _MOMENT
        )


@dataclass(frozen=True)
class ReportedMessage:
    """A reported message with the text that it had then; of a direct room nothing else is shown of it."""

    id: str
    author: PersonContext
    created_at: datetime
    #: What it said when it was first reported, as safe HTML.
    html: str
    #: What it says now, if that is something else; always empty for a direct room.
    now: str
    edited: bool
    pictures: tuple[PictureContext, ...]
    deletion: DeletionContext | None
    #: Its text was destroyed.
    purged: bool = False

    @classmethod
    def sample(cls) -> ReportedMessage:
        """Return one to look at."""
        text = "Selling two tickets for the ferry, message me"
        return cls("samplesamplesamp", _KIT, _MOMENT, text, "Never mind", True, (PictureContext.sample(),), None)


@dataclass(frozen=True)
class CasePage:
    """One case. If it shows hidden text or that of a direct room, that is in the audit log already."""

    case: CaseContext
    #: None for a person.
    message: ReportedMessage | None
    before: tuple[MessageContext, ...]
    after: tuple[MessageContext, ...]
    reports: tuple[ReportContext, ...]
    #: Whether what it shows is hidden from others.
    hidden: bool
    #: Whether the person who looks is the one who handles it.
    mine: bool
    #: How many other cases there were about this person, and in how many of them something was done.
    earlier: int = 0
    earlier_removed: int = 0
    #: Whether opening it again puts the message back.
    puts_back: bool = False

    @classmethod
    def sample(cls) -> CasePage:
        """Return one to look at."""
        case = replace(CaseContext.sample(), escalated=True, escalation="Somebody may be in danger")
        around = (MessageContext.sample(),)
        return cls(case, ReportedMessage.sample(), around, around, (ReportContext.sample(),), True, True, 2, 1)


@dataclass(frozen=True)
class QueuePage:
    """The cases that wait, or those that are closed; the latest first."""

    rows: tuple[CaseContext, ...]
    filters: tuple[FilterContext, ...]
    #: The filters as they stand in an address, to go on with.
    query: dict[str, str]
    #: Whether closed cases are shown.
    closed: bool
    #: Where the next page begins; empty on the last one.
    more: str = ""
    #: What was just done, in a sentence, and the case that it was done to.
    done: str = ""
    done_id: str = ""

    @classmethod
    def sample(cls) -> QueuePage:
        """Return one to look at."""
        done = "Removed a message by Kit Marlow in lamp-room."
        return cls((CaseContext.sample(),), (FilterContext.sample(),), {}, False, "", done, "samplesamplesamr")


@dataclass(frozen=True)
class DecisionPage:
    """The form to decide about a case."""

    case: CaseContext
    #: ``keep``, ``remove`` or ``escalate``.
    decision: str
    reason: str = ""
    answer: str = ""
    error: str = ""
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def sample(cls) -> DecisionPage:
        """Return one to look at."""
        return cls(CaseContext.sample(), "remove", error="Somebody else has closed this case: the message was kept.")
