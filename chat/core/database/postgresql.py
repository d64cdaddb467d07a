"""PostgreSQL through psycopg 3: time limits that keep one stuck session from stopping a room.

psycopg chooses its way of waiting when it is imported, so ``wsgi.py`` patches before anything else; imported the
other way round, every query would stop the event loop. ``prepare`` checks it.
"""

from __future__ import annotations

from typing import Any

import psycopg
import psycopg.waiting
from psycopg.abc import RV, PQGen
from psycopg.waiting import Ready
from sqlalchemy import Engine, event

from chat.core.threads import on_event_loop

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


class WaitingConnection(psycopg.Connection[Any]):
    """A connection that waits for its answers on gevent's loop itself.

    psycopg does it with a ``poll`` object, which gevent makes of a watcher, a timer and an event for each wait: a twentieth of
    a page. Who waits is ended from outside, by the limits above and by the keepalives, so there is no timer here.
    """

    def wait(self, gen: PQGen[RV], interval: float = 0.0, timeout: float | None = None) -> RV:
        """Return the result of one of psycopg's generators, which yield what they wait for: 1 to read, 2 to write."""
        if timeout is not None:
            return super().wait(gen, timeout=timeout)
        from gevent import get_hub

        hub = get_hub()
        try:
            state = next(gen)
            while True:
                with hub.loop.io(self.pgconn.socket, int(state)) as watcher:
                    hub.wait(watcher)
                state = gen.send(Ready(int(state)))
        except StopIteration as end:
            result: RV = end.value
            return result


def prepare(engine: Engine) -> None:
    """Have connections wait as the process does; refuse to run with a psycopg that would block the event loop."""
    if not on_event_loop():
        return
    if getattr(psycopg.waiting.wait, "__name__", "") not in {"wait_poll", "wait_select"}:
        raise RuntimeError("psycopg was imported before gevent's patching; import wsgi.py first.")
    event.listen(engine, "do_connect", _connect)


def _connect(dialect: Any, record: Any, args: tuple[Any, ...], parameters: dict[str, Any]) -> WaitingConnection:
    return WaitingConnection.connect(*args, **parameters)
