"""Posting, changing, deleting and restoring messages; reading them.

``post_message`` is the one path where the ORM costs more than all the rest together, so it is written in plain statements.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, cast

from sqlalchemy import (
    ColumnElement,
    Select,
    Table,
    bindparam,
    case,
    delete,
    func,
    insert,
    not_,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.exc import IntegrityError

from chat.accounts import queries as people
from chat.accounts.contexts import PersonContext
from chat.core import clock, ids, keys, log, screens
from chat.core.bus import emit, transaction
from chat.core.database import db
from chat.core.errors import Conflict, Invalid, NoSuchRoom, NotFound
from chat.core.log import LogEvent
from chat.core.screens import Draft, Stopped, Verdict
from chat.messages import policy, queries
from chat.messages.body import to_html
from chat.messages.contexts import BODY_LIMIT, MessageContext, PictureContext
from chat.messages.events import (
    HeldChanged,
    MessageDeleted,
    MessageEdited,
    MessagePosted,
    MessagePurged,
    MessageRestored,
    PutBackByModerator,
    RemovedByModerator,
    RoomRead,
)
from chat.messages.models import PICTURES_LIMIT, WAITING_LIMIT, Attachment, HeldMessage, Message, MessageVersion
from chat.pictures import discard
from chat.rooms import policy as room_policy
from chat.rooms import queries as rooms
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
    .where(
        Membership.room_id == bindparam("room"),
        Membership.user_id == bindparam("user"),
        or_(Membership.muted_until.is_(None), Membership.muted_until <= bindparam("now")),
    )
    .values(last_read_seq=bindparam("seq"), last_read_number=bindparam("number"))
)
_EMPTY = (
    update(cast("Table", Message.__table__))
    .where(Message.id == bindparam("message"))
    .values(body="", digest=bindparam("hash"), pictures=0, purged_at=bindparam("now"))
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


@dataclass(frozen=True)
class Held:
    """That a message waits for a moderator."""

    held_id: str
    room_id: str
    #: As of ``Posted``.
    repeated: bool = False


def send_message(
    room_id: str, author: PersonContext, body: str, client_id: str, pictures: Sequence[PictureContext] = ()
) -> Posted | Held:
    """Post a message, or hold it for a moderator, as the rules want it; the parameters are those of ``post_message``.

    :raises ChatError: as ``post_message``, and what a rule that blocks or mutes says.
    """
    draft = Draft("message", body, author.id, room_id)
    if pictures and (waiting := _find_held(draft, client_id)) is not None:
        return waiting
    verdict = screens.screen.judge(draft)
    if verdict is None or not verdict.stops:

        def examine(message_id: str) -> None:
            found = screens.screen.judge_locked(draft, verdict, message_id)
            if found is not None and found.stops:
                raise Stopped(found)
            if found is not None:
                screens.screen.note(draft, found, message_id)

        try:
            return post_message(room_id, author, body, client_id, pictures, examine=examine)
        except Stopped as stopped:
            verdict = stopped.verdict
    # It is not posted. Only now is it asked who writes here: whoever may not is told nothing of the rules of a room.
    room_policy.require_may_write(rooms.get_membership(room_id, author.id).membership, clock.now())
    repeat = find_repeat(room_id, author.id, body, client_id)
    if repeat is not None:
        return repeat
    if verdict.action == "hold":
        try:
            return _hold(draft, verdict, client_id, pictures)
        except Stopped as stopped:
            verdict = stopped.verdict
    raise screens.screen.refuse(draft, verdict)


def find_repeat(room_id: str, author_id: str, body: str, client_id: str) -> Posted | None:
    """Return the message that was posted under a ``client_id`` already, or None.

    :raises Invalid: it was another message.
    """
    known = queries.by_client_id(author_id, client_id)
    if known is None:
        return None
    if known.room_id != room_id or known.digest not in (_digest(room_id, body), _fingerprint(room_id, body)):
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
    room_id: str,
    author: PersonContext,
    body: str,
    client_id: str,
    pictures: Sequence[PictureContext] = (),
    *,
    examine: Callable[[str], None] | None = None,
    reads: bool = True,
) -> Posted:
    """Post a message and return where it is. It is stored, and the disk has it, when this returns.

    :param body: as typed, line ends LF; may be empty when there are pictures.
    :param client_id: chosen by the client; the same one again returns the first message.
    :param pictures: uploaded by the author and not sent yet.
    :param examine: called with its id when it is stored and the room still locked; what it raises takes all of it back.
    :param reads: whether the author has read the room by writing in it.
    :raises NotFound: there is no such room, or the author is not in it.
    :raises NotAllowed: the author is muted.
    :raises Invalid: nothing to post, too much, or another message under the same ``client_id``.
    """
    try:
        return post_once(room_id, author, body, client_id, pictures, examine=examine, reads=reads)
    except IntegrityError:
        repeat = find_repeat(room_id, author.id, body, client_id)
        if repeat is None:
            raise Invalid("A picture of this message was sent already. Choose it once more.") from None
        return repeat


def post_once(
    room_id: str,
    author: PersonContext,
    body: str,
    client_id: str,
    pictures: Sequence[PictureContext],
    *,
    examine: Callable[[str], None] | None = None,
    reads: bool = True,
) -> Posted:
    """Do as ``post_message`` does, but say of a repeat that it is one: also inside of a larger ``transaction()``.

    :raises IntegrityError: the ``client_id``, or a picture, is in a message already. The transaction is of no use any more.
    """
    check_body(body, len(pictures))
    message_id, now, html = ids.new(), clock.now(), to_html(body)
    with transaction():
        connection = db.session.connection()
        seq, number = _next_place(room_id, message_id, now)
        # After the lock: a removal, or a mute, that committed while we waited for it is seen here.
        read = {"room": room_id, "user": author.id, "seq": seq, "number": number, "now": now}
        if not reads or connection.execute(_HAS_READ, read).rowcount != 1:
            room_policy.require_may_write(rooms.get_membership(room_id, author.id).membership, now)
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
            _take_pictures(author.id, pictures)
            rows = [
                {"picture_id": picture.id, "message_id": message_id, "position": position}
                for position, picture in enumerate(pictures)
            ]
            connection.execute(_ATTACHMENT, rows)
        if examine is not None:
            examine(message_id)
        context = MessageContext(message_id, room_id, seq, client_id, author, html, now, pictures=tuple(pictures))
        log.write(MessagePosted(room_id, seq, message_id, author.id, context))
    return Posted(message_id, room_id, seq)


def edit_message(message_id: str, editor_id: str, body: str) -> Posted:
    """Give a message of one's own another text; what it said before is kept. The same text again changes nothing.

    :raises NotFound: it cannot be seen.
    :raises NotAllowed: it is somebody else's, or too old.
    :raises Conflict: it is deleted.
    :raises Invalid: nothing is left of it, or too much, or a rule does not let it through.
    """
    before = queries.get_visible(message_id, editor_id)
    policy.require_may_edit(before, editor_id, clock.now())
    draft = Draft("edit", body, editor_id, before.room_id)
    verdict = screens.screen.judge(draft) if _differs(before, body) else None
    if verdict is not None and verdict.stops:
        raise screens.screen.refuse(draft, verdict)
    with transaction():
        log.lock(before.room_id)
        message = queries.get_visible(message_id, editor_id)
        now = clock.now()
        room_policy.require_may_write(rooms.get_membership(message.room_id, editor_id).membership, now)
        policy.require_may_edit(message, editor_id, now)
        if not _differs(message, body):
            return Posted(message_id, message.room_id, message.seq)
        check_body(body, message.pictures)
        seq = log.take(message.room_id)
        versions = db.session.execute(select(func.count()).where(MessageVersion.message_id == message_id)).scalar_one()
        since = message.edited_at or message.created_at
        db.session.execute(
            insert(MessageVersion).values(
                message_id=message_id, version=versions + 1, body=message.body, created_at=since
            )
        )
        db.session.execute(update(Message).where(Message.id == message_id).values(body=body, edited_at=now))
        if verdict is not None:
            screens.screen.note(draft, verdict, message_id)
        log.write(MessageEdited(message.room_id, seq, message_id, editor_id))
    return Posted(message_id, message.room_id, message.seq)


def withdraw(held_id: str, author_id: str) -> str:
    """Take back a message of one's own that waits for a moderator; return the id of its room.

    Nobody sees it any more; its text is kept as that of a message one has deleted.

    :raises NotFound: there is none, or somebody has decided over it.
    """
    with transaction():
        held = queries.get_held(held_id)
        mine = (HeldMessage.id == held_id, HeldMessage.author_id == author_id, HeldMessage.state == "waiting")
        back = update(HeldMessage).where(*mine).values(state="withdrawn", decided_by=author_id, decided_at=clock.now())
        gone = db.session.execute(back.execution_options(synchronize_session=False))
        if gone.rowcount != 1:  # type: ignore[attr-defined]
            raise NotFound("This message waits no longer. Look whether it was posted.")
        emit(HeldChanged(held_id, held.room_id, author_id))
    return held.room_id


def delete_message(message_id: str, actor_id: str, role: str, reason: str = "") -> Posted:
    """Take a message away: one's own, or as a moderator with a reason. Its row stays.

    What its author has deleted a moderator can still remove: from then on its author does not bring it back.

    :param role: of the actor, on the site.

    :raises NotFound: it cannot be seen.
    :raises NotAllowed: it is somebody else's.
    :raises Invalid: a moderator gave no reason.
    :raises Conflict: it is deleted already.
    """
    with transaction():
        seq, message = _locked(partial(queries.get_visible, message_id, actor_id))
        moderates = message.author_id != actor_id and rooms.moderates(message.room_id, actor_id, role)
        policy.require_may_delete(message, actor_id, moderates, reason)
        if message.author_id != actor_id:
            # Before the log's event, which is the last to be answered for: people come before the audit log's lock.
            emit(RemovedByModerator(message_id, message.room_id, message.author_id, reason))
        return _take_away(message, seq, actor_id, moderates, reason)


def take_over(message_id: str, actor_id: str, reason: str, find: Callable[[], Message]) -> Posted:
    """Take a message away, also in a room that one is not in, and in a direct one; also one that its author has deleted.

    :param find: returns the message, or raises where this person may not remove it; called before and under the room's lock.
    :raises Invalid: there is no reason.
    :raises Conflict: it is deleted already.
    """
    with transaction():
        seq, message = _locked(find)
        return _take_away(message, seq, actor_id, True, reason)


def restore_message(message_id: str, actor_id: str, role: str) -> Posted:
    """Put a deleted message back in its place, for everybody.

    :param role: of the actor, on the site.

    :raises NotFound: it cannot be seen.
    :raises NotAllowed: it is not one's own deletion of a moment ago, and one does not moderate.
    :raises Conflict: it is not deleted.
    """

    def find() -> Message:
        message = queries.get_visible(message_id, actor_id)
        moderates = rooms.moderates(message.room_id, actor_id, role)
        policy.require_may_restore(message, actor_id, moderates, clock.now())
        if message.author_id == actor_id and message.deleted_at is not None:
            room_policy.require_may_write(rooms.get_membership(message.room_id, actor_id).membership, clock.now())
        return message

    return put_back(message_id, actor_id, find)


def put_back(message_id: str, actor_id: str, find: Callable[[], Message]) -> Posted:
    """Put a deleted message back.

    :param find: returns the message, or raises where this person may not restore it; called before and under the room's lock.
    :raises NotAllowed: it is one's own, and somebody else took it away; or somebody of a higher rank did.
    :raises Conflict: it is not deleted.
    """
    with transaction():
        seq, message = _locked(find)
        if message.deleted_at is None:
            raise Conflict("This message is back already.")
        if message.purged_at is not None:
            raise Conflict("The text of this message is destroyed for good, so it cannot be put back.")
        policy.require_not_own(message, actor_id)
        if message.deleted_by not in (actor_id, message.author_id):
            roles = people.roles([actor_id, message.deleted_by or ""])
            policy.require_may_undo(roles.get(actor_id, ""), roles.get(message.deleted_by or ""))
        people.lock([message.author_id])
        _count_as_read(message.room_id, [message], by=-1)
        if actor_id != message.author_id:  # before the log's event, as above
            was = (message.deleted_by, message.delete_reason)
            emit(PutBackByModerator(message_id, message.room_id, message.author_id, actor_id, *was))
        values = {"deleted_at": None, "deleted_by": None, "delete_reason": ""}
        if message.deleted_by != message.author_id:
            values["sweep_id"] = None  # its author's own deletion leaves it to a sweep that has not come to it yet
        db.session.execute(update(Message).where(Message.id == message_id).values(**values))
        log.write(MessageRestored(message.room_id, seq, message_id, actor_id))
    return Posted(message_id, message.room_id, message.seq)


def take_away_again(
    message_id: str, actor_id: str, removed_by: str | None, reason: str, find: Callable[[], Message]
) -> Posted:
    """Undo ``put_back``: the message is as it was, removed by the same person for the same reason.

    :param find: as of ``put_back``.
    :raises Conflict: it is deleted.
    """
    with transaction():
        seq, message = _locked(find)
        policy.require_standing(message, actor_id)
        if removed_by != message.author_id:
            emit(RemovedByModerator(message_id, message.room_id, message.author_id, reason))
        _count_as_read(message.room_id, [message] if message.deleted_at is None else [])
        values = {"deleted_at": clock.now(), "deleted_by": removed_by, "delete_reason": reason, "sweep_id": None}
        db.session.execute(update(Message).where(Message.id == message_id).values(**values))
        log.write(MessageDeleted(message.room_id, seq, message_id, actor_id))
    return Posted(message_id, message.room_id, message.seq)


def give_to_sweep(which: Select[str], sweep_id: str | None) -> int:
    """Have messages be those that a sweep is to remove, inside ``transaction()``; return how many they are.

    What an earlier one has not come to yet is of the later one. Whoever tells its author locks them before, as everybody does
    who removes a message: the author first, then messages.

    :param which: selects their ids.
    :param sweep_id: None: of no sweep any more.
    """
    # In one order, as ``_change_many``: of two at once one waits for the other, and never both.
    locked = which.order_by(Message.id).with_for_update(of=Message)
    found = list(db.session.execute(locked).scalars())
    if found:
        db.session.execute(update(Message).where(Message.id.in_(found)).values(sweep_id=sweep_id))
    return len(found)


def remove_many(room_id: str, message_ids: Sequence[str], actor_id: str, reason: str, sweep_id: str) -> list[str]:
    """Take messages of one room that a sweep has away in one go, inside ``transaction()``; return those still there.

    :param message_ids: at most some hundred; the room is locked meanwhile.
    """
    log.lock(room_id)
    which = (
        Message.id.in_(sorted(set(message_ids))), Message.room_id == room_id, Message.sweep_id == sweep_id,
        queries.standing(),
    )  # fmt: skip
    values = {"deleted_at": clock.now(), "deleted_by": actor_id, "delete_reason": reason}
    return _change_many(room_id, which, values, partial(MessageDeleted, sweep_id=sweep_id), actor_id)


def put_back_many(room_id: str, message_ids: Sequence[str], actor_id: str, sweep_id: str) -> list[str]:
    """Put messages of one room back that a sweep took away, inside ``transaction()``; return those that could be.

    :param message_ids: as of ``remove_many``.
    """
    log.lock(room_id)
    which = (
        Message.id.in_(sorted(set(message_ids))), Message.room_id == room_id, Message.sweep_id == sweep_id,
        Message.deleted_at.is_not(None), Message.purged_at.is_(None),
    )  # fmt: skip
    values = {"deleted_at": None, "deleted_by": None, "delete_reason": "", "sweep_id": None}
    return _change_many(room_id, which, values, MessageRestored, actor_id)


@dataclass(frozen=True)
class Destroyed:
    """What was destroyed of one message. Nothing in it is its text."""

    message_id: str
    room_id: str
    seq: int
    author_id: str
    posted_at: datetime
    removed_at: datetime
    #: A keyed hash of the last text: proof that something was there, for whoever has the text and asks us.
    fingerprint: str
    versions: int
    files: int


def destroy_texts(
    room_id: str,
    message_ids: Sequence[str],
    actor_id: str | None,
    spared: ColumnElement[bool],
    spared_held: ColumnElement[bool],
) -> list[Destroyed]:
    """Destroy removed messages of one room for good, inside ``transaction()``: text, versions, pictures, a held copy.

    Their tombstones stay, with a keyed hash of the text. What is back, or destroyed already, is left out.

    :param message_ids: at most a few hundred; the room is locked meanwhile.
    :param spared: what a row of ``Message`` must not be; asked under the lock.
    :param spared_held: what a row of ``HeldMessage`` must not be, else the copy stays.
    """
    log.lock(room_id)
    statement = select(Message).where(
        Message.id.in_(sorted(set(message_ids))), Message.room_id == room_id, Message.deleted_at.is_not(None),
        Message.purged_at.is_(None), not_(spared),
    )  # fmt: skip
    found = (
        db.session.execute(statement.order_by(Message.seq).execution_options(populate_existing=True)).scalars().all()
    )
    if not found:
        return []
    gone = [each.id for each in found]
    versions = Counter(
        db.session.execute(select(MessageVersion.message_id).where(MessageVersion.message_id.in_(gone))).scalars()
    )
    shown = select(Attachment.message_id, Attachment.picture_id).where(Attachment.message_id.in_(gone))
    files = db.session.execute(shown).all()
    pictures = Counter(row.message_id for row in files)
    destroyed = [
        Destroyed(
            each.id, room_id, each.seq, each.author_id, each.created_at, cast("datetime", each.deleted_at),
            _fingerprint(room_id, each.body), versions[each.id], pictures[each.id],
        )
        for each in found
    ]  # fmt: skip
    now = clock.now()
    db.session.connection().execute(
        _EMPTY, [{"message": each.message_id, "hash": each.fingerprint, "now": now} for each in destroyed]
    )
    db.session.expire_all()
    db.session.execute(delete(MessageVersion).where(MessageVersion.message_id.in_(gone)))
    held = tuple_(HeldMessage.author_id, HeldMessage.client_id).in_(
        [(each.author_id, each.client_id) for each in found]
    )
    db.session.execute(
        update(HeldMessage)
        .where(held, not_(spared_held))
        .values(body="", digest="", pictures=[])
        .execution_options(synchronize_session=False)
    )
    discard(*(row.picture_id for row in files))
    places, contexts = log.take_many(room_id, len(gone)), queries.contexts(gone)
    log.write(
        *(MessagePurged(room_id, seq, each, actor_id, contexts[each]) for seq, each in zip(places, gone, strict=True))
    )
    return destroyed


def mark_read(room_id: str, user_id: str, seq: int) -> None:
    """Note that somebody has read a room up to a ``seq``; never back, never beyond what there is.

    :raises NotFound: they are not in it.
    """
    head = select(Room.head).where(Room.id == room_id).scalar_subquery()
    mine = (Membership.room_id == room_id, Membership.user_id == user_id)
    known = db.session.execute(select(Membership.last_read_seq, head).where(*mine)).one_or_none()
    if known is None:
        raise NoSuchRoom
    read, last = known
    seq = min(seq, last)
    if seq <= read:
        return
    left = (
        select(func.count())
        .where(Message.room_id == room_id, Message.seq > seq, Message.deleted_at.is_(None))
        .scalar_subquery()
    )
    posted = select(Room.posted).where(Room.id == room_id).scalar_subquery()
    with transaction():
        # First the row's lock, then what is left is counted: whoever takes a message away meanwhile waits, or is seen.
        db.session.execute(select(Membership.last_read_seq).where(*mine).with_for_update(key_share=True))
        db.session.execute(
            update(Membership)
            .where(*mine, Membership.last_read_seq < seq)
            .values(last_read_seq=seq, last_read_number=posted - left)
            .execution_options(synchronize_session=False)
        )
        emit(RoomRead(room_id, user_id))


def count_unread(room_id: str, user_id: str) -> None:
    """Count the unread messages of a member again, inside ``transaction()``: they were out of the room meanwhile."""
    fresh = (Message.room_id == room_id, Message.seq > Membership.last_read_seq, Message.deleted_at.is_(None))
    left = select(func.count()).where(*fresh).correlate(Membership).scalar_subquery()
    posted = select(Room.posted).where(Room.id == room_id).scalar_subquery()
    mine = (Membership.room_id == room_id, Membership.user_id == user_id)
    statement = update(Membership).where(*mine).values(last_read_number=posted - left)
    db.session.execute(statement.execution_options(synchronize_session=False))


def _hold(draft: Draft, verdict: Verdict, client_id: str, pictures: Sequence[PictureContext]) -> Held:
    """Keep a message for a moderator; the same ``client_id`` again finds the one that is kept.

    :raises Stopped: what was written just before makes a rule do more than hold it.
    """
    held_id, room_id = ids.new(), cast("str", draft.room_id)
    repeat = _find_held(draft, client_id)
    if repeat is not None:
        return repeat
    try:
        with transaction():
            log.lock(room_id)
            room_policy.require_may_write(rooms.get_membership(room_id, draft.author_id).membership, clock.now())
            found = screens.screen.judge_locked(draft, verdict, None) or verdict
            if found.action != "hold":
                raise Stopped(found)
            if pictures:
                repeat = _find_held(draft, client_id)  # two of the same at once
                if repeat is not None:
                    return repeat
                _take_pictures(draft.author_id, pictures)
                if not queries.are_unsent([each.id for each in pictures], draft.author_id):
                    raise Invalid("A picture of this message was sent, or taken back, already. Choose it once more.")
            if queries.waiting_of(draft.author_id) >= WAITING_LIMIT:
                raise Invalid(
                    f"{WAITING_LIMIT} messages of yours wait for a moderator. Wait until they were looked at."
                )
            db.session.execute(
                insert(HeldMessage).values(
                    id=held_id, room_id=room_id, author_id=draft.author_id, client_id=client_id, body=draft.text,
                    digest=_digest(room_id, draft.text), pictures=[each.id for each in pictures],
                    created_at=clock.now(), sentence=found.sentence, label=found.label,
                )
            )  # fmt: skip
            screens.screen.note(draft, found, None)
            emit(HeldChanged(held_id, room_id, draft.author_id))
    except IntegrityError:  # two of the same at once
        repeat = _find_held(draft, client_id)
        if repeat is None:
            raise
        return repeat
    return Held(held_id, room_id)


def _take_pictures(author_id: str, pictures: Sequence[PictureContext]) -> None:
    """Lock the pictures of a message, and see that no held one has them.

    :raises Invalid: one does, or did and was not let through.
    """
    wanted = {each.id for each in pictures}
    queries.lock_pictures(wanted)
    if wanted & queries.kept_pictures(author_id):
        raise Invalid(
            "A picture of this message is in one that waits for a moderator, or was not let through. "
            "Choose the file once more."
        )


def discard_picture(picture_id: str, owner_id: str) -> None:
    """Destroy a picture of one's own that was not sent.

    :raises NotFound: there is none, or it was sent.
    :raises Conflict: it is in a message that went to a moderator.
    """
    with transaction():
        queries.lock_pictures([picture_id])
        if queries.own_unsent(picture_id, owner_id) is None:
            raise NotFound
        if picture_id in queries.kept_pictures(owner_id):
            raise Conflict("This picture is in a message that went to a moderator, so it is kept with it.")
        discard(picture_id)


def _find_held(draft: Draft, client_id: str) -> Held | None:
    """Return what is kept under a ``client_id`` already, or None.

    :raises Invalid: it was another message, or was refused.
    """
    known = queries.held_by_client_id(draft.author_id, client_id)
    if known is None:
        return None
    if known.digest != _digest(known.room_id, draft.text) or known.room_id != draft.room_id:
        raise Invalid("This form has sent another message already. Send the text once more.")
    if known.state == "withdrawn":
        raise Invalid("You took this message back. Send the text once more.")
    if known.state == "refused":
        raise Invalid(f"A moderator did not let this message through: {known.reason}")
    return Held(known.id, known.room_id, repeated=True)


def _next_place(room_id: str, message_id: str, now: datetime) -> tuple[int, int]:
    """Take the room's lock, and the ``seq`` and number of its next message: ``log.take``, with the room's own columns.

    :raises NotFound: there is no such room.
    """
    place = {"room": room_id, "message": message_id, "now": now}
    row = db.session.connection().execute(_PLACE, place).one_or_none()
    if row is None:
        raise NoSuchRoom
    return row[0], row[1]


def _differs(message: Message, body: str) -> bool:
    """Tell whether a text differs from that of a message, white space at the ends apart."""
    return message.body.strip() != body.strip()


def _locked(find: Callable[[], Message]) -> tuple[int, Message]:
    """Take the lock of a message's room, and then read the message as it is."""
    seq = log.take(find().room_id)
    return seq, find()


