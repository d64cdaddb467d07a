"""Every open stream of this process: a socket, its places in rooms, the bytes it could not take yet.

No greenlet, no queue and no database connection per stream. New frames of a room are joined once and written to each of
its readers with one ``write``; what piled up while the last pass ran leaves in one piece (coalescing). A reader that is
slow keeps the rest of one write and falls behind in the ring, from which it catches up when its socket drains; too far
behind it is sent ``reset``, too long and it is closed, and returns with its cursor. Nobody else notices.
"""

from __future__ import annotations

import json
import logging
import posix
import queue
import random
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from functools import lru_cache
from typing import Protocol, TypeVar

from chat.core import metrics
from chat.core.threads import on_event_loop, turn
from chat.realtime import cursor, sse
from chat.realtime.feed import Feed, Place

log = logging.getLogger(__name__)

T = TypeVar("T")

#: Writes between two turns of the event loop.
SLICE = 64
#: Bytes handed to one reader at a time while it catches up.
CHUNK = 64 * 1024
#: Seconds between two pings; clients notice a dead stream by their absence.
PING_EVERY = 14
#: Seconds after which a reader that takes nothing is closed.
BLOCKED_LIMIT = 30.0
#: Milliseconds a client waits before it comes back, spread so that they do not all come at once.
RETRY = (1000, 4000)
RETRY_AFTER_BYE = (500, 8000)

_PING = sse.encode("ping")
_LOOK_AGAIN = sse.encode("hello")


class Poller(Protocol):
    """Tells the hub when a socket can be written again or has gone."""

    def register(self, connection: Connection) -> None:
        """Watch the connection's socket until it is closed."""


class Connection:
    """One open stream."""

    __slots__ = ("address", "beat", "blocked_since", "fd", "heard", "missed", "places", "rest", "session_id", "user_id")

    def __init__(self, fd: int, user_id: str, session_id: str) -> None:
        self.fd = fd
        self.user_id = user_id
        self.session_id = session_id
        #: The client's address in its normal form; empty where it is not known.
        self.address = ""
        #: The second, of PING_EVERY, in which this one is pinged.
        self.beat = 0
        self.places: tuple[Place, ...] = ()
        #: By room, the last ``seq`` handed to a client that goes on from the last id alone, if it reads several: each id
        #: then says all of it. None for all others, who share the bytes of a frame.
        self.heard: dict[str, int] | None = None
        #: What the socket did not take of the last write. Frames are shared bytes: this is a view, not a copy.
        self.rest: memoryview | None = None
        self.blocked_since = 0.0
        #: Something without a cursor could not be sent; the client is told to look again.
        self.missed = False

    def write(self, data: bytes | memoryview) -> int:
        """Write what the socket takes at once.

        ``posix.write``, because gevent's ``os.write`` and ``os.close`` wait for the loop.
        """
        return posix.write(self.fd, data)

    def refuse(self) -> None:
        """Answer 404 instead of a stream and close."""
        try:
            self.write(
                b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n"
            )
        except OSError:
            pass
        self.close()

    def close(self) -> None:
        """Close the socket; closing also ends its registration with epoll."""
        fd, self.fd = self.fd, -1
        if fd >= 0:
            posix.close(fd)


class QueueConnection(Connection):
    """A stream served by an ordinary WSGI server: what is written is queued for the generator that yields it."""

    __slots__ = ("pieces",)

    def __init__(self, user_id: str, session_id: str) -> None:
        super().__init__(-1, user_id, session_id)
        self.pieces: queue.Queue[bytes | None] = queue.Queue(maxsize=1000)

    def write(self, data: bytes | memoryview) -> int:
        """Queue the piece; a generator that nobody reads is treated like a broken socket."""
        try:
            self.pieces.put_nowait(bytes(data))
        except queue.Full:
            raise BrokenPipeError from None
        return len(data)

    def close(self) -> None:
        """Let the generator end, also when its queue is full."""
        while True:
            try:
                self.pieces.put_nowait(None)
                return
            except queue.Full:
                self.pieces.get_nowait()


