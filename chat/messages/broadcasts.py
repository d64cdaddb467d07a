"""What everybody in a room sees of a message, and what the lists of those who look elsewhere say of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Any

from chat import realtime
from chat.background import every
from chat.bus import after
from chat.database import db
from chat.log import LogEvent
from chat.messages import queries
from chat.messages.contexts import MessageContext, MessageItem
from chat.messages.events import MessageDeleted, MessageEdited, MessagePosted, MessageRestored, RoomRead
from chat.realtime import sse
from chat.realtime.frames import frame
from chat.rooms import queries as rooms
from chat.rooms.contexts import UnreadSignal
from chat.web.templating import render_fragment

#: Seconds after which the lists of people who have the room open are brought up to date too. They usually read it
#: meanwhile, and reading is told to their lists at once.
READERS_LATER = 5.0


@frame(MessagePosted, MessageEdited, MessageDeleted, MessageRestored)
def messages(events: Sequence[LogEvent]) -> list[str]:
    """Render messages as they are now, whatever happened to them then: a replay must not bring back what is gone."""
    known = {event.ref_id: event.subject for event in events if isinstance(event.subject, MessageContext)}
    unknown = [event.ref_id for event in events if event.ref_id not in known]
    if unknown:
        known |= queries.contexts(unknown)
    return [render_fragment("messages/_message.html", MessageItem(known[event.ref_id])) for event in events]


@after(MessagePosted, MessageEdited, MessageDeleted, MessageRestored)
def tell_lists(event: LogEvent) -> None:
    """Have every process look whose list this changes."""
    realtime.here().tell_all("posted", room=event.room_id)


@after(RoomRead)
def tell_own_lists(event: RoomRead) -> None:
    """Have every process bring one person's list up to date."""
    realtime.here().tell_all("read", room=event.room_id, user=event.user_id)


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
            self._later.setdefault(message["room"], time.monotonic() + READERS_LATER)

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
    connected = set(hub.users)
    rows = rooms.rows_for(posted | late, connected) if connected and posted | late else []
    rows += rooms.rows_of_pairs({(room_id, user_id) for room_id, user_id in read if user_id in connected})
    db.session.remove()
    told_all = late | {room_id for room_id, _ in read}
    rendered: dict[tuple[str, int], bytes] = {}
    for count, (user_id, row) in enumerate(rows, start=1):
        key = (row.room.id, row.unread)
        if key not in rendered:
            rendered[key] = sse.encode("room.unread", render_fragment("rooms/_unread.html", UnreadSignal(row)))
        inside = None if row.room.id in told_all else feeds.get(row.room.id)
        hub.to_user(user_id, rendered[key], must=True, outside=inside)
        if count % 100 == 0:
            time.sleep(0)
