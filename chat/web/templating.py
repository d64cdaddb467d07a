"""Templates: where they are found, what they are given, and how pages and fragments are rendered.

A template gets exactly the fields of its context, a frozen dataclass; a page's layout reads the rest from ``layout``. A
name that is not there is an error, not an empty text. A theme may have another template for one room, or for one kind of
room: ``for_room`` finds it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Mapping
from contextvars import ContextVar
from dataclasses import fields
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask import Flask, Response, current_app, g, request
from isal import isal_zlib
from jinja2 import BaseLoader, ChoiceLoader, Environment, FileSystemLoader, PrefixLoader, StrictUndefined
from jinja2.ext import Extension
from markupsafe import Markup

from chat.core import clock, memories
from chat.web import security, static, urls, zones

#: Smallest page that is worth compressing.
_WORTH_PACKING = 1024
#: Of 0 to 3. With 2 a room's page takes a tenth of the time that zlib's 4 takes, and 6 % more bytes.
_LEVEL = 2
#: As zlib has it: a window of 2^15 bytes, with gzip's head and foot.
_GZIP = 16 + 15
#: Characters of rendered pieces that are kept; what they were rendered from comes to about as much again.
_MOST_KEPT = 16_000_000

_providers: dict[str, Callable[[], Any]] = {}


class Layout:
    """What every page may ask for: ``site_name``, ``csrf_token``, and what features provide. Asked for when needed.

    :param known: what need not be asked for, by name.
    """

    def __init__(self, known: Mapping[str, Any] | None = None) -> None:
        self.__dict__.update(known or {})

    def __getattr__(self, name: str) -> Any:
        try:
            provider = _providers[name]
        except KeyError:
            raise AttributeError(f"No feature provides layout.{name}.") from None
        value = provider()
        setattr(self, name, value)
        return value


class WithoutIndentation(Extension):
    """Leaves the indentation of templates out of what is sent: a third of a page, and of every frame."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        """Return the source of a template without the spaces that begin its lines."""
        if name is None or not name.endswith(".html") or name.startswith("mail/"):
            return source
        return re.sub(r"\n\s+", "\n", source)


class Kept:
    """Pieces of pages that were rendered before, found again by everything that went into them.

    Nothing stale can come of it, for nothing is ever invalidated: a message that was edited, or whose author has another
    name, is another key; so is tomorrow. What says how long ago something was is not kept.
    """

    def __init__(self, environment: Environment, used: bool) -> None:
        self._environment = environment
        self._used = used
        self._known: dict[tuple[Any, ...], Markup] = {}
        self._size = 0

    def __call__(self, name: str, **values: Hashable) -> Markup:
        """Return a partial rendered with these values and nothing else, in the reader's zone and on the reader's day."""
        key = (name, *zones.current(), *values.items())
        found = self._known.get(key)
        if found is None:
            before = zones.looks_at_the_clock
            found = Markup(self._environment.get_template(name).render(values))  # noqa: S704 - templates escape
            if self._used and zones.looks_at_the_clock == before:
                self._known[key] = found
                self._size += len(found)
                while self._size > _MOST_KEPT:
                    self._size -= len(self._known.pop(next(iter(self._known))))
        return found

    def clear(self) -> None:
        """Drop everything."""
        self._known.clear()
        self._size = 0


#: By the name of a template: what was considered for it, and what was taken. None while nobody asks.
_considered: ContextVar[dict[str, tuple[list[str], str]] | None] = ContextVar("considered", default=None)


class OwnTemplates:
    """The templates that a theme has for one room, or for one kind of room: ``rooms/show-direct.html``.

    :param kind_of: returns the kind of a room by its id; asked only where a theme has such templates.
    :param again: look every time, for development; else what was not there at the start is not there.
    """

    def __init__(self, folder: Path | None, again: bool) -> None:
        self._folder = folder
        self._again = again
        self._names = frozenset() if folder is None else frozenset(FileSystemLoader(folder).list_templates())
        self._stems = {name.rpartition("-")[0] for name in self._names if "-" in name}
        self.kind_of: Callable[[str], str] = lambda room_id: ""

    def find(self, name: str, room_id: str) -> str:
        """Return the most specific template that there is: of the room, of its kind, or the one that all rooms have."""
        stem, dot, suffix = name.rpartition(".")
        if stem not in self._stems and not self._again:
            return name
        names = [f"{stem}-{each}{dot}{suffix}" for each in (room_id, self.kind_of(room_id))] + [name]
        found = next((each for each in names if self._has(each)), name)
        considered = _considered.get()
        if considered is not None:
            considered[name] = (names, found)
        return found

    def _has(self, name: str) -> bool:
        return (self._folder / name).is_file() if self._again and self._folder else name in self._names


def for_room(name: str, room_id: str) -> str:
    """Return the template that a room uses for this one: ``…-<room>.html``, ``…-<kind>.html`` or the one of all rooms."""
    own: OwnTemplates = current_app.extensions["own_templates"]
    return own.find(name, room_id)


def _comments(considered: dict[str, tuple[list[str], str]]) -> str:
    """Return what was considered for each template, and what was taken, as HTML that shows nothing."""
    lines = [
        f"{used} {_origin(used)}" + (f", of {', '.join(names)}" if len(names) > 1 else "")
        for names, used in considered.values()
    ]
    return "".join(f"<!-- {line} -->\n" for line in lines)


def _origin(name: str) -> str:
    theme = current_app.config["THEME_DIR"]
    return "of the theme" if theme and (Path(theme) / "templates" / name).is_file() else "as shipped"


@memories.forgets
def forget() -> None:
    """Drop the rendered pieces that are kept: some of what they show is destroyed."""
    for name in ("kept", "kept_whole"):
        current_app.extensions[name].clear()


def provide(name: str) -> Callable[[Callable[[], Any]], Callable[[], Any]]:
    """Register what ``layout.<name>`` is, for the person and page of the current request."""

    def register(provider: Callable[[], Any]) -> Callable[[], Any]:
        _providers[name] = provider
        return provider

    return register


def provided() -> dict[str, Callable[[], Any]]:
    """Return what makes each name that ``layout`` has. Their docstrings are in ``docs/templates.md``."""
    return dict(sorted(_providers.items()))


def init_app(app: Flask) -> None:
    """Set up the environment: theme first, then ours; ``default/…`` is always ours."""
    theme = Path(app.config["THEME_DIR"]) / "templates" if app.config["THEME_DIR"] else None
    app.jinja_loader = loader(Path(app.root_path) / "templates", theme)
    app.extensions["own_templates"] = OwnTemplates(theme, again=app.debug)
    app.jinja_options = {
        "undefined": StrictUndefined,
        "trim_blocks": True,
        "lstrip_blocks": True,
        "extensions": [WithoutIndentation],
    }
    kept = app.extensions["kept"] = Kept(app.jinja_env, used=not app.debug)
    # Apart, for they are large and soon of no use: they must not push out the pieces that they are made of again.
    kept_whole = app.extensions["kept_whole"] = Kept(app.jinja_env, used=not app.debug)
    app.jinja_env.globals.update(
        path_for=urls.path_for, static_url=static.static_url, has_static=static.has_static, icon=icon, for_room=for_room,
        kept=kept, kept_whole=kept_whole,
    )  # fmt: skip
    app.jinja_env.filters.update(
        iso=zones.iso,
        clock_time=zones.clock_time,
        day=zones.day,
        when=zones.when,
        ago=zones.ago,
        since=zones.since,
        stamp=zones.stamp,
    )
    app.after_request(_pack)


def loader(shipped: Path, theme: Path | None) -> BaseLoader:
    """Return what finds templates: in the theme first, then ours; ``default/…`` is always ours."""
    ours = FileSystemLoader(shipped)
    loaders: list[BaseLoader] = [ours, PrefixLoader({"default": ours})]
    if theme is not None:
        loaders.insert(0, FileSystemLoader(theme))
    return ChoiceLoader(loaders)


def render_page(name: str, context: Any, room_id: str = "") -> str:
    """Render a page for the person who asked for it. While somebody develops, it ends with what was considered for it.

    :param room_id: the room that it is about, which may have a template of its own.
    """
    considered = {name: ([name], name)} if current_app.debug else None
    token = _considered.set(considered)
    try:
        found = for_room(name, room_id) if room_id else name
        with zones.of_reader():
            html = current_app.jinja_env.get_template(found).render(
                fields_of(context), layout=Layout(), plain=g.get("plain_layout", False)
            )
    finally:
        _considered.reset(token)
    return html + _comments(considered) if considered else html


def render_part(name: str, context: Any) -> str:
    """Render a part of a page as the answer to one person: like ``render_fragment``, in their time zone."""
    with zones.of_reader():
        return current_app.jinja_env.get_template(name).render(fields_of(context), layout=Layout())


def render_fragment(name: str, context: Any) -> str:
    """Render a partial that is the same for everybody: no viewer, no request, times in UTC."""
    return current_app.jinja_env.get_template(name).render(fields_of(context))


def render_kept(name: str, context: Any) -> str:
    """The same for a partial that is asked for again and again: what it was rendered from is rendered once."""
    kept: Kept = current_app.extensions["kept"]
    return kept(name, **fields_of(context))


def icon(name: str) -> Markup:
    """Return one of our icons; it says nothing to a screen reader, so whatever it stands in needs a name."""
    return _icon(static.static_url("icons/console.svg" if name in static.console_icons() else "icons/icons.svg"), name)


@lru_cache(maxsize=256)
def _icon(file: str, name: str) -> Markup:
    return Markup('<svg class="icon" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>').format(
        file, name
    )


def fields_of(context: Any) -> dict[str, Any]:
    """Return what a template is given of its context, by name."""
    return {name: getattr(context, name) for name in _names(type(context))}  # type: ignore[arg-type]  # mypy doubts that types can be hashed


@lru_cache(maxsize=256)
def _names(cls: type) -> tuple[str, ...]:
    return tuple(each.name for each in fields(cls))


@provide("csrf_token")
def _csrf_token() -> str:
    """Return what every form sends as ``csrf_token``."""
    return security.csrf_token()


@provide("address")
def _address() -> str:
    """Return the full address of this place."""
    return urls.absolute("/")


@provide("now")
def _now() -> int:
    """Return the present time in milliseconds since 1970: the page never believes its browser's clock."""
    return int(clock.now().timestamp() * 1000)


@provide("path")
def _path() -> str:
    """Return the path of the page, to mark where one is."""
    return request.path


def _pack(response: Response) -> Response:
    """Compress a page. Streams are never touched; the CSRF token is masked anew each time, so its bytes tell nothing."""
    if (
        response.mimetype != "text/html"
        or response.direct_passthrough
        or request.accept_encodings["gzip"] <= 0
        or "Content-Encoding" in response.headers
    ):
        return response
    data = response.get_data()
    if len(data) >= _WORTH_PACKING:
        response.set_data(isal_zlib.compress(data, _LEVEL, wbits=_GZIP))
        response.headers["Content-Encoding"] = "gzip"
        response.vary.add("Accept-Encoding")
    return response
