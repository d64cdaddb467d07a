"""The kinds of rooms, and what each decides. A kind is a module of this package and a name in a column: no migration."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """What differs between rooms."""

    name: str
    #: Its sign, by the name of an icon.
    icon: str
    #: What people read when they choose it for a new room: two words, and a sentence. Empty: nobody makes one by name.
    title: str = ""
    promise: str = ""
    #: Anybody who is signed in may find it and join.
    joinable: bool = False
    #: Members may add others, and may leave.
    changeable: bool = True
    #: It is between two people, one room per pair, and each sees it under the name of the other.
    pair: bool = False
    #: Moderators act there and see what was removed. Of what is said in others they see what was reported, and nothing else.
    moderated: bool = True
    #: It is in the lists of its members although nothing was said there yet.
    listed_empty: bool = True
    #: Most members for whom it is shown who is typing.
    typing_limit: int = 100


_kinds: dict[str, Kind] = {}


def get(name: str) -> Kind:
    """Return a kind by its name."""
    return _kinds[name]


def names() -> list[str]:
    """Return the names of all kinds."""
    return list(_kinds)


def creatable() -> list[str]:
    """Return the names of the kinds that people make by name, with members of their choice."""
    return _those(lambda kind: kind.changeable)


def joinable() -> list[str]:
    """Return the names of the kinds that anybody may join."""
    return _those(lambda kind: kind.joinable)


def pairs() -> list[str]:
    """Return the names of the kinds between two people."""
    return _those(lambda kind: kind.pair)


def moderated() -> list[str]:
    """Return the names of the kinds in which moderators act."""
    return _those(lambda kind: kind.moderated)


def unmoderated() -> list[str]:
    """Return the names of the other kinds."""
    return _those(lambda kind: not kind.moderated)


def listed_empty() -> list[str]:
    """Return the names of the kinds that are in lists before anything was said."""
    return _those(lambda kind: kind.listed_empty)


def _those(condition: Callable[[Kind], bool]) -> list[str]:
    return [kind.name for kind in _kinds.values() if condition(kind)]


for _module in pkgutil.iter_modules(__path__):
    _kind: Kind = importlib.import_module(f"{__name__}.{_module.name}").KIND
    _kinds[_kind.name] = _kind
