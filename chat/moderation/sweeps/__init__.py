"""Removing much of one person in one go, and putting it back."""

from __future__ import annotations

from flask import Flask

from chat.moderation.sweeps import models, routes

__all__ = ["init_app", "models"]


def init_app(app: Flask) -> None:
    """Register the pages."""
    app.register_blueprint(routes.blueprint)
