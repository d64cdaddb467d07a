"""Rules about what is written: what they look for, what they do, and what they would have done."""

from __future__ import annotations

from flask import Flask

from chat.core import screens
from chat.moderation.rules import models, routes, screen
from chat.web import navigation
from chat.web.navigation import Section

__all__ = ["init_app", "models"]


def init_app(app: Flask) -> None:
    """Register the pages, and answer what features ask before they take a text."""
    app.register_blueprint(routes.blueprint)
    navigation.register(Section("rules.index", "Words and links", "list-checks", "rule.room", "Rules"))
    screen.cache.init_app(app)
    screens.install(screen.rules)
