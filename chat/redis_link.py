"""The one place that makes Redis clients, with time limits that suit a fast path that may fail.

redis-py 8 tries again with pauses and has a socket timeout of 5 s: a frozen Redis then holds every request for as long.
Ours waits 0.2 s, once.
"""

from __future__ import annotations

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

#: Seconds one command may take.
TIMEOUT = 0.2

#: Everything that an unreachable Redis raises.
ERRORS = (redis.RedisError, OSError)


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
