"""The one place that makes Redis clients, with time limits that suit a fast path that may fail.

redis-py 8 tries again with pauses and has a socket timeout of 5 s: a frozen Redis then holds every request for as long.
Ours waits 0.2 s, once.
"""

from __future__ import annotations

import logging
import time

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

#: Seconds one command may take.
TIMEOUT = 0.2

#: Everything that an unreachable Redis raises.
ERRORS = (redis.RedisError, OSError)
#: The error of a command that Redis refuses, such as one for a key of another type.
REFUSED = redis.ResponseError


class Oddities:
    """Counts foreign entries in Redis, and logs them once a minute at most, so that nobody fills the log from there."""

    #: Seconds between two lines.
    _EVERY = 60.0

    def __init__(self, log: logging.Logger, sentence: str) -> None:
        self._log, self._sentence = log, sentence
        self._count, self._next = 0, 0.0

    def note(self, count: int = 1) -> None:
        """Count some more; a line of the log has the number since the last one."""
        self._count += count
        now = time.monotonic()
        if now >= self._next:
            self._next = now + self._EVERY
            self._log.warning(self._sentence, self._count)
            self._count = 0


def client(url: str, timeout: float | None = TIMEOUT) -> redis.Redis:
    """Return a client with a pool of its own.

    :param timeout: seconds one command may take; None for a connection that waits for messages.
    """
    made: redis.Redis = redis.Redis.from_url(
        url,
        socket_timeout=timeout,
        socket_connect_timeout=TIMEOUT if timeout else 1.0,
        socket_keepalive=True,
        retry=Retry(NoBackoff(), 0),
        protocol=2,
    )
    return made
