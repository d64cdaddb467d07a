"""Limits counted in Redis, when somebody else has written there."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from limits import parse

from chat.core import redis_link
from chat.web.rate_limits import RateLimits
from tests.services import Redis


@pytest.mark.parametrize("entries", [["nan"], ["inf"], ["0x7fffffffffff"], ["1e300"], ["odd"], ["\xff"], None])
def test_what_is_no_time_of_ours_lifts_no_limit_and_locks_nobody_out(redis_server: Redis, entries: list[str] | None):
    link = redis_link.client(redis_server.url)
    link.flushall()
    limits = RateLimits(SimpleNamespace(RATE_LIMITS=True, REDIS_URL=redis_server.url))
    rule = parse("3/minute")
    waits = [limits.hit(rule, ("sign-in", "alice"), shared=True) for _ in range(4)]
    assert waits[:3] == [0, 0, 0]
    assert 1 <= waits[3] <= 60
    (key,) = link.keys("confab:limits*")
    link.delete(key)
    if entries is None:
        link.set(key, "odd")
    else:
        link.rpush(key, *entries * 3)
    waits = [limits.hit(rule, ("sign-in", "alice"), shared=True) for _ in range(8)]
    assert all(0 <= wait <= 60 for wait in waits)
    assert waits[-1] >= 1, "a limit that is off"
