"""The body of a request: exactly the bytes that its head promised, or chunks that are exactly right (RFC 9112 §7.1).

Whatever is wrong breaks the body, and with it the connection, for nobody can tell where the next request begins. Reading
lets others have their turn, however fast the bytes come.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from typing import Any

from gevent import GreenletExit

from chat.core.threads import turn
from chat.server.head import FIELD

#: Bytes read at once, and those after which the others have their turn.
PIECE = 64 * 1024
TURN = 128 * 1024
#: The work for the framing of one chunk, in bytes of plain body.
CHUNK_COST = 256
#: Bytes that are read away after an answer, so that whoever still sends hears it. More than any proxy lets through.
MAX_LEFT = 64 * 1024 * 1024
#: Bytes of the line before a chunk, and of all fields after the last.
MAX_CHUNK_LINE = 256
MAX_TRAILER = 4096

_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_QUOTED = rb'"(?:[\t !#-\[\]-~\x80-\xff]|\\[\t -~\x80-\xff])*"'
_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})(?:;%s(?:=(?:%s|%s))?)*\r\n" % (_TOKEN, _TOKEN, _QUOTED))


class Broken(OSError):
    """The body is not what was promised."""


class Gone(GreenletExit):
    """The client has gone before the end. Nobody hears an answer, so nothing is made for them: no handler catches this."""


class Body:
    """The body as the application reads it, its ``wsgi.input``.

    :param rfile: the connection.
    :param length: bytes; None when it comes in chunks.
    :param over: called when all of it was read, or no more will be: the application goes on, maybe with many others.
    :param go_on: called before the first byte is read, when the client waits for that.
    """

    def __init__(
        self,
        rfile: Any,
        length: int | None,
        chunked: bool,
        over: Callable[[], None],
        go_on: Callable[[], None] | None = None,
    ) -> None:
        self._rfile = rfile
        self._chunked = chunked
        #: Bytes left of the body, or of the present chunk.
        self._left = 0 if chunked else length or 0
        self._over = over
        self._go_on = go_on
        self._since_turn = 0
        #: Whether all of it was read.
        self.ended = not chunked and not self._left
        self.broken = False
        #: When reading began to wait, by the monotonic clock; None while nothing waits.
        self.since: float | None = None

    @property
    def unasked(self) -> bool:
        """Whether the client still waits for our word, and may never send the body."""
        return self._go_on is not None and not self.ended

    # -- for the application

    def read(self, size: int | None = -1) -> bytes:
        """Return so many bytes, fewer at the end; all of them without a size."""
        most = None if size is None or size < 0 else size
        pieces = []
        while most is None or most > 0:
            piece = self._piece(PIECE if most is None else min(most, PIECE))
            if not piece:
                break
            pieces.append(piece)
            if most is not None:
                most -= len(piece)
        return b"".join(pieces)

    def readline(self, size: int | None = -1) -> bytes:
        """Return a line with its end, or so many bytes of it."""
        most = None if size is None or size < 0 else size
        line = bytearray()
        while (most is None or len(line) < most) and not line.endswith(b"\n"):
            piece = self._piece(1)
            if not piece:
                break
            line += piece
        return bytes(line)

    def readlines(self, hint: int | None = None) -> list[bytes]:
        """Return every line."""
        return list(self)

    def __iter__(self) -> Iterator[bytes]:
        while line := self.readline():
            yield line

    # -- for the server

    def _discard(self) -> None:
        """Read away what the application left, so that the next request begins where it begins; called by pywsgi."""
        if self.broken or self.ended or self.unasked or (not self._chunked and self._left > MAX_LEFT):
            return
        most = MAX_LEFT
        try:
            while most > 0 and (piece := self._piece(PIECE)):
                most -= len(piece)
        except (OSError, Gone):
            self.broken = True

    def _piece(self, most: int) -> bytes:
        """Return some bytes, one to so many; none at the end."""
        if self.broken:
            raise Broken("the body was broken before")
        if self.ended:
            return b""
        self.since = self.since or time.monotonic()
        if self._go_on is not None:
            go_on, self._go_on = self._go_on, None
            go_on()
        try:
            if self._chunked and not self._left and not self._next_chunk():
                return b""
            piece: bytes = self._rfile.read1(min(most, self._left))
            if not piece:
                raise Gone
            self._left -= len(piece)
            if not self._left:
                if self._chunked:
                    self._expect_line_end()
                else:
                    self.ended = True
        except (OSError, Gone):
            self.broken, self.since = True, None
            self._over()
            raise
        if self.ended:
            self.since = None
            self._over()
        self._worked(len(piece))
        return piece

    def _next_chunk(self) -> bool:
        """Go to the next chunk; return whether there is one."""
        line = self._rfile.readline(MAX_CHUNK_LINE)
        if not line:
            raise Gone
        found = _SIZE.fullmatch(line)
        if found is None:
            raise Broken("a chunk without its size")
        self._worked(CHUNK_COST)
        self._left = int(found[1], 16)
        if not self._left:
            self._read_trailer()
            self.ended, self.since = True, None
            self._over()
        return not self.ended

    def _read_trailer(self) -> None:
        """Read the fields after the last chunk. They must be fields, and mean nothing to us."""
        left = MAX_TRAILER
        while (line := self._rfile.readline(left)) != b"\r\n":
            left -= len(line)
            if not line.endswith(b"\r\n") or left <= 0 or not FIELD.fullmatch(line[:-2].decode("latin-1")):
                raise Broken("a trailer that is none")

    def _expect_line_end(self) -> None:
        if self._rfile.read(2) != b"\r\n":
            raise Broken("a chunk longer than its size")

    def _worked(self, cost: int) -> None:
        self._since_turn += cost
        if self._since_turn >= TURN:
            self._since_turn = 0
            turn()
