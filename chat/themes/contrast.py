"""Whether the colours of a theme's style sheets can be read, light and dark, and what else its sheets do wrong.

Colours are resolved as a browser would, through custom properties and ``light-dark()``. A rule that sets a colour without a
ground is measured on the ground that pages have.
"""

from __future__ import annotations

import difflib
import posixpath
import re
from collections.abc import Container, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import tinycss2
from coloraide import Color

from chat.themes import lock
from chat.themes.problems import Problem

#: Text on its ground, as components have it. Source: the table of tokens.css.
TEXTS = {
    "text": ("surface", "canvas", "raised", "selected", "mine", "bubble", "you-soft"),
    "text-2": ("surface", "canvas", "selected"),
    "text-3": ("surface", "canvas", "selected", "mine", "accent-soft"),
    "accent-text": ("surface", "canvas", "selected", "accent-soft"),
    "on-accent": ("accent", "accent-hover"),
    "you-text": ("surface", "canvas", "you-soft"),
    "danger-text": ("surface", "canvas", "danger-soft"),
    "on-danger": ("danger",),
    "warn-text": ("surface", "canvas", "warn-soft"),
    "ok-text": ("surface", "canvas", "ok-soft"),
    "on-toast": ("toast",),
    "toast-accent": ("toast",),
}
#: Marks and edges that say something.
MARKS = {
    "accent": ("surface", "canvas"),
    "you": ("surface", "canvas"),
    "danger": ("surface", "canvas"),
    "ok": ("surface", "canvas"),
    "away": ("surface", "canvas"),
    "line-strong": ("surface", "canvas", "raised"),
    "focus": ("surface", "canvas", "selected"),
}
#: Least contrast. Source: WCAG 2.2, 1.4.3 and 1.4.11.
FOR_TEXT, FOR_MARKS = 4.5, 3.0
THEMES = ("light", "dark")
_PHYSICAL = re.compile(r"(?:margin|padding|border|inset)?-?(?:left|right)|text-align|float")
_GROUNDS = {"background", "background-color"}


