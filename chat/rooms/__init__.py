"""Rooms, the people in them, and where they have read to."""

from __future__ import annotations

from flask import Flask

from chat.accounts.guards import maybe_viewer
from chat.realtime import Realtime
from chat.rooms import broadcasts, listeners, queries, routes
from chat.rooms.contexts import RowContext
from chat.web import templating
from chat.web.templating import OwnTemplates

__all__ = ["init_app", "listeners"]


def init_app(app: Flask) -> None:
    """Register routes, who may read a room, and the list of rooms of the layout."""
    app.register_blueprint(routes.blueprint)
    process: Realtime = app.extensions["realtime"]
    process.pump.audience = queries.audience
    process.streams.readable = queries.readable
    process.controls["rooms"] = broadcasts.show_list_changed
    templating.provide("rooms")(_rows)
    own: OwnTemplates = app.extensions["own_templates"]
    own.kind_of = queries.kind_of


def _rows() -> tuple[RowContext, ...]:
    """Return one's rooms, latest first."""
    who = maybe_viewer()
    return queries.rows_of(who.id) if who else ()
