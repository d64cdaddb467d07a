"""Showing who came, went away or left to those they share a room with, and to nobody else."""

from __future__ import annotations

from datetime import UTC, datetime

from chat import realtime
from chat.accounts.contexts import PersonContext
from chat.accounts.events import SessionEnded
from chat.background import every
from chat.bus import after
from chat.database import db
from chat.presence.contexts import CrowdContext, CrowdLine, PresenceContext, PresenceMark, TypingSignal
from chat.presence.tracker import Change, tracker
from chat.rooms import queries as rooms
from chat.web.templating import render_fragment


@every(1.0)
def show_changes() -> None:
    """Look who is here, and show what changed to the readers of this process."""
    changes = tracker().look()
    feeds = realtime.here().pump.feeds
    if not changes or not realtime.here().hub.connections:
        return
    people = [change.user_id for change in changes]
    partners = rooms.direct_partners(people)
    db.session.remove()
    marks = {change.user_id: _mark(change) for change in changes}
    for user_id, mark in marks.items():
        for partner_id in partners.get(user_id, ()):
            realtime.here().to_user_here(partner_id, "presence", mark)
    for room_id, feed in tuple(feeds.items()):
        changed = [user_id for user_id in people if user_id in feed.members] if feed.places else []
        if changed:
            here = sum(1 for user_id in feed.members if tracker().state(user_id) != "offline")
            crowd = render_fragment("presence/_crowd.html", CrowdLine(CrowdContext(room_id, here, len(feed.members))))
            realtime.here().to_room_here(room_id, "presence", crowd + "".join(marks[user_id] for user_id in changed))


@after(SessionEnded)
def depart(event: SessionEnded) -> None:
    """Take a session's sign of life away."""
    tracker().depart(event.user_id, event.session_id)


def show_typing(room_id: str, person: PersonContext) -> None:
    """Show everybody in a room that somebody is writing."""
    html = render_fragment("presence/_typing.html", TypingSignal(room_id, person.id, person.name))
    realtime.here().to_room(room_id, "typing", html)


def _mark(change: Change) -> str:
    seen_at = datetime.fromtimestamp(change.seen_at, UTC) if change.state == "offline" else None
    return render_fragment(
        "presence/_change.html", PresenceMark(PresenceContext(change.user_id, change.state, seen_at))
    )
