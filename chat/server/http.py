"""gevent's WSGI server, taught to let streams go.

``Server`` accepts; what looks like a stream request goes through the door. ``Handler`` runs everything else, and when the
application answers with a ``Stream`` it hands the socket to the hub and forgets it. Requests are read by ``head`` and
``body``, not by pywsgi, which forgives too much; who may hold how many connections is for ``places``. What each line is
for was read in ``gevent/pywsgi.py`` and ``gevent/baseserver.py`` (26.9).
"""

from __future__ import annotations

import _socket
import errno
import logging
import socket
import time
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import unquote_to_bytes

from flask import Flask
from gevent import get_hub, pywsgi, sleep, spawn_later
from gevent.socket import socket as GeventSocket  # noqa: N812 - a class

from chat.core.threads import turn
from chat.realtime import Realtime
from chat.realtime.hub import Connection
from chat.realtime.streams import Stream
from chat.server import door, head
from chat.server.body import Body, Gone
from chat.server.door import StreamRequest
from chat.server.head import Head, Refused
from chat.server.places import NOBODY, Holder, Places, holder
from chat.server.poller import Poller
from chat.server.turns import Turns
from chat.web import security

access = logging.getLogger("chat.access")
trouble = logging.getLogger("chat.server")

BACKLOG = 4096
#: Seconds for the first bytes of a connection, for the next request on one that is kept open, for the whole head of a
#: request, and for each piece of a body and of an answer.
FIRST_BYTES = 10.0
KEEP_ALIVE = 75.0
HEAD = 10.0
NEXT_BYTES = 15.0
#: Bytes per second with which a body must come and an answer be taken, after a start of NEXT_BYTES; and the longest that
#: any body may take.
SLOWEST = 1024
LONGEST_BODY = 300.0
#: Seconds, and pieces of 16 KiB, that a client gets to read why it was refused.
LINGER = 2.0
LINGER_PIECES = 16
#: Connections from which on requests take turns.
CROWD = 32
#: Seconds between two looks for connections that should give way while somebody waits.
RELIEF = 0.1


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
    """Stands in for the body of a request whose socket has left."""

    ended = True
    unasked = broken = False
    since = None

    def _discard(self) -> None:
        """Do nothing."""


