"""Messages by page, by id, and what lists say about them. Pages are found by ``seq``, never by offset or time."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Boolean, ColumnElement, Row, Select, and_, bindparam, func, or_, select

from chat.accounts.contexts import PersonContext
from chat.accounts.models import User
from chat.core import clock, names
from chat.core.database import db
from chat.core.errors import NotFound
from chat.core.log import Meta
from chat.core.memories import remembered
from chat.messages.body import to_html, to_line
from chat.messages.contexts import (
    DeletionContext,
    HeldContext,
    MessageContext,
    MessageItem,
    PictureContext,
    TimelinePage,
)
from chat.messages.models import UNDO_WINDOW, Attachment, HeldMessage, Message, MessageVersion
from chat.pictures.models import Picture
from chat.rooms import kinds
from chat.rooms.contexts import PreviewContext
from chat.rooms.models import Membership, Room

#: A row whose columns are read by name.
Found = Row[*tuple[Any, ...]]

#: Days for which the text of a removed message is kept, unless somebody chose otherwise.
KEPT_DAYS = 30
#: The fact of ``log.Meta`` that says so: a number of days, or nothing for "without an end".
RETENTION = "retention_days"

PAGE = 40
#: Messages shown before the first unread one, so that one knows where one was.
BEFORE_UNREAD = 12
#: Messages that wait, of one room, shown below its timeline.
HELD_SHOWN = 50
GROUP_WITHIN = timedelta(minutes=5)

_COLUMNS = (
    Message.id, Message.room_id, Message.seq, Message.client_id, Message.author_id, User.name, User.picture_id,
    Message.body, Message.pictures, Message.created_at, Message.edited_at,
    Message.deleted_at, Message.deleted_by, Message.delete_reason, Message.purged_at,
)  # fmt: skip


def _select() -> Select[*tuple[Any, ...]]:
    return select(*_COLUMNS).join(User, User.id == Message.author_id)


# Asked with every page and every message; built once, for building a statement costs several times what running it does.
_LATEST = _select().where(Message.room_id == bindparam("room")).order_by(Message.seq.desc()).limit(bindparam("most"))
_PREVIEWS = (
    select(Room.id, Room.kind, Message.author_id, User.name, Message.body, Message.pictures, Message.deleted_at)
    .join(Message, Message.id == Room.last_message_id)
    .join(User, User.id == Message.author_id)
    .where(Room.id.in_(bindparam("rooms", expanding=True)))
)
_KEPT_FOR = select(Meta.value).where(Meta.name == RETENTION)
_HELD = (
    select(
        HeldMessage.id, HeldMessage.room_id, HeldMessage.author_id, User.name, User.picture_id, HeldMessage.sentence,
        HeldMessage.label, HeldMessage.created_at, HeldMessage.body, HeldMessage.pictures,
    )
    .join(User, User.id == HeldMessage.author_id)
    .where(
        HeldMessage.room_id == bindparam("room"), HeldMessage.state == "waiting",
        or_(HeldMessage.author_id == bindparam("viewer"), bindparam("moderates", type_=Boolean)),
    )
    .order_by(HeldMessage.created_at, HeldMessage.id)
    .limit(bindparam("most"))
)  # fmt: skip
_BY_CLIENT_ID = select(Message.id, Message.room_id, Message.seq, Message.body, Message.digest).where(
    Message.author_id == bindparam("author"), Message.client_id == bindparam("client")
)


# -- how long what was removed is kept


def kept_for() -> timedelta | None:
    """Return for how long the text of a removed message is kept; None: without an end."""
    days = db.session.connection().execute(_KEPT_FOR).scalar()
    if days == "":
        return None
    return timedelta(days=int(days or KEPT_DAYS))


# -- pages


def latest(room_id: str, limit: int = PAGE) -> TimelinePage:
    """Return the end of a timeline."""
    rows = db.session.connection().execute(_LATEST, {"room": room_id, "most": limit + 1}).all()
    return _page(room_id, rows[:limit][::-1], older=len(rows) > limit, newer=False)


def before(room_id: str, seq: int, limit: int = PAGE) -> TimelinePage:
    """Return what comes right before a ``seq``, itself not included."""
    rows = _descending(room_id, Message.seq < seq, limit + 1)
    return _page(room_id, rows[:limit][::-1], older=len(rows) > limit, newer=_any(room_id, Message.seq >= seq))


def after(room_id: str, seq: int, limit: int = PAGE) -> TimelinePage:
    """Return what comes right after a ``seq``, itself not included."""
    rows = _ascending(room_id, Message.seq > seq, limit + 1)
    return _page(room_id, rows[:limit], older=_any(room_id, Message.seq <= seq), newer=len(rows) > limit)


def around(room_id: str, seq: int, limit: int = PAGE, lead: int = PAGE // 2) -> TimelinePage:
    """Return a ``seq`` with what is around it.

    :param lead: how many messages before it.
    """
    lead_rows = _descending(room_id, Message.seq < seq, lead + 1)
    rows = _ascending(room_id, Message.seq >= seq, limit - lead + 1)
    found = lead_rows[:lead][::-1] + rows[: limit - lead]
    return _page(room_id, found, older=len(lead_rows) > lead, newer=len(rows) > limit - lead)


def opening(room_id: str, last_read_seq: int, unread: int) -> TimelinePage:
    """Return what a room opens with: its end, or the first unread message if that is further up."""
    if unread <= PAGE - BEFORE_UNREAD:
        return latest(room_id)
    return around(room_id, last_read_seq + 1, lead=BEFORE_UNREAD)


def group(messages: Sequence[MessageContext]) -> tuple[MessageItem, ...]:
    """Mark the messages that go on from the one before.

    Days are broken by the page, which knows the reader's zone.
    """
    items = []
    previous: MessageContext | None = None
    for message in messages:
        continues = (
            previous is not None
            and previous.author.id == message.author.id
            and previous.deletion is None
            and message.deletion is None
            and message.created_at - previous.created_at < GROUP_WITHIN
        )
        items.append(MessageItem(message, continues))
        previous = message
    return tuple(items)


# -- single messages


def get_visible(message_id: str, viewer_id: str) -> Message:
    """Return a message of a room that somebody is in, for writing.

    :raises NotFound: there is none of that id, or they are not in its room; the two look the same.
    """
    statement = (
        select(Message)
        .join(Membership, and_(Membership.room_id == Message.room_id, Membership.user_id == viewer_id))
        .where(Message.id == message_id)
        .execution_options(populate_existing=True)
    )
    message = db.session.execute(statement).scalar_one_or_none()
    if message is None:
        raise NotFound("This message is gone, or you cannot see it.")
    return message


def contexts(message_ids: Collection[str]) -> dict[str, MessageContext]:
    """Return messages by id as they are now; unknown ids are left out."""
    rows = db.session.connection().execute(_select().where(Message.id.in_(sorted(set(message_ids))))).all()
    return {message.id: message for message in _contexts(rows)}


def said_at(message_ids: Collection[str], moment: datetime) -> dict[str, str]:
    """Return what some messages said at a moment, as typed, deleted since or not; nothing of one that was purged."""
    unpurged = (Message.id.in_(sorted(set(message_ids))), Message.purged_at.is_(None))
    now = select(Message.id, Message.body, func.coalesce(Message.edited_at, Message.created_at)).where(*unpurged)
    once = (
        select(MessageVersion.message_id, MessageVersion.body, MessageVersion.created_at)
        .join(Message, Message.id == MessageVersion.message_id)
        .where(*unpurged)
        .order_by(MessageVersion.message_id, MessageVersion.version.desc())
    )
    connection = db.session.connection()
    rows = [*connection.execute(now), *connection.execute(once)]
    found: dict[str, str] = {}
    for message_id, body, since in rows:  # what a message says now, and then what it said before, latest first
        if message_id not in found and since <= moment:
            found[message_id] = body
    return found


def by_client_id(author_id: str, client_id: str) -> Found | None:
    """Return what an author has posted under a ``client_id``, deleted or not."""
    return db.session.connection().execute(_BY_CLIENT_ID, {"author": author_id, "client": client_id}).one_or_none()


def standing() -> ColumnElement[bool]:
    """Return the SQL condition for messages that are shown, or that their author deleted and can still bring back."""
    since = clock.now() - UNDO_WINDOW
    taken_back = and_(Message.deleted_by == Message.author_id, Message.deleted_at > since, Message.purged_at.is_(None))
    return or_(Message.deleted_at.is_(None), taken_back)


# -- waiting for a moderator


def get_held(held_id: str) -> HeldMessage:
    """Return a message that was held, for writing. Who may see it is for the caller to ask.

    :raises NotFound: there is none of that id.
    """
    held = db.session.get(HeldMessage, held_id, populate_existing=True)
    if held is None:
        raise NotFound("This message is gone, or you cannot see it.")
    return held


def held_by_client_id(author_id: str, client_id: str) -> HeldMessage | None:
    """Return what was held of an author under a ``client_id``."""
    same = (HeldMessage.author_id == author_id, HeldMessage.client_id == client_id)
    return db.session.execute(select(HeldMessage).where(*same)).scalar_one_or_none()


def waiting_of(author_id: str) -> int:
    """Return how many messages of somebody wait."""
    mine = (HeldMessage.author_id == author_id, HeldMessage.state == "waiting")
    return db.session.execute(select(func.count()).select_from(HeldMessage).where(*mine)).scalar_one()


def held_in(room_id: str, viewer_id: str, moderates: bool) -> tuple[HeldContext, ...]:
    """Return what waits in a room, oldest first: one's own with its text, to moderators that of others without."""
    asked = {"room": room_id, "viewer": viewer_id, "moderates": moderates, "most": HELD_SHOWN}
    rows = db.session.connection().execute(_HELD, asked).all()
    return tuple(
        HeldContext(
            row.id, row.room_id, PersonContext(row.author_id, row.name, row.picture_id), own, row.sentence, row.label,
            row.created_at, to_html(row.body) if own else "", len(row.pictures),
        )
        for row, own in ((row, row.author_id == viewer_id) for row in rows)
    )  # fmt: skip


