"""What templates are told about rules."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from markupsafe import Markup

from chat.accounts.contexts import PersonContext
from chat.rooms.contexts import Choice, RoomContext


@dataclass(frozen=True)
class RuleContext:
    """One rule, as a line of a list."""

    id: str
    name: str
    #: How its kind reads, and its sign.
    kind: str
    icon: str
    #: How what it does reads.
    action: str
    #: None: every room.
    room: str | None
    enabled: bool
    #: How often it did something in the last 30 days.
    hits: int
    #: Whether the viewer may change it.
    may_change: bool

    @classmethod
    def sample(cls) -> RuleContext:
        """Return one to look at."""
        return cls(
            "samplesamplesaml", "Links of newcomers", "Links", "link", "Hold it for review", None, True, 12, True
        )


@dataclass(frozen=True)
class RulesPage:
    """The rules within reach."""

    rules: tuple[RuleContext, ...]
    #: A rule that was deleted a moment ago is said here.
    deleted: bool = False

    @classmethod
    def sample(cls) -> RulesPage:
        """Return one to look at."""
        return cls((RuleContext.sample(),))


@dataclass(frozen=True)
class KindContext:
    """A kind of rule that one can make."""

    name: str
    words: str
    detail: str
    icon: str

    @classmethod
    def sample(cls) -> KindContext:
        """Return one to look at."""
        return cls("links", "Links", "All links, those to some sites, or those to all others.", "link")


@dataclass(frozen=True)
class KindsPage:
    """The kinds of rules there are."""

    kinds: tuple[KindContext, ...]

    @classmethod
    def sample(cls) -> KindsPage:
        """Return one to look at."""
        return cls((KindContext.sample(),))


@dataclass(frozen=True)
class ActionChoice:
    """Something that a rule can do."""

    value: str
    words: str
    detail: str

    @classmethod
    def sample(cls) -> ActionChoice:
        """Return one to look at."""
        return cls("hold", "Hold it for review", "Only its author and moderators see it until one of them decides.")


@dataclass(frozen=True)
class NumberField:
    """A number in the form of a rule."""

    name: str
    label: str
    value: str
    least: int
    most: int

    @classmethod
    def sample(cls) -> NumberField:
        """Return one to look at."""
        return cls("seconds", "Within seconds", "30", 1, 600)


@dataclass(frozen=True)
class Bar:
    """A day of a trial."""

    day: date
    hits: int
    #: Percent of the day with most hits.
    height: int

    @classmethod
    def sample(cls) -> Bar:
        """Return one to look at."""
        return cls(date(2026, 11, 21), 4, 80)


@dataclass(frozen=True)
class Example:
    """A message that a rule would have been about."""

    room: RoomContext
    message_id: str
    author: PersonContext
    created_at: datetime
    #: The beginning of it, as typed, with ``<mark>`` around what was found.
    text: Markup

    @classmethod
    def sample(cls) -> Example:
        """Return one to look at."""
        moment = datetime(2026, 11, 21, 9, 12, tzinfo=UTC)
        text = Markup("cheap lenses at <mark>lens.example</mark>")
        return cls(RoomContext.sample(), "samplesamplesamp", PersonContext.sample(), moment, text)


@dataclass(frozen=True)
class Trial:
    """What a rule would have done in the last 30 days, and to a text that somebody tried."""

    #: Messages that were looked at, in rooms within reach, and days.
    searched: int
    days: int
    hits: int
    people: int
    bars: tuple[Bar, ...]
    #: Latest first.
    examples: tuple[Example, ...]
    #: Not all messages of these days were looked at, for there are too many.
    cut: bool = False
    #: It took too long, and this is what was found until then.
    timed_out: bool = False
    #: The text that was tried, marked; None: there was none. And whether the rule is about it.
    tried: Markup | None = None
    tried_hit: bool = False
    #: Why nothing could be tried.
    problem: str = ""

    @classmethod
    def sample(cls) -> Trial:
        """Return one to look at."""
        return cls(4211, 30, 12, 5, (Bar.sample(),) * 30, (Example.sample(),))


@dataclass(frozen=True)
class RuleDeletePage:
    """The question whether a rule is to be deleted."""

    id: str
    name: str
    #: The words of its kind, and of what it does.
    words: str
    does: str
    #: Empty for every room.
    room: str
    #: Whether it only tells moderators.
    alerts: bool

    @classmethod
    def sample(cls) -> RuleDeletePage:
        """Return a sample of the page, for one rule."""
        return cls("samplesamplesaml", "Links of newcomers", "Links", "Hold it for review", "", False)


@dataclass(frozen=True)
class RulePage:
    """The form of a rule, new or to be changed."""

    #: Empty for a new one.
    id: str
    kind: str
    kind_words: str
    #: As typed.
    name: str
    action: str
    room: str
    mute_minutes: str
    sentence: str
    #: What the author is told without one.
    usual_sentence: str
    #: The fields of several lines, and how a rule about links uses them.
    words: str
    allow: str
    patterns: str
    hosts: str
    mode: str
    numbers: tuple[NumberField, ...]
    text: str
    rooms: tuple[Choice, ...]
    #: Whether it may be about every room.
    may_all: bool
    actions: tuple[ActionChoice, ...]
    modes: tuple[Choice, ...]
    enabled: bool = True
    trial: Trial | None = None
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def sample(cls) -> RulePage:
        """Return one to look at."""
        return cls(
            "samplesamplesaml", "links", "Links", "Links of newcomers", "hold", "", "60", "", "Links are not taken here.",
            "", "", "", "lens.example", "only", (), "", (Choice.sample(),), True, (ActionChoice.sample(),),
            (Choice("only", "Only links to the sites below"),), trial=Trial.sample(),
        )  # fmt: skip
