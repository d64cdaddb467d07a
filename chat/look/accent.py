"""The colours that are made of an accent: in both looks, each with the contrast that text and controls need.

The hue of the accent stays. Where it could not be read, or seen, on the grounds that we ship, its lightness moves just as far
as it has to: darker in the light look, lighter in the dark one. So every colour can be chosen, and none makes a page
unreadable.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from chat.core.threads import Threads
from chat.look import tokens

if TYPE_CHECKING:
    from coloraide import Color

_counting = Threads(1)
_SHEET = Path(__file__).parents[2] / "static/css/tokens.css"
#: By how much lightness moves at a time.
_STEP = 0.005
TEXT, CONTROL = 4.5, 3.0

#: Mark, ground, the least contrast, and what it is on a page. Source: WCAG 2.2, 1.4.3 and 1.4.11.
PAIRS = (
    ("accent-text", "surface", TEXT, "Links, on the sheet"),
    ("accent-text", "canvas", TEXT, "Links, beside the sheet"),
    ("accent-text", "selected", TEXT, "Links, in the chosen row"),
    ("accent-text", "accent-soft", TEXT, "Mentions of others"),
    ("on-accent", "accent", TEXT, "Text on filled buttons"),
    ("on-accent", "accent-hover", TEXT, "The same under the pointer"),
    ("text-3", "accent-soft", TEXT, "Times on soft grounds"),
    ("text-3", "selected", TEXT, "Times in the chosen row"),
    ("text-3", "mine", TEXT, "Times of one's own messages"),
    ("text", "accent-line", TEXT, "Selected text"),
    ("toast-accent", "toast", TEXT, "Undo, on a toast"),
    ("accent", "surface", CONTROL, "Buttons and marks, on the sheet"),
    ("accent", "canvas", CONTROL, "The same beside the sheet"),
    ("accent", "raised", CONTROL, "The same in the composer"),
)


@dataclass(frozen=True)
class Accent:
    """What an accent becomes, by the name of each token without its hyphens: hexadecimal colours."""

    chosen: str
    light: dict[str, str]
    dark: dict[str, str]


@dataclass(frozen=True)
class Ratio:
    """The contrast of one pair, in both looks."""

    words: str
    floor: float
    light: float
    dark: float


def derived(chosen: str) -> Accent:
    """Return the colours that are made of an accent.

    :param chosen: as ``#rrggbb``.
    """
    return _counting.run(_derived, chosen)


def ratios(chosen: str) -> tuple[Ratio, ...]:
    """Return the contrasts that an accent has where it is used, rounded down.

    :param chosen: as ``#rrggbb``; empty for the accent that we ship.
    """
    return _counting.run(_ratios, chosen)


def declarations(chosen: str) -> str:
    """Return the custom properties of an accent, as CSS."""
    made = derived(chosen)
    return "".join(f"--{name}:light-dark({made.light[name]},{made.dark[name]});" for name in made.light)


# -- inside


@lru_cache(maxsize=64)
def _derived(chosen: str) -> Accent:
    return Accent(chosen, _look(chosen, dark=False), _look(chosen, dark=True))


@lru_cache(maxsize=64)
def _ratios(chosen: str) -> tuple[Ratio, ...]:
    light, dark = _grounds(False), _grounds(True)
    if chosen:
        made = _derived(chosen)
        light, dark = light | made.light, dark | made.dark
    return tuple(
        Ratio(words, floor, _rounded(_contrast(light[mark], light[ground])), _rounded(_contrast(dark[mark], dark[ground])))
        for mark, ground, floor, words in PAIRS
    )  # fmt: skip


def _look(chosen: str, dark: bool) -> dict[str, str]:
    lightness, chroma, hue = _oklch(chosen)
    grounds = _grounds(dark)

    def colour(light: float, most: float = 1.0) -> str:
        return _hex(light, min(chroma, most), hue)

    def holds(found: dict[str, str], mark: str) -> bool:
        known = grounds | made | found
        return all(
            _contrast(known[each], known[ground]) >= floor
            for each, ground, floor, _ in PAIRS
            if each == mark
        )  # fmt: skip

    # As they are in tokens.css, with the hue of this one.
    grounded = {
        "accent-soft": (0.300, 0.036), "accent-line": (0.460, 0.060), "toast-accent": (0.435, 0.076),
        "selected": (0.310, 0.020), "mine": (0.290, 0.022),
    } if dark else {
        "accent-soft": (0.942, 0.022), "accent-line": (0.800, 0.055), "toast-accent": (0.865, 0.080),
        "selected": (0.918, 0.016), "mine": (0.948, 0.017),
    }  # fmt: skip
    made = {name: colour(*values) for name, values in grounded.items()}
    for light in _lightnesses(lightness, dark):
        exact = chosen if light == lightness else colour(light)
        under = light + 0.05 if dark else light - 0.05
        for on in (
            (_hex(0.205, 0.03, hue), _hex(0.99, 0.004, hue))
            if dark
            else (_hex(0.99, 0.004, hue), _hex(0.205, 0.03, hue))
        ):
            found = {"accent": exact, "accent-hover": colour(min(1.0, max(0.0, under))), "on-accent": on}
            if holds(found, "accent") and holds(found, "on-accent"):
                break
        else:
            continue
        break
    for light in _lightnesses(lightness, dark):
        found["accent-text"] = colour(light)
        if holds(made | found, "accent-text"):
            break
    return found | made


def _lightnesses(start: float, dark: bool) -> Iterator[float]:
    """Yield lightness from a colour's own to the end at which everything can be read."""
    yield start
    end = round(1 / _STEP)
    for step in range(int(start * end) + 1, end + 1) if dark else range(int(start * end) - 1, -1, -1):
        yield step * _STEP


@lru_cache(maxsize=2)
def _grounds(dark: bool) -> dict[str, str]:
    found = tokens.read(_SHEET.read_text("utf-8"))
    return {each.name[2:]: each.dark if dark else each.light for each in found if "oklch" in each.light}


def _color(value: str) -> Color:
    from coloraide import Color  # here: it takes a third of a second, and most sites keep our accent

    return Color(value)


def _oklch(value: str) -> tuple[float, float, float]:
    lightness, chroma, hue = _color(value).convert("oklch").coords(nans=False)
    return float(lightness), float(chroma), float(hue)


def _hex(lightness: float, chroma: float, hue: float) -> str:
    """Return a colour as screens show it; what they cannot is made paler."""
    found = _color(f"oklch({lightness} {chroma} {hue})").convert("srgb").fit(method="oklch-chroma")
    return str(found.to_string(hex=True))


@lru_cache(maxsize=4096)
def _luminance(value: str) -> float:
    shown = _color(value).convert("srgb").fit(method="oklch-chroma").to_string(hex=True)
    return float(_color(shown).luminance())


def _contrast(one: str, other: str) -> float:
    """Return how far two colours are apart, 1 to 21. Source: WCAG 2.2, contrast ratio."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _rounded(ratio: float) -> float:
    return int(ratio * 10) / 10
