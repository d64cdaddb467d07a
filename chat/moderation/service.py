"""What moderators do from the console. Every look at hidden text is in the audit log before the text leaves."""

from __future__ import annotations

from collections.abc import Sequence

from chat import audit
from chat.bus import transaction
from chat.messages import service as messages
from chat.messages.service import Posted
from chat.moderation import queries
from chat.moderation.contexts import RemovedContext
from chat.moderation.queries import Reach


def note_listed(actor_id: str, rows: Sequence[RemovedContext]) -> None:
    """Write down that somebody is about to be shown a list of hidden texts. Nothing is written of an empty one."""
    if rows:
        with transaction():
            audit.write("hidden.listed", actor_id, after={"messages": [row.id for row in rows]})


def note_read(actor_id: str, removed: RemovedContext) -> None:
    """Write down that somebody is about to be shown a hidden text in full, with what it said before."""
    with transaction():
        audit.write("hidden.read", actor_id, target_id=removed.id, person_id=removed.author.id, room_id=removed.room.id)


def note_exported(actor_id: str) -> None:
    """Write down that somebody is about to take the audit log away."""
    with transaction():
        audit.write("audit.exported", actor_id)


def restore(message_id: str, reach: Reach) -> Posted:
    """Put a message back in its place, also in a room that one is not in oneself.

    :raises NotFound: it is not removed, or out of reach.
    """
    return messages.put_back(message_id, reach.user_id, lambda: queries.get_removed(reach, message_id))
