"""Who is here."""

from __future__ import annotations

from collections.abc import Collection

from chat.accounts.contexts import PersonContext
from chat.presence.contexts import CrowdContext, PresenceContext
from chat.presence.tracker import tracker


def of(person: PersonContext) -> PresenceContext:
    """Return whether somebody is here."""
    state = tracker().state(person.id)
    return PresenceContext(person.id, state, person.last_seen_at if state == "offline" else None)


def crowd(room_id: str, members: Collection[str]) -> CrowdContext:
    """Return how many of a room's members are here."""
    known = tracker()
    return CrowdContext(room_id, sum(1 for user_id in members if known.state(user_id) != "offline"), len(members))
