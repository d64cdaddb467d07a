"""Posting, changing, deleting and restoring messages; reading them.

``post_message`` is the one path where the ORM costs more than all the rest together, so it is written in plain statements.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import cast

from sqlalchemy import Table, bindparam, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from chat import clock, ids, log
from chat.accounts.contexts import PersonContext
from chat.bus import emit, transaction
from chat.database import db
from chat.errors import Conflict, Invalid, NoSuchRoom
from chat.messages import policy, queries
from chat.messages.body import to_html
from chat.messages.contexts import BODY_LIMIT, MessageContext, PictureContext
from chat.messages.events import MessageDeleted, MessageEdited, MessagePosted, MessageRestored, RoomRead
from chat.messages.models import PICTURES_LIMIT, Attachment, Message, MessageVersion
from chat.rooms.models import Membership, Room

# The statements of ``post_message``, built once: building one costs more than running it.
_PLACE = (
    update(Room)
    .where(Room.id == bindparam("room"))
    .values(
        head=Room.head + 1, posted=Room.posted + 1, last_message_id=bindparam("message"), active_at=bindparam("now")
    )
    .returning(Room.head, Room.posted)
)
_HAS_READ = (
    update(Membership)
    .where(Membership.room_id == bindparam("room"), Membership.user_id == bindparam("user"))
    .values(last_read_seq=bindparam("seq"), last_read_number=bindparam("number"))
)
_MESSAGE = insert(cast("Table", Message.__table__))
_ATTACHMENT = insert(cast("Table", Attachment.__table__))


@dataclass(frozen=True)
class Posted:
    """Where a message is."""

    message_id: str
    room_id: str
    seq: int
    #: Whether it had been posted before, under the same ``client_id``.
    repeated: bool = False


def find_repeat(room_id: str, author_id: str, body: str, client_id: str) -> Posted | None:
    """Return the message that was posted under a ``client_id`` already, or None.

    :raises Invalid: it was another message.
    """
    known = queries.by_client_id(author_id, client_id)
    if known is None:
        return None
    if known.room_id != room_id or known.digest != _digest(room_id, body):
        raise Invalid("This form has sent another message already. Look at the text and send it once more.")
    return Posted(known.id, known.room_id, known.seq, repeated=True)


def check_body(body: str, pictures: int) -> None:
    """Refuse what is no message.

    :raises Invalid: there is nothing in it, or too much.
    """
    if not body and not pictures:
        raise Invalid("Write something, or choose a picture.")
    if len(body) > BODY_LIMIT:
        raise Invalid(
            f"A message holds {BODY_LIMIT:,} characters; this one has {len(body):,}. Shorten it or send it in parts."
        )
    if pictures > PICTURES_LIMIT:
        raise Invalid(
            f"A message carries {PICTURES_LIMIT} pictures; this one has {pictures}. Send the others after it."
        )


def post_message(
    room_id: str, author: PersonContext, body: str, client_id: str, pictures: Sequence[PictureContext] = ()
) -> Posted:
    """Post a message and return where it is. It is stored, and the disk has it, when this returns.

    :param body: as typed, line ends LF; may be empty when there are pictures.
    :param client_id: chosen by the client; the same one again returns the first message.
    :param pictures: uploaded by the author and not sent yet.
    :raises NotFound: there is no such room, or the author is not in it.
    :raises Invalid: nothing to post, too much, or another message under the same ``client_id``.
    """
    check_body(body, len(pictures))
    message_id, now, html = ids.new(), clock.now(), to_html(body)
    try:
        with transaction():
            connection = db.session.connection()
            seq, number = _next_place(room_id, message_id, now)
            # After the lock: a removal that committed while we waited for it is seen here.
            read = {"room": room_id, "user": author.id, "seq": seq, "number": number}
            if connection.execute(_HAS_READ, read).rowcount != 1:
                raise NoSuchRoom
            message = {
                "id": message_id,
                "room_id": room_id,
                "seq": seq,
                "number": number,
                "author_id": author.id,
                "client_id": client_id,
                "body": body,
                "digest": _digest(room_id, body),
                "pictures": len(pictures),
                "created_at": now,
                "delete_reason": "",
            }
            connection.execute(_MESSAGE, message)
            if pictures:
                rows = [
                    {"picture_id": picture.id, "message_id": message_id, "position": position}
                    for position, picture in enumerate(pictures)
                ]
                connection.execute(_ATTACHMENT, rows)
            context = MessageContext(message_id, room_id, seq, client_id, author, html, now, pictures=tuple(pictures))
            log.write(MessagePosted(room_id, seq, message_id, author.id, context))
    except IntegrityError:
        repeat = find_repeat(room_id, author.id, body, client_id)
        if repeat is None:
            raise Invalid("A picture of this message was sent already. Choose it once more.") from None
        return repeat
    return Posted(message_id, room_id, seq)


def edit_message(message_id: str, editor_id: str, body: str) -> Posted:
    """Give a message of one's own another text; what it said before is kept.

    :raises NotFound: it cannot be seen.
    :raises NotAllowed: it is somebody else's, or too old.
    :raises Conflict: it is deleted.
    :raises Invalid: nothing is left of it, or too much.
    """
    with transaction():
        seq, message = _locked(partial(queries.get_visible, message_id, editor_id))
        now = clock.now()
        policy.require_may_edit(message, editor_id, now)
        check_body(body, message.pictures)
        versions = db.session.execute(select(func.count()).where(MessageVersion.message_id == message_id)).scalar_one()
        since = message.edited_at or message.created_at
        db.session.execute(
            insert(MessageVersion).values(
                message_id=message_id, version=versions + 1, body=message.body, created_at=since
            )
        )
        db.session.execute(update(Message).where(Message.id == message_id).values(body=body, edited_at=now))
        log.write(MessageEdited(message.room_id, seq, message_id, editor_id))
    return Posted(message_id, message.room_id, message.seq)


def delete_message(message_id: str, actor_id: str, moderates: bool, reason: str = "") -> Posted:
    """Take a message away: one's own, or as a moderator with a reason. Its row stays.

    :raises NotFound: it cannot be seen.
    :raises NotAllowed: it is somebody else's.
    :raises Invalid: a moderator gave no reason.
    :raises Conflict: it is deleted already.
    """
    with transaction():
        seq, message = _locked(partial(queries.get_visible, message_id, actor_id))
        policy.require_may_delete(message, actor_id, moderates, reason)
        if message.deleted_at is not None:
            raise Conflict("This message is deleted already.")
        own = message.author_id == actor_id
        db.session.execute(
            update(Message)
            .where(Message.id == message_id)
            .values(deleted_at=clock.now(), deleted_by=actor_id, delete_reason="" if own else reason)
        )
        log.write(MessageDeleted(message.room_id, seq, message_id, actor_id))
    return Posted(message_id, message.room_id, message.seq)


def restore_message(message_id: str, actor_id: str, moderates: bool) -> Posted:
    """Put a deleted message back in its place, for everybody.

    :raises NotFound: it cannot be seen.
    :raises NotAllowed: it is not one's own deletion of a moment ago, and one does not moderate.
    :raises Conflict: it is not deleted.
    """

    def find() -> Message:
        message = queries.get_visible(message_id, actor_id)
        policy.require_may_restore(message, actor_id, moderates, clock.now())
        return message

    return put_back(message_id, actor_id, find)


def put_back(message_id: str, actor_id: str, find: Callable[[], Message]) -> Posted:
    """Put a deleted message back.

    :param find: returns the message, or raises where this person may not restore it; called before and under the room's lock.
    :raises Conflict: it is not deleted.
    """
    with transaction():
        seq, message = _locked(find)
        if message.deleted_at is None:
            raise Conflict("This message is back already.")
        values = {"deleted_at": None, "deleted_by": None, "delete_reason": ""}
        db.session.execute(update(Message).where(Message.id == message_id).values(**values))
        log.write(MessageRestored(message.room_id, seq, message_id, actor_id))
    return Posted(message_id, message.room_id, message.seq)


def mark_read(room_id: str, user_id: str, seq: int) -> None:
    """Note that somebody has read a room up to a ``seq``; never back, never beyond what there is.

    :raises NotFound: they are not in it.
    """
    number = (
        select(Message.number)
        .where(Message.room_id == room_id, Message.seq <= seq)
        .order_by(Message.seq.desc())
        .limit(1)
        .scalar_subquery()
    )
    head = select(Room.head).where(Room.id == room_id).scalar_subquery()
    mine = (Membership.room_id == room_id, Membership.user_id == user_id)
    known = db.session.execute(select(Membership.last_read_seq, head).where(*mine)).one_or_none()
    if known is None:
        raise NoSuchRoom
    read, last = known
    seq = min(seq, last)
    if seq <= read:
        return
    with transaction():
        db.session.execute(
            update(Membership)
            .where(*mine, Membership.last_read_seq < seq)
            .values(last_read_seq=seq, last_read_number=func.coalesce(number, 0))
            .execution_options(synchronize_session=False)
        )
        emit(RoomRead(room_id, user_id))


def _next_place(room_id: str, message_id: str, now: datetime) -> tuple[int, int]:
    """Take the room's lock, and the ``seq`` and number of its next message: ``log.take``, with the room's own columns.

    :raises NotFound: there is no such room.
    """
    place = {"room": room_id, "message": message_id, "now": now}
    row = db.session.connection().execute(_PLACE, place).one_or_none()
    if row is None:
        raise NoSuchRoom
    return row[0], row[1]


def _locked(find: Callable[[], Message]) -> tuple[int, Message]:
    """Take the lock of a message's room, and then read the message as it is."""
    seq = log.take(find().room_id)
    return seq, find()


def _digest(room_id: str, body: str) -> str:
    return hashlib.sha256(f"{room_id}\0{body}".encode("utf-8", "replace")).hexdigest()