class Hub:
    """The streams of this process."""

    def __init__(self) -> None:
        self.connections: set[Connection] = set()
        #: Tuples, for most people have one stream, and a set of one takes four times as much.
        self.users: dict[str, tuple[Connection, ...]] = {}
        self.arrivals: list[Callable[[str, str], None]] = []
        self.poller: Poller | None = None
        # Under gevent nothing switches inside the sections below, and callbacks of the loop could not wait for a lock.
        self.lock: AbstractContextManager[object] = nullcontext() if on_event_loop() else threading.RLock()
        self._pulse: list[set[Connection]] = [set() for _ in range(PING_EVERY)]
        self._blocked: set[Connection] = set()
        self._dirty: deque[Feed] = deque()
        self._wake = threading.Event()
        self._adopted = 0
        #: Writes since the loop last turned.
        self._unbroken = 0
        self._stopped = False

    # -- life of the process

    def start(self) -> None:
        """Start the thread that writes new frames and the one that pings."""
        threading.Thread(target=self._write_loop, name="hub write", daemon=True).start()
        threading.Thread(target=self._pulse_loop, name="hub pulse", daemon=True).start()

    def bye(self) -> None:
        """End every stream before the process stops, each asked to come back at its own moment."""
        self._stopped = True
        with self.lock:
            for connection in self._in_slices(self.connections):
                self._send(connection, _bye())
                self.drop(connection)

    # -- life of a connection

    def adopt(
        self,
        connection: Connection,
        head: bytes,
        wanted: Iterable[tuple[Feed, int]],
        resets: Iterable[str],
        by_last_id: bool = True,
    ) -> None:
        """Take over a stream: send the head, a hello, what it missed in each room; then keep it up to date.

        :param head: the HTTP head, or nothing when somebody else sends it.
        :param wanted: feeds that this person may read, each with the last ``seq`` seen. What changed since that was
            found out (a removal, a room given up, a ring that moved on) is looked at once more.
        :param resets: rooms whose cursor cannot be continued, or that may not be seen.
        :param by_last_id: the client comes back with the last id it heard, and with nothing else.
        """
        with self.lock:
            if self._stopped:
                self._send(connection, head + _bye())
                connection.close()
                return
            self.connections.add(connection)
            self.users[connection.user_id] = (*self.users.get(connection.user_id, ()), connection)
            self._adopted += 1
            connection.beat = self._adopted % PING_EVERY
            self._pulse[connection.beat].add(connection)
            if self.poller is not None and connection.fd >= 0:
                self.poller.register(connection)
            pieces = [_reset(room_id) for room_id in resets]
            places, heads = [], []
            behind = False
            for feed, seq in wanted:
                if feed.closed or connection.user_id not in feed.members or not feed.ring.covers(seq):
                    pieces.append(_reset(feed.room_id))
                    continue
                tail = feed.ring.tail
                heads.append((feed.room_id, tail))  # so that a page can say how much is still to come
                behind = behind or seq < tail
                place = Place(connection, feed, seq)
                feed.places.add(place)
                places.append(place)
            connection.places = tuple(places)
            if by_last_id and len(places) > 1:
                connection.heard = {place.feed.room_id: place.seq for place in places}
            hello = _hello(tuple(heads), _begin(places[0]) if by_last_id and places else None)
            if behind:
                pieces += [self._next(place) for place in places if place.seq < place.feed.ring.tail]
            self._send(connection, b"".join([head, sse.retry(random.uniform(*RETRY)), hello, *pieces]))  # noqa: S311
            for place in places:
                self._catch_up(place)
        for hear in self.arrivals:
            hear(connection.user_id, connection.session_id)

    def drop(self, connection: Connection) -> None:
        """Close a stream and forget it."""
        with self.lock:
            if connection not in self.connections:
                return
            self.connections.discard(connection)
            others = tuple(each for each in self.users.pop(connection.user_id) if each is not connection)
            if others:
                self.users[connection.user_id] = others
            self._pulse[connection.beat].discard(connection)
            self._blocked.discard(connection)
            for place in connection.places:
                self._leave(place)
            connection.places = ()
            connection.rest = None
            connection.close()

    def drop_session(self, session_id: str) -> None:
        """Close every stream of a login session, at once."""
        with self.lock:
            for connection in [each for each in self.connections if each.session_id == session_id]:
                self.drop(connection)

    def drop_from(self, banned: Callable[[str], bool]) -> None:
        """Close every stream that comes from a banned address.

        :param banned: tells whether an address is.
        """
        with self.lock:
            known = [*self.connections]
        for n, connection in enumerate(known, 1):
            if banned(connection.address):
                self.drop(connection)
            if n % 500 == 0:
                turn()

    def writable(self, connection: Connection) -> None:
        """Go on with a connection whose socket takes bytes again."""
        with self.lock:
            if connection not in self.connections or connection.rest is None:
                return
            rest, connection.rest = connection.rest, None
            self._blocked.discard(connection)
            if not self._send(connection, rest):
                return
            for place in connection.places:
                self._catch_up(place)
            self._make_up(connection)

    # -- what is sent

    def changed(self, feed: Feed) -> None:
        """Have the new frames of a room written."""
        if feed.places:
            if not feed.queued:
                feed.queued = True
                feed.queued_at = time.monotonic()
                self._dirty.append(feed)
                self._wake.set()
        else:
            feed.written = feed.ring.tail

    def cut(self, feed: Feed, user_id: str) -> None:
        """End a person's reading of one room: all up to the last frame in the ring, then a reset, then nothing."""
        with self.lock:
            for place in [each for each in feed.places if each.connection.user_id == user_id]:
                self._catch_up(place)
                self.reset(place)

    def reset(self, place: Place) -> None:
        """Tell a reader that its cursor for this room cannot be continued; its other rooms go on."""
        with self.lock:
            connection = place.connection
            self._leave(place)
            connection.places = tuple(each for each in connection.places if each is not place)
            self._send(connection, _reset(place.feed.room_id), must=True)

    def to_room(self, feed: Feed, data: bytes) -> None:
        """Send something without a cursor to everybody who reads the room now, behind all that is in its log so far."""
        with self.lock:
            for place in self._in_slices(feed.places):
                if place.seq < feed.ring.tail:
                    self._catch_up(place)
                self._send_ephemeral(place.connection, data)

    def to_user(self, user_id: str, data: bytes, must: bool = False, outside: Feed | None = None) -> None:
        """Send something without a cursor to every stream of one person.

        :param must: a reader that cannot take it is told later to look again.
        :param outside: leave out the streams that carry this room.
        """
        with self.lock:
            for connection in self.users.get(user_id, ()):
                if outside is not None and any(place.feed is outside for place in connection.places):
                    continue
                if not self._send_ephemeral(connection, data) and must:
                    connection.missed = True

    def look_again(self) -> None:
        """Have every client look at its lists again, each when its next ping is due, for something may have been missed."""
        with self.lock:
            for connection in self._in_slices(self.connections):
                connection.missed = True

    # -- inside

    def _write_loop(self) -> None:
        while True:
            self._wake.wait()
            self._wake.clear()
            while self._dirty:
                feed = self._dirty.popleft()
                feed.queued = False
                try:
                    self._write_new(feed)
                except Exception:
                    log.exception("cannot write room %s", feed.room_id)

    def _write_new(self, feed: Feed) -> None:
        ring, start, since = feed.ring, feed.written, feed.queued_at
        if not ring.covers(start) or start == ring.tail:
            feed.written = ring.tail  # whoever stands before the ring is reset when it catches up
            data, end = b"", ring.tail
        else:
            data, end = ring.after(start, CHUNK)
            feed.written = end
        with self.lock:
            for place in self._in_slices(feed.places):
                connection = place.connection
                if place.seq == start and data and connection.rest is None and connection.heard is None:
                    place.seq = end
                    try:
                        taken = connection.write(data)
                    except BlockingIOError:
                        taken = 0
                    except OSError:
                        self.drop(connection)
                        continue
                    if taken != len(data):
                        self._keep(connection, memoryview(data)[taken:])
                elif place.seq < end:
                    self._catch_up(place)
        metrics.FANOUT.observe(time.monotonic() - since)
        if feed.written < ring.tail:
            self.changed(feed)

    def _catch_up(self, place: Place) -> None:
        connection, ring = place.connection, place.feed.ring
        while connection.rest is None and place.seq < ring.tail and place in place.feed.places:
            if not ring.covers(place.seq):
                metrics.RING_MISSES.inc()
                self.reset(place)
                return
            self._send(connection, self._next(place))

    def _next(self, place: Place) -> bytes:
        """Take the frames that follow a place, and move it."""
        heard, room_id = place.connection.heard, place.feed.room_id
        others = "" if heard is None else cursor.others(heard, room_id)
        data, place.seq = place.feed.ring.after(place.seq, CHUNK, others)
        if heard is not None:
            heard[room_id] = place.seq
        return data

    def _send(self, connection: Connection, data: bytes | memoryview, must: bool = False) -> bool:
        """Write; return whether all of it left. What did not is kept, and nothing follows until it has left."""
        if connection.rest is not None:
            if must:
                connection.rest = memoryview(bytes(connection.rest) + bytes(data))
            return False
        try:
            taken = connection.write(data)
        except BlockingIOError:
            taken = 0
        except OSError:
            self.drop(connection)
            return False
        if taken == len(data):
            return True
        self._keep(connection, memoryview(data)[taken:])
        return False

    def _send_ephemeral(self, connection: Connection, data: bytes) -> bool:
        return connection.rest is None and (self._send(connection, data) or connection.rest is not None)

    def _make_up(self, connection: Connection) -> bool:
        """Tell a client to look again if it missed something and can hear it now; return whether it was told."""
        if not connection.missed or connection.rest is not None:
            return False
        connection.missed = False
        self._send(connection, _LOOK_AGAIN)
        return True

    def _keep(self, connection: Connection, rest: memoryview) -> None:
        connection.rest = rest
        connection.blocked_since = time.monotonic()
        self._blocked.add(connection)

    def _leave(self, place: Place) -> None:
        place.feed.places.discard(place)
        place.seq = sys.maxsize  # a pass that is under way hands it nothing more
        if not place.feed.places:
            place.feed.idle_since = time.monotonic()

    def _pulse_loop(self) -> None:
        second = 0
        while not self._stopped:
            time.sleep(1.0)
            second += 1
            try:
                self._beat(second)
            except Exception:
                log.exception("the pulse failed")

    def _beat(self, second: int) -> None:
        with self.lock:
            for connection in self._in_slices(self._pulse[second % PING_EVERY]):
                if not self._make_up(connection):
                    self._send_ephemeral(connection, _PING)
            limit = time.monotonic() - BLOCKED_LIMIT
            for connection in [each for each in self._blocked if each.blocked_since < limit]:
                self.drop(connection)

    def _in_slices(self, items: Iterable[T]) -> Iterator[T]:
        """Yield from a copy, letting the loop turn after every SLICE of them; many small rooms count as a large one."""
        for item in tuple(items):
            yield item
            self._unbroken += 1
            if self._unbroken >= SLICE:
                self._unbroken = 0
                turn()


def _bye() -> bytes:
    return sse.retry(random.uniform(*RETRY_AFTER_BYE)) + sse.encode("bye")  # noqa: S311 - jitter


@lru_cache(maxsize=512)
def _hello(heads: tuple[tuple[str, int], ...], id: str | None) -> bytes:
    return sse.encode("hello", json.dumps(dict(heads)), id)


def _begin(place: Place) -> str:
    """Return the id before the first frame, for a client that is cut off before it hears one."""
    ring, heard = place.feed.ring, place.connection.heard
    return f"{ring.room_id}.{ring.epoch}{cursor.others(heard, ring.room_id) if heard else ''}.{place.seq}"


def _reset(room_id: str) -> bytes:
    return sse.encode("reset", json.dumps({"room": room_id}))
