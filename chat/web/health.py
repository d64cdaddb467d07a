"""Whether this process lives, and whether it can do its work."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Flask, Response, current_app
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from chat.database import db

blueprint = Blueprint("health", __name__)

#: Returns what is wrong, or None. Registered in ``app.extensions["health"]`` by name.
Check = Callable[[], str | None]


def init_app(app: Flask) -> None:
    """Register the routes and the database's own check."""
    app.extensions["health"] = {"database": _database}
    app.register_blueprint(blueprint)


@blueprint.get("/healthz")
def alive() -> Response:
    """Answer 200 as long as the process answers at all."""
    return Response("ok\n", mimetype="text/plain")


@blueprint.get("/readyz")
def ready() -> Response:
    """Answer 200 when everything needed works, else 503 and a line for each part that does not."""
    checks: dict[str, Check] = current_app.extensions["health"]
    wrong = {name: problem for name, check in checks.items() if (problem := check())}
    lines = [f"{name}: {problem}\n" for name, problem in wrong.items()] or ["ready\n"]
    return Response(lines, 503 if wrong else 200, mimetype="text/plain")


def _database() -> str | None:
    try:
        db.session.execute(text("SELECT 1"))
    except SQLAlchemyError as problem:
        db.session.rollback()
        return type(problem).__name__
    return None