class Sheets:
    """The style sheets of a theme together with our tokens.

    :param tokens: the text of ``tokens.css``.
    """

    def __init__(self, tokens: str) -> None:
        # Not what they are in print, or for less motion.
        self._ours = {
            name: value
            for selector, name, value, _ in _declarations(tokens)
            if name.startswith("--") and "@media" not in selector
        }
        #: By theme: the value of each custom property, and the file and line that set it.
        self._known: dict[str, dict[str, str]] = {each: dict(self._ours) for each in THEMES}
        self._places: dict[str, tuple[str, int]] = {}

    def problems(self, sheets: dict[str, str], used: str) -> Iterator[Problem]:
        """Yield what is wrong.

        :param sheets: the text of each sheet, by its file.
        :param used: everything else in which custom properties may be used.
        """
        for file, text in sheets.items():
            yield from _mistakes(file, text)
            for selector, name, value, line in _declarations(text):
                if name.startswith("--"):
                    yield from self._set(file, selector, name, value, line, used + text)
        yield from self._pairs()
        for file, text in sheets.items():
            yield from self._rules(file, text)

    def _set(self, file: str, selector: str, name: str, value: str, line: int, used: str) -> Iterator[Problem]:
        if name not in self._ours and f"var({name}" not in used:
            near = difflib.get_close_matches(name, self._ours, 1)
            yield Problem(
                file,
                line,
                f"Nothing uses {name}.",
                f"Is it {near[0]}?" if near else "Names are in static/css/tokens.css.",
            )
        if re.search(r":root|^html$|\[data-theme=[^]]*\]$", selector):
            for theme in _themes(selector):
                self._known[theme][name] = value
                self._places[name] = (file, line)

    def _pairs(self) -> Iterator[Problem]:
        for pairs, least in ((TEXTS, FOR_TEXT), (MARKS, FOR_MARKS)):
            for mark, grounds in pairs.items():
                found: list[Problem] = []
                for ground in grounds:
                    place = self._places.get(f"--{mark}") or self._places.get(f"--{ground}")
                    if place:
                        found += self._compared(*place, f"var(--{mark})", f"var(--{ground})", least, THEMES)
                yield from found[:1]  # what mends one usually mends the others

    def _rules(self, file: str, text: str) -> Iterator[Problem]:
        rules: dict[tuple[str, int], dict[str, tuple[str, int]]] = {}
        for selector, name, value, line, rule in _declarations(text, with_rule=True):
            rules.setdefault((selector, rule), {})[name] = (value, line)
        for (selector, _), declared in rules.items():
            ground = next((declared[name] for name in sorted(_GROUNDS) if name in declared), None)
            colour = declared.get("color")
            if colour or ground:
                pair = colour[0] if colour else "var(--text)", ground[0] if ground else "var(--surface)"
                yield from self._compared(file, (colour or ground or ("", 1))[1], *pair, FOR_TEXT, _themes(selector))

    def _compared(
        self, file: str, line: int, mark: str, ground: str, least: float, themes: tuple[str, ...]
    ) -> Iterator[Problem]:
        for theme in themes:
            colours = [self._colour(each, theme) for each in (mark, ground, "var(--surface)")]
            seen = [each for each in colours if each is not None]
            if len(seen) < len(colours) or not seen[0].alpha():
                continue
            # What is not opaque shows what is below it.
            below = Color.layer(seen[1:], space="srgb")
            found = Color.layer([seen[0], below], space="srgb").contrast(below, method="wcag21")
            if found < least:
                yield Problem(
                    file,
                    line,
                    f"{mark} on {ground} has a contrast of {found:.1f}, {theme}; it needs {least}.",
                    "Move their lightness apart, or say in the same rule which background it stands on.",
                )

    def _colour(self, value: str, theme: str, depth: int = 0) -> Color | None:
        """Return a colour; None for what is none by itself, such as ``inherit``."""
        value = value.strip()
        if depth > 8:
            return None
        if var := re.fullmatch(r"var\((--[\w-]+)(?:,(.*))?\)", value):
            known = self._known[theme].get(var[1], var[2] or "")
            return self._colour(known, theme, depth + 1) if known else None
        if pair := re.fullmatch(r"light-dark\((.*)\)", value, re.DOTALL):
            parts = _split(pair[1])
            return self._colour(parts[THEMES.index(theme)], theme, depth + 1) if len(parts) == 2 else None
        try:
            return Color(value)
        except ValueError:
            return None


def _themes(selector: str) -> tuple[str, ...]:
    """Return where a rule counts: light, dark or both; nowhere for one that asks about something else, such as a width."""
    asked = re.findall(r"@media ([^@]*?\)(?= |$))", selector)
    if any("prefers-color-scheme" not in each for each in asked):
        return ()
    said = re.findall(r"data-theme=\"?(light|dark)|prefers-color-scheme: (light|dark)", selector)
    return tuple(theme for theme in THEMES if not said or any(theme in each for each in said))


def sheets_of(theme: Path) -> dict[str, str]:
    """Return the style sheets of a theme, by their files."""
    return {
        file: (theme / file).read_text("utf-8") for file in lock.files(theme) if re.fullmatch(r"static/.*\.css", file)
    }


def outside(file: str, text: str) -> Iterator[Problem]:
    """Yield the rules of a theme's own sheet that are in no layer, or in another one than ``theme``."""
    for node in tinycss2.parse_stylesheet(text, skip_comments=True, skip_whitespace=True):
        name = node.lower_at_keyword if node.type == "at-rule" else ""
        layer = tinycss2.serialize(node.prelude).strip().split(".")[0] if name == "layer" else ""
        if node.type != "error" and layer != "theme" and name not in {"import", "charset", "font-face"}:
            yield Problem(
                file,
                node.source_line,
                "This is outside of the layer “theme”, so it wins over the look that an administrator chose.",
                "Write @layer theme { … } around it.",
            )


