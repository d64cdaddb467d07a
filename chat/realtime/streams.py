"""From a request for a stream to a connection in the hub.

``GET /events?room=<room>&after=<cursor>`` with pairs that may repeat. Two ways lead here, the door of ``chat.server`` and
the Flask view of ``chat.messages``, and both ask ``allowed`` and ``places``: one authoriser for all.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import unquote_plus

from flask import Flask

from chat import ids
from chat.database import db
from chat.errors import Invalid, NotFound
from chat.realtime import cursor
from chat.realtime.feed import Feed
from chat.realtime.hub import Connection, Hub, QueueConnection
from chat.realtime.pump import Pump
from chat.realtime.revocations import Revocations
from chat.realtime.tickets import Ticket

log = logging.getLogger(__name__)

#: Rooms on one connection: the open tabs of one browser.
MAX_ROOMS = 32
#: Streams of one person on this process; a browser needs one.
MOST_STREAMS = 64


class Wanted(NamedTuple):
    """One room that a stream asks for. ``after`` is the cursor as it was given; empty means: from now on."""

    room_id: str
    after: str


@dataclass
class Resolved:
    """What a stream gets: rooms with the last ``seq`` seen, rooms to fetch again, rooms that may not be seen."""

    places: list[tuple[Feed, int]] = field(default_factory=list)
    resets: list[str] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)

    @property
    def refused(self) -> bool:
        """Whether nothing was asked for but one room that may not be seen: 404, and no stream."""
        return len(self.unseen) == 1 and not self.places and not self.resets


def wanted(query: str, last_event_id: str | None) -> list[Wanted]:
    """Read the query of a stream request; ``after`` belongs to the ``room`` before it and beats ``Last-Event-ID``.

    :param query: as it stands in the address; a parsed form would not keep the order.
    :raises Invalid: more than ``MAX_ROOMS`` rooms.
    """
    rooms: dict[str, str] = {}
    current = ""
    pairs = query.split("&", 4 * MAX_ROOMS)
    if len(pairs) > 4 * MAX_ROOMS:
        raise Invalid(f"A stream carries {MAX_ROOMS} rooms at most. Close a few tabs.")
    for pair in pairs:
        name, _, value = pair.partition("=")
        if name == "room":
            current = unquote_plus(value)
            rooms.setdefault(current, "")
        elif name == "after" and current:
            rooms[current] = unquote_plus(value)
    if len(rooms) > MAX_ROOMS:
        raise Invalid(f"A stream carries {MAX_ROOMS} rooms; this one asks for {len(rooms)}. Close a few tabs.")
    known = cursor.parse(last_event_id)
    if known is not None and rooms.get(known.room_id) == "":
        rooms[known.room_id] = str(known)
    return [Wanted(room_id, after) for room_id, after in rooms.items()]


class Stream:
    """An iterable response body. The server takes it over whole; any other WSGI server iterates it."""

    def __init__(self, streams: Streams, ticket: Ticket, resolved: Resolved) -> None:
        self.streams = streams
        self.ticket = ticket
        self.resolved = resolved
        self._connection: QueueConnection | None = None

    def __iter__(self) -> Iterator[bytes]:
        self._connection = QueueConnection(*self.ticket)
        self.streams.adopt(self._connection, b"", self.resolved)
        while (piece := self._connection.pieces.get()) is not None:
            yield piece

    def close(self) -> None:
        """End the stream; called by the WSGI server when the client has gone."""
        if self._connection is not None:
            self.streams.hub.drop(self._connection)


class Streams:
    """Authorises streams and hands them to the hub."""

    def __init__(self, app: Flask, hub: Hub, pump: Pump, revocations: Revocations) -> None:
        self._app = app
        self.hub = hub
        self._pump = pump
        self._revocations = revocations
        #: Returns those of some rooms that a person may read: nothing is loaded for anybody else.
        self.readable: Callable[[str, Sequence[str]], set[str]] = lambda user_id, room_ids: set(room_ids)
        self._slow: queue.SimpleQueue[tuple[Connection, bytes, list[Wanted]]] = queue.SimpleQueue()

    def start(self) -> None:
        """Start the thread that opens streams whose room is not in memory yet."""
        threading.Thread(target=self._open_slow, name="streams", daemon=True).start()

    def allowed(self, ticket: Ticket) -> bool:
        """Tell whether this login session may hold a stream."""
        return not self._revocations.revoked(ticket.session_id)

    def has_room(self, ticket: Ticket) -> bool:
        """Tell whether a person may open one more stream here. A browser has one for all its tabs."""
        return not self._app.config["RATE_LIMITS"] or len(self.hub.users.get(ticket.user_id, ())) < MOST_STREAMS

    def resolve(self, ticket: Ticket, rooms: Sequence[Wanted]) -> Resolved:
        """Find what a person gets of the rooms asked for, reading the database where needed."""
        resolved = Resolved()
        seen = self.readable(ticket.user_id, [room_id for room_id, _ in rooms if ids.is_id(room_id)])
        for room_id, after in rooms:
            known = _known(room_id, after, self._pump.current_epoch())
            try:
                if room_id not in seen:
                    raise NotFound
                feed = self._pump.load(room_id, known)
            except NotFound:
                resolved.unseen.append(room_id)
            else:
                _place(ticket, feed, after, known, resolved)
        db.session.remove()
        return resolved

    def open_fast(self, connection: Connection, head: bytes, rooms: Sequence[Wanted]) -> None:
        """Open a stream without waiting: from memory if all is there, else by the thread that may wait.

        :param head: the HTTP head of the stream.
        """
        resolved = Resolved()
        for room_id, after in rooms:
            known = _known(room_id, after, self._pump.epoch)
            feed = self._pump.ready(room_id, known)
            if feed is None:
                self._slow.put((connection, head, list(rooms)))
                return
            _place(_ticket(connection), feed, after, known, resolved)
        self.adopt(connection, head, resolved)

    def adopt(self, connection: Connection, head: bytes, resolved: Resolved) -> None:
        """Hand a stream to the hub; a room that may not be seen looks like one whose cursor is too old."""
        if resolved.refused and head:
            connection.refuse()
            return
        self.hub.adopt(connection, head, resolved.places, resolved.resets + resolved.unseen)
        if not self.allowed(_ticket(connection)):
            self.hub.drop(connection)

    def _open_slow(self) -> None:
        while True:
            connection, head, rooms = self._slow.get()
            try:
                with self._app.app_context():
                    resolved = self.resolve(_ticket(connection), rooms)
            except Exception:  # the database is away: the client comes back by itself
                log.exception("cannot open a stream")
                connection.close()
            else:
                self.adopt(connection, head, resolved)


def _ticket(connection: Connection) -> Ticket:
    return Ticket(connection.user_id, connection.session_id)


def _place(ticket: Ticket, feed: Feed, after: str, known: int | None, resolved: Resolved) -> None:
    if ticket.user_id not in feed.members:
        resolved.unseen.append(feed.room_id)
    elif known is None and after:
        resolved.resets.append(feed.room_id)
    else:
        resolved.places.append((feed, feed.ring.tail if known is None else known))


def _known(room_id: str, after: str, epoch: str) -> int | None:
    """Return the ``seq`` of a cursor; None when there is none, or one that says nothing about this room and history."""
    known = cursor.parse(after)
    return known.seq if known and known.room_id == room_id and known.epoch == epoch else None
