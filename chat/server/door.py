"""The door: a request for a stream with a good ticket becomes a stream without entering WSGI.

The first bytes of a connection are peeked at, not read. If they are one complete, plain GET of the stream with a valid
ticket, the socket goes straight to the hub: no greenlet, no environ, no Flask. Anything else, and anything doubtful, is
left untouched for the ordinary handler, which decides with the real session. The door only ever says yes.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from chat.errors import Invalid
from chat.realtime import streams, tickets
from chat.realtime.streams import Asked
from chat.realtime.tickets import Ticket

#: Most bytes a request at the door may have.
PEEK = 4096

PATH = "/events"
START = b"GET " + PATH.encode()
#: Headers with which a request is more than a plain GET.
_UNUSUAL = frozenset({"content-length", "transfer-encoding", "expect", "upgrade"})


@dataclass(frozen=True)
class StreamRequest:
    """A request that the door lets in."""

    ticket: Ticket
    asked: Asked


def read(data: bytes, hosts: Collection[str], cookie: str, key: bytes) -> StreamRequest | None:
    """Return the stream request that these bytes are, or None if the ordinary handler should look.

    :param data: the first bytes of a connection, up to and including the empty line.
    :param hosts: host names we answer to.
    :param cookie: the name of the ticket's cookie.
    :param key: the key of tickets.
    """
    if (
        not data.startswith((START + b"?", START + b" "))
        or not data.endswith(b"\r\n\r\n")
        or data.count(b"\r\n\r\n") != 1
    ):
        return None
    try:
        request_line, *lines = data[:-4].decode("ascii").split("\r\n")
        method, target, version = request_line.split(" ")
    except ValueError:  # UnicodeDecodeError is one too
        return None
    if method != "GET" or version != "HTTP/1.1":
        return None
    pairs = [line.partition(":") for line in lines]
    if any(not colon or name != name.strip() for name, colon, _ in pairs):
        return None
    return admit(target, [(name, value) for name, _, value in pairs], hosts, cookie, key)


def admit(
    target: str, pairs: Collection[tuple[str, str]], hosts: Collection[str], cookie: str, key: bytes
) -> StreamRequest | None:
    """Return the stream that a GET asks for, or None if the application should look.

    :param target: the path with its query.
    :param pairs: the headers as they were sent, each with its value.
    """
    headers = {name.lower(): value.strip() for name, value in pairs}
    if len(headers) != len(pairs) or not _UNUSUAL.isdisjoint(headers):
        return None
    host = headers.get("host", "")
    if host.rpartition(":")[0] not in hosts and host not in hosts:
        return None
    if headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        return None
    ticket = tickets.check(_cookie(headers.get("cookie", ""), cookie), key)
    if ticket is None:
        return None
    try:
        return StreamRequest(ticket, streams.wanted(target.partition("?")[2], headers.get("last-event-id")))
    except Invalid:
        return None


def _cookie(header: str, wanted: str) -> str:
    for part in header.split(";"):
        name, _, value = part.strip().partition("=")
        if name == wanted:
            return value
    return ""
