"""gevent's WSGI server, taught to let streams go.

``Server`` accepts; what looks like a stream request goes through the door. ``Handler`` runs everything else, and when the
application answers with a ``Stream`` it hands the socket to the hub and forgets it. What each line is for was read in
``gevent/pywsgi.py`` and ``gevent/baseserver.py`` (26.9).
"""

from __future__ import annotations

import _socket
import logging
import re
import socket
import time
from collections import Counter
from collections.abc import Collection
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import format_datetime
from http.client import HTTPException
from typing import Any

from flask import Flask
from gevent import get_hub, pywsgi, spawn_later
from gevent.socket import socket as GeventSocket  # noqa: N812 - a class

from chat.realtime import Realtime
from chat.realtime.hub import Connection
from chat.realtime.streams import Stream
from chat.realtime.tickets import Ticket
from chat.server import door
from chat.server.door import StreamRequest
from chat.server.poller import Poller
from chat.threads import turn
from chat.web import security

_LENGTH = re.compile(r"[0-9]{1,15}")

access = logging.getLogger("chat.access")
trouble = logging.getLogger("chat.server")

BACKLOG = 4096
#: Seconds for the first bytes of a connection, for the next request on one that is kept open, for the whole head of a
#: request, for each piece of a body, and for the whole of an answer.
FIRST_BYTES = 10.0
KEEP_ALIVE = 75.0
HEAD = 10.0
NEXT_BYTES = 15.0
ANSWER = 300.0
#: Bytes per second that a body must come with, after a start of NEXT_BYTES; and the longest that any may take.
SLOWEST = 1024
LONGEST_BODY = 300.0
#: Connections served at the same time; beyond it, those that only wait for a request make room, and when there are none
#: of them, new ones wait in the kernel's queue.
MAX_HANDLERS = 1000
#: How many of them one address may hold; not counted where all come from a proxy.
MAX_FROM_ONE = MAX_HANDLERS // 2


