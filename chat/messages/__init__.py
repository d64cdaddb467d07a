"""The timeline of a room: messages, their pictures, and the page and stream that show them."""

from __future__ import annotations

from flask import Flask

from chat.messages import broadcasts, listeners, queries, routes
from chat.realtime import Realtime
from chat.rooms import queries as rooms

__all__ = ["init_app", "listeners"]


def init_app(app: Flask) -> None:
    """Register routes, and what the lists of rooms say of messages."""
    app.register_blueprint(routes.blueprint)
    rooms.previews = queries.previews
    process: Realtime = app.extensions["realtime"]
    process.controls["posted"] = broadcasts.lists.posted
    process.controls["held"] = broadcasts.show_held
    process.controls["read"] = broadcasts.lists.read
