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

from chat.core import ids
from chat.core.database import db
from chat.core.errors import Invalid, NotFound
from chat.realtime import cursor
from chat.realtime.cursor import MAX_ROOMS, Cursor
from chat.realtime.feed import Feed
from chat.realtime.hub import Connection, Hub, QueueConnection
from chat.realtime.pump import Pump
from chat.realtime.revocations import Revocations
from chat.realtime.tickets import Ticket

log = logging.getLogger(__name__)

#: Streams of one person on this process; a browser needs one.
MOST_STREAMS = 64


#: The cursor of a room about which ``Last-Event-ID`` says nothing: it was not continued before and cannot be now.
_NOWHERE = "-"


class Wanted(NamedTuple):
    """One room that a stream asks for. ``after`` is the cursor as it was given; empty means: from now on."""

    room_id: str
    after: str


class Asked(NamedTuple):
    """The rooms that a request for a stream asks for, and how its client comes back."""

    rooms: list[Wanted]
    #: Whether the client comes back with nothing but the last id it heard, as an ``EventSource`` does. Our own page keeps a
    #: cursor for each room and says so with ``ids=frames``: it needs no id but those that all readers of a frame share.
    by_last_id: bool = True


@dataclass
class Resolved:
    """What a stream gets: rooms with the last ``seq`` seen, rooms to fetch again, rooms that may not be seen."""

    places: list[tuple[Feed, int]] = field(default_factory=list)
    resets: list[str] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)
    by_last_id: bool = True

    @property
    def refused(self) -> bool:
        """Whether nothing was asked for but one room that may not be seen: 404, and no stream."""
        return len(self.unseen) == 1 and not self.places and not self.resets


def wanted(query: str, last_event_id: str | None) -> Asked:
    """Read the query of a stream request; ``after`` belongs to the ``room`` before it.

    It beats ``Last-Event-ID``, unless both are of one room and history: an ``EventSource`` cannot change its address, so
    then the later one counts.

    :param query: as it stands in the address; a parsed form would not keep the order.
    :raises Invalid: more than ``MAX_ROOMS`` rooms.
    """
    rooms: dict[str, str] = {}
    current, by_last_id = "", True
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
        elif name == "ids" and value == "frames":
            by_last_id = False
    if len(rooms) > MAX_ROOMS:
        raise Invalid(f"A stream carries {MAX_ROOMS} rooms; this one asks for {len(rooms)}. Close a few tabs.")
    if last_event_id:
        heard = cursor.parse(last_event_id)
        rooms = {room_id: _later(after, heard.get(room_id), room_id) for room_id, after in rooms.items()}
    return Asked([Wanted(room_id, after) for room_id, after in rooms.items()], by_last_id)


def _later(after: str, heard: Cursor | None, room_id: str) -> str:
    """Return the cursor of a room that counts: the one in the address, or that of the last id."""
    if not after:
        return str(heard or _NOWHERE)
    given = cursor.parse(after).get(room_id)
    return str(heard) if given and heard and given.epoch == heard.epoch and given.seq < heard.seq else after


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
        #: Tells whether an address may come in by the door; the application answers the others. Set by the feature with bans.
        self.welcome: Callable[[str], bool] = lambda address: True
        self._slow: queue.SimpleQueue[tuple[Connection, bytes, Asked]] = queue.SimpleQueue()

    def start(self) -> None:
        """Start the thread that opens streams whose room is not in memory yet."""
        threading.Thread(target=self._open_slow, name="streams", daemon=True).start()

    def allowed(self, ticket: Ticket) -> bool:
        """Tell whether this login session may hold a stream."""
        return not self._revocations.revoked(ticket.session_id)

    def has_room(self, ticket: Ticket) -> bool:
        """Tell whether a person may open one more stream here. A browser has one for all its tabs."""
        return not self._app.config["RATE_LIMITS"] or len(self.hub.users.get(ticket.user_id, ())) < MOST_STREAMS

    def resolve(self, ticket: Ticket, asked: Asked) -> Resolved:
        """Find what a person gets of the rooms asked for, reading the database where needed."""
        resolved = Resolved(by_last_id=asked.by_last_id)
        seen = self.readable(ticket.user_id, [room_id for room_id, _ in asked.rooms if ids.is_id(room_id)])
        for room_id, after in asked.rooms:
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

    def open_fast(self, connection: Connection, head: bytes, asked: Asked) -> None:
        """Open a stream without waiting: from memory if all is there, else by the thread that may wait.

        :param head: the HTTP head of the stream.
        """
        resolved = Resolved(by_last_id=asked.by_last_id)
        for room_id, after in asked.rooms:
            known = _known(room_id, after, self._pump.epoch)
            feed = self._pump.ready(room_id, known)
            if feed is None:
                self._slow.put((connection, head, asked))
                return
            _place(_ticket(connection), feed, after, known, resolved)
        self.adopt(connection, head, resolved)

    def adopt(self, connection: Connection, head: bytes, resolved: Resolved) -> None:
        """Hand a stream to the hub; a room that may not be seen looks like one whose cursor is too old."""
        if resolved.refused and head:
            connection.refuse()
            return
        self.hub.adopt(connection, head, resolved.places, resolved.resets + resolved.unseen, resolved.by_last_id)
        if not self.allowed(_ticket(connection)):
            self.hub.drop(connection)

    def _open_slow(self) -> None:
        while True:
            connection, head, asked = self._slow.get()
            try:
                with self._app.app_context():
                    resolved = self.resolve(_ticket(connection), asked)
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
    known = cursor.parse(after).get(room_id)
    return known.seq if known and known.epoch == epoch else None
