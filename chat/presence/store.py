"""Signs of life, by login session: when it was last connected, and when its person last did something.

Nothing counts up and down, so nothing can be left over: a process that dies simply stops to renew, and a minute later its
people are gone. In this process's memory when it is alone, in two sorted sets of Redis when there are others.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any, NamedTuple, Protocol

from chat.core import redis_link

log = logging.getLogger(__name__)

#: Person and session, as Redis has them.
_PAIR = re.compile(rb"([\w-]{1,64})\.([\w-]{1,64})")

#: Seconds after the last sign of life when somebody is offline.
ALIVE = 60.0


class Sign(NamedTuple):
    """A login session with a sign of life in the last minute. Both times are Unix seconds."""

    user_id: str
    session_id: str
    alive_at: float
    active_at: float


class Store(Protocol):
    """Where signs of life are kept."""

    def renew(self, sessions: Iterable[tuple[str, str]], active: bool = False) -> None:
        """Note that sessions, as pairs of person and session, are connected; and with ``active`` that somebody acts."""

    def remove(self, user_id: str, session_id: str) -> None:
        """Forget a session at once."""

    def signs(self) -> list[Sign]:
        """Return every session that is alive: the very list of last time, if nothing has changed since."""


class MemoryStore:
    """Signs of life of a single process."""

    def __init__(self) -> None:
        self._alive: dict[tuple[str, str], float] = {}
        self._active: dict[tuple[str, str], float] = {}
        self._signs: list[Sign] | None = []

    def renew(self, sessions: Iterable[tuple[str, str]], active: bool = False) -> None:
        """Note signs of life."""
        now = time.time()
        for each in sessions:
            self._alive[each] = now
            if active or each not in self._active:
                self._active[each] = now
            self._signs = None

    def remove(self, user_id: str, session_id: str) -> None:
        """Forget a session at once."""
        self._alive.pop((user_id, session_id), None)
        self._active.pop((user_id, session_id), None)
        self._signs = None

    def signs(self) -> list[Sign]:
        """Return every session that is alive, and forget the others."""
        limit = time.time() - ALIVE
        for each in [each for each, alive_at in self._alive.items() if alive_at < limit]:
            self.remove(*each)
        if self._signs is None:
            self._signs = [Sign(*each, alive_at, self._active[each]) for each, alive_at in self._alive.items()]
        return self._signs


class RedisStore:
    """Signs of life of all processes. When Redis is away, what was known last is kept and nobody is told anything."""

    _ALIVE_KEY = "confab:presence:alive"
    _ACTIVE_KEY = "confab:presence:active"

    #: Seconds between two looks at everything. In between only what others have changed is asked for.
    _FULL_EVERY = 15.0
    #: Seconds by which the clocks of two hosts may differ before what is new waits for a look at everything.
    _SKEW = 3.0

    #: Signs read at a time, for what a reply takes up is more than what is kept of it.
    _STRETCH = 500

    def __init__(self, url: str) -> None:
        self._redis = redis_link.client(url)
        #: By login session.
        self._known: dict[str, Sign] = {}
        self._signs: list[Sign] | None = []
        self._looked_at = self._full_at = 0.0
        self._odd = redis_link.Oddities(log, "%s entries of presence in Redis are not ours and were taken away")

    def renew(self, sessions: Iterable[tuple[str, str]], active: bool = False) -> None:
        """Note signs of life, in one round trip."""
        with self._mended():
            self._renew(sessions, active)

    def _renew(self, sessions: Iterable[tuple[str, str]], active: bool) -> None:
        now = time.time()
        renewed = list(sessions)
        if not renewed:
            return
        scores = {f"{user_id}.{session_id}": now for user_id, session_id in renewed}
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.zadd(self._ALIVE_KEY, scores)
        pipeline.zadd(self._ACTIVE_KEY, scores, nx=not active)
        pipeline.execute()
        for user_id, session_id in renewed:
            known = self._known.get(session_id)
            active_at = now if active or known is None else known.active_at
            self._known[session_id] = Sign(user_id, session_id, now, active_at)
        self._signs = None

    def remove(self, user_id: str, session_id: str) -> None:
        """Forget a session at once."""
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.zrem(self._ALIVE_KEY, f"{user_id}.{session_id}")
        pipeline.zrem(self._ACTIVE_KEY, f"{user_id}.{session_id}")
        pipeline.execute()
        self._known.pop(session_id, None)
        self._signs = None

    def signs(self) -> list[Sign]:
        """Return every session that is alive, and forget the others."""
        with self._mended():
            return self._look()

    def _look(self) -> list[Sign]:
        now = time.time()
        limit = now - ALIVE
        since = self._looked_at - self._SKEW
        if now - self._full_at >= self._FULL_EVERY:
            self._read_all()
        elif self._others_moved(since):
            self._known |= self._read(self._redis.zrangebyscore(self._ALIVE_KEY, since, "+inf", withscores=True))
            self._signs = None
            if self._redis.zcard(self._ALIVE_KEY) != len(self._known):
                self._read_all()
        self._looked_at = now
        gone = [sign for sign in self._known.values() if sign.alive_at < limit]
        if gone:
            # By score, for one of them may have come back a moment ago.
            self._redis.zremrangebyscore(self._ALIVE_KEY, "-inf", f"({limit}")
            self._redis.zrem(self._ACTIVE_KEY, *(f"{sign.user_id}.{sign.session_id}" for sign in gone))
            for sign in gone:
                del self._known[sign.session_id]
            self._signs = None
        if self._signs is None:
            self._signs = list(self._known.values())
        return self._signs

    @contextmanager
    def _mended(self) -> Iterator[None]:
        """Write the known signs again where a key of ours has another type; this call fails, the next one does not."""
        try:
            yield
        except redis_link.REFUSED as problem:
            if "WRONGTYPE" in str(problem):
                self._odd.note()
                self._redis.delete(self._ALIVE_KEY, self._ACTIVE_KEY)
                signs = {f"{sign.user_id}.{sign.session_id}": sign for sign in self._known.values()}
                if signs:
                    self._redis.zadd(self._ALIVE_KEY, {name: sign.alive_at for name, sign in signs.items()})
                    self._redis.zadd(self._ACTIVE_KEY, {name: sign.active_at for name, sign in signs.items()})
            raise

    def _others_moved(self, since: float) -> bool:
        """Tell whether there is another number of signs than we know of, in all or since a moment: reading them costs more."""
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.zcard(self._ALIVE_KEY)
        pipeline.zcount(self._ALIVE_KEY, since, "+inf")
        pipeline.zcount(self._ACTIVE_KEY, since, "+inf")
        signs = self._known.values()
        return pipeline.execute() != [
            len(signs),
            sum(sign.alive_at >= since for sign in signs),
            sum(sign.active_at >= since for sign in signs),
        ]

    def _read_all(self) -> None:
        # A scan and no range in pieces: from a range those would be missing that move to its end meanwhile.
        found = self._read(self._redis.zscan_iter(self._ALIVE_KEY, count=self._STRETCH))
        if found != self._known:
            self._known, self._signs = found, None
        self._full_at = time.time()

    def _read(self, alive: Iterable[Any]) -> dict[str, Sign]:
        """Return signs by login session.

        :param alive: pairs of bytes, person and session, and when they were last alive.
        """
        found: dict[str, Sign] = {}
        odd: list[bytes] = []
        pairs, soon = iter(alive), time.time() + ALIVE
        while stretch := list(islice(pairs, self._STRETCH)):
            active = self._redis.zmscore(self._ACTIVE_KEY, [member for member, _ in stretch])
            for (member, alive_at), active_at in zip(stretch, active, strict=True):
                pair = _PAIR.fullmatch(member)
                if pair is None or alive_at > soon:
                    odd.append(member)
                    continue
                user_id, session_id = pair[1].decode(), pair[2].decode()
                sign = Sign(user_id, session_id, alive_at, alive_at if active_at is None else min(active_at, soon))
                known = self._known.get(session_id)
                if known == sign:
                    sign = known  # ours, whose texts are the hub's
                found[sign.session_id] = sign
        if odd:
            self._odd.note(len(odd))
            self._redis.zrem(self._ALIVE_KEY, *odd)
            self._redis.zrem(self._ACTIVE_KEY, *odd)
        return found
