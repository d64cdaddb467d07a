"""Writers: they repeat a message under its ``client_id`` until it is acknowledged or refused; edit, delete, restore.

``Host`` owns the rooms: removes people and adds them again. ``Comer`` joins and leaves by itself.
"""

from __future__ import annotations

import asyncio
import random
import secrets
import time
from collections import deque
from dataclasses import dataclass

from tests.chaos.history import Changed, Membered, Recorder, Sent, new_mark
from tests.chaos.web import ERRORS, Answer, Client

#: Seconds after which a request is given up and repeated.
PATIENCE = 8.0
_WORDS = ["the", "lamp", "over", "the", "bay", "turns", "slowly", "and", "nobody", "counts", "how", "often"]


@dataclass
class Own:
    """A message that was acknowledged and may still be changed."""

    room: str
    ref: str
    mark: str


class Worker:
    """Somebody who makes requests and repeats them."""

    def __init__(self, name: str, user: str, client: Client, recorder: Recorder, seed: str) -> None:
        self.name = name
        self.user = user
        self.client = client
        self.recorder = recorder
        self.random = random.Random(seed)
        #: Set when no new intentions are wanted; what was begun is finished.
        self.finishing = asyncio.Event()
        #: Set when even that has to end.
        self.late = False

    async def insist(self, path: str, **fields: str) -> tuple[Answer | None, int]:
        """Repeat a request until it has an answer below 500 that is none of waiting; None when there was no time."""
        tries = 0
        while not self.late:
            pause = self.random.random() * min(0.2 * 2**tries, 2.0)
            tries += 1
            try:
                answer = await self.client.post(path, PATIENCE, **fields)
            except ERRORS:
                pass
            else:
                if answer.status < 500 and answer.status not in {408, 429}:
                    return answer, tries
                if answer.status not in {408, 429, 502, 503, 504}:
                    self.recorder.odd(self.name, f"{answer.status} for {path}")
                if answer.status in {429, 503} and "retry-after" not in answer.headers:
                    self.recorder.odd(self.name, f"{answer.status} without Retry-After for {path}")
                pause = max(pause, min(float(answer.headers.get("retry-after", 0)), 2.0))
            await asyncio.sleep(pause)
        return None, tries

    async def rest(self, seconds: float) -> None:
        """Sleep, or return at once when it is time to finish."""
        try:
            async with asyncio.timeout(seconds):
                await self.finishing.wait()
        except TimeoutError:
            pass


