"""Readers that follow the rules of the page's script: ``static/js/stream.js`` and ``static/js/stream/``.

Apply a frame if it is exactly the next, drop it if it is known, connect again from the cursor if one is missing. On
``reset`` fetch the live part of the room and go on from its cursor. Come back after a random wait that doubles.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import re
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

from tests.chaos.history import MARK, Adopted, Glimpsed, Heard, Recorder, Refused
from tests.chaos.web import ERRORS, Client

#: Seconds without a byte after which a connection is given up; the server pings every 15.
SILENCE = 40.0
_connections = itertools.count(1)
_CURSOR = re.compile(r'data-cursor="([a-z2-7]{16})\.([a-z0-9]+)\.(\d+)"')
_MESSAGE = re.compile(r'<li class="message[^>]* id="message_([a-z2-7]+)" data-seq="(\d+)"')


@dataclass
class Block:
    """One event of a stream."""

    name: str
    id: str
    data: str
    retry: int


def parse(block: str) -> Block:
    """Return the event that a block of lines is."""
    found, data = {"event": "message", "id": "", "retry": "0"}, []
    for line in block.split("\n"):
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            data.append(value)
        else:
            found[name] = value
    return Block(found["event"], found["id"], "\n".join(data), int(found["retry"]))


def marks(html: str) -> list[str]:
    """Return the marks in a text, each once."""
    return list(dict.fromkeys(MARK.findall(html)))


def shown(html: str) -> list[list[object]]:
    """Return id, seq and mark of each message in a fragment."""
    starts = list(_MESSAGE.finditer(html))
    ends = [*(match.start() for match in starts[1:]), len(html)][: len(starts)]
    return [
        [match[1], int(match[2]), " ".join(marks(html[match.start() : end]))]
        for match, end in zip(starts, ends, strict=True)
    ]


class Reader:
    """One page that shows some rooms."""

    def __init__(self, name: str, user: str, client: Client, rooms: list[str], recorder: Recorder, seed: str) -> None:
        self.name = name
        self.user = user
        self.client = client
        self.rooms = rooms
        #: By room: the epoch and the last seq that was applied.
        self.cursors: dict[str, tuple[str, int]] = {}
        self.silence = SILENCE
        #: Rooms whose live part has to be fetched.
        self.missing = set(rooms)
        self.stopped_by = 0
        #: How often a cursor could not be continued.
        self.resets = 0
        self._recorder = recorder
        self._random = random.Random(seed)
        self._tries = 0
        self._gaps = 0
        self._retry_at = 0.0
        #: Set to have it connect again at once, as a page does when it is looked at again.
        self.wake = asyncio.Event()

    async def run(self) -> None:
        """Read until cancelled, or told that there is no session."""
        while not self.stopped_by:
            wait = 0.5 * 2 ** min(self._tries, 6)
            self._tries += 1
            wait = self._random.random() * min(wait, 30.0)
            try:
                wait = await self._connect(wait)
            except ERRORS:
                pass
            await self._sleep(wait)

    async def _sleep(self, seconds: float) -> None:
        self.wake.clear()
        try:
            async with asyncio.timeout(seconds):
                await self.wake.wait()
        except TimeoutError:
            pass

    async def _connect(self, wait: float) -> float:
        """Open the stream and follow it to its end; return how long to wait before the next one."""
        await self._adopt_missing()
        places = "".join(f"&room={room}&after={room}.{epoch}.{seq}" for room, (epoch, seq) in self.cursors.items())
        opened, conn = time.time(), next(_connections)
        async with self.client.stream(f"/events?ids=frames{places}", self.silence) as (answer, pieces):
            if answer.status in {401, 403}:
                self.stopped_by = answer.status
                self._recorder.note(Refused(self.name, self.user, opened, time.time(), "", answer.status))
                return 0.0
            if answer.status == 404:
                for room in tuple(self.cursors):
                    self._give_up(room)
                return wait
            if answer.status != 200:
                if answer.status == 500:
                    self._recorder.odd(self.name, "500 for a stream")
                return max(wait, float(answer.headers.get("retry-after", 0)))
            return await self._follow(pieces, conn, opened, wait)

    async def _follow(self, pieces: AsyncIterator[bytes], conn: int, opened: float, wait: float) -> float:
        rest = b""
        heard = time.monotonic()
        ahead: asyncio.Task[bytes] | None = None
        try:
            while True:
                ahead = ahead or asyncio.ensure_future(anext(pieces, b""))
                done, _ = await asyncio.wait({ahead}, timeout=1.0)
                if self.wake.is_set():
                    self.wake.clear()
                    return 0.0
                if not done:
                    if time.monotonic() - heard > self.silence:
                        return 0.0
                    if await self._adopt_missing():
                        return 0.0  # one connection for all rooms
                    continue
                piece, ahead = ahead.result(), None
                if not piece:
                    return wait
                heard = time.monotonic()
                *blocks, rest = (rest + piece).split(b"\n\n")
                for raw in blocks:
                    answer = self._take(parse(raw.decode()), conn, opened)
                    if answer is not None:
                        return answer
        finally:
            if ahead is not None:
                ahead.cancel()

    def _take(self, block: Block, conn: int, opened: float) -> float | None:
        """Act on an event; return after how many seconds to connect again, or None to go on."""
        if block.name == "hello":
            self._tries = 0
        elif block.name == "bye":
            return block.retry / 1000
        elif block.name == "reset":
            self._give_up(json.loads(block.data)["room"])
            self._retry_at = 0.0
            return 0.0
        elif block.name == "room.list":
            self._retry_at = 0.0
        elif block.id:
            return self._frame(block, conn, opened)
        for mark in marks(block.data):
            self._recorder.note(Glimpsed(self.name, time.time(), block.name, mark))
        return None

    def _frame(self, block: Block, conn: int, opened: float) -> float | None:
        room, epoch, text = block.id.split(".")
        seq = int(text)
        known = self.cursors.get(room)
        applied = known == (epoch, seq - 1)
        ref = re.search(r'id="message_([a-z2-7]+)"', block.data)
        fact = Heard(
            self.name, self.user, conn, opened, time.time(), room, epoch, seq, block.name,
            ref[1] if ref else "", " ".join(marks(block.data)), applied,
        )  # fmt: skip
        self._recorder.note(fact)
        if applied:
            self.cursors[room] = (epoch, seq)
            self._gaps = 0
            return None
        if known is None or (known[0] == epoch and seq <= known[1]):
            return None
        self._gaps += 1
        return min(0.05 * 2**self._gaps, 30.0)

    def _give_up(self, room: str) -> None:
        self.resets += 1
        self.cursors.pop(room, None)
        self.missing.add(room)

    async def _adopt_missing(self) -> bool:
        """Fetch the rooms without a cursor; tell whether one was found."""
        if not self.missing or time.monotonic() < self._retry_at:
            return False
        self._retry_at = time.monotonic() + self._random.uniform(1.0, 3.0)
        found = False
        for room in sorted(self.missing):
            started = time.time()
            answer = await self.client.get(f"/rooms/{room}/messages")
            if answer.status == 200:
                html = answer.body.decode()
                cursor = _CURSOR.search(html)
                if cursor is None or cursor[1] != room:
                    self._recorder.odd(self.name, f"the live part of {room} has no cursor of it")
                    continue
                self.cursors[room] = (cursor[2], int(cursor[3]))
                self.missing.discard(room)
                found = True
                fact = Adopted(self.name, self.user, started, time.time(), room, cursor[2], int(cursor[3]), shown(html))
                self._recorder.note(fact)
            elif answer.status in {404, 401}:
                self._recorder.note(Refused(self.name, self.user, started, time.time(), room, answer.status))
            elif answer.status >= 500 and answer.status not in {502, 503, 504}:
                self._recorder.odd(self.name, f"{answer.status} for the live part of a room")
        return found
