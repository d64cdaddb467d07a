"""Showing who came, went away or left to those they share a room with, and to nobody else.

In a large room nobody has a mark; there only the number of those who are here is shown, every few seconds.
"""

from __future__ import annotations

from datetime import UTC, datetime

from chat import realtime
from chat.accounts import queries as accounts
from chat.accounts.contexts import PersonContext
from chat.accounts.events import SessionEnded
from chat.core.background import every
from chat.core.bus import after
from chat.core.database import db
from chat.core.threads import turn
from chat.presence import queries
from chat.presence.contexts import MARKED, CrowdLine, PresenceContext, PresenceMark, TypingSignal
from chat.presence.tracker import Change, Tracker, tracker
from chat.realtime import Realtime, channels
from chat.realtime.feed import Feed
from chat.realtime.frames import Frame
from chat.rooms import queries as rooms
from chat.web.templating import for_room, render_fragment, render_kept


@every(0.8)
def show_presence() -> None:
    """Look who is here: show what changed to the readers of this process, and all of it to those who are new.

    Other processes hear of a newcomer at once; else they would look up to a second later.
    """
    newcomers = tracker().take_newcomers()
    changes = _look()
    if newcomers:
        _show_all(newcomers)
    if any(change.user_id in newcomers for change in changes):
        realtime.here().broker.publish(channels.ALL, {"kind": "presence"})


def _look() -> list[Change]:
    changes = tracker().look()
    if changes and realtime.here().hub.connections:
        _show_changes(changes)
    return changes


def note_member(process: Realtime, known: Tracker, feed: Feed, frame: Frame) -> None:
    """Note a member whose presence is to be shown after a frame about them, which is replayed and so says nothing of it."""
    if frame.name.startswith("member.") and known.note_line(feed.room_id, frame.ref_id):
        process.background.soon(show_members)


def show_members() -> None:
    """Show the presence of members whose lines have just come into a room, and how many are here."""
    process, lines = realtime.here(), tracker().take_lines()
    _look()  # somebody may have opened a stream and joined within one second
    feeds = [process.pump.feeds[room_id] for room_id in lines if room_id in process.pump.feeds]
    tracker().stale_crowds.update(feed.room_id for feed in feeds if _is_large(feed))
    small = [feed for feed in feeds if not _is_large(feed)]
    inside = {feed.room_id: [each for each in lines[feed.room_id] if each in feed.members] for feed in small}
    people = accounts.people({user_id for user_ids in inside.values() for user_id in user_ids})
    db.session.remove()
    state = tracker().state
    for feed in small:
        marks = [_mark(who, state(who), people[who].last_seen_at) for who in inside[feed.room_id] if who in people]
        process.to_room_here(feed.room_id, "presence", _crowd(feed) + "".join(marks))


def _show_changes(changes: list[Change]) -> None:
    people = [change.user_id for change in changes]
    partners = rooms.direct_partners(people)
    db.session.remove()
    changed = {change.user_id: change for change in changes}
    for user_id in changed.keys() & partners.keys():
        mark = _changed_mark(changed[user_id])
        for partner_id in partners[user_id]:
            realtime.here().to_user_here(partner_id, "presence", mark)
    for feed in tuple(realtime.here().pump.feeds.values()):
        inside = [user_id for user_id in people if user_id in feed.members]
        if not inside or not feed.places:
            continue
        if _is_large(feed):
            tracker().stale_crowds.add(feed.room_id)
        else:
            html = "".join(_changed_mark(changed[user_id]) for user_id in inside)
            realtime.here().to_room_here(feed.room_id, "presence", _crowd(feed) + html)


def _show_all(newcomers: set[str]) -> None:
    """Show a new stream everybody in its rooms: its page was made before it, and it may come back after a while.

    Not in large rooms: thousands who come back at once would each be sent about all the others.
    """
    process = realtime.here()
    feeds = {
        user_id: {place.feed for stream in process.hub.users.get(user_id, ()) for place in stream.places}
        for user_id in newcomers
    }
    shown = set().union(*feeds.values())
    tracker().stale_crowds.update(feed.room_id for feed in shown if _is_large(feed))
    small = [feed for feed in shown if not _is_large(feed)]
    people = accounts.people({user_id for feed in small for user_id in feed.members})
    db.session.remove()
    state = tracker().state
    for feed in small:
        marks = [_mark(who, state(who), people[who].last_seen_at) for who in tuple(feed.members) if who in people]
        html = _crowd(feed) + "".join(marks)
        process.to_users_here([user_id for user_id in newcomers if feed in feeds[user_id]], "presence", html)
        turn()


@every(5.0)
def show_crowds() -> None:
    """Show how many are in those large rooms where that has changed."""
    process = realtime.here()
    stale, tracker().stale_crowds = tracker().stale_crowds, set()
    for feed in [process.pump.feeds[room_id] for room_id in tuple(stale) if room_id in process.pump.feeds]:
        process.to_room_here(feed.room_id, "presence", _crowd(feed))


def _is_large(feed: Feed) -> bool:
    return len(feed.members) > MARKED


@after(SessionEnded)
def depart(event: SessionEnded) -> None:
    """Take a session's sign of life away."""
    tracker().depart(event.user_id, event.session_id)


def show_typing(room_id: str, person: PersonContext) -> None:
    """Show everybody in a room that somebody is writing."""
    html = render_fragment(for_room("presence/_typing.html", room_id), TypingSignal(room_id, person.id, person.name))
    realtime.here().to_room(room_id, "typing", html)


def _crowd(feed: Feed) -> str:
    crowd = queries.crowd(feed.room_id, feed.members)
    return render_fragment(for_room("presence/_crowd.html", feed.room_id), CrowdLine(crowd))


def _changed_mark(change: Change) -> str:
    return _mark(change.user_id, change.state, datetime.fromtimestamp(change.seen_at, UTC))


def _mark(user_id: str, state: str, seen_at: datetime | None) -> str:
    shown = PresenceContext(user_id, state, seen_at if state == "offline" else None)
    return render_kept("presence/_change.html", PresenceMark(shown))
