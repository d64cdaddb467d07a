"""What happens to messages. All of it has a place in the room's log; ``ref_id`` is the message."""

from __future__ import annotations

from dataclasses import dataclass

from chat.log import LogEvent, event_type


@event_type
@dataclass(frozen=True)
class MessagePosted(LogEvent):
    """A message was posted."""

    name = "message.posted"


@event_type
@dataclass(frozen=True)
class MessageEdited(LogEvent):
    """A message has another text."""

    name = "message.edited"


@event_type
@dataclass(frozen=True)
class MessageDeleted(LogEvent):
    """A message was taken away: by its author, or by a moderator."""

    name = "message.deleted"


@event_type
@dataclass(frozen=True)
class MessageRestored(LogEvent):
    """A message was put back in its place."""

    name = "message.restored"


@dataclass(frozen=True)
class RoomRead:
    """Somebody has read further. Nobody else's business, so it is not in the log."""

    room_id: str
    user_id: str
