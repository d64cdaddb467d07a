"""Signs of life, by login session: when it was last connected, and when its person last did something.

Nothing counts up and down, so nothing can be left over: a process that dies simply stops to renew, and a minute later its
people are gone. In this process's memory when it is alone, in two sorted sets of Redis when there are others.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import NamedTuple, Protocol

from chat import redis_link

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
        """Return every session that is alive."""


class MemoryStore:
    """Signs of life of a single process."""

    def __init__(self) -> None:
        self._alive: dict[tuple[str, str], float] = {}
        self._active: dict[tuple[str, str], float] = {}

    def renew(self, sessions: Iterable[tuple[str, str]], active: bool = False) -> None:
        """Note signs of life."""
        now = time.time()
        for each in sessions:
            self._alive[each] = now
            if active or each not in self._active:
                self._active[each] = now

    def remove(self, user_id: str, session_id: str) -> None:
        """Forget a session at once."""
        self._alive.pop((user_id, session_id), None)
        self._active.pop((user_id, session_id), None)

    def signs(self) -> list[Sign]:
        """Return every session that is alive, and forget the others."""
        limit = time.time() - ALIVE
        for each in [each for each, alive_at in self._alive.items() if alive_at < limit]:
            self.remove(*each)
        return [Sign(*each, alive_at, self._active[each]) for each, alive_at in self._alive.items()]


class RedisStore:
    """Signs of life of all processes. When Redis is away, what was known last is kept and nobody is told anything."""

    _ALIVE_KEY = "confab:presence:alive"
    _ACTIVE_KEY = "confab:presence:active"

    def __init__(self, url: str) -> None:
        self._redis = redis_link.client(url)

    def renew(self, sessions: Iterable[tuple[str, str]], active: bool = False) -> None:
        """Note signs of life, in one round trip."""
        now = time.time()
        scores = {f"{user_id}.{session_id}": now for user_id, session_id in sessions}
        if scores:
            pipeline = self._redis.pipeline(transaction=False)
            pipeline.zadd(self._ALIVE_KEY, scores)
            pipeline.zadd(self._ACTIVE_KEY, scores, nx=not active)
            pipeline.execute()

    def remove(self, user_id: str, session_id: str) -> None:
        """Forget a session at once."""
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.zrem(self._ALIVE_KEY, f"{user_id}.{session_id}")
        pipeline.zrem(self._ACTIVE_KEY, f"{user_id}.{session_id}")
        pipeline.execute()

    def signs(self) -> list[Sign]:
        """Return every session that is alive, and forget the others."""
        limit = time.time() - ALIVE
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.zrange(self._ALIVE_KEY, 0, -1, withscores=True)
        pipeline.zrange(self._ACTIVE_KEY, 0, -1, withscores=True)
        alive, active = pipeline.execute()
        gone = [member for member, alive_at in alive if alive_at < limit]
        if gone:
            # By score, for one of them may have come back a moment ago.
            self._redis.zremrangebyscore(self._ALIVE_KEY, "-inf", f"({limit}")
            self._redis.zrem(self._ACTIVE_KEY, *gone)
        active_at = dict(active)
        return [
            Sign(*member.decode().split("."), alive_at, active_at.get(member, alive_at))  # type: ignore[call-arg]
            for member, alive_at in alive
            if alive_at >= limit
        ]
