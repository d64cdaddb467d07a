"""How migrations run: on the application's own engine, one process at a time, and never waiting long for a lock.

A migration must be safe while the old code still serves: it adds, and what is no longer used is removed a release later.
"""

from __future__ import annotations

from typing import Any

from alembic import context
from flask import current_app
from sqlalchemy import Connection, text

from chat.core.database import is_sqlite

#: Any number, as long as it is always the same one: two deployments that start together take turns.
ADVISORY_LOCK = 7_263_004


def run(connection: Connection) -> None:
    """Run on an open connection."""
    if is_sqlite(connection.engine):
        # A table that is made anew is dropped first, and dropping one deletes what refers to its rows. Before BEGIN, where
        # it has an effect. Source: sqlite.org/lang_altertable.html, 7.
        _keep_references(connection, "off")
    else:
        connection.execute(text("SET lock_timeout = 0"))
        connection.execute(text("SET idle_in_transaction_session_timeout = 0"))
        connection.execute(text("SET statement_timeout = 0"))
        connection.execute(text(f"SELECT pg_advisory_lock({ADVISORY_LOCK})"))  # until the others are done
        connection.execute(text("SET lock_timeout = '4s'"))
        connection.execute(text("SET statement_timeout = '60s'"))
        connection.commit()  # what follows is a transaction of its own
    try:
        context.configure(
            connection=connection,
            target_metadata=current_app.extensions["migrate"].db.metadata,
            **current_app.extensions["migrate"].configure_args,
        )
        with context.begin_transaction():
            context.run_migrations()
            if is_sqlite(connection.engine) and (broken := connection.execute(text("PRAGMA foreign_key_check")).all()):
                raise RuntimeError(f"{len(broken)} rows would refer to rows that are not there.")
    finally:
        if not is_sqlite(connection.engine):
            connection.rollback()  # what failed, if something did
            connection.execute(text(f"SELECT pg_advisory_unlock({ADVISORY_LOCK})"))
            connection.execute(text("RESET ALL"))


def _keep_references(connection: Connection, switch: str) -> None:
    raw: Any = connection.connection.dbapi_connection
    raw.execute(f"PRAGMA foreign_keys = {switch}")


with current_app.extensions["migrate"].db.engine.connect().execution_options(rw=True) as open_connection:
    try:
        run(open_connection)
        open_connection.commit()
    finally:
        if is_sqlite(open_connection.engine):
            open_connection.rollback()
            _keep_references(open_connection, "on")
