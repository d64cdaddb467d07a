"""The embedded form: this process is the server."""

from __future__ import annotations

import signal
import time
from typing import Any

import gevent
from flask import Flask
from gevent.event import Event

from chat import security_events
from chat.database import db
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
    with app.app_context():
        db.engine.dispose()  # SQLite's last connection brings all into the one file that people copy


def finish(app: Flask, servers: list[Server], grace: float = GRACE, alive: Any = None) -> None:
    """Stop: take no more, send every stream its ``bye``, let requests under way end.

    :param grace: seconds that those get.
    :param alive: called while waiting, for a supervisor that wants a sign of life.
    """
    for server in servers:
        server.drain()
    app.extensions["realtime"].stop()
    end = time.monotonic() + grace
    while any(server.busy for server in servers) and time.monotonic() < end:
        if alive is not None:
            alive()
        gevent.sleep(0.02)
    with app.app_context():
        security_events.flush()
        db.session.remove()
