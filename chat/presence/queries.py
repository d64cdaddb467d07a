"""Who is here."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from chat.accounts.contexts import PersonContext
from chat.accounts.guards import maybe_viewer
from chat.presence.contexts import CrowdContext, PresenceContext
from chat.presence.tracker import tracker


def of(person: PersonContext) -> PresenceContext:
    """Return whether a person is here, for a page; its viewer is, also before their stream is open."""
    return of_all([person])[0]


def of_all(people: Iterable[PersonContext]) -> tuple[PresenceContext, ...]:
    """Return as ``of`` does which of some people are here, in their order."""
    known, me = tracker(), _viewer_id()
    states = ((each, "online" if each.id == me else known.state(each.id)) for each in people)
    return tuple(
        PresenceContext(each.id, state, each.last_seen_at if state == "offline" else None) for each, state in states
    )


def crowd(room_id: str, members: Collection[str]) -> CrowdContext:
    """Return how many of a room's members are here, for a page; its viewer is."""
    known, me = tracker(), _viewer_id()
    here = sum(1 for user_id in members if user_id == me or known.state(user_id) != "offline")
    return CrowdContext(room_id, here, len(members))


def _viewer_id() -> str:
    who = maybe_viewer()
    return who.id if who else ""
