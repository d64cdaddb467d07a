"""A connection that is lost when a request has done its work."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
from flask import Flask
from sqlalchemy import text

from chat.core.database import db
from tests.conftest import make_cast
from tests.services import Postgres


def test_it_takes_nothing_from_the_answer(make_app: Callable[..., tuple[Flask, dict[str, str]]], postgres: Postgres):
    """Nothing is left to be undone, but giving the connection back says ROLLBACK, and that fails."""
    app, ids = make_app("postgresql")

    @app.after_request
    def lose(response: Any) -> Any:
        number = db.session.execute(text("SELECT pg_backend_pid()")).scalar_one()
        with psycopg.connect(postgres.url("postgres"), autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s, 5000)", (number,))
        return response

    cast = make_cast(app, ids)
    answer = cast.alice.post(f"/rooms/{cast.room}/messages", htmx=True, body="hello", client_id="client-1")
    assert answer.status_code == 201
    assert cast.alice.get("/rooms").status_code == 200