def kept_pictures(author_id: str | None = None) -> set[str]:
    """Return the pictures of messages that wait, or were not posted and are still kept."""
    kept = select(HeldMessage.pictures).where(HeldMessage.state != "approved")
    if author_id is not None:
        kept = kept.where(HeldMessage.author_id == author_id)
    return {each for pictures in db.session.execute(kept).scalars() for each in pictures}


# -- pictures


def picture_visible(picture_id: str, viewer_id: str) -> bool:
    """Tell whether somebody may see a picture: it is in a message they can see, or their own and not sent yet."""
    sent = select(Attachment.message_id, Message.deleted_at, Membership.user_id).where(
        Attachment.picture_id == picture_id
    )
    statement = sent.join(Message, Message.id == Attachment.message_id).outerjoin(
        Membership, and_(Membership.room_id == Message.room_id, Membership.user_id == viewer_id)
    )
    row = db.session.execute(statement).one_or_none()
    if row is not None:
        return row.deleted_at is None and row.user_id is not None
    return own_unsent(picture_id, viewer_id) is not None


def lock_pictures(picture_ids: Collection[str]) -> None:
    """Take the locks of pictures: of two messages that want one of them at once, the second sees the first."""
    statement = select(Picture.id).where(Picture.id.in_(sorted(picture_ids))).order_by(Picture.id).with_for_update()
    db.session.execute(statement)


