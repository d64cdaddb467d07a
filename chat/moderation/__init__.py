"""What moderators see, undo and answer for: the console of removed messages, and the audit log of all that was done."""

from __future__ import annotations

from flask import Flask

from chat.moderation import listeners, routes

__all__ = ["init_app", "listeners"]


def init_app(app: Flask) -> None:
    """Register the console."""
    app.register_blueprint(routes.blueprint)
