"""PostgreSQL through psycopg 3: time limits that keep one stuck session from stopping a room.

psycopg chooses its way of waiting when it is imported, so ``wsgi.py`` patches before anything else; imported the
other way round, every query would stop the event loop. ``prepare`` checks it.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine

from chat.threads import on_event_loop

#: Milliseconds. A room's row lock is held for well under one of these; what waits longer waits for something stuck.
LIMITS = {
    "lock_timeout": 2000,
    "statement_timeout": 5000,
    "idle_in_transaction_session_timeout": 10000,
    "client_connection_check_interval": 5000,
}


def engine_options(settings: Any) -> dict[str, Any]:
    """Return the engine options for Flask-SQLAlchemy.

    The keepalives let the server notice a dead application host within half a minute and free its locks.
    """
    limits = " ".join(f"-c {name}={value}" for name, value in LIMITS.items())
    return {
        "hide_parameters": True,
        "connect_args": {
            "options": f"{limits} -c timezone=UTC",
            "connect_timeout": 3,
            "application_name": "confab",
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
        },
        "pool_size": 10,
        "max_overflow": 10,
        "pool_timeout": 2.0,
        "pool_pre_ping": True,
        "pool_recycle": 1800,
    }


def prepare(engine: Engine) -> None:
    """Refuse to run with a psycopg that would block the event loop."""
    import psycopg.waiting

    if on_event_loop() and getattr(psycopg.waiting.wait, "__name__", "") not in {"wait_poll", "wait_select"}:
        raise RuntimeError("psycopg was imported before gevent's patching; import wsgi.py first.")
