"""What everybody in a room sees of a message, and what the lists of those who look elsewhere say of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

from chat import realtime
from chat.core.background import every
from chat.core.bus import after
from chat.core.database import db
from chat.core.log import LogEvent
from chat.core.threads import turn
from chat.messages import queries
from chat.messages.contexts import MessageContext, MessageItem
from chat.messages.events import (
    HeldChanged,
    MessageDeleted,
    MessageEdited,
    MessagePosted,
    MessagePurged,
    MessageRestored,
    RoomRead,
)
from chat.realtime import sse
from chat.realtime.frames import frame
from chat.rooms import queries as rooms
from chat.rooms.contexts import RowContext, UnreadSignal
from chat.web.templating import for_room, render_fragment

#: Seconds after which the lists of people who have the room open are brought up to date too. They usually read it
#: meanwhile, and reading is told to their lists at once.
READERS_LATER = 5.0
#: People whose lines are read at once; between two times the event loop turns.
_AT_ONCE = 200


@frame(MessagePosted, MessageEdited, MessageDeleted, MessageRestored, MessagePurged)
def messages(events: Sequence[LogEvent]) -> list[str]:
    """Render messages as they are now, whatever happened to them then: a replay must not bring back what is gone."""
    known = {event.ref_id: event.subject for event in events if isinstance(event.subject, MessageContext)}
    unknown = [event.ref_id for event in events if event.ref_id not in known]
    if unknown:
        known |= queries.contexts(unknown)
    return [
        render_fragment(for_room("messages/_message.html", event.room_id), MessageItem(known[event.ref_id]))
        for event in events
    ]


@after(MessagePosted, MessageEdited, MessageRestored)
def tell_lists(event: LogEvent) -> None:
    """Have every process look whose list this changes."""
    realtime.here().tell_all("posted", room=event.room_id)


@after(MessageDeleted)
def tell_all_lists(event: MessageDeleted) -> None:
    """The same; a line that shows what was deleted just now does not wait for its reader to look elsewhere."""
    realtime.here().tell_all("posted", room=event.room_id, shown=queries.is_last(event.room_id, event.ref_id))


@after(RoomRead)
def tell_own_lists(event: RoomRead) -> None:
    """Have every process bring one person's list up to date."""
    realtime.here().tell_all("read", room=event.room_id, user=event.user_id)


@after(HeldChanged)
def tell_of_held(event: HeldChanged) -> None:
    """Have every process tell the author and those who moderate."""
    realtime.here().tell_all("held", room=event.room_id, author=event.author_id)


def show_held(message: dict[str, Any]) -> None:
    """Have the pages of an author and of moderators, on this process, fetch what waits; nobody else's stream says a thing."""
    process = realtime.here()
    told = process.hub.users.keys() & {message["author"], *rooms.moderator_ids(message["room"])}
    db.session.remove()
    process.to_users_here(told, "held", message["room"])


class Lists:
    """Lines of people's room lists that have to be brought up to date on this process; many messages, one update."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._posted: set[str] = set()
        self._later: dict[str, float] = {}
        self._read: set[tuple[str, str]] = set()

    def posted(self, message: dict[str, Any]) -> None:
        """Note that something was said in a room."""
        with self._lock:
            self._posted.add(message["room"])
            now = time.monotonic()
            self._later[message["room"]] = (
                now if message.get("shown") else self._later.get(message["room"], now + READERS_LATER)
            )

    def read(self, message: dict[str, Any]) -> None:
        """Note that somebody has read a room."""
        with self._lock:
            self._read.add((message["room"], message["user"]))

    def take(self) -> tuple[set[str], set[str], set[tuple[str, str]]]:
        """Return rooms whose news is due for those elsewhere, and for those inside; and who has read what."""
        now = time.monotonic()
        with self._lock:
            posted, self._posted = self._posted, set()
            read, self._read = self._read, set()
            late = {room_id for room_id, due in self._later.items() if due <= now}
            for room_id in late:
                del self._later[room_id]
        return posted, late, read

    def anything(self) -> bool:
        """Tell whether there is something to look at."""
        return bool(self._posted or self._read or self._later)


lists = Lists()


@every(0.5)
def update_lists() -> None:
    """Show people connected here what changed in their lists."""
    if not lists.anything():
        return
    posted, late, read = lists.take()
    hub, feeds = realtime.here().hub, realtime.here().pump.feeds
    told_all = late | {room_id for room_id, _ in read}
    rendered: dict[tuple[str, int], bytes] = {}
    for rows in _lines(posted - late, late, {(room_id, user_id) for room_id, user_id in read if user_id in hub.users}):
        db.session.remove()
        for user_id, row in rows:
            key = (row.room.id, row.unread)
            if key not in rendered:
                rendered[key] = sse.encode("room.unread", render_fragment("rooms/_unread.html", UnreadSignal(row)))
            inside = None if row.room.id in told_all else feeds.get(row.room.id)
            hub.to_user(user_id, rendered[key], must=True, outside=inside)
        turn()


def _lines(posted: set[str], late: set[str], read: set[tuple[str, str]]) -> Iterator[list[tuple[str, RowContext]]]:
    """Yield the lines to show, a few hundred at a time."""
    elsewhere = {room_id: found for room_id in posted if (found := _elsewhere(room_id))}
    inside_too = {room_id: _here(room_id) for room_id in late}
    for people_of in (elsewhere, inside_too):
        people = sorted(set().union(*people_of.values()))
        for start in range(0, len(people), _AT_ONCE):
            yield rooms.rows_for(set(people_of), people[start : start + _AT_ONCE])
    if read:
        yield rooms.rows_of_pairs(read)


def _here(room_id: str) -> set[str]:
    """Return who is connected here and may have a room in their list."""
    process = realtime.here()
    feed = process.pump.feeds.get(room_id)
    return set(process.hub.users) if feed is None else process.hub.users.keys() & feed.members.keys()


def _elsewhere(room_id: str) -> set[str]:
    """Return those of them who are not looking at it, or have another stream beside."""
    process = realtime.here()
    streams, feed = process.hub.users, process.pump.feeds.get(room_id)
    looking = {place.connection.user_id for place in tuple(feed.places)} if feed is not None else set()
    return {who for who in _here(room_id) if who not in looking or len(streams[who]) > 1}
