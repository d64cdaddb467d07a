"""Who is here."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from chat.accounts.contexts import PersonContext
from chat.accounts.guards import maybe_viewer
from chat.presence.contexts import CrowdContext, PresenceContext
from chat.presence.tracker import tracker


def of(person: PersonContext) -> PresenceContext:
    """Return whether a person is here, for a page; its viewer is, also before their stream is open."""
    return _as_known(person, "online" if person.id == _viewer_id() else tracker().state(person.id))


def known(people: Iterable[PersonContext]) -> tuple[PresenceContext, ...]:
    """Return whether some people are here, in their order, as all others know it of them: the same for every viewer."""
    states = tracker()
    return tuple(_as_known(each, states.state(each.id)) for each in people)


def arriving() -> PresenceContext | None:
    """Return how all others know the viewer of a page, if that is not as being here."""
    me = _viewer_id()
    state = tracker().state(me) if me else "online"
    return PresenceContext(me, state) if state != "online" else None


def crowd(room_id: str, members: Collection[str]) -> CrowdContext:
    """Return how many of a room's members are here, for a page; its viewer is."""
    known, me = tracker(), _viewer_id()
    here = sum(1 for user_id in members if user_id == me or known.state(user_id) != "offline")
    return CrowdContext(room_id, here, len(members))


def _as_known(person: PersonContext, state: str) -> PresenceContext:
    return PresenceContext(person.id, state, person.last_seen_at if state == "offline" else None)


def _viewer_id() -> str:
    who = maybe_viewer()
    return who.id if who else ""