def lost(file: str, text: str, known: Container[str]) -> Iterator[Problem]:
    """Yield the pictures, fonts and sheets that a sheet names by a relative path and that are not there.

    :param known: the static files of the theme and of ours, such as ``static/icons/confab.svg``.
    """
    for node in _nodes(tinycss2.parse_stylesheet(text, skip_comments=True, skip_whitespace=True)):
        imports = node.type == "at-rule" and node.lower_at_keyword == "import"
        for word in node.prelude if imports else node.value if node.type == "declaration" else ():
            named = word.type == "url" or (imports and word.type == "string")
            address = urlsplit(word.value) if named else None
            if address and address.path and not address.netloc and not address.scheme:
                wanted = posixpath.normpath(posixpath.join(posixpath.dirname(file), address.path))
                if wanted not in known:
                    yield Problem(file, word.source_line, f"There is no {wanted}.", "Paths go from the sheet's folder.")


def _mistakes(file: str, text: str) -> Iterator[Problem]:
    for node in _nodes(tinycss2.parse_stylesheet(text, skip_comments=True, skip_whitespace=True)):
        if node.type == "error":
            yield Problem(file, node.source_line, f"This is no CSS: {node.message}.", "A browser leaves it out.")
        elif node.type == "declaration":
            value = tinycss2.serialize(node.value)
            physical = _PHYSICAL.fullmatch(node.lower_name)
            if physical and (node.lower_name not in {"text-align", "float"} or re.search(r"\b(left|right)\b", value)):
                yield Problem(
                    file,
                    node.source_line,
                    f"{node.name} stays where it is when a page is read from right to left.",
                    "Say it with start and end: margin-inline-start, inset-inline-end, text-align: start.",
                )
            if node.important:
                yield Problem(
                    file,
                    node.source_line,
                    f"{node.name} is !important.",
                    "The layer “theme” wins over ours without it.",
                )
        if node.type in {"declaration", "at-rule"}:
            parts = tinycss2.serialize(node.value if node.type == "declaration" else node.prelude)
            if re.search(r"(?:https?:)?//[\w.]", parts):
                yield Problem(
                    file,
                    node.source_line,
                    "This loads from another host, which the content security policy refuses.",
                    "Put the file into static/ and name it by a relative path.",
                )


def _nodes(nodes: list[Any]) -> Iterator[Any]:
    """Yield rules and declarations, and those inside of them."""
    for node in nodes:
        yield node
        if getattr(node, "content", None) is not None:
            yield from _nodes(tinycss2.parse_blocks_contents(node.content, skip_comments=True, skip_whitespace=True))


def _declarations(text: str, with_rule: bool = False) -> Iterator[Any]:
    """Yield selector, name, value and line of each declaration; with the line of its rule where that is asked for."""

    def inside(nodes: list[Any], selector: str, rule: int) -> Iterator[Any]:
        for node in nodes:
            if node.type == "declaration":
                found = (selector, node.name, tinycss2.serialize(node.value).strip(), node.source_line)
                yield (*found, rule) if with_rule else found
            elif getattr(node, "content", None) is not None:
                content = tinycss2.parse_blocks_contents(node.content, skip_comments=True, skip_whitespace=True)
                own = tinycss2.serialize(node.prelude).strip()
                if node.type == "at-rule":
                    own = f"@media {own}" if node.lower_at_keyword == "media" else ""
                yield from inside(content, f"{selector} {own}".strip(), node.source_line if own else rule)

    yield from inside(tinycss2.parse_stylesheet(text, skip_comments=True, skip_whitespace=True), "", 0)


def _split(text: str) -> list[str]:
    """Return the parts of a list at its outer commas."""
    parts, depth = [""], 0
    for sign in text:
        depth += {"(": 1, ")": -1}.get(sign, 0)
        if sign == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += sign
    return parts
