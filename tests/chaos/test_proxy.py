"""The proxy misbehaves as it is told, and only then."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.chaos.proxy import Proxy


@contextlib.asynccontextmanager
async def echo() -> AsyncIterator[Proxy]:
    """A server that says everything back, behind a proxy."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    proxy = Proxy(server.sockets[0].getsockname()[1])
    await proxy.start()
    try:
        yield proxy
    finally:
        await proxy.stop()
        server.close()
        await asyncio.sleep(0.05)


class Talk:
    """A connection through the proxy."""

    @classmethod
    async def open(cls, proxy: Proxy) -> Talk:
        talk = cls()
        talk.reader, talk.writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        return talk

    async def ask(self, data: bytes, seconds: float = 2.0) -> bytes:
        self.writer.write(data)
        async with asyncio.timeout(seconds):
            return await self.reader.readexactly(len(data))

    async def close(self) -> None:
        self.writer.close()
        with contextlib.suppress(OSError):
            await self.writer.wait_closed()


def play(act: Callable[[Proxy], Awaitable[None]]) -> None:
    async def main() -> None:
        async with echo() as proxy:
            await act(proxy)

    # In a thread of its own: where browsers are driven from this one, it has a running loop.
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, main()).result()


def test_it_passes_everything_in_both_directions():
    async def act(proxy: Proxy) -> None:
        talk = await Talk.open(proxy)
        data = bytes(range(256)) * 4000
        assert await talk.ask(data, 10) == data
        await talk.close()

    play(act)


def test_it_delays_without_changing_the_order():
    async def act(proxy: Proxy) -> None:
        talk = await Talk.open(proxy)
        loop = asyncio.get_running_loop()
        proxy.delay, began = 0.1, loop.time()
        talk.writer.write(b"first ")
        await asyncio.sleep(0.02)
        proxy.delay = 0.0
        assert await talk.ask(b"second") == b"first "
        assert loop.time() - began >= 0.1
        assert await talk.reader.readexactly(6) == b"second"
        await talk.close()

    play(act)


def test_silent_links_stay_silent_while_new_ones_pass():
    async def act(proxy: Proxy) -> None:
        old = await Talk.open(proxy)
        assert await old.ask(b"hello") == b"hello"
        proxy.silence()
        with pytest.raises(TimeoutError):
            await old.ask(b"anybody?", 0.3)
        new = await Talk.open(proxy)
        assert await new.ask(b"hello") == b"hello"
        proxy.heal()
        with pytest.raises((OSError, EOFError)):
            await old.ask(b"anybody?", 1)
        await new.close()
        await old.close()

    play(act)


def test_it_resets_refuses_and_swallows():
    async def act(proxy: Proxy) -> None:
        talk = await Talk.open(proxy)
        assert await talk.ask(b"hello") == b"hello"
        proxy.reset()
        with pytest.raises((OSError, EOFError)):
            await talk.ask(b"hello", 1)
        await talk.close()
        proxy.refuse()
        with pytest.raises((OSError, EOFError)):
            await (await Talk.open(proxy)).ask(b"hello", 1)
        proxy.swallow()
        lost = await Talk.open(proxy)
        with pytest.raises(TimeoutError):
            await lost.ask(b"hello", 0.3)
        proxy.heal()
        talk = await Talk.open(proxy)
        assert await talk.ask(b"hello") == b"hello"
        await talk.close()
        await lost.close()

    play(act)


def test_it_cuts_after_so_many_bytes():
    async def act(proxy: Proxy) -> None:
        talk = await Talk.open(proxy)
        assert await talk.ask(b"hello") == b"hello"
        (link,) = proxy.links
        link.left = 7
        talk.writer.write(b"a" * 20)
        read = b""
        with contextlib.suppress(OSError):
            while piece := await asyncio.wait_for(talk.reader.read(100), 2):
                read += piece
        assert len(read) <= 7
        await talk.close()

    play(act)
