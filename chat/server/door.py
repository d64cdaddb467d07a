"""The door: a request for a stream with a good ticket becomes a stream without entering WSGI.

The first bytes of a connection are peeked at, not read. If they are one complete, plain GET of the stream with a valid
ticket, the socket goes straight to the hub: no greenlet, no environ, no Flask. Anything else, and anything doubtful, is
left untouched for the ordinary handler, which decides with the real session. The door only ever says yes, and reads by the
same rules as the handler.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from chat.core.errors import Invalid
from chat.realtime import streams, tickets
from chat.realtime.streams import Asked
from chat.realtime.tickets import Ticket
from chat.server import head
from chat.server.head import Head, Refused

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
    head: Head


def read(data: bytes, hosts: Collection[str], cookie: str, key: bytes) -> StreamRequest | None:
    """Return the stream request that these bytes are, or None if the ordinary handler should look.

    :param data: the first bytes of a connection, up to and including the empty line.
    :param hosts: host names we answer to.
    :param cookie: the name of the ticket's cookie.
    :param key: the key of tickets.
    """
    if not data.endswith(b"\r\n\r\n") or data.count(b"\r\n\r\n") != 1:
        return None
    try:
        asked = head.read(data)
    except Refused:
        return None
    return admit(asked, hosts, cookie, key) if is_for_stream(asked) else None


def is_for_stream(asked: Head) -> bool:
    """Tell whether a request may be one for a stream."""
    return asked.method == "GET" and asked.version == "HTTP/1.1" and asked.target.partition("?")[0] == PATH


def admit(asked: Head, hosts: Collection[str], cookie: str, key: bytes) -> StreamRequest | None:
    """Return the stream that a GET asks for, or None if the application should look."""
    fields = dict(asked.fields)
    if len(fields) != len(asked.fields) or not _UNUSUAL.isdisjoint(fields):
        return None
    if asked.host.rpartition(":")[0] not in hosts and asked.host not in hosts:
        return None
    if fields.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        return None
    ticket = tickets.check(_cookie(fields.get("cookie", ""), cookie), key)
    if ticket is None:
        return None
    try:
        wanted = streams.wanted(asked.target.partition("?")[2], fields.get("last-event-id"))
        return StreamRequest(ticket, wanted, asked)
    except Invalid:
        return None


def _cookie(header: str, wanted: str) -> str:
    for part in header.split(";"):
        name, _, value = part.strip().partition("=")
        if name == wanted:
            return value
    return ""
