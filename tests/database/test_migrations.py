"""Migrations make exactly what the models say, on both databases."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask import Flask
from flask_migrate import downgrade, upgrade

from chat.core.database import db
from tests.services import ROOT


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_the_database_is_what_the_models_say(make_app: Callable[..., tuple[Flask, dict[str, str]]], database: str):
    app, _ = make_app(database)
    with app.app_context(), db.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), db.metadata) == []


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_they_go_back_and_forth(make_app: Callable[..., tuple[Flask, dict[str, str]]], database: str):
    app, _ = make_app(database)
    with app.app_context():
        downgrade(directory=str(ROOT / "migrations"), revision="base")
        upgrade(directory=str(ROOT / "migrations"))
