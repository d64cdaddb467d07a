"""Themes: what templates promise, checking that a theme keeps it, and showing every template to whoever makes one."""

from __future__ import annotations

from flask import Flask

from chat.themes import routes
from chat.themes.commands import commands


def init_app(app: Flask) -> None:
    """Register the commands and the pattern page, which answers while somebody develops."""
    app.register_blueprint(routes.blueprint)
    app.cli.add_command(commands)
