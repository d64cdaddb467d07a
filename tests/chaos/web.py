"""A small asyncio HTTP client that shows every byte: one connection a request, and streams without an end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlencode

#: What a request ends with when the network does.
ERRORS = (OSError, EOFError, TimeoutError)


@dataclass
class Answer:
    """The head of an answer, and its body once it was read."""

    status: int
    headers: dict[str, str]
    body: bytes = b""


@dataclass
class Client:
    """Somebody's browser: where it goes to, and its cookies."""

    port: int
    cookies: dict[str, str] = field(default_factory=dict)
    token: str = ""

    async def get(self, path: str, seconds: float = 10.0) -> Answer:
        """Fetch a page or a fragment."""
        return await self.request("GET", path, seconds=seconds)

    async def post(self, path: str, seconds: float = 10.0, **fields: str) -> Answer:
        """Send a form as htmx does."""
        return await self.request("POST", path, urlencode(fields).encode(), seconds)

    async def request(self, method: str, path: str, body: bytes = b"", seconds: float = 10.0) -> Answer:
        """Make a request and read all of its answer.

        :raises OSError: and the others of ``ERRORS``.
        """
        async with asyncio.timeout(seconds), self._opened(method, path, body) as (answer, reader):
            length = answer.headers.get("content-length")
            if length is not None:
                answer.body = await reader.readexactly(int(length))
            elif answer.status not in {204, 304}:
                answer.body = b"".join([piece async for piece in _pieces(reader, answer.headers)])
                if "transfer-encoding" not in answer.headers and "connection" not in answer.headers:
                    raise OSError("the answer has no end")
            return answer

    @asynccontextmanager
    async def stream(self, path: str, seconds: float = 10.0) -> AsyncIterator[tuple[Answer, AsyncIterator[bytes]]]:
        """Open a stream; gives its head, within some seconds, and its pieces as they come."""
        opened = self._opened("GET", path, b"")
        async with asyncio.timeout(seconds):
            answer, reader = await opened.__aenter__()
        try:
            yield answer, _pieces(reader, answer.headers)
        finally:
            await opened.__aexit__(None, None, None)

    @asynccontextmanager
    async def _opened(self, method: str, path: str, body: bytes) -> AsyncIterator[tuple[Answer, asyncio.StreamReader]]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, limit=1024 * 1024)
        try:
            cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
            lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{self.port}", f"Cookie: {cookies}"]
            if method == "POST":
                lines += [
                    "HX-Request: true",
                    f"X-CSRFToken: {self.token}",
                    "Content-Type: application/x-www-form-urlencoded",
                    f"Content-Length: {len(body)}",
                ]
            if not path.startswith("/events?"):
                lines.append("Connection: close")
            writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            headers: dict[str, str] = {}
            for line in head[1:]:
                name, colon, value = line.partition(":")
                if colon:
                    headers[name.lower()] = value.strip()
                    if name.lower() == "set-cookie":
                        self._keep(value.strip())
            yield Answer(int(head[0].split(" ")[1]), headers), reader
        finally:
            writer.close()

    def _keep(self, cookie: str) -> None:
        name, _, value = cookie.partition(";")[0].partition("=")
        self.cookies[name] = value


async def _pieces(reader: asyncio.StreamReader, headers: dict[str, str]) -> AsyncIterator[bytes]:
    if headers.get("transfer-encoding", "").lower() != "chunked":
        while piece := await reader.read(65536):
            yield piece
        return
    while size := int((await reader.readuntil(b"\r\n")).strip().partition(b";")[0], 16):
        yield await reader.readexactly(size)
        await reader.readexactly(2)