def own_unsent(picture_id: str, owner_id: str) -> PictureContext | None:
    """Return a picture that somebody uploaded and has not sent, or None."""
    row = db.session.execute(_unsent([picture_id], owner_id)).one_or_none()
    return PictureContext(*row) if row else None


def are_unsent(picture_ids: Collection[str], owner_id: str) -> bool:
    """Tell whether somebody uploaded all of some pictures and has sent none of them."""
    return len(db.session.execute(_unsent(picture_ids, owner_id)).all()) == len(set(picture_ids))


def _unsent(picture_ids: Collection[str], owner_id: str) -> Select[str, int, int]:
    return (
        select(Picture.id, Picture.width, Picture.height)
        .outerjoin(Attachment, Attachment.picture_id == Picture.id)
        .outerjoin(User, User.picture_id == Picture.id)
        .where(
            Picture.id.in_(sorted(picture_ids)), Picture.owner_id == owner_id, Attachment.picture_id.is_(None),
            User.id.is_(None),
        )
    )  # fmt: skip


def picture_ids(message_id: str) -> list[str]:
    """Return the pictures of a message, deleted or not."""
    return list(db.session.execute(select(Attachment.picture_id).where(Attachment.message_id == message_id)).scalars())


def pictures_of(message_ids: Sequence[str]) -> dict[str, tuple[PictureContext, ...]]:
    """Return the pictures of messages, by message, deleted or not; whoever shows them has to look."""
    if not message_ids:
        return {}
    statement = (
        select(Attachment.message_id, Picture.id, Picture.width, Picture.height)
        .join(Picture, Picture.id == Attachment.picture_id)
        .where(Attachment.message_id.in_(message_ids))
        .order_by(Attachment.message_id, Attachment.position)
    )
    found: dict[str, tuple[PictureContext, ...]] = {}
    for message_id, picture_id, width, height in db.session.connection().execute(statement):
        found[message_id] = (*found.get(message_id, ()), PictureContext(picture_id, width, height))
    return found