class Handler(pywsgi.WSGIHandler):
    """One connection's requests."""

    server: Server
    socket: Any
    wsgi_input: Any
    response_use_chunked: bool
    status: Any
    #: Requests begun on this connection.
    requests = 0
    #: The holder for whom it is counted, and whether it is idle: ``places`` asks both.
    holder = NOBODY
    waiting = False
    #: When the client began to keep it waiting, for a head or with the answer.
    _since: float | None = None
    _ended = False

    #: The head of the present request.
    asked: Head
    #: Ends the connection when a head or a body takes too long.
    _deadline: Any = None
    #: When the present answer began to leave.
    _began = 0.0

    def handle(self) -> None:
        """Serve requests until the connection ends or becomes a stream; count as busy meanwhile."""
        direct = self.server.holder_of(self.client_address)
        self.holder = direct
        self.server.places.handlers[self] = None
        try:
            super().handle()
        finally:
            self._in_time()
            del self.server.places.handlers[self]
            self.server.places.leave(direct)

    @property
    def since(self) -> float | None:
        """When its client began to keep it waiting: for a head, for a body, or with the answer."""
        if self._ended:
            return None
        return self._since or (self.wsgi_input.since if self.wsgi_input is not None else None)

    def end(self) -> None:
        """End the connection from outside: reading from it finds its end, and writing fails."""
        self.waiting, self._ended = False, True
        self._shut(socket.SHUT_RDWR)

    def _shut(self, how: int) -> None:
        if self.socket is not None:
            with suppress(OSError):  # it has gone by itself
                self.socket._sock.shutdown(how)

    # -- one request

    def handle_one_request(self) -> bool | None:
        """Read a request and have it answered; return True if the connection stays for another."""
        self.command = self.path = self.wsgi_input = None
        try:
            data = self._read_head()
            if not data:
                return None
            self._take(head.read(data))
            forwarded = self._count_forwarded()
        except Refused as refused:
            self._refuse(refused)
            return None
        except OSError:
            return None
        try:
            self._take_turns()
            self.environ = self.get_environ()
            self.application = self.server.application
            self.handle_one_response()
        finally:
            self._since = None
            if forwarded is not None:
                self.server.places.release(forwarded)
                self.holder = NOBODY
        return None if self.close_connection or not self.wsgi_input.ended else True

    def _read_head(self) -> bytes:
        """Wait for the next request and return its head; nothing when the connection ends.

        :raises Refused: it is too long, or hopeless already.
        """
        self._in_time()  # also for what an answer did not wait for, and was read after it
        if self.requests:
            # A client that is quick enough has its next request here already; without this it would never be the others' turn.
            turn()
            if self.server.draining:
                return b""
        self.waiting, self._since = bool(self.requests), time.monotonic()
        self.socket.settimeout(KEEP_ALIVE if self.requests else FIRST_BYTES)
        self.rfile.peek(1)
        self.waiting = False
        self.socket.settimeout(NEXT_BYTES)
        self._must_end_in(HEAD)
        data = b""
        while piece := self.rfile.peek(1):
            before = len(data)
            data += piece
            end = data.find(b"\r\n\r\n", max(0, before - 3))
            self.rfile.read(len(piece) if end < 0 else end + 4 - before)
            if end >= 0:
                self.requests += 1
                self._in_time()
                self._since = None
                return data[: end + 4] if end or self.requests == 1 else b""
            head.hopeless(data, before)
        return b""

    def _take(self, asked: Head) -> None:
        """Make this the present request, in the words of pywsgi; from here on the body has its time."""
        self.asked = asked
        self.command, self.path, self.request_version = asked.method, asked.target, asked.version
        self.content_length = asked.length
        self.close_connection = not asked.stays
        self.response_length = 0
        if asked.chunked or asked.length:
            slowest = NEXT_BYTES + (asked.length or 0) / SLOWEST
            self._must_end_in(LONGEST_BODY if asked.chunked else min(LONGEST_BODY, slowest))
        go_on = self._go_on if asked.asks else None
        self.wsgi_input = Body(self.rfile, asked.length, asked.chunked, self._take_turns, go_on)

    def _take_turns(self) -> None:
        """Wait for the turn of this network, when there are many."""
        if self.server.busy > CROWD:
            self.server.turns.wait(self.holder.network)

    def _count_forwarded(self) -> Holder | None:
        """Count a request for the client that the proxies name, and return it; None if they name none.

        :raises Refused: that client has as many under way as it may.
        """
        who = self.server.forwarded_for(self.asked)
        if who is None:
            return None
        if not self.server.places.has_room(who):
            raise Refused(503, "too many requests of one address")
        self.server.places.hold(who)
        self.holder = who
        return who

    def _go_on(self) -> None:
        self.socket.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _refuse(self, refused: Refused) -> None:
        """Answer a malformed request, and give the client time to read that before the connection ends."""
        trouble.info("refused a request: %s", refused)
        self._in_time()
        self.status, self.code = str(refused.status), refused.status
        self._since = time.monotonic()
        with suppress(OSError):
            self.socket.settimeout(LINGER)
            self.socket.sendall(refused.answer)
            self.socket.shutdown(socket.SHUT_WR)
            self._must_end_in(LINGER)
            # What is still on its way would make the kernel throw our answer away.
            for _ in range(LINGER_PIECES):
                if not self.socket.recv(16 * 1024):
                    break
                turn()
        self.log_request()

    def get_environ(self) -> dict[str, Any]:
        """Return the environ of the present request."""
        path, _, query = self.asked.target.partition("?")
        environ: dict[str, Any] = self.server.get_environ()
        environ |= {
            "REQUEST_METHOD": self.asked.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
            "QUERY_STRING": query,
            "SERVER_PROTOCOL": self.asked.version,
            "REMOTE_ADDR": str(self.client_address[0]),
            "REMOTE_PORT": str(self.client_address[1]),
            "wsgi.input": self.wsgi_input,
            "wsgi.input_terminated": True,
        }
        for name, value in self.asked.fields:
            # An underscore would be taken for a hyphen; "Upgrade" is not heard, for we speak nothing else.
            if "_" in name or name in {"content-length", "upgrade", "transfer-encoding", "expect"}:
                continue
            key = "CONTENT_TYPE" if name == "content-type" else f"HTTP_{name.upper().replace('-', '_')}"
            environ[key] = f"{environ[key]}{'; ' if name == 'cookie' else ','}{value}" if key in environ else value
        if self.asked.length is not None:
            environ["CONTENT_LENGTH"] = str(self.asked.length)
        if self.asked.host:
            environ["HTTP_HOST"] = self.asked.host
        return environ

    def _must_end_in(self, seconds: float) -> None:
        self._deadline = get_hub().loop.timer(seconds)
        self._deadline.start(self._too_late)

    def _too_late(self) -> None:
        """End reading. The answer to a body that came in time is not touched."""
        if self.wsgi_input is None or not self.wsgi_input.ended:
            self._shut(socket.SHUT_RD)

    def _in_time(self) -> None:
        if self._deadline is not None:
            self._deadline.close()
            self._deadline = None

    def handle_one_response(self) -> None:
        """Let a stream in that came on a connection which has served other requests; all else is for the application.

        That is how a browser comes, and a proxy that keeps its connections: the door saw only the first request.
        """
        if door.is_for_stream(self.asked):
            request = self.server.stream_for(self.asked, self.client_address)
            if request is not None:
                self.server.open_stream(self._leave(), request, self.client_address)
                return
        self._began = 0.0
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
        """Announce the end of the connection when the server stops, or when nobody can tell where a next request begins."""
        super().finalize_headers()
        if self.command == "HEAD" and self.response_use_chunked:
            # It has no body, and pywsgi would end that with a last chunk: to the client the answer to its next request.
            self.response_use_chunked = False
            self.response_headers.remove((b"Transfer-Encoding", b"chunked"))
        if self.server.draining or self.wsgi_input.unasked or self.wsgi_input.broken:
            self.response_headers.append((b"Connection", b"close"))
            self.close_connection = True

    def process_result(self) -> None:
        """Send the answer, or let the socket go if it is a stream."""
        result = self.result
        if type(result) is not Stream or self.code != 200 or self.command != "GET":
            super().process_result()
            return
        lines = [b"HTTP/1.1 " + self.status, *(name + b": " + value for name, value in self.response_headers)]
        start = b"\r\n".join([*lines, b"Date: " + _date(), b"Connection: close\r\n\r\n"])
        connection = Connection(self._leave(), *result.ticket)
        connection.address = self.environ["REMOTE_ADDR"]  # as the application has read it
        self.server.realtime.streams.adopt(connection, start, result.resolved)

    def _sendall(self, data: Any) -> None:
        """Send a piece of the answer, as long as its reader takes some every NEXT_BYTES, and all at SLOWEST.

        :raises OSError: it does not.
        """
        rest = memoryview(data)
        self._since = time.monotonic()
        self._began = self._began or self._since
        self.socket.settimeout(NEXT_BYTES)
        try:
            while rest:
                sent = self.socket.send(rest)
                self.response_length += sent
                rest = rest[sent:]
                if rest and self.response_length < SLOWEST * (time.monotonic() - self._began - NEXT_BYTES):
                    raise TimeoutError
        except TimeoutError:
            self.close_connection = True
            raise BrokenPipeError(errno.EPIPE, "a reader that is too slow") from None
        finally:
            self._since = None

    def handle_error(self, t: Any, v: Any, tb: Any) -> None:
        """Log the error without the environ, which holds cookies."""
        if issubclass(t, Gone):
            self.close_connection, self.code = True, 499  # for the log, as nginx says it
            return
        trouble.error("error in a request", exc_info=(t, v, tb))
        self._send_error_response_if_possible(500)

    def log_request(self) -> None:
        """Note method, path without its query, status and milliseconds."""
        if access.isEnabledFor(logging.INFO):
            path = self.path.partition("?")[0] if self.path else "-"
            took = (time.time() - self.time_start) * 1000
            access.info("%s %s", self.command or "-", path, extra={"status": self.code, "ms": round(took, 1)})


