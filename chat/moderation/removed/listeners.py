"""What moderators do to messages goes into the audit log, in the same transaction: neither is there without the other.

And the author is told of it, once.
"""

from __future__ import annotations

from sqlalchemy import select

from chat.core import audit
from chat.core.bus import during
from chat.core.database import db
from chat.messages.events import MessageDeleted, PutBackByModerator, RemovedByModerator
from chat.messages.models import Message
from chat.messages.queries import kept_for
from chat.notices import service as notices
from chat.rooms.models import Room


@during(MessageDeleted)
def note_removal(event: MessageDeleted) -> None:
    """Note it, unless somebody did it to a message of their own, or with many others: a sweep notes all of them in one row."""
    message = db.session.get(Message, event.ref_id)
    if message is None or event.actor_id == message.author_id or event.sweep_id is not None:
        return
    audit.write(
        "message.removed", event.actor_id, target_id=message.id, person_id=message.author_id, room_id=message.room_id,
        reason=message.delete_reason, before={"state": event.before}, after={"state": "removed"},
    )  # fmt: skip


@during(RemovedByModerator)
def tell_of_removal(event: RemovedByModerator) -> None:
    """Tell the author why, until when the text is kept, and what they can do."""
    span = kept_for()
    kept = f" It is kept for {span.days} days; you can appeal." if span else " You can appeal."
    where = _room(event.room_id)
    notices.tell(
        event.author_id, "message", f"A message of yours in {where} was removed: {event.reason}.{kept}", "/standing"
    )


@during(PutBackByModerator)
def note_return(event: PutBackByModerator) -> None:
    """Tell the author that it is back, and note it with how it was, so that it can be undone."""
    path = f"/rooms/{event.room_id}/messages/{event.message_id}"
    notices.tell(event.author_id, "message", f"A message of yours in {_room(event.room_id)} was put back.", path)
    audit.write(
        "message.restored", event.actor_id, target_id=event.message_id, person_id=event.author_id, room_id=event.room_id,
        reason=event.reason, before={"state": "removed", "by": event.removed_by}, after={"state": "visible"},
    )  # fmt: skip


def _room(room_id: str) -> str:
    return db.session.execute(select(Room.name).where(Room.id == room_id)).scalar() or "a direct conversation"