def _take_away(message: Message, seq: int, actor_id: str, moderates: bool, reason: str) -> Posted:
    policy.require_may_delete(message, actor_id, moderates, reason)
    policy.require_standing(message, actor_id)
    _count_as_read(message.room_id, [message] if message.deleted_at is None else [])
    own = message.author_id == actor_id
    values = {"deleted_at": clock.now(), "deleted_by": actor_id, "delete_reason": "" if own else reason}
    if not own:
        values["sweep_id"] = None  # of a sweep that had not come to it yet
    posted = Posted(message.id, message.room_id, message.seq)
    before = "visible" if message.deleted_at is None else "deleted by its author"
    db.session.execute(update(Message).where(Message.id == message.id).values(**values))
    log.write(MessageDeleted(posted.room_id, seq, posted.message_id, actor_id, before=before))
    return posted


def _count_as_read(room_id: str, messages: Sequence[Message], by: int = 1) -> None:
    """Count messages that are taken away as read, for members who have not come to them; inside ``transaction()``.

    What is unread is the room's ``posted`` less ``last_read_number``, so the latter moves. Under the room's lock, and after
    those of the people who are told: ``mark_read`` locks its row before it counts, so neither misses the other.

    :param by: -1: they are put back.
    """
    seqs = [each.seq for each in messages]
    if not seqs:
        return
    moved = sum(
        (case((Membership.last_read_seq < seq, by), else_=0) for seq in seqs[1:]),
        start=case((Membership.last_read_seq < seqs[0], by), else_=0),
    )
    unread_by = (Membership.room_id == room_id, Membership.last_read_seq < max(seqs))
    statement = update(Membership).where(*unread_by).values(last_read_number=Membership.last_read_number + moved)
    db.session.execute(statement.execution_options(synchronize_session=False))


