"""The sections of the console: a registry, so that each feature brings its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from chat.web.urls import path_for

#: In which order sections stand, by their group.
GROUPS = ("", "People", "Rules", "Record", "Site")


@dataclass(frozen=True)
class Section:
    """One entry of the console's navigation."""

    #: The endpoint of its page.
    endpoint: str
    words: str
    icon: str
    #: Who sees it: the name of a permission, as ``chat.core.permissions`` has it.
    permission: str
    #: One of ``GROUPS``.
    group: str = ""
    #: Returns how much there is to do; None where that is not counted.
    count: Callable[[], int] | None = None


@dataclass(frozen=True)
class Link:
    """A section as one person sees it."""

    path: str
    words: str
    icon: str
    group: str
    #: How much there is to do; 0 where it is not counted.
    count: int


_sections: dict[str, Section] = {}


def register(section: Section) -> None:
    """Add a section, or put another one in its place."""
    _sections[section.endpoint] = section


def _to_do(section: Section) -> int:
    return section.count() if section.count else 0


def links(may: Callable[[str], bool], to_do: Callable[[Section], int] = _to_do) -> tuple[Link, ...]:
    """Return the sections that somebody may see, by group, in the order in which they were registered.

    :param may: tells whether they have a permission.
    :param to_do: returns how much there is to do in one.
    """
    seen = [each for each in _sections.values() if may(each.permission)]
    return tuple(
        Link(path_for(each.endpoint), each.words, each.icon, each.group, to_do(each))
        for each in sorted(seen, key=lambda each: GROUPS.index(each.group))
    )
