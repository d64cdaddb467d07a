"""What templates are told about the look of the site."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class LookContext:
    """How the page is to look, beyond what we ship."""

    #: The address of the sheet with the accent and the styles of this site; empty where there are none.
    style: str = ""
    #: The address of the logo; empty for ours.
    logo: str = ""
    #: Whether this browser leaves the site's own styles out, so that they can be mended.
    safe: bool = False
    #: Whether the page leaves styles of the site and of themes out, but for the accent: in the console, and on account pages.
    plain: bool = False

    @classmethod
    def sample(cls) -> LookContext:
        """Return one to look at."""
        return cls()


@dataclass(frozen=True)
class RatioContext:
    """The contrast of a text, or a mark, with what it stands on."""

    words: str
    floor: float
    light: float
    dark: float

    @classmethod
    def sample(cls) -> RatioContext:
        """Return one to look at."""
        return cls("Links, on the sheet", 4.5, 7.2, 9.5)


@dataclass(frozen=True)
class LookPage:
    """The form of the site's look."""

    #: As typed, or as it is.
    name: str
    accent: str
    css: str
    #: The address of the logo; empty for ours.
    logo: str
    #: The name where none is chosen here.
    usual_name: str
    #: What the form holds is a draft that nobody else sees yet.
    drafted: bool
    ratios: tuple[RatioContext, ...]
    #: What the accent becomes in the light and in the dark look; empty for ours.
    light: str
    dark: str
    css_limit: int
    saved: bool = False
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def sample(cls) -> LookPage:
        """Return one to look at."""
        return cls(
            "Skerry Light", "#7a3cc2", "", "", "Confab", False, (RatioContext.sample(),), "#7a3cc2", "#9c61e9", 16384
        )


@dataclass(frozen=True)
class LookPreviewPage:
    """A draft of the site's look, before it is everybody's."""

    name: str
    #: The accent as it was chosen; empty for ours. And what it becomes in the light and in the dark look.
    accent: str
    light: str
    dark: str
    ratios: tuple[RatioContext, ...]
    #: What changes, in words.
    changes: tuple[str, ...]
    #: What is compared here, for the form that saves it.
    seen: str = ""
    #: Why it was not saved.
    problem: str = ""

    @classmethod
    def sample(cls) -> LookPreviewPage:
        """Return one to look at."""
        return cls("Skerry Light", "#7a3cc2", "#7a3cc2", "#9c61e9", (RatioContext.sample(),), ("name", "accent"))


@dataclass(frozen=True)
class LookDropPage:
    """The question before a draft of the site's look is dropped."""

    #: What it changes: ``name``, ``accent``, ``css``, ``logo``.
    changes: tuple[str, ...]
    #: Its styles, to be copied.
    css: str

    @classmethod
    def sample(cls) -> LookDropPage:
        """Return a page about a draft with styles."""
        return cls(("name", "css"), ".bar { letter-spacing: 0; }")


@dataclass(frozen=True)
class SafeModePage:
    """The page of safe mode; ``layout.look.safe`` says whether it is on."""

    #: The address of the page where this person mends the look, or goes on.
    back: str

    @classmethod
    def sample(cls) -> SafeModePage:
        """Return a sample of the page."""
        return cls("/moderation/look")
