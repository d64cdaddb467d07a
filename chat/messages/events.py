"""What happens to messages. All of it has a place in the room's log; ``ref_id`` is the message."""

from __future__ import annotations

from dataclasses import dataclass, field

from chat.core.log import LogEvent, event_type


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

    #: The state of the message before, in words, for the audit log; not stored in the room's log.
    before: str = field(default="visible", compare=False, repr=False)
    #: The sweep that took it away with many others; not stored in the room's log.
    sweep_id: str | None = field(default=None, compare=False, repr=False)


@event_type
@dataclass(frozen=True)
class MessageRestored(LogEvent):
    """A message was put back in its place."""

    name = "message.restored"


@event_type
@dataclass(frozen=True)
class MessagePurged(LogEvent):
    """The text of a message that was taken away is destroyed."""

    name = "message.purged"


@dataclass(frozen=True)
class RoomRead:
    """Somebody has read further. Nobody else's business, so it is not in the log."""

    room_id: str
    user_id: str


@dataclass(frozen=True)
class RemovedByModerator:
    """A moderator removed a message by itself: not with many others, and not because it was reported."""

    message_id: str
    room_id: str
    author_id: str
    reason: str


@dataclass(frozen=True)
class PutBackByModerator:
    """A moderator put a message back by itself."""

    message_id: str
    room_id: str
    author_id: str
    actor_id: str
    #: Who had taken it away, and a moderator's reason for it.
    removed_by: str | None
    reason: str


@dataclass(frozen=True)
class HeldChanged:
    """A message waits for a moderator, or does no longer. It is in no log: who reads the room is not to know."""

    held_id: str
    room_id: str
    author_id: str