def listener(host: str, port: int) -> socket.socket:
    """Return a listening socket.

    :raises OSError: the address cannot be had, for instance because the port is taken.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
        sock.listen(BACKLOG)
    except OSError:
        sock.close()
        raise
    return sock


def tune(sock: socket.socket) -> None:
    """Set on the listener what every accepted socket inherits.

    NODELAY, or the second of two quick events (and the body of every answer, which pywsgi writes apart from its head)
    waits 40 ms for an acknowledgement. A small send buffer, or a reader that never reads holds 2.8 MB of kernel memory.
    DEFER_ACCEPT, so that a connection usually arrives together with its request. USER_TIMEOUT, so that a peer that
    vanished without a word is noticed in 40 s and not in 15 minutes.
    """
    for level, option, value in (
        (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
        (socket.SOL_SOCKET, socket.SO_SNDBUF, 64 * 1024),
        (socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, 3),
        (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 40_000),
    ):
        sock.setsockopt(level, option, value)


class _NothingToRead:
    """Stands in for the input of a request whose socket has left."""

    def _discard(self) -> None:
        """Do nothing."""


class Handler(pywsgi.WSGIHandler):
    """One connection's requests."""

    server: Server
    socket: Any
    #: Requests begun on this connection.
    requests = 0
    #: Whether it waits for the next one, and may be ended without losing anything.
    waiting = False

    #: Ends the connection when a head or a body takes too long.
    _deadline: Any = None

    def handle(self) -> None:
        """Serve requests until the connection ends or becomes a stream; count as busy meanwhile."""
        if not self.server.admit(self):
            self.socket.close()
            return
        try:
            super().handle()
        finally:
            self._in_time()
            self.server.forget(self)

    def end(self) -> None:
        """End the connection from outside: whoever reads from it finds its end."""
        self.waiting = False
        if self.socket is not None:
            with suppress(OSError):  # it has gone by itself
                self.socket._sock.shutdown(socket.SHUT_RD)

    def read_requestline(self) -> str:
        """Wait for the next request; a connection that waits may be ended when the server stops."""
        self._in_time()  # also for what an answer did not wait for, and was read after it
        if self.requests:
            # A client that is quick enough has its next request here already; without this it would never be the others' turn.
            turn()
        if self.server.draining and self.requests:
            return ""
        self.waiting = True
        self.socket.settimeout(KEEP_ALIVE if self.requests else FIRST_BYTES)
        try:
            self.rfile.peek(1)
        except TimeoutError:
            return ""
        finally:
            self.waiting = False
        self.socket.settimeout(NEXT_BYTES)
        self._must_end_in(HEAD)
        line: str = super().read_requestline()
        self.requests += 1
        return line

    def MessageClass(self, *arguments: Any) -> Any:  # noqa: N802 - pywsgi's name
        """Return the head of a request; refuse one on whose body two servers could disagree (RFC 9112 §6.3)."""
        try:
            head = super().MessageClass(*arguments)
        except HTTPException as problem:
            raise ValueError(str(problem)) from None
        lengths, codings = head.get_all("Content-Length", []), head.get_all("Transfer-Encoding", [])
        if len(lengths) + len(codings) > 1:
            raise ValueError("more than one length")
        if any(not _LENGTH.fullmatch(each) for each in lengths) or any(each.lower() != "chunked" for each in codings):
            raise ValueError("a length that is none")
        del head["Upgrade"]  # we speak nothing else, and pywsgi would leave the body unread
        return head

    def read_request(self, raw_requestline: str) -> bool:
        """Read the head; from here on the body has its time."""
        super().read_request(raw_requestline)
        self._in_time()
        chunked = "Transfer-Encoding" in self.headers
        if chunked or self.content_length:
            length = self.content_length or 0
            self._must_end_in(LONGEST_BODY if chunked else min(LONGEST_BODY, NEXT_BYTES + length / SLOWEST))
        return True

    def _must_end_in(self, seconds: float) -> None:
        self._deadline = get_hub().loop.timer(seconds)
        self._deadline.start(self.end)

    def _in_time(self) -> None:
        if self._deadline is not None:
            self._deadline.close()
            self._deadline = None

    def handle_one_response(self) -> None:
        """Let a stream in that came on a connection which has served other requests; all else is for the application.

        That is how a browser comes, and a proxy that keeps its connections: the door saw only the first request.
        """
        if self.command == "GET" and self.path.partition("?")[0] == door.PATH and self.request_version == "HTTP/1.1":
            request = self.server.stream_for(self.path, self.headers.items())
            if request is not None:
                connection = Connection(self._leave(), *request.ticket)
                self.server.realtime.streams.open_fast(connection, self.server.head(), request.asked)
                return
        super().handle_one_response()

    def _leave(self) -> int:
        """Give up the socket, before handle() gets to its epilogue, which would read from it and close it."""
        self._in_time()
        sock, self.socket = self.socket, None
        self.wsgi_input = _NothingToRead()
        self.headers_sent = self.close_connection = True
        fd: int = sock.detach()
        return fd

    def finalize_headers(self) -> None:
        """Say that the connection ends, when the server is stopping."""
        super().finalize_headers()
        if self.server.draining:
            self.response_headers.append((b"Connection", b"close"))
            self.close_connection = True

    def process_result(self) -> None:
        """Send the answer, or let the socket go if it is a stream."""
        result = self.result
        if type(result) is not Stream or self.code != 200 or self.command != "GET":
            self.socket.settimeout(ANSWER)
            super().process_result()
            return
        lines = [b"HTTP/1.1 " + self.status, *(name + b": " + value for name, value in self.response_headers)]
        head = b"\r\n".join([*lines, b"Date: " + _date(), b"Connection: close\r\n\r\n"])
        self.server.realtime.streams.adopt(Connection(self._leave(), *result.ticket), head, result.resolved)

    def handle_error(self, t: Any, v: Any, tb: Any) -> None:
        """Log the error without the environ, which holds cookies."""
        trouble.error("error in a request", exc_info=(t, v, tb))
        self._send_error_response_if_possible(500)

    def log_error(self, msg: str, *args: Any) -> None:
        """Note a request that made no sense; its bytes stay out of the log."""
        trouble.info("a request that is not HTTP")

    def log_request(self) -> None:
        """Note method, path without its query, status and milliseconds."""
        if access.isEnabledFor(logging.INFO):
            path = self.path.partition("?")[0] if getattr(self, "path", None) else "-"
            took = (time.time() - self.time_start) * 1000
            access.info("%s %s", getattr(self, "command", "-"), path, extra={"status": self.code, "ms": round(took, 1)})


