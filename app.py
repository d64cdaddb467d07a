"""The application factory, and the only place that names the features."""

from __future__ import annotations

import logging

from flask import Flask
from flask_migrate import Migrate

from chat import accounts, cli, look, messages, notices, notifications, pictures, presence, realtime, rooms, themes, web
from chat.core import database, security_events
from chat.core.database import db
from chat.moderation import held, keeping, removed, reports, rules, sanctions, staff, sweeps
from config import Config, load

#: In the order of their imports: each may know those before it.
FEATURES = (
    accounts, rooms, presence, messages, notices, sanctions, rules, reports, held, sweeps, keeping, removed, staff,
    look, notifications, themes,
)  # fmt: skip


def create_app(config: Config | None = None) -> Flask:
    """Return the application.

    :param config: None to read the environment.
    :raises ConfigError: a setting cannot be used.
    """
    settings = config or load()
    app = Flask(__name__, instance_path=str(settings.instance), static_folder=None)
    app.config.from_mapping(settings.for_flask())
    app.logger.setLevel(logging.INFO)
    database.init_app(app)
    Migrate(app, db, render_as_batch=True, compare_type=True)
    security_events.init_app(app)
    web.init_app(app)
    pictures.init_app(app)
    realtime.init_app(app)
    for feature in FEATURES:
        feature.init_app(app)
    cli.init_app(app)
    return app
