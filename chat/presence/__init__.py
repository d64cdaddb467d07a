"""Who is here and who is typing. Nothing of it is in the database but when somebody was last seen."""

from __future__ import annotations

from collections.abc import Iterable

from flask import Flask

from chat.accounts.contexts import PersonContext
from chat.presence import broadcasts, queries, routes
from chat.presence.contexts import PresenceContext
from chat.presence.store import MemoryStore, RedisStore
from chat.presence.tracker import Tracker
from chat.realtime import Realtime
from chat.rooms.contexts import MemberContext
from chat.web import templating

__all__ = ["broadcasts", "init_app"]


class _Presence:
    """What templates ask: ``layout.presence.of(person)``, and ``of_all(members)``."""

    def of(self, person: PersonContext) -> PresenceContext:
        """Return whether somebody is here."""
        return queries.of(person)

    def of_all(self, members: Iterable[MemberContext]) -> tuple[PresenceContext, ...]:
        """Return which of a room's members are here, in their order."""
        return queries.of_all(member.person for member in members)


def init_app(app: Flask) -> None:
    """Register routes, and follow who connects."""
    app.register_blueprint(routes.blueprint)
    process: Realtime = app.extensions["realtime"]
    hub = process.hub
    url = app.config["REDIS_URL"]
    tracker = Tracker(
        RedisStore(url) if url else MemoryStore(),
        lambda: {(each.user_id, each.session_id) for each in tuple(hub.connections)},
    )
    app.extensions["presence"] = tracker
    hub.arrivals.append(tracker.arrive)
    process.pump.hearers.append(lambda feed, frame: broadcasts.note_member(process, tracker, feed, frame))
    process.controls["presence"] = lambda _: process.background.soon(broadcasts.show_presence)
    templating.provide("presence")(_Presence)