class Server(pywsgi.WSGIServer):
    """Accepts connections for one application in one process."""

    handler_class = Handler

    def __init__(self, sock: Any, app: Flask, **options: Any) -> None:
        # SERVER_NAME is given, for otherwise pywsgi asks the name service at every start.
        super().__init__(sock, app, log=None, error_log=None, environ={"SERVER_NAME": sock.getsockname()[0]}, **options)
        self.realtime: Realtime = app.extensions["realtime"]
        #: In the order in which they came.
        self.handlers: dict[Handler, None] = {}
        self._from: Counter[str] = Counter()
        self.draining = False
        settings = app.config["SETTINGS"]
        self._proxied = bool(settings.TRUSTED_PROXIES)
        self._hosts = frozenset(app.config["TRUSTED_HOSTS"])
        self._cookie = security.cookie_name(settings, "ticket")
        self._head = security.stream_head(settings)
        if self.realtime.hub.poller is None:
            self.realtime.hub.poller = Poller(self.realtime.hub)
        self._poller: Any = self.realtime.hub.poller

    def admit(self, handler: Handler) -> bool:
        """Count a connection; False if its address has as many as it may."""
        address = handler.client_address[0]
        if not self._proxied and self._from[address] >= MAX_FROM_ONE:
            return False
        self._from[address] += 1
        self.handlers[handler] = None
        if len(self.handlers) >= MAX_HANDLERS:
            idle = next((each for each in self.handlers if each.waiting), None)
            if idle is not None:
                idle.end()
        return True

    def forget(self, handler: Handler) -> None:
        """Count a connection no more."""
        del self.handlers[handler]
        address = handler.client_address[0]
        self._from[address] -= 1
        if not self._from[address]:
            del self._from[address]
        self.resume()

    def full(self) -> bool:
        """Tell whether to stop accepting for now. No gevent Pool: a full one hangs what the door hands on."""
        return len(self.handlers) >= MAX_HANDLERS

    def resume(self) -> None:
        """Accept again after having been full."""
        if self.started and not self.draining and self._watcher is None and not self.full():
            self.start_accepting()

    def do_read(self) -> tuple[Any, Any] | None:
        """Accept as a plain socket: a stream needs none of the watchers of a gevent one."""
        try:
            fd, address = self.socket._accept()
        except BlockingIOError:
            return None
        return _socket.socket(self.family, socket.SOCK_STREAM, 0, fileno=fd), address

    def do_handle(self, sock: Any, address: Any) -> None:
        """Look at the first bytes and choose who serves them."""
        sock.setblocking(False)
        self.look(sock, address, may_wait=True)

    def look(self, sock: Any, address: Any, may_wait: bool) -> None:
        """Peek at a connection: to the hub, to the handler, or wait for its bytes."""
        try:
            data = sock.recv(door.PEEK, socket.MSG_PEEK)
        except BlockingIOError:
            if may_wait:
                self._poller.park(_Waiting(self, sock, address))
                return
            data = b""
        except OSError:
            data = b""
        if not data:
            sock.close()
            return
        if data.startswith(door.START) and not self.draining:
            request = door.read(data, self._hosts, self._cookie, self.realtime.ticket_key)
            if request is not None and self._lets_in(request.ticket):
                sock.recv(len(data))
                self.realtime.streams.open_fast(Connection(sock.detach(), *request.ticket), self.head(), request.asked)
                return
        super().do_handle(GeventSocket(sock.family, sock.type, sock.proto, fileno=sock.detach()), address)

    def stream_for(self, target: str, headers: Collection[tuple[str, str]]) -> StreamRequest | None:
        """Return the stream that a request asks for and may have, or None if the application should look."""
        if self.draining:
            return None
        request = door.admit(target, headers, self._hosts, self._cookie, self.realtime.ticket_key)
        return request if request is not None and self._lets_in(request.ticket) else None

    def head(self) -> bytes:
        """Return the HTTP head of a stream."""
        return b"%sDate: %s\r\n\r\n" % (self._head, _date())

    def _lets_in(self, ticket: Ticket) -> bool:
        return self.realtime.streams.allowed(ticket) and self.realtime.streams.has_room(ticket)

    def drain(self) -> None:
        """Stop accepting, end connections that wait for a request, let the others finish."""
        self.draining = True
        self.close()
        for handler in tuple(self.handlers):
            if handler.waiting:
                handler.end()

    @property
    def busy(self) -> int:
        """How many connections are still served by a handler."""
        return len(self.handlers)


class _Waiting:
    """A connection that has not said anything yet."""

    def __init__(self, server: Server, sock: Any, address: Any) -> None:
        self.fd = sock.fileno()
        self._server = server
        self._sock = sock
        self._address = address
        self._deadline = spawn_later(FIRST_BYTES, self._give_up)

    def readable(self) -> None:
        """Look again, now that bytes are here."""
        self._deadline.kill(block=False)
        self._server.look(self._sock, self._address, may_wait=False)

    def _give_up(self) -> None:
        self._server._poller.unpark(self)
        self._sock.close()


_dated: tuple[int, bytes] = (0, b"")


def _date() -> bytes:
    """Return the Date header's value, made once a second."""
    global _dated
    now = int(time.time())
    if _dated[0] != now:
        _dated = (now, format_datetime(datetime.fromtimestamp(now, UTC), usegmt=True).encode())
    return _dated[1]
