"""What moderators see, undo and answer for: the console of removed messages, and the audit log of all that was done."""

from __future__ import annotations

from flask import Flask

from chat.accounts.guards import maybe_viewer
from chat.moderation.removed import listeners, routes
from chat.rooms.queries import Reach
from chat.web import navigation, templating
from chat.web.navigation import Link, Section

__all__ = ["init_app", "listeners"]


def init_app(app: Flask) -> None:
    """Register the console, and what its navigation shows."""
    app.register_blueprint(routes.blueprint)
    navigation.register(Section("moderation.removed", "Removed", "trash-2", "hidden.read"))
    navigation.register(Section("moderation.edited", "Edited", "history", "hidden.read"))
    navigation.register(Section("moderation.audit", "Audit log", "scroll-text", "audit.read", "Record"))
    navigation.register(Section("moderation.security", "Security", "shield", "security.read", "Record"))
    templating.provide("console")(_console)


def _console() -> tuple[Link, ...]:
    """Return the sections of the console that the viewer may see, with how much there is to do in each."""
    who = maybe_viewer()
    if who is None or not who.moderates:
        return ()
    return navigation.links(Reach(who.id, who.role).may if who.moderates_rooms else who.may)
