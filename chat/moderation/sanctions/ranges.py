"""Ranges of addresses under a sanction: every request is held against them."""

from __future__ import annotations

from contextlib import suppress

from flask import Flask, request

from chat import realtime
from chat.accounts import service as accounts
from chat.accounts.sessions import Viewer
from chat.core import addresses, clock, permissions
from chat.core.errors import NotAllowed, NotFound
from chat.moderation.sanctions import queries
from chat.moderation.sanctions.events import RangesChanged
from chat.moderation.sanctions.queries import Range
from chat.realtime.caches import Cache

#: Endpoints that publish something: refused to people who are muted, or whose network is.
PUBLISHING = frozenset(
    {
        "accounts.update_profile", "messages.create", "messages.restore", "messages.update", "messages.upload",
        "rooms.add_member", "rooms.create", "rooms.direct", "rooms.update_settings",
    }
)  # fmt: skip


cache: Cache[tuple[Range, ...]] = Cache("ranges", RangesChanged, queries.ranges)


def over(address: str) -> list[Range]:
    """Return the ranges that an address lies in."""
    return _around(address, cache.value)


def by_the_door(app: Flask, address: str) -> bool:
    """Tell whether an address may come to a stream by the door: not from a banned range, nor before the ranges are known."""
    known = cache.at_hand(app)
    return known is not None and not _banned(address, known)


def _cut_streams(known: tuple[Range, ...]) -> None:
    """End the streams that come from a banned range; those of staff come again, and the application lets them in."""
    if any(each.kind == "ban" for each in known):
        realtime.here().hub.drop_from(lambda address: _banned(address, known))


cache.listeners.append(_cut_streams)


def _banned(address: str, known: tuple[Range, ...]) -> bool:
    return any(each.kind == "ban" for each in _around(address, known))


def _around(address: str, known: tuple[Range, ...]) -> list[Range]:
    ip = addresses.read(address) if known else None
    if ip is None:
        return []
    now = clock.now()
    return [each for each in known if each.until > now and ip in each.network]


def refuse(who: Viewer | None) -> None:
    """Refuse whoever asks from a banned range, and whoever writes from a muted one; never staff.

    :raises NotAllowed: with why.
    """
    if who is not None and permissions.may("sanction.site", who.role):
        return
    for each in over(request.remote_addr or ""):
        if each.kind == "ban":
            # Signed in elsewhere, and now here: the streams of that browser end with its session.
            if who is not None and who.session_id:
                with suppress(NotFound):
                    accounts.end_session(who.id, who.session_id)
            raise NotAllowed(f"Nobody gets in from your network just now: {each.reason}")
        if request.method == "POST" and request.endpoint in PUBLISHING | {"accounts.sign_up"}:
            raise NotAllowed(f"Your network may read, but not write: {each.reason}")
