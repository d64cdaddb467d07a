"""Turns to have a picture worked on, so that nobody's pictures keep those of others waiting."""

from __future__ import annotations

import math
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from chat.core.errors import TooFast, Unavailable

#: Seconds in which half of the work done for somebody is forgotten.
_HALF_LIFE = 150
#: Seconds of work after which somebody has to pause, about a minute of it within five.
_ALLOWED = 60
#: Pictures of one person that may wait.
_WAITING = 8


class Turns:
    """A few places for work, one for each person at a time; the person with the least work done goes first.

    :param places: pictures worked on at the same time.
    """

    def __init__(self, places: int) -> None:
        self._free = places
        self._changed = threading.Condition()
        self._working: set[str] = set()
        self._waiting: list[str] = []
        self._spent: dict[str, tuple[float, float]] = {}  # seconds of work, and when that was counted

    @contextmanager
    def turn(self, person_id: str, patience: float) -> Iterator[None]:
        """Wait for one's turn, and have it while the block runs.

        :param patience: seconds.
        :raises TooFast: this person's pictures have taken very long, or very many of them wait.
        :raises Unavailable: it did not come in time.
        """
        with self._changed:
            if self._spent_by(person_id) > _ALLOWED:
                raise TooFast("Your last pictures took very long to work on. Wait a minute before you send more.", 60)
            if Counter(self._waiting)[person_id] >= _WAITING:
                raise TooFast("Many of your pictures are being worked on. Send more when they are done.", 10)
            self._waiting.append(person_id)
            try:
                came = self._changed.wait_for(lambda: self._is_next(person_id), patience)
            finally:
                self._waiting.remove(person_id)
            if not came:
                self._changed.notify_all()
                raise Unavailable("Many pictures are being sent just now. Try again in a moment.", 10)
            self._free -= 1
            self._working.add(person_id)
            self._changed.notify_all()
        started = time.monotonic()
        try:
            yield
        finally:
            with self._changed:
                self._free += 1
                self._working.remove(person_id)
                self._note(person_id, time.monotonic() - started)
                self._changed.notify_all()

    def _is_next(self, person_id: str) -> bool:
        if not self._free or person_id in self._working:
            return False
        ready = (each for each in self._waiting if each not in self._working)
        return min(ready, key=self._spent_by) == person_id

    def _spent_by(self, person_id: str) -> float:
        seconds, counted = self._spent.get(person_id, (0.0, 0.0))
        return seconds * math.exp2(-(time.monotonic() - counted) / _HALF_LIFE)

    def _note(self, person_id: str, seconds: float) -> None:
        self._spent[person_id] = (self._spent_by(person_id) + seconds, time.monotonic())
        if len(self._spent) > 1000:
            self._spent = {each: kept for each, kept in self._spent.items() if self._spent_by(each) > 0.1}
