"""Stopping a process: what works apart from requests ends first, so that the database is left whole."""

from __future__ import annotations

from pathlib import Path

from flask import Flask
from sqlalchemy import text

from chat.core.database import db
from chat.server.process import finish


def test_a_sweep_that_holds_the_database_is_waited_for(app: Flask):
    with app.app_context():
        sweep = db.engine.connect()
        sweep.execute(text("SELECT count(*) FROM users"))
        folder = Path(str(db.engine.url.database)).parent
    assert list(folder.glob("*-wal"))
    waited = []

    def alive() -> None:
        waited.append(True)
        sweep.close()

    finish(app, [], alive=alive)
    assert waited
    assert not list(folder.glob("*-wal"))
