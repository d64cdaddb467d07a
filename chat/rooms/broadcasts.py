"""What the members of a room, and the lists of their rooms, are shown when membership or the room changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chat import realtime
from chat.core.bus import after
from chat.core.log import LogEvent
from chat.realtime.frames import frame
from chat.rooms import queries
from chat.rooms.contexts import MemberContext, MemberLine, RoomTitle
from chat.rooms.events import MemberChanged, MemberJoined, MemberLeft, RoomChanged
from chat.web.templating import for_room, render_fragment


@frame(MemberJoined, MemberLeft, MemberChanged)
def members(events: Sequence[LogEvent]) -> list[str]:
    """Render what puts a line into the list of members, or takes it out: what is true now, whatever happened then."""
    known = queries.members_named({(event.room_id, event.ref_id) for event in events})
    return [_line(event.ref_id, known.get((event.room_id, event.ref_id))) for event in events]


@frame(RoomChanged)
def title(events: Sequence[LogEvent]) -> list[str]:
    """Render the room's name and purpose."""
    titles = {
        room_id: render_fragment(for_room("rooms/_title.html", room_id), RoomTitle(queries.shared_context(room_id)))
        for room_id in {event.room_id for event in events}
    }
    return [titles[event.room_id] for event in events]


@after(MemberJoined, MemberLeft)
def refresh_list(event: LogEvent) -> None:
    """Have a person's list of rooms fetched again, wherever they are connected."""
    realtime.here().tell_all("rooms", users=[event.ref_id])


@after(RoomChanged)
def refresh_lists(event: LogEvent) -> None:
    """Have the lists of all members fetched again."""
    realtime.here().tell_all("rooms", users=queries.audience(event.room_id)[1])


def show_list_changed(message: dict[str, Any]) -> None:
    """Tell the streams of some people, on this process, that their list of rooms is another."""
    for user_id in message["users"]:
        realtime.here().to_user_here(user_id, "room.list", "")


def _line(user_id: str, member: MemberContext | None) -> str:
    if member is None:
        return f'<li data-live="member:{user_id}" data-gone></li>'
    return render_fragment(for_room("rooms/_member.html", member.room_id), MemberLine(member))
