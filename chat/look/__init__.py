"""What the site looks like: its name, its logo, its accent, and styles of its own."""

from __future__ import annotations

from flask import Flask

from chat.look import models, routes, site
from chat.web import navigation
from chat.web.navigation import Section

__all__ = ["init_app", "models"]


def init_app(app: Flask) -> None:
    """Register the pages, and what every page is told."""
    app.register_blueprint(routes.blueprint)
    navigation.register(Section("look.index", "Look", "palette", "look.change", "Site"))
    site.init_app(app)
