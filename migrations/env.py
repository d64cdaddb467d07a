"""How migrations run: on the application's own engine, one process at a time, and never waiting long for a lock.

A migration must be safe while the old code still serves: it adds, and what is no longer used is removed a release later.
"""

from __future__ import annotations

from alembic import context
from flask import current_app
from sqlalchemy import Connection, text

from chat.database import is_sqlite

#: Any number, as long as it is always the same one: two deployments that start together take turns.
ADVISORY_LOCK = 7_263_004


def run(connection: Connection) -> None:
    """Run on an open connection."""
    if not is_sqlite(connection.engine):
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
    finally:
        if not is_sqlite(connection.engine):
            connection.rollback()  # what failed, if something did
            connection.execute(text(f"SELECT pg_advisory_unlock({ADVISORY_LOCK})"))
            connection.execute(text("RESET ALL"))


with current_app.extensions["migrate"].db.engine.connect().execution_options(rw=True) as open_connection:
    run(open_connection)
    open_connection.commit()
