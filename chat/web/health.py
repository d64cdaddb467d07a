"""Whether this process lives, whether it can do its work, and how it goes."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from time import perf_counter

from flask import Blueprint, Flask, Response, current_app, g, request
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import QueuePool

from chat.core import metrics, security_events
from chat.core.background import every
from chat.core.database import db, schema
from chat.core.database.schema import Schema
from chat.core.errors import NotAllowed
from chat.web import security

blueprint = Blueprint("health", __name__)

#: Paths of what checks ask for; they come by an address and not by our name.
CHECKS = {"/healthz", "/readyz", "/metrics"}

#: Returns what is wrong, or None. Registered by name in ``app.extensions["health"]``, or in ``"impaired"`` if all goes on
#: without it.
Check = Callable[[], str | None]


def init_app(app: Flask) -> None:
    """Register the routes and the database's own check."""
    app.extensions["health"] = {"database": _database}
    app.extensions["impaired"] = {}
    app.after_request(_count)
    app.register_blueprint(blueprint)


@blueprint.get("/healthz")
def alive() -> Response:
    """Answer 200 as long as the process answers at all."""
    return Response("ok\n", mimetype="text/plain")


@blueprint.get("/readyz")
def ready() -> Response:
    """Answer 200 when everything needed works, else 503; with a line for each part that does not.

    What is merely impaired is said and keeps nobody out: a load balancer that took every process away because Redis is
    dead would turn a second's delay into an outage.
    """
    wrong = problems("health")
    lines = [f"{name}: {problem}\n" for name, problem in (wrong | problems("impaired")).items()]
    return Response(lines if wrong else ["ready\n", *lines], 503 if wrong else 200, mimetype="text/plain")


def problems(severity: str) -> dict[str, str]:
    """Return what is wrong by the name of the part.

    :param severity: ``health`` or ``impaired``.
    """
    checks: dict[str, Check] = current_app.extensions[severity]
    return {name: problem for name, check in checks.items() if (problem := check())}


# -- figures


@blueprint.get("/metrics")
def figures() -> Response:
    """Answer with the figures of ``chat.core.metrics``: to who has the token, or to a machine that serves nobody but itself."""
    if not _may_see_figures():
        security_events.note("token.metrics")
        raise NotAllowed("Metrics are for who sends the setting METRICS_TOKEN as a bearer token.")
    return Response(metrics.text(), content_type=metrics.CONTENT_TYPE)


def _may_see_figures() -> bool:
    token = current_app.config["METRICS_TOKEN"]
    if token:
        return hmac.compare_digest(request.headers.get("Authorization", "").encode(), f"Bearer {token}".encode())
    return security.from_this_machine()


@every(1.0)
def measure() -> None:
    """Note how many database connections are in use."""
    pool = db.engine.pool
    if isinstance(pool, QueuePool):
        metrics.POOL_IN_USE.set(pool.checkedout())
        metrics.POOL_LIMIT.set(pool.size() + pool._max_overflow)


def _count(response: Response) -> Response:
    if "began" in g:
        metrics.REQUESTS.labels(request.endpoint or "none", response.status_code).observe(perf_counter() - g.began)
    return response


def _database() -> str | None:
    try:
        found = schema.compare(db.session.connection())
    except SQLAlchemyError as problem:
        db.session.rollback()
        return type(problem).__name__
    return "migrations are missing; run bin/flask db upgrade" if found is Schema.BEHIND else None
