"""The style sheets keep to their rules, and every pair of colours to its contrast."""

from __future__ import annotations

import gzip
import math
import re
from pathlib import Path

import pytest
from flask import Flask

from tests.services import ROOT

CSS = ROOT / "static" / "css"
FILES = sorted(CSS.rglob("*.css"))
#: The rules of one viewer are a template; what it says beyond CSS is left out.
VIEWER = re.sub(
    r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", "", (ROOT / "templates/accounts/viewer.css").read_text(), flags=re.DOTALL
)
SHEETS = {str(file.relative_to(CSS)): re.sub(r"/\*.*?\*/", "", file.read_text(), flags=re.DOTALL) for file in FILES}
SHEETS["viewer.css (template)"] = VIEWER
LAYERS = ["reset", "tokens", "base", "layout", "components", "utilities", "theme"]

#: Text or mark, ground, and the contrast that it has at least: light, dark. Source: the design's table of tokens.
CONTRASTS = """
text surface 15.0 14.0
text canvas 13.3 15.3
text selected 12.0 10.6
text mine 13.1 11.4
text you-soft 13.8 12.1
text-2 surface 7.1 8.0
text-2 canvas 6.3 8.7
text-2 selected 5.7 6.0
text-3 surface 5.9 6.2
text-3 canvas 5.2 6.7
text-3 selected 4.7 4.7
text-3 mine 5.1 5.0
text-3 accent-soft 5.0 4.8
accent-text surface 7.2 9.5
accent-text canvas 6.4 10.3
accent-text selected 5.7 7.1
accent-text accent-soft 6.2 7.4
on-accent accent 6.2 8.6
on-accent accent-hover 7.7 10.2
you-text surface 6.3 9.3
you-text canvas 5.6 10.1
you-text you-soft 5.8 8.1
danger-text surface 6.6 7.8
danger-text canvas 5.8 8.5
danger-text danger-soft 5.8 6.5
on-danger danger 5.6 6.0
warn-text surface 7.0 10.1
warn-text canvas 6.2 11.0
warn-text warn-soft 6.4 8.2
ok-text surface 6.8 9.6
ok-text canvas 6.1 10.5
ok-text ok-soft 6.1 7.8
line-strong surface 3.5 3.8
line-strong canvas 3.1 4.2
line-strong raised 3.6 3.3
accent surface 6.3 8.2
accent canvas 5.6 9.0
you surface 4.6 7.9
you canvas 4.0 8.7
danger surface 5.6 5.7
danger danger-soft 5.0 4.7
ok surface 4.0 7.8
ok canvas 3.5 8.5
ok selected 3.2 5.9
away surface 4.0 8.7
away canvas 3.5 9.6
away selected 3.2 6.6
focus surface 4.4 8.7
focus canvas 4.0 9.5
focus selected 3.5 6.6
on-toast toast 11.6 11.6
toast-accent toast 9.1 6.5
"""


# -- colours


def _tokens() -> dict[str, tuple[tuple[float, ...], tuple[float, ...]]]:
    """Return the colours of tokens.css by name: light and dark, each as L, C and H."""
    colour = r"oklch\(([\d.]+) ([\d.]+) ([\d.]+)\)"
    found = re.findall(rf"--([\w-]+): light-dark\({colour}, {colour}\);", SHEETS["tokens.css"])
    return {name: (tuple(map(float, rest[:3])), tuple(map(float, rest[3:]))) for name, *rest in found}


def _linear(lch: tuple[float, ...]) -> tuple[float, float, float]:
    """Return a colour as linear sRGB. Source: CSS Color 4, 10.2 and the sample code of its section 18."""
    lightness, chroma, hue = lch
    a, b = chroma * math.cos(math.radians(hue)), chroma * math.sin(math.radians(hue))
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    middle = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * middle + 1.7076147010 * short,
    )


def _luminance(lch: tuple[float, ...]) -> float:
    """Return the relative luminance of what a screen of 8 bits shows. Source: WCAG 2.2, relative luminance."""

    def shown(value: float) -> float:
        value = min(1.0, max(0.0, value))
        encoded = 12.92 * value if value <= 0.0031308 else 1.055 * value ** (1 / 2.4) - 0.055
        byte = round(encoded * 255) / 255
        return byte / 12.92 if byte <= 0.04045 else ((byte + 0.055) / 1.055) ** 2.4

    red, green, blue = (shown(value) for value in _linear(lch))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("row", CONTRASTS.split("\n")[1:-1])
def test_a_pair_of_colours_has_its_contrast(row: str):
    mark, ground, *floors = row.split()
    tokens = _tokens()
    for theme, floor in enumerate(floors):
        assert _contrast(tokens[mark][theme], tokens[ground][theme]) >= float(floor), ("light", "dark")[theme]


def test_every_colour_lies_inside_srgb():
    for name, pair in _tokens().items():
        for lch in pair:
            assert all(-0.002 <= value <= 1.002 for value in _linear(lch)), (name, lch)


def test_names_and_initials_of_all_twelve_hues_can_be_read():
    for hue in (10, 45, 75, 105, 135, 165, 195, 225, 255, 285, 315, 345):
        assert f"--hue: {hue};" in SHEETS["components/avatar.css"]
        assert _contrast((0.905, 0.040, hue), (0.400, 0.062, hue)) >= 6.7
        assert _contrast((0.375, 0.052, hue), (0.905, 0.045, hue)) >= 7.5


