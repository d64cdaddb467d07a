"""How long removed text is kept, how it is destroyed for good, and legal holds, under which nothing is."""

from __future__ import annotations

from flask import Flask

from chat.moderation.keeping import listeners, models, queries, routes
from chat.realtime import Realtime
from chat.rooms.guards import reach
from chat.web import navigation
from chat.web.navigation import Section

__all__ = ["init_app", "listeners", "models"]


def init_app(app: Flask) -> None:
    """Register the pages, and what every process forgets of texts that were destroyed."""
    app.register_blueprint(routes.blueprint)
    navigation.register(Section("keeping.index", "Keeping and erasing", "archive", "purge.request", "Rules", _waiting))
    process: Realtime = app.extensions["realtime"]
    process.controls["purged"] = listeners.forget


def _waiting() -> int:
    return len(queries.waiting(reach("purge.request")))
