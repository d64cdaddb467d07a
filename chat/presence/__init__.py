"""Who is here and who is typing. Nothing of it is in the database but when somebody was last seen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import partial

from flask import Flask, current_app
from markupsafe import Markup

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
    """What templates ask: ``layout.presence.of(person)``, and for a list ``of_all(members)`` and ``with_viewer(html)``."""

    def of(self, person: PersonContext) -> PresenceContext:
        """Return whether somebody is here."""
        return queries.of(person)

    def of_all(self, members: Iterable[MemberContext]) -> tuple[PresenceContext, ...]:
        """Return which of a room's members are here, in their order; the same for every viewer, so that a list is kept."""
        return queries.known(member.person for member in members)

    def with_viewer(self, html: Markup) -> Markup:
        """Return a list of members in which its viewer is here, also before their stream is open."""
        before = queries.arriving()
        if before is None:
            return html
        mark = partial(current_app.extensions["kept"], "presence/_presence.html")
        return html.replace(mark(presence=before), mark(presence=replace(before, state="online")), 1)


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