def _change_many(
    room_id: str,
    which: Sequence[ColumnElement[bool]],
    values: Mapping[str, Any],
    event: Callable[..., LogEvent],
    actor_id: str,
) -> list[str]:
    """Change the messages of a locked room that are as asked, each with its own place in the log, in their order."""
    # A sweep that begins takes messages without the room's lock; what it took while we waited is not ours any more.
    statement = select(Message).where(*which).order_by(Message.id).with_for_update()
    found = db.session.execute(statement.execution_options(populate_existing=True)).scalars().all()
    changed = [each.id for each in sorted(found, key=lambda message: message.seq)]
    if changed:
        back = values["deleted_at"] is None
        _count_as_read(room_id, [each for each in found if back or each.deleted_at is None], by=-1 if back else 1)
        db.session.execute(update(Message).where(Message.id.in_(changed)).values(**values))
        places, contexts = log.take_many(room_id, len(changed)), queries.contexts(changed)
        log.write(
            *(event(room_id, seq, each, actor_id, contexts[each]) for seq, each in zip(places, changed, strict=True))
        )
    return changed


def _fingerprint(room_id: str, body: str) -> str:
    """Return the keyed hash of a text that takes the place of its digest: who has the table cannot try out texts."""
    return keys.seal(keys.derive("purged text"), room_id, body)


def _digest(room_id: str, body: str) -> str:
    return hashlib.sha256(f"{room_id}\0{body}".encode("utf-8", "replace")).hexdigest()
