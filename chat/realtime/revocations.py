"""Login sessions that have just ended, as every door knows them.

A ticket outlives its session by at most its own life, so it is enough to remember that long what was revoked. Told by the
broker at once, and by the sweep within a second when the broker is away.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from chat.realtime.tickets import LIFE


class Revocations:
    """The sessions that were revoked in the last ticket life."""

    def __init__(self) -> None:
        self._revoked: dict[str, float] = {}
        self.listeners: list[Callable[[str], None]] = []

    def revoked(self, session_id: str) -> bool:
        """Tell whether a session was revoked lately."""
        return session_id in self._revoked

    def add(self, session_id: str) -> None:
        """Remember a session and tell the listeners, once."""
        if session_id in self._revoked:
            return
        now = time.monotonic()
        self._revoked[session_id] = now
        for old in [each for each, since in self._revoked.items() if since < now - 2 * LIFE]:
            del self._revoked[old]
        for listener in self.listeners:
            listener(session_id)
