"""How often somebody may do something. Counted in Redis where there is one, in this process where there is not.

A Redis that does not answer never switches a limit off: this process counts instead. Messages are always counted here,
so that sending does not depend on Redis.
"""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask, current_app, request
from limits import RateLimitItem, parse
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import MovingWindowRateLimiter

from chat import redis_link
from chat.errors import TooFast

T = TypeVar("T")

#: Seconds for which Redis is not asked again after it failed.
_BREAKER = 1.0


class RateLimits:
    """The counters of one process."""

    def __init__(self, settings: Any) -> None:
        self.on: bool = settings.RATE_LIMITS
        self._here = MovingWindowRateLimiter(MemoryStorage())
        self._shared: MovingWindowRateLimiter | None = None
        self._broken_until = 0.0
        if settings.REDIS_URL:
            pool = redis_link.client(settings.REDIS_URL).connection_pool
            storage = RedisStorage(settings.REDIS_URL, connection_pool=pool, key_prefix="confab:limits")
            self._shared = MovingWindowRateLimiter(storage)

    def hit(self, rule: RateLimitItem, keys: tuple[str, ...], shared: bool) -> int:
        """Count one more; return 0 if it is within the limit, else the seconds to wait."""
        return self._ask(lambda counter: self._seconds(counter, rule, keys), shared) if self.on else 0

    def clear(self, rule: RateLimitItem, keys: tuple[str, ...]) -> None:
        """Forget what was counted over all processes."""
        self._ask(lambda counter: counter.clear(rule, *keys), shared=True)

    def _ask(self, question: Callable[[MovingWindowRateLimiter], T], shared: bool) -> T:
        if shared and self._shared is not None and time.monotonic() >= self._broken_until:
            try:
                return question(self._shared)
            except redis_link.ERRORS:
                self._broken_until = time.monotonic() + _BREAKER
        return question(self._here)

    def _seconds(self, counter: MovingWindowRateLimiter, rule: RateLimitItem, keys: tuple[str, ...]) -> int:
        if counter.hit(rule, *keys):
            return 0
        return max(1, round(counter.get_window_stats(rule, *keys).reset_time - time.time()))


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
    _raise(limits.hit(_rule(rule), keys, shared), sentence)


def forget(rule: str, *keys: str) -> None:
    """Count again from nothing: for what is only a limit on failures."""
    limits: RateLimits = current_app.extensions["rate_limits"]
    limits.clear(_rule(rule), keys)


def address() -> str:
    """Return the client's network: one household or office, not one of its many addresses."""
    try:
        ip = ipaddress.ip_address(request.remote_addr or "0.0.0.0")  # noqa: S104 - a stand-in, nothing is bound
    except ValueError:
        return "unknown"
    return str(ipaddress.ip_network(f"{ip}/{24 if ip.version == 4 else 64}", strict=False))


def in_words(seconds: int) -> str:
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


def _raise(wait: int, sentence: str) -> None:
    if wait:
        raise TooFast(sentence.format(wait=in_words(wait)), wait)
