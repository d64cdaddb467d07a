"""Who may change, delete and restore a message."""

from __future__ import annotations

from datetime import datetime, timedelta

from chat.core import audit, permissions
from chat.core.errors import Conflict, NotAllowed
from chat.messages.models import UNDO_WINDOW, Message

EDIT_WINDOW = timedelta(minutes=15)


def require_may_edit(message: Message, editor_id: str, now: datetime) -> None:
    """Refuse changing what is not one's own, is gone, or is too old.

    :raises NotAllowed: it is somebody else's, or the time is over.
    :raises Conflict: it is deleted.
    """
    if message.author_id != editor_id:
        raise NotAllowed("Only its author changes a message.")
    if message.deleted_at is not None:
        raise Conflict("This message is deleted. Restore it before you change it.")
    if now - message.created_at > EDIT_WINDOW:
        minutes = EDIT_WINDOW.seconds // 60
        raise NotAllowed(f"Messages can be edited for {minutes} minutes, and this one is older. Write a new one.")


def require_may_delete(message: Message, actor_id: str, moderates: bool, reason: str) -> None:
    """Refuse deleting what is somebody else's, unless one moderates and says why.

    :raises NotAllowed: neither.
    :raises Invalid: a moderator gave no reason, or one that is too long.
    """
    if message.author_id == actor_id:
        return
    if not moderates:
        raise NotAllowed("Only its author or a moderator deletes a message.")
    audit.check_reason(reason, "Say why, in a few words: its author and everybody in the room reads it.")


def require_standing(message: Message, actor_id: str) -> None:
    """Refuse taking a message away twice. One that its author deleted a moderator may still remove, for good.

    :raises Conflict: it was removed, or its author deletes it again.
    """
    if message.deleted_at is not None and (actor_id == message.author_id or message.deleted_by != message.author_id):
        raise Conflict("This message is deleted already.")


def require_not_own(message: Message, actor_id: str) -> None:
    """Refuse putting back what one wrote oneself and somebody else took away, moderator or not.

    :raises NotAllowed: it is so.
    """
    if message.author_id == actor_id and message.deleted_at is not None and message.deleted_by != actor_id:
        raise NotAllowed("Somebody else decides over your message. You can appeal under Your standing.")


def require_may_undo(actor_role: str, remover_role: str | None) -> None:
    """Refuse putting back a message that a person of a higher rank removed.

    :param actor_role: on the site, like ``remover_role``, which is None for an account that is gone.
    :raises NotAllowed: it is so.
    """
    if permissions.rank(remover_role) > permissions.rank(actor_role):
        raise NotAllowed("Somebody of a higher rank removed this, and only such a one brings it back.")


def require_may_restore(message: Message, actor_id: str, moderates: bool, now: datetime) -> None:
    """Refuse bringing back what one did not delete oneself a moment ago, unless one moderates.

    :raises NotAllowed: a moderator deleted it, it is somebody else's, or the time is over.
    """
    if moderates:
        return
    if message.author_id != actor_id or message.deleted_by != actor_id:
        raise NotAllowed("Only a moderator brings this message back.")
    if message.deleted_at is not None and now - message.deleted_at > UNDO_WINDOW:
        raise NotAllowed("A deletion can be undone for ten seconds. Ask a moderator to restore the message.")
