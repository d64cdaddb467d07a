"""Who may do what and why, and what moderators see of a person."""

from __future__ import annotations

from flask import Flask

from chat.moderation.staff import listeners, routes
from chat.web import navigation
from chat.web.navigation import Section

__all__ = ["init_app", "listeners"]


def init_app(app: Flask) -> None:
    """Register the pages about people and roles."""
    app.register_blueprint(routes.blueprint)
    navigation.register(Section("staff.people", "People", "users", "hidden.read", "People"))
    navigation.register(Section("staff.owned_rooms", "Rooms", "hash", "owner.name", "People"))
    navigation.register(Section("staff.roles", "Roles", "key-round", "hidden.read", "People"))