class Writer(Worker):
    """Writes in some rooms at a rate."""

    def __init__(
        self, name: str, user: str, client: Client, rooms: list[str], rate: float, recorder: Recorder, seed: str
    ) -> None:
        super().__init__(name, user, client, recorder, seed)
        self.rooms = rooms
        self.rate = rate
        self._own: deque[Own] = deque(maxlen=40)
        self._place = 0

    async def run(self) -> None:
        """Write until told to finish."""
        while not self.finishing.is_set():
            await self.rest(self.random.expovariate(self.rate))
            if self.finishing.is_set():
                return
            dice = self.random.random()
            if dice < 0.92 or not self._own:
                await self.say(self.random.choice(self.rooms), doubled=dice < 0.015)
            elif dice < 0.96:
                await self.edit()
            else:
                await self.delete()

    async def say(self, room: str, doubled: bool = False, ordered: bool = True) -> None:
        """Post a message; ``doubled`` sends it several times at once, as a double click or a proxy may."""
        mark, client_id = new_mark(), secrets.token_hex(10)
        text = f"{mark} {' '.join(self.random.choices(_WORDS, k=self.random.choice([3, 8, 8, 200])))} – ü💬"
        self._place += 1
        place = self._place if ordered else 0
        copies = self.random.randint(2, 5) if doubled else 1
        await asyncio.gather(*(self._post(room, text, mark, client_id, place, copy == 0) for copy in range(copies)))

    async def _post(self, room: str, text: str, mark: str, client_id: str, place: int, first: bool) -> None:
        started = time.time()
        answer, tries = await self.insist(f"/rooms/{room}/messages", body=text, client_id=client_id)
        seq, ref, outcome = 0, "", "unknown"
        if answer is not None:
            outcome = "acked" if answer.status == 201 else "refused"
            if outcome == "acked":
                seq, ref = int(answer.headers["chat-seq"]), answer.headers["location"].rsplit("/", 1)[1]
                if first:
                    self._own.append(Own(room, ref, mark))
        status = answer.status if answer else 0
        self.recorder.note(
            Sent(
                self.name,
                self.user,
                room,
                mark,
                client_id,
                started,
                time.time(),
                outcome,
                seq,
                ref,
                status,
                tries,
                place,
            )
        )

    async def edit(self) -> None:
        """Give one of one's own messages another text."""
        own = self.random.choice(self._own)
        mark, old = new_mark(), own.mark
        status = await self._change("edit", own, old, mark, body=f"{mark} edited, ü💬")
        if status == 200:
            own.mark = mark
        elif status:
            self._own.remove(own)

    async def delete(self) -> None:
        """Delete one of one's own messages, and sometimes think better of it."""
        own = self.random.choice(self._own)
        self._own.remove(own)
        status = await self._change("delete", own, own.mark, "")
        if status in {200, 409} and self.random.random() < 0.35:
            await asyncio.sleep(self.random.random() * 2)
            if await self._change("restore", own, "", own.mark) in {200, 409}:
                self._own.append(own)

    async def _change(self, kind: str, own: Own, old: str, mark: str, **fields: str) -> int:
        started = time.time()
        answer, _ = await self.insist(f"/messages/{own.ref}/{kind}", **fields)
        status = answer.status if answer else 0
        # 409: it is so already, because the first try went through and its answer was lost.
        outcome = "unknown" if answer is None else "acked" if status in {200, 409} else "refused"
        if kind == "edit" and status == 409:
            outcome = "refused"
        self.recorder.note(Changed(kind, self.user, own.room, own.ref, old, mark, started, time.time(), outcome))
        return status


class Host(Worker):
    """Owns rooms, removes some of their readers and adds them again."""

    def __init__(
        self,
        name: str,
        user: str,
        client: Client,
        guests: list[tuple[str, str]],
        every: float,
        recorder: Recorder,
        seed: str,
    ) -> None:
        super().__init__(name, user, client, recorder, seed)
        #: Pairs of room and person.
        self.guests = guests
        self.every = every

    async def run(self) -> None:
        """Remove somebody, wait, add them again."""
        while self.guests and not self.finishing.is_set():
            await self.rest(self.random.expovariate(1 / self.every))
            room, person = self.random.choice(self.guests)
            if await self._do("removed", room, person, f"/rooms/{room}/members/{person}/remove"):
                await self.rest(self.random.uniform(0.2, 4.0))
                await self._do("added", room, person, f"/rooms/{room}/members", person=person)

    async def _do(self, kind: str, room: str, whom: str, path: str, **fields: str) -> bool:
        started = time.time()
        answer, tries = await self.insist(path, **fields)
        # 404 on a repeat: the first try went through.
        done = answer is not None and (answer.status < 400 or (tries > 1 and answer.status == 404))
        outcome = "unknown" if answer is None else "acked" if done else "refused"
        self.recorder.note(Membered(kind, whom, room, started, time.time(), outcome))
        return done


class Comer(Worker):
    """Joins an open room and leaves it, again and again."""

    def __init__(
        self, name: str, user: str, client: Client, room: str, every: float, recorder: Recorder, seed: str
    ) -> None:
        super().__init__(name, user, client, recorder, seed)
        self.room = room
        self.every = every

    async def run(self) -> None:
        """Leave, come back."""
        while not self.finishing.is_set():
            await self.rest(self.random.expovariate(1 / self.every))
            for kind in ("leave", "join"):
                started = time.time()
                answer, _ = await self.insist(f"/rooms/{self.room}/{kind}")
                gone = answer is not None and (answer.status < 400 or answer.status == 404)
                outcome = "unknown" if answer is None else "acked" if gone else "refused"
                self.recorder.note(Membered(kind, self.user, self.room, started, time.time(), outcome))
                await self.rest(self.random.uniform(0.2, 4.0))
