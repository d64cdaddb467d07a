"""Event streams: from a committed change to the bytes on every open page. Knows no feature.

``frames`` says what a change becomes, ``pump`` keeps the order, ``ring`` the recent past, ``hub`` the sockets, ``streams``
lets readers in. One ``Realtime`` per process ties them together; ``docs/architecture.md`` walks a message through.
"""

from __future__ import annotations

import fcntl
import gc
import logging
import time
from collections.abc import Callable, Iterable
from typing import IO, Any

from flask import Flask, current_app

from chat.core import bus, keys, metrics
from chat.core.background import Background, every
from chat.core.database import is_away
from chat.core.log import LogEvent
from chat.realtime import channels, sse
from chat.realtime.broker import Broker, LocalBroker, RedisBroker
from chat.realtime.hub import Hub
from chat.realtime.pump import Pump
from chat.realtime.revocations import Revocations
from chat.realtime.streams import Streams

log = logging.getLogger(__name__)

#: Takes a message that another process sent on ``channels.ALL``.
Control = Callable[[dict[str, Any]], None]
#: Returns the ids of sessions that ended lately.
RecentlyRevoked = Callable[[], Iterable[str]]


class AlreadyServedError(Exception):
    """Two processes without Redis on one instance folder; the text is one line for the operator."""


class Realtime:
    """The real-time parts of one process."""

    def __init__(self, app: Flask) -> None:
        settings = app.config["SETTINGS"]
        with app.app_context():
            broker_key, self.ticket_key = keys.derive("broker, numbered"), keys.derive("stream ticket")
        self.broker: Broker = RedisBroker(settings.REDIS_URL, broker_key) if settings.REDIS_URL else LocalBroker()
        self.hub = Hub()
        self.pump = Pump(app, self.hub, self.broker)
        self.revocations = Revocations()
        self.revocations.listeners.append(self.hub.drop_session)
        self.streams = Streams(app, self.hub, self.pump, self.revocations)
        self.background = Background(app)
        self.controls: dict[str, Control] = {}
        self.recently_revoked: RecentlyRevoked = tuple
        self._app = app
        self._started = False

    def start(self, patience: float = 0.0) -> None:
        """Start the threads of this process. Once, after forking, before the first request.

        :param patience: seconds to wait for a predecessor that still serves from our folder.
        """
        if self._started:
            return
        self._started = True
        if isinstance(self.broker, LocalBroker):
            self._claim_folder(patience)
        self._look_first()
        self.broker.follow(channels.ALL)
        self.broker.start(self._receive, self._reconnected)
        self.hub.start()
        self.pump.start()
        self.streams.start()
        self.background.start()
        gc.collect()
        gc.freeze()  # what is here now stays: full collections, which hold everybody up, need not go through it

    def _look_first(self) -> None:
        """Learn the epoch and what was revoked, so that the door knows.

        A database that is away is left to the sweep, which looks within a second of its return; no stream is opened
        before. Raising would end a gunicorn for good whose worker starts again at such a moment.
        """
        try:
            with self._app.app_context():
                self.pump.current_epoch()
                self.sweep()
        except Exception as problem:
            if not is_away(problem):
                raise
            log.warning("the database is away at the start: %s", type(problem).__name__)

    def _claim_folder(self, patience: float) -> None:
        """Make sure that nobody else serves from this instance folder: two processes would not hear of each other.

        The lock goes with the process, however it ends.

        :raises AlreadyServedError: somebody does.
        """
        path = self._app.config["SETTINGS"].instance / "serving"
        self._lock = path.open("w")
        end = time.monotonic() + patience
        while not _locked(self._lock):
            if time.monotonic() >= end:
                raise AlreadyServedError(
                    f"Another process serves from {path.parent} already. Stop it, or name another folder in INSTANCE_PATH; "
                    "several processes need REDIS_URL."
                )
            time.sleep(0.1)

    def stop(self) -> None:
        """End every stream with a ``bye``, and the background work."""
        self.background.stop()
        self.hub.bye()
        self.broker.stop()

    def what_is_impaired(self) -> str | None:
        """Return what goes slower than it should, if anything does; also in a process that serves nobody."""
        if self.broker.healthy():
            return None
        return "does not answer; what other processes say comes up to a second later"

    def sweep(self) -> None:
        """Find what no message told this process of."""
        for session_id in self.recently_revoked():
            self.revocations.add(session_id)
        self.pump.sweep()

    def revoke(self, session_id: str) -> None:
        """End a login session's streams in every process."""
        self.revocations.add(session_id)
        self.broker.publish(channels.ALL, {"kind": "revoked", "session": session_id})

    def tell_all(self, kind: str, **fields: Any) -> None:
        """Have ``controls[kind]`` run in every process, this one first."""
        message = {"kind": kind} | fields
        self.controls[kind](message)
        self.broker.publish(channels.ALL, message)

    def to_room(self, room_id: str, name: str, html: str) -> None:
        """Show something without a cursor to everybody who reads a room now, wherever they are connected."""
        self._show(room_id, name, html)
        self.broker.publish(channels.room(room_id), {"kind": "shown", "room": room_id, "name": name, "html": html})

    def to_room_here(self, room_id: str, name: str, html: str) -> None:
        """The same for the readers of this process only."""
        self._show(room_id, name, html)

    def to_user_here(self, user_id: str, name: str, html: str) -> None:
        """Show something to the streams that one person has on this process."""
        self.to_users_here([user_id], name, html)

    def to_users_here(self, user_ids: Iterable[str], name: str, html: str) -> None:
        """Show something to the streams that some people have on this process; the bytes are made once."""
        data = sse.encode(name, html)
        for user_id in user_ids:
            self.hub.to_user(user_id, data, must=True)

    def _show(self, room_id: str, name: str, html: str) -> None:
        feed = self.pump.feeds.get(room_id)
        if feed is not None and feed.places:
            self.hub.to_room(feed, sse.encode(name, html))

    def _receive(self, channel: str, message: dict[str, Any]) -> None:
        kind = message["kind"]
        if kind == "frame":
            self.pump.receive(message)
        elif kind == "shown":
            self._show(message["room"], message["name"], message["html"])
        elif kind == "revoked":
            self.revocations.add(message["session"])
        else:
            with self._app.app_context():
                self.controls[kind](message)

    def _reconnected(self) -> None:
        self.hub.look_again()
        self.background.run_once(self.sweep)


def _locked(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def init_app(app: Flask) -> None:
    """Give the application its ``Realtime``; nothing is started before ``start``."""
    process = app.extensions["realtime"] = Realtime(app)
    app.extensions["impaired"]["redis"] = process.what_is_impaired


def here() -> Realtime:
    """Return the real-time parts of the current application in this process."""
    realtime: Realtime = current_app.extensions["realtime"]
    return realtime


@bus.after(LogEvent)
def release(event: LogEvent) -> None:
    """Put a committed change on its way to every open page."""
    here().pump.released(event)


@every(1.0)
def measure() -> None:
    """Note how much there is to do; also while the database is away."""
    process = here()
    metrics.STREAMS.set(len(process.hub.connections))
    metrics.FEEDS.set(len(process.pump.feeds))
    metrics.BROKER_UP.set(process.broker.healthy())


@every(1.0)
def sweep() -> None:
    """Find what no message told this process of."""
    here().sweep()


__all__ = ["AlreadyServedError", "Realtime", "here", "init_app"]
