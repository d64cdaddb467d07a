"""What moderators do from the console. Every look at hidden text is in the audit log before the text leaves."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial

from chat.core import audit
from chat.core.bus import transaction
from chat.core.errors import Conflict
from chat.messages import service as messages
from chat.messages.service import Posted
from chat.moderation.keeping import queries as keeping
from chat.moderation.removed import queries
from chat.moderation.removed.contexts import EditedContext, RemovedContext
from chat.rooms.queries import Reach


def note_listed(
    actor_id: str, rows: Sequence[RemovedContext | EditedContext], read: RemovedContext | None = None
) -> None:
    """Write down that somebody is about to be shown a list of hidden texts, and one of them in full.

    A sweep in the list shows none; nothing is written of a list without any.
    """
    listed = [row.id for row in rows if not isinstance(row, RemovedContext) or not row.swept]
    with transaction():
        if listed:
            audit.write("hidden.listed", actor_id, after={"messages": listed})
        if read is not None:
            _note("hidden.read", actor_id, read)


def note_read(actor_id: str, shown: RemovedContext | EditedContext) -> None:
    """Write down that somebody is about to be shown a hidden text in full, with what it said before."""
    with transaction():
        _note("hidden.read", actor_id, shown)


def note_picture(actor_id: str, removed: RemovedContext, picture_id: str) -> None:
    """Write down that somebody is about to be shown a hidden picture."""
    with transaction():
        _note("hidden.pictured", actor_id, removed, {"picture": picture_id})


def note_exported(actor_id: str, what: str = "audit") -> None:
    """Note in the audit log that a moderator exports it, or the ``security`` events."""
    with transaction():
        audit.write(f"{what}.exported", actor_id)


def restore(message_id: str, reach: Reach) -> Posted:
    """Put a message back in its place, also in a room that one is not in oneself.

    :raises NotFound: it is not removed, or out of reach.
    """
    return messages.put_back(message_id, reach.user_id, partial(keeping.get_removed, reach, message_id))


def undo_restore(message_id: str, reach: Reach) -> None:
    """Take back that one has restored a message a moment ago: it is as it was, by whom and why.

    :raises NotFound: it is not there, or out of reach.
    :raises Conflict: one did not restore it, or that was longer ago.
    """
    entry = queries.restored_by(reach.user_id, message_id)
    if entry is None:
        raise Conflict("This can be undone for ten minutes. Remove the message in its room instead.")
    removed_by = json.loads(entry.before)["by"]
    find = partial(queries.get_message, reach, message_id)
    messages.take_away_again(message_id, reach.user_id, removed_by, entry.reason, find)


def _note(
    action: str, actor_id: str, shown: RemovedContext | EditedContext, after: dict[str, str] | None = None
) -> None:
    room_id = shown.room.id if shown.room else None
    audit.write(action, actor_id, target_id=shown.id, person_id=shown.author.id, room_id=room_id, after=after)
