"""What remembers texts beside the tables: caches of processes, and the files of the database."""

from __future__ import annotations

import time
from functools import partial
from typing import Any

from sqlalchemy import Engine, text

from chat import realtime
from chat.core import jobs, memories
from chat.core.bus import after
from chat.core.database import db, is_sqlite
from chat.core.threads import Threads
from chat.moderation.keeping.events import TextsDestroyed

_thread = Threads(1)
#: How often a busy database is asked again within one try, and seconds between.
_TRIES = 50
_PAUSE = 0.1


@after(TextsDestroyed)
def tell_processes(event: TextsDestroyed) -> None:
    """Have every process forget what it made of the texts."""
    realtime.here().tell_all("purged", room=event.room_id)


def forget(message: dict[str, Any]) -> None:
    """Do so. What is remembered is found by the text itself, so nobody could have been shown it meanwhile."""
    memories.forget_all()


@jobs.handles("scrub")
def scrub(due: jobs.Due) -> None:
    """Have the database forget what its files still hold of rows that were emptied.

    On SQLite emptied pages are overwritten (``secure_delete``) and the write-ahead log, which has them as they were, is cut to
    nothing; that waits for readers, so it may be tried again. On PostgreSQL the old versions of the rows are given up.
    """
    db.session.remove()
    if is_sqlite(db.engine):
        for _ in range(_TRIES):
            if _thread.run_to_the_end(partial(_cut_log, db.engine)):
                return
            time.sleep(_PAUSE)
        raise RuntimeError("somebody reads the database just now")
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM messages, message_versions, held_messages"))


def _cut_log(engine: Engine) -> bool:
    """Return whether it could be done."""
    raw: Any = engine.raw_connection()
    try:
        ((busy, *_),) = raw.driver_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        return not busy
    finally:
        raw.close()
