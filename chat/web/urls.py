"""Addresses that can be made without a request: for broadcasts, e-mail and static files."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import lru_cache
from urllib.parse import quote, urlencode

from flask import Flask, current_app, request
from werkzeug.exceptions import HTTPException
from werkzeug.routing import BaseConverter, IntegerConverter, MapAdapter, RequestRedirect

from chat.core import ids


class IdConverter(BaseConverter):
    """``<id:room_id>`` in a route: anything that is not shaped like an identifier is 404 before a query is made."""

    regex = ids.PATTERN.pattern


class NumberConverter(IntegerConverter):
    """``<int:number>`` in a route: a number that no column could hold is 404 before a query is made."""

    regex = "[0-9]{1,18}"


def init_app(app: Flask) -> None:
    """Register the converters."""
    app.url_map.converters |= {"id": IdConverter, "int": NumberConverter}
    adapter = app.extensions["addresses"] = app.url_map.bind("localhost")
    # A page has fifty addresses, most of them those of the page before.
    app.extensions["paths"] = lru_cache(maxsize=20_000)(lambda endpoint, *values: adapter.build(endpoint, dict(values)))


def path_for(endpoint: str, **values: Hashable) -> str:
    """Return the path of an endpoint, such as ``/rooms/…``; unlike ``url_for`` it needs no request.

    A value named ``_anchor`` becomes the fragment; values the route does not know become the query.
    """
    anchor = values.pop("_anchor", None)
    build: Callable[..., str] = current_app.extensions["paths"]
    path = build(endpoint, *values.items())
    return f"{path}#{quote(str(anchor))}" if anchor else path


def absolute(path: str, **query: str) -> str:
    """Return the full address of a path, for e-mail. Built from BASE_URL, never from what a request claims."""
    base: str = current_app.config["SETTINGS"].public_url
    return f"{base}{path}{'?' + urlencode(query) if query else ''}"


def safe_next(target: str | None, default: str) -> str:
    """Return where to go after signing in: a path of ours that GET answers, or the default.

    Browsers read ``\\`` as ``/`` and drop tabs and line ends, so anything but a plain path is refused.
    """
    if not target or not target.startswith("/") or target.startswith("//") or len(target) > 500:
        return default
    if any(ord(char) < 0x21 or ord(char) > 0x7E or char == "\\" for char in target):
        return default
    try:
        _adapter().match(target.partition("?")[0].partition("#")[0], method="GET")
    except RequestRedirect:
        return default
    except HTTPException:
        return default
    return target


def here() -> str:
    """Return the path and query of the current request, as a value for ``next``."""
    return request.full_path.rstrip("?")


def _adapter() -> MapAdapter:
    adapter: MapAdapter = current_app.extensions["addresses"]
    return adapter
