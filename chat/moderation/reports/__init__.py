"""What members ask moderators to look at, and the queue of it."""

from __future__ import annotations

from flask import Flask

from chat.accounts.guards import viewer
from chat.moderation.reports import models, queries, routes
from chat.rooms.queries import Reach
from chat.web import navigation
from chat.web.navigation import Section

__all__ = ["init_app", "models"]


def init_app(app: Flask) -> None:
    """Register the pages, and the queue in the console with how much waits in it."""
    app.register_blueprint(routes.blueprint)
    navigation.register(Section("reports.queue", "Reported", "flag", "report.handle", count=_open))


def _open() -> int:
    return queries.open_cases(Reach(viewer().id, viewer().role))
