"""Ranges of addresses under a sanction, as every process knows them: each request is held against them, none looks them up."""

from __future__ import annotations

import ipaddress
from contextlib import suppress
from typing import Any

from flask import current_app, request

from chat import clock, permissions, realtime
from chat.accounts import service as accounts
from chat.accounts.sessions import Viewer
from chat.background import every
from chat.bus import after
from chat.database import db
from chat.errors import NotAllowed, NotFound
from chat.sanctions import queries
from chat.sanctions.events import RangesChanged
from chat.sanctions.queries import Range

#: What somebody does who writes.
_WRITES = frozenset(
    {"messages.create", "messages.update", "messages.upload", "rooms.create", "rooms.direct", "rooms.add_member"}
)


class Ranges:
    """The ranges that one process knows; looked up when it is first asked, and when it is told to."""

    def __init__(self) -> None:
        self._known: tuple[Range, ...] | None = None

    def load(self) -> None:
        """Look them up again."""
        self._known = queries.ranges()

    def over(self, address: str) -> list[Range]:
        """Return those that an address lies in."""
        if self._known is None:
            self.load()
        if not self._known:
            return []
        try:
            ip = ipaddress.ip_address(address)
        except ValueError:
            return []
        now = clock.now()
        return [each for each in self._known if each.until > now and ip in each.network]


def refuse(who: Viewer | None) -> None:
    """Refuse whoever asks from a banned range, and whoever writes from a muted one; never staff.

    :raises NotAllowed: with why.
    """
    if who is not None and permissions.may("sanction.site", who.role):
        return
    ranges: Ranges = current_app.extensions["address_ranges"]
    for each in ranges.over(request.remote_addr or ""):
        if each.kind == "ban":
            if who is not None:  # signed in elsewhere, and now here: the streams of that browser end with its session
                with suppress(NotFound):
                    accounts.end_session(who.id, who.session_id)
            raise NotAllowed(f"Nobody gets in from your network just now: {each.reason}")
        if request.method == "POST" and (request.endpoint in _WRITES or who is None):
            raise NotAllowed(f"Your network may read, but not write: {each.reason}")


@after(RangesChanged)
def tell_processes(event: RangesChanged) -> None:
    """Have every process look the ranges up again."""
    realtime.here().tell_all("ranges")


def reload(message: dict[str, Any]) -> None:
    """Do so."""
    look()


@every(1.0)
def look() -> None:
    """Find what no message told of."""
    current_app.extensions["address_ranges"].load()
    db.session.remove()
