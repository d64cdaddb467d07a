"""One epoll set for all detached sockets, watched by one watcher of the event loop.

No watcher per connection: an idle stream costs an entry in the kernel's set. Sockets are registered once, edge-triggered.
gevent takes ``epoll`` out of ``select``, hence ``get_original``.
"""

from __future__ import annotations

import logging
import posix
from typing import Any, Protocol

from gevent import get_hub, monkey

from chat.realtime.hub import Connection, Hub

log = logging.getLogger(__name__)

_epoll: Any = monkey.get_original("select", "epoll")
_IN, _OUT, _GONE = 0x001, 0x004, 0x008 | 0x010 | 0x2000  # EPOLLIN, EPOLLOUT, EPOLLERR | EPOLLHUP | EPOLLRDHUP
_EDGE = 0x80000000


class Parked(Protocol):
    """A socket that waits for its first bytes."""

    fd: int

    def readable(self) -> None:
        """Called when bytes have come, or the peer has gone."""


class Poller:
    """Tells connections of the hub, and parked sockets of the door, what happened to their sockets."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._set = _epoll()
        self._connections: dict[int, Connection] = {}
        self._parked: dict[int, Parked] = {}
        self._watcher = get_hub().loop.io(self._set.fileno(), 1)
        self._watcher.start(self._ready)

    def register(self, connection: Connection) -> None:
        """Watch a stream until its socket is closed, which takes it out of the set by itself."""
        self._connections[connection.fd] = connection
        self._set.register(connection.fd, _IN | _OUT | _GONE | _EDGE)

    def park(self, parked: Parked) -> None:
        """Wait for the first bytes of a socket."""
        self._parked[parked.fd] = parked
        self._set.register(parked.fd, _IN | _GONE)

    def unpark(self, parked: Parked) -> None:
        """Stop waiting; the socket stays open."""
        if self._parked.get(parked.fd) is parked:
            del self._parked[parked.fd]
            self._set.unregister(parked.fd)

    def _ready(self) -> None:
        for fd, happened in self._set.poll(0, 1024):
            try:
                parked = self._parked.get(fd)
                if parked is not None:
                    self.unpark(parked)
                    parked.readable()
                    continue
                connection = self._connections.get(fd)
                if connection is None or connection.fd != fd:
                    continue
                if happened & _GONE or (happened & _IN and self._spoke(connection)):
                    self._hub.drop(connection)
                elif happened & _OUT:
                    self._hub.writable(connection)
            except Exception:
                log.exception("cannot serve a socket")

    def _spoke(self, connection: Connection) -> bool:
        """Tell whether a stream's client has sent something or closed; neither is allowed while it listens."""
        try:
            posix.read(connection.fd, 1024)
        except BlockingIOError:
            return False
        except OSError:
            pass
        return True
