"""``theme.lock``: what of ours a theme was written against, so that an update can say what changed underneath it.

The file holds, for each template and style sheet that the theme replaces or extends, the version of its contract and its
text as it was shipped. It is written by ``flask theme lock`` and belongs into the theme's own version control.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from chat.core.errors import Invalid
from chat.themes.rendering import Renderer

NAME = "theme.lock"
_BLOCK = re.compile(r"\{%[-+]?\s*(?:block\s+(\w+)\b.*?|(endblock)\b.*?)[-+]?%\}", re.DOTALL)


@dataclass(frozen=True)
class Entry:
    """One file of ours as it was when somebody wrote what stands in its place."""

    contract: int
    shipped: str


@dataclass(frozen=True)
class Change:
    """What became of one file, or of one block of it, since."""

    #: The file of the theme.
    file: str
    #: The block; empty where the theme replaces the whole file.
    block: str
    before: str
    after: str

    def lines(self) -> Iterator[str]:
        """Yield the difference as a unified diff."""
        name = f"{self.file} ({self.block})" if self.block else self.file
        parts = self.before.splitlines(True), self.after.splitlines(True)
        yield from difflib.unified_diff(*parts, f"then/{name}", f"now/{name}")


def read(theme: Path) -> dict[str, Entry]:
    """Return what a theme was written against, by its files; nothing where it never said.

    :raises Invalid: the file is none of ours, such as one with the marks of a merge in it.
    """
    path = theme / NAME
    if not path.is_file():
        return {}
    try:
        return {file: Entry(**stored) for file, stored in json.loads(path.read_text("utf-8")).items()}
    except (ValueError, TypeError, AttributeError) as error:
        raise Invalid(f"{NAME} cannot be read: {error}. Mend it, or write it anew with: bin/flask theme lock") from None


def write(theme: Path, renderer: Renderer) -> list[str]:
    """Write down what the theme overrides as it is shipped now, and return the files."""
    entries = {}
    for file, shipped in overridden(theme, renderer):
        template = renderer.template(file.removeprefix("templates/"))
        entries[file] = {
            "contract": template.contract.version if template else 1,
            "shipped": shipped.read_text("utf-8"),
        }
    (theme / NAME).write_text(json.dumps(entries, indent=1, ensure_ascii=False) + "\n", "utf-8")
    return list(entries)


def overridden(theme: Path, renderer: Renderer) -> Iterator[tuple[str, Path]]:
    """Yield the files of a theme that stand in the place of one of ours, and ours."""
    for file in files(theme):
        folder, _, name = file.partition("/")
        template = renderer.template(name) if folder == "templates" else None
        shipped = renderer.shipped.parent / folder / (template.name if template else name)
        if shipped.is_file() and shipped.suffix in {".html", ".txt", ".css", ".js"}:
            yield file, shipped


def files(theme: Path) -> list[str]:
    """Return the templates and static files of a theme, without what editors and file managers hide beside them."""
    found = [each for folder in ("templates", "static") for each in (theme / folder).rglob("*") if each.is_file()]
    names = (each.relative_to(theme).as_posix() for each in found)
    return sorted(name for name in names if "/." not in name)


def changes(theme: Path, renderer: Renderer) -> Iterator[Change]:
    """Yield what changed in what a theme overrides: of a template that extends ours, the blocks that it replaces."""
    known = read(theme)
    for file, shipped in overridden(theme, renderer):
        if file not in known:
            continue
        before, after, own = known[file].shipped, shipped.read_text("utf-8"), (theme / file).read_text("utf-8")
        if re.search(r"\{%[-+]?\s*extends\s+[\"']default/", own):
            then, now = blocks(before), blocks(after)
            for name in blocks(own):
                if name in then and then[name] != now.get(name, ""):
                    yield Change(file, name, then[name], now.get(name, ""))
        elif before != after:
            yield Change(file, "", before, after)


def blocks(source: str) -> dict[str, str]:
    """Return the blocks of a template as they are written, with the tags around them."""
    found: dict[str, str] = {}
    opened: list[tuple[str, int]] = []
    for tag in _BLOCK.finditer(source):
        if tag[1]:
            opened.append((tag[1], tag.start()))
        elif opened:
            name, start = opened.pop()
            found[name] = source[start : tag.end()] + "\n"
    return found
