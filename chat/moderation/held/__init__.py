"""Messages that wait for a moderator, and those that a rule only told of: the queue, and what is decided."""

from __future__ import annotations

from flask import Flask

from chat.moderation.held import queries, routes
from chat.rooms.guards import reach
from chat.web import navigation
from chat.web.navigation import Section

__all__ = ["init_app"]


def init_app(app: Flask) -> None:
    """Register the pages."""
    app.register_blueprint(routes.blueprint)
    navigation.register(Section("held.index", "Held for review", "hourglass", "held.decide", count=_waiting))


def _waiting() -> int:
    return sum(queries.waiting(reach("held.decide")))
