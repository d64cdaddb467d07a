"""What templates are given to look at them: the samples of their contexts, in every state.

A context has one ``sample()``, and where it looks quite different at times ``samples()``, by the name of the state. From
these follow the states that everything has: long names, right to left, empty, many.
"""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import cache
from typing import Any

from flask import current_app
from markupsafe import Markup
from werkzeug.routing import BuildError

import chat
from chat.accounts.contexts import PersonContext
from chat.accounts.sessions import Viewer
from chat.look.contexts import LookContext
from chat.presence.contexts import PresenceContext
from chat.rooms.contexts import MemberContext, RoomList
from chat.themes.headers import Template
from chat.web import navigation
from chat.web.templating import fields_of
from chat.web.urls import path_for

LONG = "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichenordnung"
#: Marks what people wrote where it is rendered right to left.
RIGHT_TO_LEFT = "غرفة المصباح 14:00 Lamp"
#: What somebody may be called as well: nothing of it is an element of the page.
MARKUP = '<i data-written>&"</i>'
#: How many of everything there are in the state "many".
MANY = 20
#: Fields that hold what people wrote.
_WRITTEN = {
    "name", "purpose", "status", "reason", "comment", "text", "line", "first", "note", "body", "search", "label", "invited_by",
    "author", "room", "answer",
}  # fmt: skip

Change = Callable[[str, Any], Any]


@cache
def contexts() -> dict[str, type]:
    """Return the classes that templates are given, by name, in the order of the features' names."""
    found: dict[str, type] = {}
    for module in pkgutil.walk_packages(chat.__path__, "chat."):
        if module.name.endswith(".contexts"):
            found |= {
                key: value
                for key, value in vars(importlib.import_module(module.name)).items()
                if isinstance(value, type) and dataclasses.is_dataclass(value) and value.__module__ == module.name
            }
    return found


def states(template: Template) -> dict[str, dict[str, Any]]:
    """Return what a template may be given, by the name of the state."""
    found = {"as it is": _given(template, "as it is")}
    for cls in (contexts()[name] for _, name in template.given):
        for state in _samples(cls):
            found[state] = _given(template, state)
    for state, change in CHANGES.items():
        changed = _changed(found["as it is"], change)
        if changed != found["as it is"]:
            found[state] = changed
    return found


def layout(template: Template, state: str = "as it is", theme: str = "auto") -> dict[str, Any]:
    """Return what pages may ask for, as if an administrator were signed in.

    :param template: the page, or a part of one.
    :param theme: ``auto``, ``light`` or ``dark``.
    """
    person = PersonContext.sample()
    known = {
        "address": "https://chat.example/",
        "console": navigation.links(lambda permission: True, lambda section: 3 if section.count else 0),
        "csrf_token": "sample",
        "look": LookContext.sample(),
        "now": 1_795_000_000_000,
        "path": _path_of(template),
        "presence": _Presence(),
        "rooms": RoomList.sample().rows,
        "site_name": "Confab",
        "stream_key": "1-sample",
        "theme": theme,
        "viewer": Viewer(person, "administrator", theme, "samplesession", notices=2, moderates_rooms=True),
        "viewer_style": path_for("accounts.viewer_style", person_id=person.id, v="0"),
    }
    change = CHANGES.get(state)
    return known | (_changed({"rooms": known["rooms"]}, change) if change else {})


def _path_of(template: Template) -> str:
    """Return where a page would be: at the route of its name, else at the first page of its feature, else in a room."""
    feature, _, page = template.name.removesuffix(".html").partition("/")
    known = current_app.url_map
    for endpoint in (f"{feature}.{page}", f"messages.{page}", f"{feature}.index"):
        with suppress(KeyError, ValueError, BuildError):  # no such route, or more than ids in it
            arguments = next(known.iter_rules(endpoint)).arguments
            return path_for(endpoint, **dict.fromkeys(arguments, "samplesamplesamp"))
    return path_for("messages.show", room_id="samplesamplesamp")


class _Presence:
    def of(self, person: PersonContext) -> PresenceContext:
        return dataclasses.replace(PresenceContext.sample(), person_id=person.id)

    def of_all(self, members: Iterable[MemberContext]) -> tuple[PresenceContext, ...]:
        return tuple(self.of(member.person) for member in members)

    def with_viewer(self, html: Markup) -> Markup:
        return html


def _given(template: Template, state: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for names, cls in template.given:
        context = _samples(contexts()[cls]).get(state) or contexts()[cls].sample()  # type: ignore[attr-defined]
        own = fields_of(context)
        found |= {name: own[name] for name in names} if set(names) <= set(own) else {names[0]: context}
    return found


def _samples(cls: type) -> dict[str, Any]:
    return cls.samples() if hasattr(cls, "samples") else {}


# -- the states that everything has


def _changed(given: dict[str, Any], change: Change) -> dict[str, Any]:
    return {name: change(name, value) for name, value in given.items()}


def _each(change: Change) -> Change:
    """Return what changes the fields of a context, and of those in it."""

    def through(name: str, value: Any) -> Any:
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return dataclasses.replace(value, **_changed(fields_of(value), through))
        if isinstance(value, tuple) and value:
            return tuple(through(name, each) for each in value)
        return change(name, value)

    return through


def _written(words: str) -> Change:
    def change(name: str, value: Any) -> Any:
        if isinstance(value, str) and name == "html":
            return Markup("<p>{0} {0}</p>\n").format(words)
        return words if isinstance(value, str) and value and name in _WRITTEN else value

    return change


def _empty(name: str, value: Any) -> Any:
    if isinstance(value, tuple):
        return ()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        emptied = {each.name: each.default for each in dataclasses.fields(value) if each.default == ""}
        return dataclasses.replace(value, **_changed(fields_of(value), _empty) | emptied)
    return value


def _many(name: str, value: Any) -> Any:
    if isinstance(value, tuple) and value and dataclasses.is_dataclass(value[0]):
        return tuple(_numbered(value[0], number) for number in range(MANY))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.replace(value, **_changed(fields_of(value), _many))
    return value


def _numbered(value: Any, number: int) -> Any:
    """Return one of many: the same with an id and a number of its own."""

    def change(name: str, part: Any) -> Any:
        if name in {"id", "person_id"} and isinstance(part, str):
            return f"sample{number:010d}"
        return number + 1 if name == "seq" else part

    return _each(change)("", value)


CHANGES: dict[str, Change] = {
    "long names": _each(_written(LONG)),
    "markup in names": _each(_written(MARKUP)),
    "right to left": _each(_written(RIGHT_TO_LEFT)),
    "empty": _empty,
    "many": _many,
}
