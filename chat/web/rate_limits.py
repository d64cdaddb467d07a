"""How often somebody may do something. Counted in Redis where there is one, in this process where there is not.

A Redis that does not answer never switches a limit off: this process counts instead. Messages are always counted here,
so that sending does not depend on Redis.
"""

from __future__ import annotations

import math
import time
from collections import deque
from typing import Any

from flask import Flask, current_app, request
from limits import RateLimitItem, parse
from limits.storage import RedisStorage
from limits.strategies import MovingWindowRateLimiter

from chat.core import addresses, redis_link
from chat.core.errors import TooFast

#: Seconds for which Redis is not asked again after it failed.
_BREAKER = 1.0


class Windows:
    """Moving windows counted in this process.

    Not the memory storage of ``limits``: that goes through every key a hundred times a second.
    """

    def __init__(self) -> None:
        self._hits: dict[tuple[str, ...], tuple[float, deque[float]]] = {}
        self._most = 1024

    def seconds(self, rule: RateLimitItem, keys: tuple[str, ...]) -> int:
        """Count one more; return 0 if it is within the limit, else the seconds until there is room."""
        now, span = time.monotonic(), float(rule.get_expiry())
        key = (str(rule), *keys)
        _, hits = self._hits.get(key) or (span, deque())
        while hits and hits[0] <= now - span:
            hits.popleft()
        if len(hits) >= rule.amount:
            return max(1, math.ceil(hits[0] + span - now))
        hits.append(now)
        self._hits[key] = (span, hits)
        if len(self._hits) > self._most:
            self._forget(now)
        return 0

    def clear(self, rule: RateLimitItem, keys: tuple[str, ...]) -> None:
        """Count again from nothing."""
        self._hits.pop((str(rule), *keys), None)

    def _forget(self, now: float) -> None:
        for key in [key for key, (span, hits) in self._hits.items() if not hits or hits[-1] <= now - span]:
            del self._hits[key]
        self._most = max(1024, 2 * len(self._hits))


class RateLimits:
    """The counters of one process."""

    def __init__(self, settings: Any) -> None:
        self.on: bool = settings.RATE_LIMITS
        self._here = Windows()
        self._shared: MovingWindowRateLimiter | None = None
        self._broken_until = 0.0
        if settings.REDIS_URL:
            pool = redis_link.client(settings.REDIS_URL).connection_pool
            storage = RedisStorage(settings.REDIS_URL, connection_pool=pool, key_prefix="confab:limits")
            self._shared = MovingWindowRateLimiter(storage)

    def hit(self, rule: RateLimitItem, keys: tuple[str, ...], shared: bool) -> int:
        """Count one more; return 0 if it is within the limit, else the seconds to wait."""
        if not self.on:
            return 0
        if shared and self._shared is not None and time.monotonic() >= self._broken_until:
            try:
                if self._shared.hit(rule, *keys):
                    return 0
                wait = round(self._shared.get_window_stats(rule, *keys).reset_time - time.time())
                return max(1, min(rule.get_expiry(), wait))
            # The latter two where somebody else wrote into Redis.
            except (*redis_link.ERRORS, ValueError, OverflowError):
                self._broken_until = time.monotonic() + _BREAKER
        return self._here.seconds(rule, keys)

    def clear(self, rule: RateLimitItem, keys: tuple[str, ...]) -> None:
        """Forget what was counted, here and over all processes."""
        self._here.clear(rule, keys)
        if self._shared is not None and time.monotonic() >= self._broken_until:
            try:
                self._shared.clear(rule, *keys)
            except redis_link.ERRORS:
                self._broken_until = time.monotonic() + _BREAKER


def init_app(app: Flask) -> None:
    """Give the application its counters."""
    app.extensions["rate_limits"] = RateLimits(app.config["SETTINGS"])


def limit(rule: str, sentence: str, *keys: str, shared: bool = True) -> None:
    """Count one more of something.

    :param rule: such as ``20/minute`` or ``5/15 minutes``.
    :param sentence: what to say when it is too often; ``{wait}`` becomes a time in words.
    :param keys: what is counted, first its name, then whose it is.
    :param shared: count over all processes.
    :raises TooFast: it is too often.
    """
    limits: RateLimits = current_app.extensions["rate_limits"]
    require_no_wait(limits.hit(_rule(rule), keys, shared), sentence)


def limit_network(rule: str, sentence: str, name: str) -> None:
    """Count one more of something that comes from the client's network; four times as many from a /48, a whole site's.

    :param rule: such as ``20/minute``.
    :param name: of what is counted.
    :raises TooFast: it is too often.
    """
    limit(rule, sentence, name, address())
    ip = addresses.read(request.remote_addr)
    if ip is not None and ip.version == 6:
        item = _rule(rule)
        wider = f"{4 * item.amount}/{item.multiples} {item.GRANULARITY.name}"
        limit(wider, sentence, name, str(addresses.around(ip, v6=48)))


def forget(rule: str, *keys: str) -> None:
    """Count again from nothing: for what is only a limit on failures."""
    limits: RateLimits = current_app.extensions["rate_limits"]
    limits.clear(_rule(rule), keys)


def address() -> str:
    """Return the client's network: one household or office, not one of its many addresses."""
    ip = addresses.read(request.remote_addr)
    return "unknown" if ip is None else str(addresses.around(ip))


def require_no_wait(seconds: int, sentence: str) -> None:
    """Refuse a thing that has to wait.

    :param seconds: 0 for not at all.
    :param sentence: what to say; ``{wait}`` becomes a time in words.
    :raises TooFast: it has to wait.
    """
    if seconds:
        raise TooFast(sentence.format(wait=_in_words(seconds)), seconds)


def _in_words(seconds: int) -> str:
    """Return a wait as people say it."""
    if seconds < 60:
        return f"{seconds} second{'' if seconds == 1 else 's'}"
    minutes = -(-seconds // 60)
    return f"{minutes} minute{'' if minutes == 1 else 's'}"


_rules: dict[str, RateLimitItem] = {}


def _rule(text: str) -> RateLimitItem:
    if text not in _rules:
        _rules[text] = parse(text)
    return _rules[text]
