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

    def __init__(self, url: str) -> None:
        self._redis = redis_link.client(url)
        self._known: dict[str, Sign] = {}
        self._signs: list[Sign] | None = []
        self._looked_at = self._full_at = 0.0

    def renew(self, sessions: Iterable[tuple[str, str]], active: bool = False) -> None:
        """Note signs of life, in one round trip."""
        now = time.time()
        members = {f"{user_id}.{session_id}": (user_id, session_id) for user_id, session_id in sessions}
        if members:
            scores = dict.fromkeys(members, now)
            pipeline = self._redis.pipeline(transaction=False)
            pipeline.zadd(self._ALIVE_KEY, scores)
            pipeline.zadd(self._ACTIVE_KEY, scores, nx=not active)
            pipeline.execute()
            for member, each in members.items():
                known = self._known.get(member)
                self._known[member] = Sign(*each, now, now if active or known is None else known.active_at)
            self._signs = None

    def remove(self, user_id: str, session_id: str) -> None:
        """Forget a session at once."""
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.zrem(self._ALIVE_KEY, f"{user_id}.{session_id}")
        pipeline.zrem(self._ACTIVE_KEY, f"{user_id}.{session_id}")
        pipeline.execute()
        self._known.pop(f"{user_id}.{session_id}", None)
        self._signs = None

    def signs(self) -> list[Sign]:
        """Return every session that is alive, and forget the others."""
        now = time.time()
        limit = now - ALIVE
        since = self._looked_at - self._SKEW
        if now - self._full_at >= self._FULL_EVERY or (self._others_moved(since) and not self._read(since)):
            self._known.clear()
            self._read("-inf")
            self._full_at = now
        self._looked_at = now
        gone = [member for member, sign in self._known.items() if sign.alive_at < limit]
        if gone:
            # By score, for one of them may have come back a moment ago.
            self._redis.zremrangebyscore(self._ALIVE_KEY, "-inf", f"({limit}")
            self._redis.zrem(self._ACTIVE_KEY, *gone)
            for member in gone:
                del self._known[member]
            self._signs = None
        if self._signs is None:
            self._signs = list(self._known.values())
        return self._signs

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

    def _read(self, since: float | str) -> bool:
        """Take in the signs given since a moment; return whether we know of all that there are."""
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.zcard(self._ALIVE_KEY)
        pipeline.zrangebyscore(self._ALIVE_KEY, since, "+inf", withscores=True)
        pipeline.zrangebyscore(self._ACTIVE_KEY, since, "+inf", withscores=True)
        count, alive, active = pipeline.execute()
        active_at = dict(active)
        for raw, alive_at in alive:
            member = raw.decode()
            known = self._known.get(member)
            user_id, session_id = known[:2] if known else member.split(".")
            before = known.active_at if known else alive_at
            self._known[member] = Sign(user_id, session_id, alive_at, active_at.pop(raw, before))
        for raw, at in active_at.items():
            member = raw.decode()
            if member in self._known:
                self._known[member] = self._known[member]._replace(active_at=at)
        self._signs = None
        return bool(count == len(self._known))
