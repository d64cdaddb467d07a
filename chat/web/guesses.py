"""Brakes on guessing passwords beyond the rate limits: a wait that grows for one account, and an alarm over all of them.

Counted in Redis where there is one, in this process where there is not or while it does not answer.
"""

from __future__ import annotations

import logging
import math
import time
from typing import Any

from flask import Flask, current_app

from chat.core import metrics, redis_link, security_events
from chat.core.background import every
from chat.core.errors import TooFast
from chat.web import rate_limits

log = logging.getLogger(__name__)

#: Tries for one account that cost no wait. After them it is 1, 2, 4, … seconds.
FREE = 5
#: Seconds: the longest wait.
LONGEST = 15 * 60
#: Seconds after the last try for which tries are remembered: while they cost no wait, and once they do.
REMEMBERED, REMEMBERED_WAIT = 15 * 60, 24 * 3600
#: Seconds for which the alarm goes on after the last minute that had too many failures.
ALARM = 300
#: The rate of tries from one network by unknown browsers while the alarm is on.
_SLOWLY = "2/minute"
#: Seconds for which Redis is not asked again after it failed.
_BREAKER = 1.0

# One step, so that of tries at the same time each is counted. The time is Redis' own: the clocks of processes differ.
_TRY = """
local t = redis.call('TIME')
local now = t[1] + t[2] / 1000000
local known = redis.call('HMGET', KEYS[1], 'tries', 'free_at')
local tries, free_at = tonumber(known[1] or '0'), tonumber(known[2] or '0')
if now < free_at then return math.ceil(free_at - now) end
tries = math.min(tries + 1, 64)
local wait, kept = 0, tonumber(ARGV[3])
if tries >= tonumber(ARGV[1]) then
  wait, kept = math.min(2 ^ (tries - ARGV[1]), ARGV[2]), tonumber(ARGV[4])
end
redis.call('HSET', KEYS[1], 'tries', tries, 'free_at', string.format('%.6f', now + wait))
redis.call('EXPIRE', KEYS[1], kept)
return 0
"""


class Guesses:
    """The tries that one process knows of."""

    def __init__(self, settings: Any) -> None:
        self.on: bool = settings.RATE_LIMITS
        self.most = f"{settings.SIGN_IN_ALARM}/minute"
        self._tries: dict[str, tuple[int, float, float]] = {}
        self._most_kept = 4096
        self._alarm_until = 0.0
        self._redis = redis_link.client(settings.REDIS_URL) if settings.REDIS_URL else None
        self._broken_until = 0.0

    def attempt(self, account: str) -> int:
        """Count one more try for an account; return 0 if it may be made, else the seconds to wait."""
        found = self._ask("eval", _TRY, 1, f"confab:tries:{account}", FREE, LONGEST, REMEMBERED, REMEMBERED_WAIT)
        return self._attempt_here(account) if found is None else int(found)

    def forget(self, account: str) -> None:
        """Begin again with an account: somebody knew the password."""
        self._tries.pop(account, None)
        self._ask("delete", f"confab:tries:{account}")

    def raise_alarm(self) -> None:
        """Turn the alarm on, or keep it on, in every process for ``ALARM`` seconds."""
        first = not self.alarmed()
        self._alarm_until = time.monotonic() + ALARM
        self._ask("set", "confab:tries alarm", "1", ALARM)
        if first:
            security_events.note("alarm", own=False)
            log.warning("more than %s wrong passwords: whoever is new is slowed down", self.most.replace("/", " a "))

    def alarmed(self) -> bool:
        """Tell whether there were too many failures lately, anywhere."""
        return time.monotonic() < self._alarm_until or bool(self._ask("exists", "confab:tries alarm"))

    def _attempt_here(self, account: str) -> int:
        now = time.monotonic()
        tries, free_at, until = self._tries.get(account, (0, 0.0, 0.0))
        if until <= now:
            tries, free_at = 0, 0.0
        if now < free_at:
            return math.ceil(free_at - now)
        tries = min(tries + 1, 64)
        wait = min(2 ** (tries - FREE), LONGEST) if tries >= FREE else 0
        self._tries[account] = (tries, now + wait, now + (REMEMBERED_WAIT if wait else REMEMBERED))
        if len(self._tries) > self._most_kept:
            self._tries = {key: known for key, known in self._tries.items() if known[2] > now}
            self._most_kept = max(4096, 2 * len(self._tries))
        return 0

    def _ask(self, command: str, *arguments: Any) -> Any:
        """Return Redis' answer, or None where there is none."""
        if self._redis is None or time.monotonic() < self._broken_until:
            return None
        try:
            return getattr(self._redis, command)(*arguments)
        except redis_link.ERRORS:
            self._broken_until = time.monotonic() + _BREAKER
            return None


def init_app(app: Flask) -> None:
    """Give the application its memory of tries."""
    app.extensions["guesses"] = Guesses(app.config["SETTINGS"])


def require_calm(network: str, sentence: str) -> None:
    """Count one more try by an unknown browser; while the alarm is on, few are let through.

    :param sentence: what to say when it is too soon; ``{wait}`` becomes a time in words.
    :raises TooFast: it is too soon for a browser that is not known.
    """
    try:
        rate_limits.limit(_SLOWLY, sentence, "sign-in slowly", network)
    except TooFast:
        if _here().alarmed():
            raise


def require_patience(account: str, sentence: str) -> None:
    """Count one more try for an account by an unknown browser, whether the account exists or not.

    :param account: a mark of the account, the same however its address is written.
    :param sentence: what to say when it is too soon; ``{wait}`` becomes a time in words.
    :raises TooFast: it is too soon for this account.
    """
    guesses = _here()
    rate_limits.require_no_wait(guesses.attempt(account) if guesses.on else 0, sentence)


def failed() -> None:
    """Count one wrong password, over all accounts and networks."""
    guesses = _here()
    metrics.SIGN_IN_FAILURES.inc()
    try:
        rate_limits.limit(guesses.most, "", "wrong passwords")
    except TooFast:
        guesses.raise_alarm()


def forget(account: str) -> None:
    """Begin again with an account: somebody knew the password."""
    _here().forget(account)


def alarmed() -> bool:
    """Tell whether there were too many wrong passwords lately, anywhere."""
    return _here().alarmed()


@every(5.0)
def measure() -> None:
    """Show the alarm to monitoring, in every process."""
    metrics.SIGN_IN_ALARM.set(alarmed())


def _here() -> Guesses:
    found: Guesses = current_app.extensions["guesses"]
    return found
