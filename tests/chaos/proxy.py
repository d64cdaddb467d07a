"""A TCP proxy that can be told to misbehave: delay, silence, reset, cut, throttle.

Each pair of connections is a ``Link``. What is set on the ``Proxy`` holds for links that come; what is done to a link
concerns that one only, so that standing connections can go silent while new ones pass (half-open).
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections import deque
from collections.abc import Callable

#: Bytes kept for a side that does not take them before the other one is no longer read.
HIGH_WATER = 64 * 1024
_RESET = struct.pack("ii", 1, 0)


class Link:
    """One connection through a proxy: the side that connected, and the one it reached."""

    def __init__(self, proxy: Proxy) -> None:
        self.proxy = proxy
        #: Neither side hears anything any more, not even that the other one has gone.
        self.silent = False
        #: Bytes that may still pass towards the client before both sides are reset; None: no limit.
        self.left: int | None = None
        self.ended = False
        self.client = _Side(self)
        self.server = _Side(self)
        self.client.other, self.server.other = self.server, self.client
        self._held = False

    def silence(self) -> None:
        """Swallow everything from now on, as a network does that lost its state."""
        self.silent = True

    def hold(self, seconds: float) -> None:
        """Stop reading from the server for a while: a client that is slow or asleep."""
        if self._held or self.ended or self.server.transport is None:
            return
        self._held = True
        self.server.pause()
        asyncio.get_running_loop().call_later(seconds, self.let_go)

    def let_go(self) -> None:
        """Read again."""
        if self._held:
            self._held = False
            self.server.resume()

    def reset(self) -> None:
        """End both sides by RST."""
        for side in (self.client, self.server):
            if side.transport is not None:
                sock = side.transport.get_extra_info("socket")
                if sock is not None and sock.fileno() >= 0:
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                side.transport.abort()
        self.finished()

    def finished(self) -> None:
        """Forget this link."""
        self.ended = True
        self.proxy.links.discard(self)


class _Side(asyncio.Protocol):
    """One of the two sockets of a link."""

    other: _Side

    def __init__(self, link: Link) -> None:
        self.link = link
        self.transport: asyncio.Transport | None = None
        self.paused = 0
        self._early: list[bytes] = []
        #: What is late, each with its moment: nothing overtakes it, also when the delay has ended meanwhile.
        self._late: deque[tuple[float, bytes | None]] = deque()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.set_write_buffer_limits(high=HIGH_WATER)
        if self is self.link.client:
            self.link.proxy.arrived(self.link)
        for data in self._early:
            transport.write(data)
        self._early.clear()

    def data_received(self, data: bytes) -> None:
        link, proxy = self.link, self.link.proxy
        if link.silent:
            return
        if link.left is not None and self is link.server:
            link.left -= len(data)
            if link.left < 0:
                self.other.write(data[: link.left])
                asyncio.get_running_loop().call_soon(link.reset)
                return
        self.other.write_later(data)
        if proxy.rate:
            self.pause()
            asyncio.get_running_loop().call_later(len(data) / proxy.rate, self.resume)

    def write_later(self, data: bytes | None) -> None:
        """Write after the proxy's delay and after what waits already; None closes."""
        loop, delay = asyncio.get_running_loop(), self.link.proxy.delay
        if not delay and not self._late:
            self._out(data)
            return
        self._late.append((loop.time() + delay, data))
        if len(self._late) == 1:
            loop.call_later(delay, self._due)

    def _due(self) -> None:
        loop = asyncio.get_running_loop()
        while self._late and self._late[0][0] <= loop.time() + 0.001:
            self._out(self._late.popleft()[1])
        if self._late:
            loop.call_at(self._late[0][0], self._due)

    def _out(self, data: bytes | None) -> None:
        if data is not None:
            self.write(data)
        elif self.transport is not None and not self.transport.is_closing():
            self.transport.close()

    def write(self, data: bytes) -> None:
        if self.link.silent or self.link.ended:
            return
        if self.transport is None:
            self._early.append(data)
        else:
            self.transport.write(data)

    def pause_writing(self) -> None:
        self.other.pause()

    def resume_writing(self) -> None:
        self.other.resume()

    def pause(self) -> None:
        """Stop reading; several may ask for it."""
        self.paused += 1
        if self.paused == 1 and self.transport is not None and not self.transport.is_closing():
            self.transport.pause_reading()

    def resume(self) -> None:
        """Read again once nobody wants it stopped."""
        self.paused = max(0, self.paused - 1)
        if not self.paused and self.transport is not None and not self.transport.is_closing():
            self.transport.resume_reading()

    def connection_lost(self, problem: Exception | None) -> None:
        if self.link.silent:  # the other side is not to know; the link stays until it is healed
            return
        self.link.proxy.links.discard(self.link)
        self.paused = 0
        self.other.write_later(None)


class Proxy:
    """Listens on a port of its own and passes connections on to another one."""

    def __init__(self, target: int, name: str = "") -> None:
        self.target = target
        self.name = name
        self.port = 0
        self.links: set[Link] = set()
        #: Seconds by which everything is late.
        self.delay = 0.0
        #: Bytes a second that pass in each direction of a link; 0: as many as come.
        self.rate = 0.0
        #: What is done to every new link before its first byte.
        #: Size of the kernel's buffer for what comes from the target; 0: as the kernel likes it.
        self.receive_buffer = 0
        self.greet: Callable[[Link], None] | None = None
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, port: int = 0) -> None:
        """Listen, on a free port unless one is given."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Link(self).client, "127.0.0.1", port, backlog=1024)
        self.port = self._server.sockets[0].getsockname()[1]

    def arrived(self, link: Link) -> None:
        """Take a new connection and reach its target."""
        self.links.add(link)
        if self.greet is not None:
            self.greet(link)
        if link.ended:
            return
        task = asyncio.get_running_loop().create_task(self._reach(link))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _reach(self, link: Link) -> None:
        sock = socket.socket()
        sock.setblocking(False)
        if self.receive_buffer:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.receive_buffer)
        loop = asyncio.get_running_loop()
        try:
            await loop.sock_connect(sock, ("127.0.0.1", self.target))
            await loop.create_connection(lambda: link.server, sock=sock)
        except OSError:
            sock.close()
            link.reset()

    def silence(self) -> None:
        """Make the standing links silent while new ones pass."""
        for link in tuple(self.links):
            link.silence()

    def reset(self) -> None:
        """Reset all standing links."""
        for link in tuple(self.links):
            link.reset()

    def refuse(self) -> None:
        """Reset every new connection at once."""
        self.greet = Link.reset

    def swallow(self) -> None:
        """Accept new connections and never answer them: a black hole."""
        self.greet = Link.silence

    def heal(self) -> None:
        """Pass everything on again; links that fell silent are ended, as they would be by their time limits."""
        self.delay = self.rate = 0.0
        self.greet = None
        for link in tuple(self.links):
            link.left = None
            if link.silent:
                link.reset()

    async def stop(self) -> None:
        """Stop listening and end every link."""
        if self._server is not None:
            self._server.close()
        self.reset()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.sleep(0)
