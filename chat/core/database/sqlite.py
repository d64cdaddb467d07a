"""SQLite that survives a power cut and never stops the event loop.

WAL with ``synchronous=FULL``: a COMMIT returns once the log is on the disk. Three things follow for a process
on gevent, each of them met and measured:

* Waiting inside SQLite's C code would stop the greenlet that has to release the lock, so ``busy_timeout`` is 0;
  writers queue on a fair lock of our own, and only another *process* can still make ``BEGIN IMMEDIATE`` fail,
  which is tried again with pauses that yield.
* The fsync of COMMIT runs on a native thread. A request killed meanwhile waits for the thread, because the
  thread owns the connection; its message is then in doubt, and its ``client_id`` resolves it.
* A transaction that reads first and writes later can fail at once and for good (SQLITE_BUSY_SNAPSHOT), so a
  writing one says so when it begins: the execution option ``rw``, set by ``chat.core.bus.transaction``.
"""

from __future__ import annotations

import random
import sqlite3
import threading
import time
from collections import deque
from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import OperationalError

from chat.core.threads import Threads

#: Seconds a writer waits for its turn before the request is answered with 503.
PATIENCE = 5.0

_commits = Threads(2)


class FairLock:
    """A lock that serves in order of arrival; ``release`` hands it straight to the next in line.

    An ordinary lock lets a running greenlet overtake those that wait, and the last in line then waits for seconds.
    """

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._queue: deque[threading.Event] = deque()
        self._held = False

    def acquire(self, timeout: float) -> bool:
        """Return whether the lock was got within ``timeout`` seconds."""
        with self._mutex:
            if not self._held:
                self._held = True
                return True
            turn = threading.Event()
            self._queue.append(turn)
        try:
            if turn.wait(timeout):
                return True
        except BaseException:  # killed while waiting: leave the queue, or pass on what was just handed over
            if not self._leave(turn):
                self.release()
            raise
        return not self._leave(turn)

    def release(self) -> None:
        """Give the lock to the next in line, or free it."""
        with self._mutex:
            if self._queue:
                self._queue.popleft().set()
            else:
                self._held = False

    def _leave(self, turn: threading.Event) -> bool:
        with self._mutex:
            if turn.is_set():
                return False
            self._queue.remove(turn)
            return True


_writers: dict[str, FairLock] = {}


class WriterConnection(sqlite3.Connection):
    """A connection that queues for writing and commits off the loop."""

    def __init__(self, database: str, *args: Any, **options: Any) -> None:
        super().__init__(database, *args, **options)
        self._lock = _writers.setdefault(database, FairLock())
        self._writing = False

    def begin_write(self) -> None:
        """Wait for this process's turn, then for the file.

        :raises sqlite3.OperationalError: "database is locked", after ``PATIENCE`` seconds.
        """
        end = time.monotonic() + PATIENCE
        if not self._lock.acquire(PATIENCE):
            raise sqlite3.OperationalError("database is locked")
        self._writing = True
        pause = 0.001
        while True:
            try:
                self.execute("BEGIN IMMEDIATE")
                return
            except sqlite3.OperationalError as problem:
                if "locked" not in str(problem) or time.monotonic() > end:
                    self._done()
                    raise
            except BaseException:
                self._done()
                raise
            try:
                time.sleep(pause * random.random() + 0.0005)  # noqa: S311 - jitter
            except BaseException:
                self._done()
                raise
            pause = min(pause * 1.5, 0.02)

    def commit(self) -> None:
        """Commit; the fsync of a writing transaction happens on a native thread."""
        try:
            if self._writing:
                _commits.run_to_the_end(super().commit)
            else:
                super().commit()
        finally:
            if not self.in_transaction:
                self._done()

    def rollback(self) -> None:
        """Roll back and give up the turn."""
        try:
            super().rollback()
        finally:
            self._done()

    def close(self) -> None:
        """Close and give up the turn."""
        try:
            super().close()
        finally:
            self._done()

    def _done(self) -> None:
        if self._writing:
            self._writing = False
            self._lock.release()


def engine_options(settings: Any) -> dict[str, Any]:
    """Return the engine options for Flask-SQLAlchemy."""
    return {
        "hide_parameters": True,
        "connect_args": {"factory": WriterConnection, "timeout": 0, "check_same_thread": False},
        "pool_size": 20,
        "max_overflow": 40,
        "pool_timeout": PATIENCE,
        "execution_options": {"synchronous": settings.SQLITE_SYNCHRONOUS},
    }


def prepare(engine: Engine) -> None:
    """Set the pragmas of each new connection, and make BEGIN ours."""
    synchronous = engine.get_execution_options()["synchronous"]

    @event.listens_for(engine, "connect")
    def configure(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves
        pragmas = (
            "busy_timeout=5000",  # for the one switch to WAL below
            "journal_mode=wal",
            f"synchronous={synchronous}",
            "foreign_keys=on",
            "secure_delete=on",  # what is purged is overwritten, not only forgotten
            "cache_size=-16000",
            "busy_timeout=0",
        )
        for pragma in pragmas:
            connection.execute(f"pragma {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        if connection.get_execution_options().get("rw"):
            raw: Any = connection.connection.dbapi_connection
            try:
                raw.begin_write()
            except sqlite3.OperationalError as problem:
                raise OperationalError("BEGIN IMMEDIATE", None, problem) from problem
        else:
            connection.exec_driver_sql("BEGIN")
