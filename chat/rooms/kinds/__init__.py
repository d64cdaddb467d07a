"""The kinds of rooms: a registry. A kind is a name in a column, so a new one needs no migration."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """What differs between rooms."""

    name: str
    #: Anybody who is signed in may find it and join.
    joinable: bool = False
    #: Members may add others, and may leave.
    changeable: bool = True
    #: Most members for whom it is shown who is typing.
    typing_limit: int = 100


_kinds: dict[str, Kind] = {}


def register(kind: Kind) -> None:
    """Add a kind."""
    _kinds[kind.name] = kind


def get(name: str) -> Kind:
    """Return a kind by its name."""
    return _kinds[name]


def names() -> list[str]:
    """Return the names of all kinds."""
    return list(_kinds)


def creatable() -> list[str]:
    """Return the names of the kinds that people make by name, with members of their choice."""
    return [kind.name for kind in _kinds.values() if kind.changeable]


def joinable() -> list[str]:
    """Return the names of the kinds that anybody may join."""
    return [kind.name for kind in _kinds.values() if kind.joinable]
