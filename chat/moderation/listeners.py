"""What moderators do to messages goes into the audit log, in the same transaction: neither is there without the other."""

from __future__ import annotations

from chat import audit
from chat.bus import during
from chat.database import db
from chat.log import LogEvent
from chat.messages.events import MessageDeleted, MessageRestored
from chat.messages.models import Message


@during(MessageDeleted, MessageRestored)
def note(event: LogEvent) -> None:
    """Note it, unless somebody did it to a message of their own."""
    message = db.session.get(Message, event.ref_id)
    if message is None or event.actor_id == message.author_id:
        return
    removed = isinstance(event, MessageDeleted)
    visible, hidden = {"state": "visible"}, {"state": "removed"}
    audit.write(
        "message.removed" if removed else "message.restored",
        event.actor_id,
        target_id=message.id,
        person_id=message.author_id,
        room_id=message.room_id,
        reason=message.delete_reason,
        before=visible if removed else hidden,
        after=hidden if removed else visible,
    )
