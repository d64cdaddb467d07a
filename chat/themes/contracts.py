"""The contracts of all templates, and whether a change of them was announced.

``docs/contracts.json`` is what the last commit promised. A theme may count on it until the version of a contract goes up,
which is announced one minor release ahead, in the header of the template and in the changelog.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, nodes

from chat.themes import headers
from chat.themes.samples import contexts


@dataclass(frozen=True)
class Promise:
    """What a theme may count on of one template."""

    version: int
    hooks: tuple[str, ...]
    #: Of pages and layouts, the blocks that can be replaced.
    blocks: tuple[str, ...]
    #: What it is given: ``message.author.name``, as far as the classes are ours.
    fields: tuple[str, ...]
    #: The version that was announced, and the release in which it comes; 0 and nothing for none.
    coming: int = 0
    release: str = ""

    @classmethod
    def read(cls, stored: dict[str, Any]) -> Promise:
        """Return one as it was stored."""
        tuples: dict[str, Any] = {name: tuple(value) for name, value in stored.items() if isinstance(value, list)}
        return cls(**stored | tuples)


def promises(folder: Path, environment: Environment) -> dict[str, Promise]:
    """Return what the templates of a folder promise, by their names."""
    found = {}
    for name, template in headers.read_all(folder).items():
        tree = environment.parse((folder / name).read_text("utf-8"), name)
        found[name] = Promise(
            template.contract.version,
            template.contract.hooks,
            tuple(each.name for each in tree.find_all(nodes.Block)),
            tuple(sorted(set(_fields(template.given)))),
            template.coming.version if template.coming else 0,
            template.coming.release if template.coming else "",
        )
    return found


def unannounced(before: dict[str, Promise], now: dict[str, Promise], release: str) -> list[str]:
    """Return what is broken between two states of the templates, in sentences.

    More fields and more blocks break nothing. Another hook does, for a theme lacks it; so does whatever is gone.

    :param release: the one that is being made, such as ``0.3.1``.
    """
    found = []
    for name, old in before.items():
        new = now.get(name)
        broken = _broken(old, new)
        if not broken:
            continue
        if new is not None and new.version == old.version:
            found.append(f"{name}: {broken}, and its contract is still {old.version}: make it {old.version + 1}.")
        elif not old.coming or not _reached(release, old.release):
            found.append(
                f"{name}: {broken}, which was not announced a minor release ahead: keep it for now, and say in its header "
                f"“Contract {old.version + 1} from {_next(release)}: …”."
            )
    return found


def _broken(old: Promise, new: Promise | None) -> str:
    if new is None:
        return "it is gone"
    changes = {
        "lost": [
            each for part in ("hooks", "blocks", "fields") for each in _gone(getattr(old, part), getattr(new, part))
        ],
        "wants": _gone(new.hooks, old.hooks),
    }
    return " and ".join(f"it {verb} {', '.join(what)}" for verb, what in changes.items() if what)


def _gone(old: tuple[str, ...], new: tuple[str, ...]) -> list[str]:
    return [each for each in old if each not in new]


def _reached(release: str, announced: str) -> bool:
    return _minor(release) >= _minor(announced)


def _minor(release: str) -> tuple[int, int]:
    major, minor, *_ = release.split(".")
    return int(major), int(minor)


def _next(release: str) -> str:
    major, minor = _minor(release)
    return f"{major}.{minor + 1}"


def _fields(given: tuple[tuple[tuple[str, ...], str], ...]) -> Iterator[str]:
    for names, cls in given:
        own = {each.name: str(each.type) for each in dataclasses.fields(contexts()[cls])}
        for name in names:
            if set(names) <= set(own):
                yield from _inside(name, own[name])
            else:
                yield from _inside(name, cls)


def _inside(path: str, kind: str, depth: int = 0) -> Iterator[str]:
    """Yield a field and those in it, by the classes that its type names."""
    yield path
    for name, cls in contexts().items():
        if depth < 2 and name in kind.replace("[", " ").replace("]", " ").replace(",", " ").split():
            for each in dataclasses.fields(cls):
                yield from _inside(f"{path}.{each.name}", str(each.type), depth + 1)
            for attribute, value in vars(cls).items():
                if isinstance(value, property):
                    yield f"{path}.{attribute}"
