"""The head of a request, read strictly: there is one way to say a thing, and any other is refused and ends the connection.

A server in front of us may read a doubtful head otherwise than we do. Then the two disagree about where a request ends, and
what one client hid in a body is answered to another. So nothing is guessed or repaired, and what RFC 9112 lets a server
forgive (a bare LF, folded lines, several spaces, an empty line first) is not forgiven.

Not a library's parser: ``h11`` takes bare LF and folded lines, ``http.client`` ends a head at the first line it cannot
read and drops what follows, and both cost more than all of this.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

#: Bytes of a whole head, and of its first line; number of fields.
MAX_HEAD = 32 * 1024
MAX_LINE = 8 * 1024
MAX_FIELDS = 100

_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]"
_LINE = re.compile(rf"({_TOKEN}{{1,32}}) ([!-~]+) HTTP/([0-9])\.([0-9])")
#: A value may hold bytes beyond ASCII (RFC 9110 §5.5, obs-text), and no control character but the tab.
FIELD = re.compile(rf"({_TOKEN}+):([\t -~\x80-\xff]*)")
#: Browsers send a little more than RFC 3986 allows: ``[ ] | ^ ` { }`` as they are, and in a query ``\`` and a lone ``%``.
_PATH = re.compile(r"/(?:[A-Za-z0-9._~!$&'()*+,;=:@/|^`{}\[\]-]|%[0-9A-Fa-f]{2})*")
_QUERY = re.compile(r"[A-Za-z0-9._~!$&'()*+,;=:@/?|^`{}\[\]\\%-]*")
_HOST = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
_ABSOLUTE = re.compile(r"https?://([^/?]*)(.*)", re.IGNORECASE)
_LENGTH = re.compile(r"[0-9]{1,15}")
#: Fields of which there is one, or none; two readers could take different ones.
_SINGLE = frozenset(
    {"host", "content-length", "transfer-encoding", "content-type", "expect", "origin", "authorization",
     "sec-fetch-site", "last-event-id", "x-csrftoken"}
)  # fmt: skip

REASONS = {
    400: "Bad Request",
    414: "URI Too Long",
    417: "Expectation Failed",
    431: "Request Header Fields Too Large",
    501: "Not Implemented",
    503: "Service Unavailable",
    505: "HTTP Version Not Supported",
}


class Refused(Exception):
    """A request that is not answered by the application.

    :param reason: for the log; in our words, never with what was sent.
    """

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status

    @property
    def answer(self) -> bytes:
        """The whole answer, which is the last on its connection."""
        wait = "Retry-After: 5\r\n" if self.status == 503 else ""
        return (
            f"HTTP/1.1 {self.status} {REASONS[self.status]}\r\n{wait}Connection: close\r\nContent-Length: 0\r\n\r\n"
        ).encode()


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a request."""

    method: str
    #: Path and query as they were sent, without the host of an absolute address.
    target: str
    version: str
    #: Each name in small letters, in the order in which they came.
    fields: list[tuple[str, str]]
    host: str
    #: Bytes of the body; None when it comes in chunks, or there is none.
    length: int | None
    chunked: bool
    #: Whether the connection may stay for another request.
    stays: bool
    #: Whether the client waits for our word before it sends the body.
    asks: bool


def hopeless(begun: bytes, checked: int = 0) -> None:
    """Refuse a head whose end has not come yet, if nothing can make it right.

    :param checked: how many of the bytes were looked at before.
    :raises Refused: it is too long, or holds a line that does not end in CR LF.
    """
    line = begun.find(b"\r\n")
    if (line if line >= 0 else len(begun)) > MAX_LINE:
        raise Refused(414, "a first line that is too long")
    if len(begun) > MAX_HEAD:
        raise Refused(431, "a head that is too large")
    if begun.count(b"\n", checked) != begun.count(b"\r\n", max(0, checked - 1)):
        raise Refused(400, "a line that ends in LF alone")


def read(data: bytes) -> Head:
    """Return the head that these bytes are.

    :param data: everything up to the empty line, with it.
    :raises Refused: it is not exactly one.
    """
    if len(data) > MAX_HEAD:
        raise Refused(431, "a head that is too large")
    line, *lines = data[:-4].decode("latin-1").split("\r\n")
    if len(line) > MAX_LINE:
        raise Refused(414, "a first line that is too long")
    if len(lines) > MAX_FIELDS:
        raise Refused(431, "too many fields")
    first = _LINE.fullmatch(line)
    if first is None:
        raise Refused(400, "a first line that is none")
    method, target = first[1], first[2]
    version = f"HTTP/{first[3]}.{first[4]}"
    if version not in {"HTTP/1.1", "HTTP/1.0"}:
        raise Refused(505, "a version that we do not speak")
    fields: list[tuple[str, str]] = []
    single: dict[str, str] = {}
    connection = ""
    for each in lines:
        found = FIELD.fullmatch(each)
        if found is None:
            raise Refused(400, "a field that is none")
        name, value = found[1].lower(), found[2].strip(" \t")
        fields.append((name, value))
        if name in _SINGLE:
            if name in single:
                raise Refused(400, "a field twice that may be there once")
            single[name] = value
        elif name == "connection":
            connection = f"{connection},{value}"
    host, target = _where(method, target, single.get("host"), version)
    length, chunked = _framing(method, single, version)
    options = {each.strip(" \t") for each in connection.lower().split(",")}
    stays = "close" not in options and (version == "HTTP/1.1" or "keep-alive" in options)
    return Head(method, target, version, fields, host, length, chunked, stays, _asks(single, version, length, chunked))


def _where(method: str, target: str, host: str | None, version: str) -> tuple[str, str]:
    """Return the host and the target, of whose four forms (RFC 9112 §3.2) one is left."""
    if method == "CONNECT":
        raise Refused(501, "a tunnel is asked for")
    absolute = _ABSOLUTE.fullmatch(target)
    if absolute is not None:
        # The host of the address counts; a different one beside it is somebody's trick.
        if host is not None and host.lower() != absolute[1].lower():
            raise Refused(400, "two hosts")
        host = absolute[1]
        target = absolute[2] if absolute[2].startswith("/") else f"/{absolute[2]}"
    elif host is None and version == "HTTP/1.1":
        raise Refused(400, "no host")
    if host is not None and not _HOST.fullmatch(host):
        raise Refused(400, "a host that is none")
    path, _, query = target.partition("?")
    if not (_PATH.fullmatch(path) and _QUERY.fullmatch(query)) and (method, target) != ("OPTIONS", "*"):
        raise Refused(400, "a target that is none")
    return host or "", target


def _framing(method: str, single: dict[str, str], version: str) -> tuple[int | None, bool]:
    """Return the length of the body, and whether it comes in chunks (RFC 9112 §6.3)."""
    length, coding = single.get("content-length"), single.get("transfer-encoding")
    if length is not None and coding is not None:
        raise Refused(400, "two lengths")
    if coding is not None and (version != "HTTP/1.1" or coding.lower() != "chunked"):
        raise Refused(400, "a coding that is not ours")
    if length is not None and not _LENGTH.fullmatch(length):
        raise Refused(400, "a length that is none")
    if method == "HEAD" and (coding is not None or int(length or 0)):
        raise Refused(400, "a body where there is none")
    return None if length is None else int(length), coding is not None


def _asks(single: dict[str, str], version: str, length: int | None, chunked: bool) -> bool:
    expects = single.get("expect")
    if expects is None or version == "HTTP/1.0":
        return False
    if expects.lower() != "100-continue":
        raise Refused(417, "an expectation that we do not know")
    return chunked or bool(length)
