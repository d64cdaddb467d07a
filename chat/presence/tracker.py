"""What this process knows of who is here, and noticing when it changes.

Every process works it out by itself from the signs of life, and shows changes to its own readers only: there is no message
that could be lost.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from flask import current_app

from chat.core import redis_link
from chat.presence.store import ALIVE, Sign, Store

#: Seconds without doing anything after which somebody is away.
IDLE = 300.0
#: Seconds between two signs of life of a session that stays connected.
RENEW_EVERY = 20.0
#: Seconds after which somebody may have become idle though no sign has changed.
LOOK_EVERY = 5.0


@dataclass
class Change:
    """Somebody who is now in another state. ``seen_at`` is Unix seconds, for who is gone."""

    user_id: str
    state: str
    seen_at: float


@dataclass
class Tracker:
    """The presence of everybody, as of the last look."""

    store: Store
    #: Returns the sessions connected to this process, as pairs of person and session.
    connected: Callable[[], set[tuple[str, str]]]
    states: dict[str, str] = field(default_factory=dict)
    #: Large rooms in which somebody came or went since their number was last shown.
    stale_crowds: set[str] = field(default_factory=set)
    _newcomers: set[str] = field(default_factory=set)
    #: By room, the members whose line in its list was changed or taken out.
    _lines: dict[str, set[str]] = field(default_factory=dict)
    _seen: dict[str, float] = field(default_factory=dict)
    _arrived: set[tuple[str, str]] = field(default_factory=set)
    _renewed_at: float = 0.0
    _signs: list[Sign] = field(default_factory=list)
    _looked_at: float = 0.0
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def arrive(self, user_id: str, session_id: str) -> None:
        """Note a new connection; never waits, for the event loop itself calls it."""
        self._arrived.add((user_id, session_id))
        self._newcomers.add(user_id)

    def take_newcomers(self) -> set[str]:
        """Return who has opened a stream since this was last asked."""
        newcomers, self._newcomers = self._newcomers, set()
        return newcomers

    def note_line(self, room_id: str, user_id: str) -> bool:
        """Note a changed line in a list of members; tell whether it is the first one noted. Never waits."""
        first = not self._lines
        self._lines.setdefault(room_id, set()).add(user_id)
        return first

    def take_lines(self) -> dict[str, set[str]]:
        """Return the members whose lines were noted since the last call, by room."""
        lines, self._lines = self._lines, {}
        return lines

    def act(self, user_id: str, session_id: str) -> None:
        """Note that somebody did something just now."""
        try:
            self.store.renew([(user_id, session_id)], active=True)
        except redis_link.ERRORS:
            pass  # the page says so again in a minute

    def depart(self, user_id: str, session_id: str) -> None:
        """Note that a session ended."""
        self._arrived.discard((user_id, session_id))
        try:
            self.store.remove(user_id, session_id)
        except redis_link.ERRORS:
            pass  # it runs out by itself

    def state(self, user_id: str) -> str:
        """Return ``online``, ``away`` or ``offline``."""
        return self.states.get(user_id, "offline")

    def look(self) -> list[Change]:
        """Renew the signs of our own readers, look at everybody's, and return who is in another state than before."""
        with self._turn:  # one that looked earlier must not come later
            return self._look()

    def _look(self) -> list[Change]:
        now = time.time()
        arrived, self._arrived = self._arrived, set()
        try:
            if now - self._renewed_at >= RENEW_EVERY:
                self._renewed_at = now
                arrived |= self.connected()
            self.store.renew(arrived)
            signs = self.store.signs()
        except redis_link.ERRORS:
            self._arrived |= arrived
            return []
        if signs is self._signs and now - self._looked_at < LOOK_EVERY:
            return []
        self._signs, self._looked_at = signs, now
        before, self.states = self.states, _states(signs, now)
        for sign in signs:
            self._seen[sign.user_id] = max(sign.alive_at, self._seen.get(sign.user_id, 0.0))
        changed = [
            user_id for user_id in before.keys() | self.states.keys() if before.get(user_id) != self.states.get(user_id)
        ]
        changes = [Change(user_id, self.state(user_id), self._seen.get(user_id, now - ALIVE)) for user_id in changed]
        for gone in [user_id for user_id in self._seen if user_id not in self.states]:
            del self._seen[gone]
        return changes


def _states(signs: list[Sign], now: float) -> dict[str, str]:
    states: dict[str, str] = {}
    for sign in signs:
        if now - sign.active_at <= IDLE:
            states[sign.user_id] = "online"
        else:
            states.setdefault(sign.user_id, "away")
    return states


def tracker() -> Tracker:
    """Return what this process knows."""
    found: Tracker = current_app.extensions["presence"]
    return found