class Server(pywsgi.WSGIServer):
    """Accepts connections for one application in one process."""

    handler_class = Handler

    def __init__(self, sock: Any, app: Flask, **options: Any) -> None:
        # SERVER_NAME is given, for otherwise pywsgi asks the name service at every start.
        super().__init__(sock, app, log=None, error_log=None, environ={"SERVER_NAME": sock.getsockname()[0]}, **options)
        self.realtime: Realtime = app.extensions["realtime"]
        self.places = Places()
        self.turns = Turns()
        self.draining = False
        settings = app.config["SETTINGS"]
        self._hops: int = settings.TRUSTED_PROXIES
        self._hosts = frozenset(app.config["TRUSTED_HOSTS"])
        self._cookie = security.cookie_name(settings, "ticket")
        self._head = security.stream_head(settings)
        if self.realtime.hub.poller is None:
            self.realtime.hub.poller = Poller(self.realtime.hub)
        self._poller: Any = self.realtime.hub.poller
        self._relief: Any = None

    # -- holders of connections

    def holder_of(self, address: Any) -> Holder:
        """Return the holder of a connection: nobody where all come from a proxy."""
        return NOBODY if self._hops else holder(str(address[0]))

    def forwarded_for(self, asked: Head) -> Holder | None:
        """Return the holder of a request that the proxies name; None if they name none, or there is no proxy."""
        if not self._hops:
            return None
        said = ",".join(value for name, value in asked.fields if name == "x-forwarded-for").split(",")
        address = said[-self._hops].strip() if len(said) >= self._hops else ""
        return holder(address) if address else None

    # -- accepting

    def full(self) -> bool:
        """Never stop accepting: only the address tells who may be served. No gevent Pool, for a full one hangs."""
        return False

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
        """Peek at a connection: to the hub, to a handler, or wait for its bytes."""
        try:
            data = sock.recv(door.PEEK, socket.MSG_PEEK)
        except BlockingIOError:
            if may_wait:
                self._park(sock, address)
                return
            data = b""
        except OSError:
            data = b""
        if not data:
            sock.close()
            return
        if data.startswith(door.START) and not self.draining:
            request = door.read(data, self._hosts, self._cookie, self.realtime.ticket_key)
            if request is not None and self._lets_in(request, address):
                sock.recv(len(data))
                self.open_stream(sock.detach(), request, address)
                return
        self._serve(sock, address)

    def _park(self, sock: Any, address: Any) -> None:
        who = self.holder_of(address)
        if self.places.wait(who):
            self._poller.park(_Waiting(self, sock, address, who))
        else:
            _turn_away(sock)

    def _serve(self, sock: Any, address: Any) -> None:
        """Serve a connection by a handler, now or when there is a place for its address."""

        def begin() -> None:
            if self.draining:
                sock.close()
                self.places.leave(who)
            else:
                _spawn(GeventSocket(sock.family, sock.type, sock.proto, fileno=sock.detach()), address)

        _spawn, who = super().do_handle, self.holder_of(address)
        if not self.places.enter(who, begin):
            _turn_away(sock)
        elif self.places.crowded and self._relief is None:
            self._relief = spawn_later(RELIEF, self._relieve)

    def _relieve(self) -> None:
        while self.places.crowded:
            self.places.relieve()
            sleep(RELIEF)
        self._relief = None

    def stream_for(self, asked: Head, address: Any) -> StreamRequest | None:
        """Return the stream that a request asks for and may have, or None if the application should look."""
        if self.draining:
            return None
        request = door.admit(asked, self._hosts, self._cookie, self.realtime.ticket_key)
        return request if request is not None and self._lets_in(request, address) else None

    def open_stream(self, fd: int, request: StreamRequest, address: Any) -> None:
        """Make a connection a stream, without the application."""
        connection = Connection(fd, *request.ticket)
        connection.address = self._client_of(request, address)
        self.realtime.streams.open_fast(connection, self.head(), request.asked)

    def head(self) -> bytes:
        """Return the HTTP head of a stream."""
        return b"%sDate: %s\r\n\r\n" % (self._head, _date())

    def _lets_in(self, request: StreamRequest, address: Any) -> bool:
        known, ticket = self.realtime.streams, request.ticket
        return known.allowed(ticket) and known.has_room(ticket) and known.welcome(self._client_of(request, address))

    def _client_of(self, request: StreamRequest, address: Any) -> str:
        """Return the address that a request comes from, as the application would read it."""
        return (self.forwarded_for(request.head) or holder(str(address[0]))).address

    def drain(self) -> None:
        """Stop accepting, end connections that wait for a request, let the others finish."""
        self.draining = True
        self.close()
        for handler in tuple(self.places.handlers):
            if handler.waiting:
                handler.end()

    @property
    def busy(self) -> int:
        """How many connections are still served by a handler."""
        return self.places.serving


class _Waiting:
    """A connection that has not said anything yet."""

    def __init__(self, server: Server, sock: Any, address: Any, who: Holder) -> None:
        self.fd = sock.fileno()
        self._server = server
        self._sock = sock
        self._address = address
        self._who = who
        self._deadline = spawn_later(FIRST_BYTES, self._give_up)

    def readable(self) -> None:
        """Look again, now that bytes are here."""
        self._deadline.kill(block=False)
        self._server.places.wait_no_more(self._who)
        self._server.look(self._sock, self._address, may_wait=False)

    def _give_up(self) -> None:
        self._server._poller.unpark(self)
        self._server.places.wait_no_more(self._who)
        self._sock.close()


def _turn_away(sock: Any) -> None:
    """End a connection for which there is no place, not even one to wait in."""
    with suppress(OSError):
        sock.send(Refused(503, "too many connections of one network").answer)
    sock.close()


_dated: tuple[int, bytes] = (0, b"")


def _date() -> bytes:
    """Return the Date header's value, made once a second."""
    global _dated
    now = int(time.time())
    if _dated[0] != now:
        _dated = (now, format_datetime(datetime.fromtimestamp(now, UTC), usegmt=True).encode())
    return _dated[1]