# -- lists


def previews(room_ids: Collection[str]) -> dict[str, PreviewContext]:
    """Return one line of the last message of each room."""
    rows = db.session.connection().execute(_PREVIEWS, {"rooms": sorted(set(room_ids))})
    return {row.id: _preview(row) for row in rows}


def is_last(room_id: str, message_id: str) -> bool:
    """Tell whether a message is the one that lists show of its room."""
    return db.session.execute(select(Room.last_message_id).where(Room.id == room_id)).scalar() == message_id


def _preview(row: Found) -> PreviewContext:
    if row.deleted_at is not None:
        return PreviewContext("Message deleted")
    if row.pictures and not row.body:
        text = "A picture" if row.pictures == 1 else f"{row.pictures} pictures"
    else:
        text = to_line(row.body)
    return PreviewContext(text, row.author_id, "" if kinds.get(row.kind).pair else names.short(row.name))


# -- inside


def _descending(room_id: str, condition: ColumnElement[bool], limit: int) -> list[Found]:
    statement = _select().where(Message.room_id == room_id, condition).order_by(Message.seq.desc()).limit(limit)
    return list(db.session.connection().execute(statement))


def _ascending(room_id: str, condition: ColumnElement[bool], limit: int) -> list[Found]:
    statement = _select().where(Message.room_id == room_id, condition).order_by(Message.seq).limit(limit)
    return list(db.session.connection().execute(statement))


def _any(room_id: str, condition: ColumnElement[bool]) -> bool:
    return (
        db.session.execute(select(Message.id).where(Message.room_id == room_id, condition).limit(1)).scalar()
        is not None
    )


def _page(room_id: str, rows: Sequence[Found], older: bool, newer: bool) -> TimelinePage:
    return TimelinePage(room_id, group(_contexts(rows)), older, newer)


def _contexts(rows: Iterable[Found]) -> list[MessageContext]:
    rows = list(rows)
    pictures = pictures_of([row.id for row in rows if row.pictures and row.deleted_at is None])
    return [_context(row, pictures.get(row.id, ())) for row in rows]


@remembered(4096)  # what a message is made of says all about it, and most pages show what others have just shown
def _context(row: Found, pictures: tuple[PictureContext, ...]) -> MessageContext:
    deletion = None
    if row.deleted_at is not None:
        deletion = DeletionContext(
            row.deleted_at, row.deleted_by == row.author_id, row.delete_reason, row.purged_at is not None
        )
    return MessageContext(
        id=row.id,
        room_id=row.room_id,
        seq=row.seq,
        client_id=row.client_id,
        author=PersonContext(row.author_id, row.name, row.picture_id),
        html=to_html(row.body) if deletion is None else "",
        created_at=row.created_at,
        edited_at=row.edited_at if deletion is None else None,
        deletion=deletion,
        pictures=pictures,
    )
