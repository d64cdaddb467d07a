"""The embedded form: this process is the server."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from typing import Any

import gevent
from flask import Flask
from gevent.event import Event

from chat.core import security_events
from chat.core.database import db
from chat.server.http import Server, tune

#: Seconds that requests under way get to finish when the process is told to stop.
GRACE = 10.0


def serve(app: Flask, sock: Any) -> None:
    """Serve until SIGTERM or SIGINT, then stop without losing anything."""
    stopping = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        gevent.signal_handler(number, stopping.set)
    tune(sock)
    app.extensions["realtime"].start()
    server = Server(sock, app)
    server.start()
    stopping.wait()
    finish(app, [server])


def finish(app: Flask, servers: list[Server], grace: float = GRACE, alive: Any = None) -> None:
    """Stop: take no more, send every stream its ``bye``, let requests and other work under way end, close the database.

    :param grace: seconds that those get.
    :param alive: called while waiting, for a supervisor that wants a sign of life.
    """
    for server in servers:
        server.drain()
    app.extensions["realtime"].stop()
    end = time.monotonic() + grace

    def wait_while(busy: Callable[[], Any]) -> None:
        while busy() and time.monotonic() < end:
            if alive is not None:
                alive()
            gevent.sleep(0.02)

    wait_while(lambda: any(server.busy for server in servers))
    with app.app_context():
        security_events.flush()
        db.session.remove()
        # A sweep or a job may be in the middle of a transaction. SQLite's last connection brings all into the one file that
        # people copy, so none may be left behind.
        pool: Any = db.engine.pool
        wait_while(pool.checkedout)
        db.engine.dispose()
