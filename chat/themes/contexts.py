"""What the pattern page is given."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PatternContext:
    """A template of ours, or the one that a theme has in its place."""

    name: str
    #: What it is, in a sentence.
    sentence: str
    #: Whether it is a whole page.
    is_page: bool
    #: Whether the theme has another one.
    themed: bool

    @classmethod
    def sample(cls) -> PatternContext:
        """Return one to look at."""
        return cls("messages/_message.html", "One message in a timeline.", False, True)


@dataclass(frozen=True)
class PatternsPage:
    """All templates that can be looked at."""

    patterns: tuple[PatternContext, ...]
    #: Another one as soon as a file is saved.
    version: str

    @classmethod
    def sample(cls) -> PatternsPage:
        """Return one to look at."""
        return cls((PatternContext.sample(),), "c0ffee")


@dataclass(frozen=True)
class PatternPage:
    """One template in every state."""

    pattern: PatternContext
    states: tuple[str, ...]
    #: The version of its contract, and its hooks.
    contract: int
    hooks: tuple[str, ...]
    #: What it is given, such as ``message: MessageContext``.
    given: tuple[str, ...]
    #: As the theme has it, where it has one.
    source: str
    #: Another one as soon as a file is saved.
    version: str
    #: ``ltr`` or ``rtl``.
    direction: str = "ltr"
    #: Whether scripts run in what is shown.
    script: bool = True

    @classmethod
    def sample(cls) -> PatternPage:
        """Return one to look at."""
        hooks = (".message[data-seq]", ".message__text")
        source = '<li class="message" data-seq="{{ message.seq }}">…</li>'
        given = ("message, continues: MessageItem",)
        return cls(PatternContext.sample(), ("as it is", "many"), 1, hooks, given, source, "c0ffee")


@dataclass(frozen=True)
class PreviewPage:
    """A part of a page by itself."""

    #: The part as safe HTML.
    html: str
    #: ``light`` or ``dark``.
    theme: str

    @classmethod
    def sample(cls) -> PreviewPage:
        """Return one to look at."""
        return cls("<p>Lift starts at 14:00 sharp.</p>", "light")
