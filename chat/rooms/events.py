"""What happens to rooms and their members."""

from __future__ import annotations

from dataclasses import dataclass

from chat.core.log import LogEvent, event_type


@event_type
@dataclass(frozen=True)
class MemberJoined(LogEvent):
    """A person, ``ref_id``, may read and write from here on."""

    name = "member.joined"
    audience_change = 1


@dataclass(frozen=True)
class MemberReturned(MemberJoined):
    """A person got back the membership that a sanction took; the log has it like any other joining."""


@event_type
@dataclass(frozen=True)
class MemberLeft(LogEvent):
    """A person, ``ref_id``, left or was removed; their streams carry nothing of the room after this."""

    name = "member.left"
    audience_change = -1


@event_type
@dataclass(frozen=True)
class MemberChanged(LogEvent):
    """A member, ``ref_id``, has another role in the room."""

    name = "member.changed"


@event_type
@dataclass(frozen=True)
class RoomChanged(LogEvent):
    """A room, ``ref_id``, has another name or purpose."""

    name = "room.changed"


@dataclass(frozen=True)
class MemberAppointed:
    """A member became a moderator of a room, its owner, or a plain member again. ``reason`` is told to them."""

    room_id: str
    user_id: str
    role: str
    reason: str
