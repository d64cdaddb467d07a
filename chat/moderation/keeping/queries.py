"""What is under a hold, what can be destroyed, what waits for it, and receipts of what was."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, exists, func, or_, select
from sqlalchemy.orm import aliased

from chat.accounts import queries as accounts
from chat.accounts.contexts import PersonContext
from chat.accounts.models import User
from chat.core import clock
from chat.core.database import db
from chat.core.errors import NotFound
from chat.core.log import Meta
from chat.messages.models import Attachment, HeldMessage, Message, MessageVersion
from chat.messages.queries import kept_for
from chat.moderation.keeping import policy
from chat.moderation.keeping.contexts import (
    ApproveForm,
    HoldContext,
    HoldForm,
    KeepingFoot,
    PurgeContext,
    PurgeForm,
    ReceiptPage,
    RetentionPreview,
)
from chat.moderation.keeping.models import Hold, Purge
from chat.rooms import kinds
from chat.rooms.contexts import Choice
from chat.rooms.models import Room
from chat.rooms.queries import Reach

#: The fact of ``Meta`` that is there when two people have to agree to a purge.
APPROVAL = "purge_approval"
#: The fact that is the lock of whoever makes a hold, shared by whoever destroys texts.
LOCK = "holds"
#: Rows of an export that are read at once.
_STRETCH = 500

_requester = aliased(User)


def on_hold(kind: type[Message] | type[HeldMessage] = Message) -> ColumnElement[bool]:
    """Return what a row of a kind of message is that a hold covers."""
    return exists().where(_in_force(kind.author_id, kind.room_id, kind.created_at))


def _in_force(author_id: Any, room_id: Any, created_at: Any) -> ColumnElement[bool]:
    """Return what a row of ``Hold`` is that covers a message; the parameters are columns or values."""
    return and_(
        Hold.released_at.is_(None),
        or_(Hold.person_id.is_(None), Hold.person_id == author_id),
        or_(Hold.room_id.is_(None), Hold.room_id == room_id),
        or_(Hold.since.is_(None), Hold.since <= created_at),
        or_(Hold.until.is_(None), Hold.until > created_at),
    )


def needs_two() -> bool:
    """Tell whether two people have to agree to a purge."""
    return bool(db.session.execute(select(Meta.value).where(Meta.name == APPROVAL)).scalar())


# -- one message


def get_removed(reach: Reach, message_id: str) -> Message:
    """Return a removed message within reach, for writing.

    :raises NotFound: there is none of that id.
    """
    statement = select(Message).join(Room, Room.id == Message.room_id).where(
        Message.id == message_id, Message.deleted_at.is_not(None), reach.condition()
    )  # fmt: skip
    found = db.session.execute(statement.execution_options(populate_existing=True)).scalar_one_or_none()
    if found is None:
        raise NotFound("This message is gone, or was put back.")
    return found


def is_held(message_id: str) -> bool:
    """Tell whether a message is under a hold."""
    return bool(db.session.execute(select(exists().where(Message.id == message_id, on_hold()))).scalar())


def foot(reach: Reach, message_id: str, author_id: str, room_id: str, created_at: datetime) -> KeepingFoot:
    """Return what the foot of a removed message says about keeping it."""
    names = select(Hold.name).where(_in_force(author_id, room_id, created_at))
    waiting = select(exists().where(Purge.message_id == message_id, Purge.done_at.is_(None)))
    return KeepingFoot(
        message_id,
        tuple(db.session.execute(names).scalars()),
        bool(db.session.execute(waiting).scalar()),
        reach.may_everywhere("purge.request"),
    )


def purge_form(reach: Reach, message_id: str) -> PurgeForm:
    """Return the form to destroy the text of a removed message within reach.

    :raises NotFound: there is none of that id.
    """
    message = get_removed(reach, message_id)
    author = accounts.people([message.author_id])[message.author_id]
    room = db.session.execute(select(Room.name).where(Room.id == message.room_id)).scalar_one()
    versions = select(func.count()).where(MessageVersion.message_id == message_id)
    return PurgeForm(message_id, author, room, db.session.execute(versions).scalar_one(), message.pictures, needs_two())


# -- what waits, and what was done


def waiting(reach: Reach, purge_id: str = "") -> tuple[PurgeContext, ...]:
    """Return the purges within reach that wait for somebody to agree, oldest first.

    :param purge_id: id of the only purge to return; empty for all.
    """
    which = [Purge.id == purge_id] if purge_id else []
    statement = (
        select(
            Purge.id, Purge.message_id, Message.author_id, User.name, User.picture_id, Room.name.label("room"),
            Purge.requested_by, _requester.name.label("requester"), _requester.picture_id.label("face"),
            Purge.requested_at, Purge.reason,
        )
        .join(Message, Message.id == Purge.message_id)
        .join(Room, Room.id == Message.room_id)
        .join(User, User.id == Message.author_id)
        .outerjoin(_requester, _requester.id == Purge.requested_by)
        .where(Purge.done_at.is_(None), reach.condition(), *which)
        .order_by(Purge.requested_at)
        .limit(100)
    )  # fmt: skip
    return tuple(
        PurgeContext(
            row.id, row.message_id, PersonContext(row.author_id, row.name, row.picture_id), row.room,
            PersonContext(row.requested_by, row.requester, row.face) if row.requester else None, row.requested_at, row.reason,
        )
        for row in db.session.connection().execute(statement)
    )  # fmt: skip


def approve_form(reach: Reach, purge_id: str) -> ApproveForm:
    """Return the form to agree to a waiting purge within reach.

    :raises NotFound: there is none of that id.
    """
    get_waiting(reach, purge_id)
    (found,) = waiting(reach, purge_id)
    form = purge_form(reach, found.message_id)
    posted = select(Message.created_at, Message.deleted_at).where(Message.id == found.message_id)
    at, removed = db.session.execute(posted).one()
    return ApproveForm(found, at, removed, form.versions, form.files, policy.WORD)


def get_waiting(reach: Reach, purge_id: str) -> Purge:
    """Return a purge within reach that waits, for deciding it.

    :raises NotFound: there is none of that id.
    """
    statement = (
        select(Purge)
        .join(Message, Message.id == Purge.message_id)
        .join(Room, Room.id == Message.room_id)
        .where(Purge.id == purge_id, Purge.done_at.is_(None), reach.condition())
    )
    found = db.session.execute(statement.execution_options(populate_existing=True)).scalar_one_or_none()
    if found is None:
        raise NotFound("Somebody has decided this already.")
    return found


def receipt(purge_id: str, viewer_id: str, reach: Reach | None) -> tuple[ReceiptPage, str]:
    """Return a receipt as a page and as it was sealed, for the author of the message and for moderators within reach.

    :param reach: None for somebody who moderates nothing.
    :raises NotFound: there is none of that id for them.
    """
    seen: ColumnElement[bool] = Message.author_id == viewer_id
    if reach is not None and reach.may_everywhere("purge.request"):
        seen = or_(seen, reach.condition())
    statement = (
        select(Purge.receipt, Purge.seal, Room.name)
        .join(Message, Message.id == Purge.message_id)
        .join(Room, Room.id == Message.room_id)
        .where(Purge.id == purge_id, Purge.done_at.is_not(None), seen)
    )
    row = db.session.execute(statement).one_or_none()
    if row is None:
        raise NotFound
    told = json.loads(row.receipt)
    posted, removed, purged = (datetime.fromisoformat(told[name]) for name in ("posted_at", "removed_at", "purged_at"))
    page = ReceiptPage(
        purge_id, row.name, posted, removed, purged, told["reason"], told["versions"], told["files"], told["fingerprint"],
        row.seal,
    )  # fmt: skip
    return page, row.receipt


# -- retention


def overdue(span: timedelta | None) -> ColumnElement[bool]:
    """Return which messages are kept longer than a time: removed, not destroyed, and under no hold."""
    if span is None:
        return Message.id.is_(None)
    return and_(_removed_before(span), ~on_hold())


def _removed_before(span: timedelta) -> ColumnElement[bool]:
    """Return what a row of ``Message`` is that was removed so long ago and is not destroyed."""
    return and_(Message.deleted_at.is_not(None), Message.deleted_at <= clock.now() - span, Message.purged_at.is_(None))


def next_slice(limit: int) -> tuple[str, list[str]] | None:
    """Return a room with messages that are kept too long, and the first of them; None when there are none."""
    span = kept_for()
    first = select(Message.room_id).where(overdue(span)).order_by(Message.deleted_at, Message.id).limit(1)
    room_id = db.session.execute(first).scalar()
    if room_id is None:
        return None
    found = select(Message.id).where(overdue(span), Message.room_id == room_id).order_by(Message.deleted_at, Message.id)
    return room_id, list(db.session.execute(found.limit(limit)).scalars())


def held_overdue(limit: int) -> Sequence[Row[str, str, list[str]]]:
    """Return the id, room and pictures of held messages that were refused, or taken back, longer ago than removed text is kept.

    None that a legal hold covers.
    """
    span = kept_for()
    if span is None:
        return []
    statement = select(HeldMessage.id, HeldMessage.room_id, HeldMessage.pictures)
    return db.session.execute(statement.where(_not_posted_before(span), ~on_hold(HeldMessage)).limit(limit)).all()


def _not_posted_before(span: timedelta) -> ColumnElement[bool]:
    """Return what a row of ``HeldMessage`` is that was refused, or taken back, so long ago and is not destroyed."""
    return and_(
        HeldMessage.state.in_(("refused", "withdrawn")), HeldMessage.decided_at <= clock.now() - span,
        HeldMessage.digest != "",
    )  # fmt: skip


def preview(days: int | None) -> RetentionPreview:
    """Return what a number of days would destroy at once."""
    span = kept_for()
    before = span.days if span else None
    asked = "" if days is None else str(days)
    if days is None:
        return RetentionPreview(asked, before, 0, 0, 0, 0, None)
    old = _removed_before(timedelta(days=days))
    held = on_hold().label("held")
    # One pass over what is old, which may be most of what was ever removed.
    counted = select(held, func.count(), func.coalesce(func.sum(Message.pictures), 0), func.min(Message.deleted_at))
    found = {row[0]: row[1:] for row in db.session.execute(counted.where(old).group_by(held))}
    messages, files, oldest = found.get(False, (0, 0, None))
    changed = Message.edited_at.is_not(None)  # those that have versions, which are in an index of their own
    of_it = exists().where(Message.id == MessageVersion.message_id, changed, old, ~on_hold())
    edited = select(func.count()).select_from(MessageVersion).where(of_it)
    # And what was held and not posted: its moment is that of the decision.
    holding = on_hold(HeldMessage).label("held")
    statement = select(holding, HeldMessage.pictures, HeldMessage.decided_at)
    unposted = db.session.execute(statement.where(_not_posted_before(timedelta(days=days)))).all()
    due = [row for row in unposted if not row[0]]
    return RetentionPreview(
        asked, before, messages + len(due), db.session.execute(edited).scalar_one(),
        files + sum(len(pictures) for _, pictures, _ in due), found.get(True, (0,))[0] + len(unposted) - len(due),
        min((each for each in (oldest, *(moment for _, _, moment in due)) if each is not None), default=None),
    )  # fmt: skip


# -- holds


def covered(hold: Hold, kind: type[Message] | type[HeldMessage] = Message) -> ColumnElement[bool]:
    """Return which rows of a kind of message a hold covers, without those of direct rooms."""
    conditions = [
        kind.author_id == hold.person_id if hold.person_id else None,
        kind.room_id == hold.room_id if hold.room_id else None,
        kind.created_at >= hold.since if hold.since else None,
        kind.created_at < hold.until if hold.until else None,
    ]
    shown = select(Room.id).where(Room.kind.in_(kinds.moderated()))
    return and_(kind.room_id.in_(shown), *(each for each in conditions if each is not None))


def get_hold(hold_id: str) -> Hold:
    """Return a hold.

    :raises NotFound: there is none of that id.
    """
    hold = db.session.get(Hold, hold_id, populate_existing=True)
    if hold is None:
        raise NotFound("There is no such hold.")
    return hold


def holds() -> tuple[HoldContext, ...]:
    """Return all holds, those in force first, latest first."""
    statement = select(Hold).order_by(Hold.released_at.is_not(None), Hold.created_at.desc()).limit(100)
    rows = db.session.execute(statement).scalars().all()
    people = accounts.people({each for row in rows for each in (row.person_id, row.created_by) if each})
    named = select(Room.id, Room.name).where(Room.id.in_([row.room_id for row in rows if row.room_id]))
    rooms = dict(db.session.execute(named).all())
    return tuple(_hold(row, people, rooms) for row in rows)


def hold(hold_id: str) -> HoldContext:
    """Return a hold, with how much it covers.

    :raises NotFound: there is none of that id.
    """
    row = get_hold(hold_id)
    people = accounts.people([each for each in (row.person_id, row.created_by) if each])
    rooms = dict(db.session.execute(select(Room.id, Room.name).where(Room.id == row.room_id)).all())
    counted = select(func.count(), func.count(Message.deleted_at)).where(covered(row))
    return _hold(row, people, rooms, *db.session.execute(counted).one())


def hold_form() -> HoldForm:
    """Return the form to make a hold, with the rooms and people that it may be about."""
    rooms = select(Room.id, Room.name).where(Room.kind.in_(kinds.moderated())).order_by(Room.folded_name).limit(500)
    people = select(User.id, User.name).order_by(User.folded_name).limit(1000)
    return HoldForm(
        tuple(Choice(*row) for row in db.session.execute(rooms)),
        tuple(Choice(*row) for row in db.session.execute(people)),
    )


def exported(hold: Hold) -> Iterator[dict[str, Any]]:
    """Yield the messages that a hold covers, as they are handed over: those that were posted, then those that were held."""
    yield from _exported_messages(hold)
    yield from _exported_held(hold)


def _exported_messages(hold: Hold) -> Iterator[dict[str, Any]]:
    statement = (
        select(
            Message.id, Message.room_id, Room.name.label("room"), Message.seq, Message.author_id, User.name.label("author"),
            Message.body, Message.created_at, Message.edited_at, Message.deleted_at, Message.deleted_by,
            Message.delete_reason, Message.purged_at,
        )
        .join(Room, Room.id == Message.room_id)
        .join(User, User.id == Message.author_id)
        .where(covered(hold))
    )  # fmt: skip
    for rows in _stretches(statement, Message.id):
        found = [row.id for row in rows]
        versions = _by_message(
            select(MessageVersion.message_id, MessageVersion.body, MessageVersion.created_at)
            .where(MessageVersion.message_id.in_(found))
            .order_by(MessageVersion.message_id, MessageVersion.version)
        )
        shown = _by_message(
            select(Attachment.message_id, Attachment.picture_id)
            .where(Attachment.message_id.in_(found))
            .order_by(Attachment.message_id, Attachment.position)
        )
        for row in rows:
            told = {name: _plain(value) for name, value in row._mapping.items()}
            told["versions"] = [{"body": each.body, "at": _plain(each.created_at)} for each in versions.get(row.id, ())]
            told["pictures"] = [each.picture_id for each in shown.get(row.id, ())]
            yield told


def _exported_held(hold: Hold) -> Iterator[dict[str, Any]]:
    """Yield what was held and not posted; ``held`` says whether it waits, was refused or taken back."""
    statement = (
        select(
            HeldMessage.id, HeldMessage.room_id, Room.name.label("room"), HeldMessage.author_id, User.name.label("author"),
            HeldMessage.body, HeldMessage.created_at, HeldMessage.state.label("held"), HeldMessage.label.label("rule"),
            HeldMessage.decided_at, HeldMessage.decided_by, HeldMessage.reason, HeldMessage.pictures,
        )
        .join(Room, Room.id == HeldMessage.room_id)
        .join(User, User.id == HeldMessage.author_id)
        .where(covered(hold, HeldMessage), HeldMessage.state != "approved")
    )  # fmt: skip
    for rows in _stretches(statement, HeldMessage.id):
        for row in rows:
            yield {name: _plain(value) for name, value in row._mapping.items()}


def _stretches(statement: Select[*tuple[Any, ...]], key: Any) -> Iterator[Sequence[Row[*tuple[Any, ...]]]]:
    """Yield the rows of a statement in the order of their id, some hundreds at a time."""
    after = ""
    while rows := db.session.connection().execute(statement.where(key > after).order_by(key).limit(_STRETCH)).all():
        yield rows
        after = rows[-1].id


def _by_message(statement: Any) -> dict[str, list[Row[Any]]]:
    found: dict[str, list[Row[Any]]] = {}
    for row in db.session.connection().execute(statement):
        found.setdefault(row.message_id, []).append(row)
    return found


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _hold(
    row: Hold, people: dict[str, PersonContext], rooms: dict[str, str], messages: int = 0, removed: int = 0
) -> HoldContext:
    creator = people.get(row.created_by or "")
    return HoldContext(
        row.id, row.name, people.get(row.person_id or ""), rooms.get(row.room_id or "", ""), row.since, row.until, row.reason,
        creator.name if creator else "", row.created_at, row.released_at, messages, removed,
    )  # fmt: skip