# -- manners


@pytest.mark.parametrize("name", SHEETS)
def test_a_sheet_is_inside_its_layer(name: str):
    if name in ("app.css", "console.css"):
        first, *imports = SHEETS[name].strip().split("\n")
        assert first == f"@layer {', '.join(LAYERS)};"
        assert imports == [f'@import "{each}";' for each in (re.findall(r'"(.+)"', line)[0] for line in imports)]
        entries = ("app.css", "console.css", "bare.css", "patterns.css")
        imported = re.findall(r'"([\w/-]+\.css)"', "\n".join(SHEETS[each] for each in entries))
        assert sorted(imported) == sorted(set(SHEETS) - {*entries, "viewer.css (template)"})
        return
    if name == "bare.css":
        assert set(re.sub(r'@import "(?:tokens-bare|components/\w+)\.css";', "", SHEETS[name])) <= {"\n"}
        return
    opened = re.match(r"\s*@layer (\w+) \{", SHEETS[name])
    assert opened
    assert opened[1] in LAYERS[:-1], "and `theme` is for themes"
    depth = 0
    for place, sign in enumerate(SHEETS[name]):
        depth += {"{": 1, "}": -1}.get(sign, 0)
        if depth == 0 and sign == "}":
            assert not SHEETS[name][place + 1 :].strip(), "nothing follows the layer"


PHYSICAL = re.compile(
    r"(?:^|[;{\s])((?:margin|padding|border|inset)-(?:top|right|bottom|left)[\w-]*|(?:top|right|bottom|left|width|height|"
    r"(?:min|max)-(?:width|height)|float|clear)|border-(?:top|bottom)-(?:left|right)-radius)\s*:"
)


@pytest.mark.parametrize("name", SHEETS)
def test_a_sheet_says_start_and_end_and_never_insists(name: str):
    assert not PHYSICAL.findall(SHEETS[name])
    assert not re.findall(r"text-align:\s*(?:left|right)", SHEETS[name])
    assert "!important" not in SHEETS[name]
    for length in re.findall(r"(?<![\w.])([\d.]+)px", SHEETS[name]):
        assert float(length) <= 3, f"{length}px: only lines are so thin that they do not grow with the reader's text"


@pytest.mark.parametrize("name", SHEETS)
def test_no_sheet_says_what_the_minifier_would_change(name: str):
    assert not re.findall(r"[\])\w-] :[a-z]", SHEETS[name]), "the space goes, and with it the descendant: nest it"


def test_every_custom_property_that_is_used_is_set_somewhere():
    everything = "\n".join(SHEETS.values())
    known = set(re.findall(r"(--[\w-]+)\s*:", everything))
    for name, sheet in SHEETS.items():
        for used, fallback in re.findall(r"var\((--[\w-]+)(,)?", sheet):
            assert used in known or fallback, f"{used} in {name}"


def test_every_class_that_is_styled_is_on_some_page():
    pages = [*(ROOT / "templates").rglob("*.html"), *(ROOT / "static/js").rglob("*.js")]
    words = set(re.findall(r"[\w-]+", "\n".join(page.read_text() for page in pages)))
    # Sizes and variants that a template puts together: `avatar--{{ size }}`.
    made = re.compile(r"(?:avatar|glyph|choice|message|more)--\w+")
    for name, sheet in SHEETS.items():
        for styled in re.findall(r"\.([a-z][\w-]*)", re.sub(r"[\d.]+\w*", "", re.sub(r'"[^"]*"', "", sheet))):
            assert styled in words or made.fullmatch(styled), f".{styled} in {name}"


# -- weight


def test_all_sheets_together_weigh_at_most_11_kilobytes(app: Flask):
    sent = app.test_client().get(
        f"/static/{app.extensions['static'].digest}/css/app.css", headers={"Accept-Encoding": "gzip"}
    )
    assert sent.headers["Content-Encoding"] == "gzip"
    own = app.test_client().get("/viewer/aaaaaaaaaaaaaaaa.css")
    assert own.status_code == 200
    assert len(sent.data) + len(gzip.compress(own.data)) <= 11 * 1024


def test_icons_weigh_at_most_4_kilobytes_and_every_one_is_used():
    sprite = (ROOT / "static/icons/icons.svg").read_bytes()
    assert len(gzip.compress(sprite)) <= 4 * 1024
    sprite += (ROOT / "static/icons/console.svg").read_bytes()
    sources: list[Path] = [*(ROOT / "templates").rglob("*.html"), *(ROOT / "static/js").rglob("*.js")]
    said = "\n".join(source.read_text() for source in sources)
    said += "".join(source.read_text() for source in (ROOT / "chat").rglob("*.py"))  # sections of the console
    for name in re.findall(r'<symbol id="([\w-]+)"', sprite.decode()):
        assert f'"{name}"' in said, f"no page shows the icon {name}"
    for name in re.findall(r'icon\("([\w-]+)"\)', said):
        assert f'<symbol id="{name}"' in sprite.decode(), f"there is no icon {name}"
