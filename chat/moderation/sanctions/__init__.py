"""Limits imposed on people and addresses: mutes, suspensions and bans; one's own standing, and appeals."""

from __future__ import annotations

from flask import Flask

from chat.accounts import guards
from chat.moderation.sanctions import listeners, models, queries, ranges, routes
from chat.rooms import queries as rooms
from chat.rooms.guards import reach
from chat.web import navigation
from chat.web.navigation import Section

__all__ = ["init_app", "listeners", "models"]


def init_app(app: Flask) -> None:
    """Register the pages, the people who are no heirs to a room, and the ranges of addresses that requests are held against."""
    app.register_blueprint(routes.blueprint)
    navigation.register(Section("sanctions.index", "Sanctions", "gavel", "sanction.room", "People"))
    navigation.register(Section("sanctions.appeals", "Appeals", "scale", "sanction.room", "People", _waiting))
    rooms.imposers = queries.imposers
    ranges.cache.init_app(app)
    app.extensions["realtime"].streams.welcome = lambda address: ranges.by_the_door(app, address)
    if ranges.refuse not in guards.refusals:
        guards.refusals.append(ranges.refuse)


def _waiting() -> int:
    return queries.open_appeals(reach("sanction.room"))
