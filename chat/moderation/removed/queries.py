"""Removed and edited messages within a moderator's reach."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, exists, func, or_, select, tuple_
from sqlalchemy.orm import aliased

from chat.accounts import queries as accounts
from chat.accounts.contexts import PersonContext
from chat.accounts.models import User
from chat.core import clock, ids, keyset
from chat.core.audit import AuditRow
from chat.core.database import db
from chat.core.errors import NotFound
from chat.messages import queries as messages
from chat.messages.body import to_html, to_line
from chat.messages.models import Attachment, Message, MessageVersion
from chat.moderation.keeping import queries as keeping
from chat.moderation.removed.contexts import (
    EditedContext,
    EditedPage,
    Happening,
    Peek,
    Piece,
    RemovedContext,
    RemovedDetail,
    RemovedPage,
    RestoredContext,
    VersionContext,
)
from chat.moderation.removed.words import BY
from chat.moderation.reports import queries as reports
from chat.moderation.sweeps import queries as sweeps
from chat.moderation.sweeps.contexts import SweepContext
from chat.moderation.sweeps.models import Sweep
from chat.rooms.contexts import Choice, FilterContext, RoomContext
from chat.rooms.models import Room
from chat.rooms.queries import Reach

PAGE = 40
#: Edited messages on a page: each is compared with what it said before.
EDITED_PAGE = 15
#: Messages shown around a removed one, on either side; and most that one can ask for.
AROUND = 5
MOST_AROUND = 50
#: Up to where the messages that a filter lets through are counted.
COUNTED = 1000
#: For how long a restoring can be undone.
UNDO = timedelta(minutes=10)
#: Rooms and people offered in a filter.
_CHOICES = 200

_remover = aliased(User)
_GONE = "This message is gone, or was put back."
_LINE = re.compile(r".*\n|.+")
#: Pairs of equal pieces of two texts from which on comparing them takes too long.
_PAIRS = 300_000
_WORD = re.compile(r"\s+|\w+|[^\w\s]")


@dataclass(frozen=True)
class Asked:
    """What a list is filtered by."""

    #: ``room``, ``person``, ``moderator`` by id; ``by``: one of ``BY``; ``since`` and ``until``: days, as they were sent.
    query: Mapping[str, str]
    #: When the first of the days begins, and when the last one ends; None for no such bound.
    since: datetime | None = None
    until: datetime | None = None
    #: As ``more`` gave it; empty for the first page.
    after: str = ""


# -- what was removed


def removed(reach: Reach, asked: Asked) -> RemovedPage:
    """Return what was removed and a filter lets through, latest first; what was removed in one sweep is one of it."""
    query, by = dict(asked.query), asked.query.get("by", "")
    place = keyset.read(asked.after)
    conditions = _conditions(asked, Message.deleted_at)
    single = [*conditions, *_singly(query)]
    rows: list[RemovedContext] = []
    if by != "sweep":
        statement = _select_removed(reach).where(*single)
        if place is not None:
            statement = statement.where(tuple_(Message.deleted_at, Message.id) < place)
        statement = statement.order_by(Message.deleted_at.desc(), Message.id.desc()).limit(PAGE + 1)
        rows += [_removed(row) for row in db.session.connection().execute(statement)]
    folded, room_id = _of_sweeps(asked), query.get("room", "")
    if by != "author":
        rows += [_folded(each) for each in sweeps.listed(reach, folded, room_id, place, PAGE + 1)]
    rows.sort(key=lambda each: (each.removed_at, each.id), reverse=True)
    shown = tuple(rows[:PAGE])
    found = _count_removed(reach, single) if by != "sweep" else 0
    if by != "author":
        found += sweeps.found(reach, folded, room_id, COUNTED + 1)
    return RemovedPage(
        shown, _removed_filters(reach, query, shown), query, min(found, COUNTED + 1), asked.after,
        keyset.write(shown[-1].removed_at, shown[-1].id) if len(rows) > PAGE else "",
    )  # fmt: skip


def removed_one(reach: Reach, message_id: str, around: int, rows: Sequence[RemovedContext] = ()) -> RemovedDetail:
    """Return a removed message in its place.

    :param around: how many lines to show on either side.
    :param rows: the list that it was opened from.
    :raises NotFound: there is none of that id, it is not removed, or it is out of reach; they look the same.
    """
    row = _row(reach, message_id)
    around = min(around, MOST_AROUND)
    page = messages.around(row.room_id, row.seq, limit=2 * around + 1, lead=around)
    lines = [item.message for item in page.items]
    texts = _texts([message_id]).get(message_id, [])
    versions = _versions(texts, row.body, row.edited_at)
    here = [each.id for each in rows]
    at = here.index(message_id) if message_id in here else None
    span = messages.kept_for()
    return RemovedDetail(
        removed=_removed(row),
        html=to_html(row.body),
        versions=versions,
        pictures=messages.pictures_of([message_id]).get(message_id, ()),
        before=tuple(line for line in lines if line.seq < row.seq),
        after=tuple(line for line in lines if line.seq > row.seq),
        around=around,
        may_see_more=around < MOST_AROUND and (page.older or page.newer),
        kept_until=row.deleted_at + span if span else None,
        joined_at=row.joined_at,
        messages=_count(select(Message.id).where(Message.author_id == row.author_id)),
        happened=_happened(row, versions, reports.times_reported(message_id)),
        foot=keeping.foot(reach, message_id, row.author_id, row.room_id, row.created_at),
        previous=rows[at - 1] if at else None,
        next=rows[at + 1] if at is not None and at + 1 < len(rows) else None,
    )


def peek(reach: Reach, message_id: str) -> Peek:
    """Return a removed message by itself.

    :raises NotFound: as ``removed_one``.
    """
    row = _row(reach, message_id)
    versions = _versions(_texts([message_id]).get(message_id, []), row.body, row.edited_at)
    return Peek(_removed(row), to_html(row.body), versions, messages.pictures_of([message_id]).get(message_id, ()))


def picture_of(reach: Reach, message_id: str, picture_id: str) -> RemovedContext:
    """Return the removed message that has a picture.

    :raises NotFound: as ``removed_one``, or it has no such picture.
    """
    row = _row(reach, message_id)
    has = exists().where(Attachment.message_id == message_id, Attachment.picture_id == picture_id)
    if not db.session.execute(select(has)).scalar():
        raise NotFound("This picture is gone, or you cannot see it.")
    return _removed(row)


def get_message(reach: Reach, message_id: str) -> Message:
    """Return a message, for writing.

    :raises NotFound: there is none of that id, or it is out of reach.
    """
    statement = (
        select(Message)
        .join(Room, Room.id == Message.room_id)
        .where(Message.id == message_id, reach.condition())
        .execution_options(populate_existing=True)
    )
    found = db.session.execute(statement).scalar_one_or_none()
    if found is None:
        raise NotFound(_GONE)
    return found


def restored_by(actor_id: str, message_id: str) -> AuditRow | None:
    """Return the entry of the audit log about somebody having restored a message a moment ago, or None."""
    statement = (
        select(AuditRow)
        .where(
            AuditRow.actor_id == actor_id, AuditRow.action == "message.restored", AuditRow.target_id == message_id,
            AuditRow.at >= clock.now() - UNDO,
        )
        .order_by(AuditRow.number.desc())
        .limit(1)
    )  # fmt: skip
    return db.session.execute(statement).scalar_one_or_none()


def restored(reach: Reach, message_id: str) -> RestoredContext | None:
    """Return what to say of a message that somebody restored a moment ago; None if they did not."""
    if not ids.is_id(message_id) or restored_by(reach.user_id, message_id) is None:
        return None
    statement = (
        select(Message.room_id, User.name, Room.name.label("room"))
        .join(User, User.id == Message.author_id)
        .join(Room, Room.id == Message.room_id)
        .where(Message.id == message_id, Message.deleted_at.is_(None), reach.condition())
    )
    row = db.session.execute(statement).one_or_none()
    return RestoredContext(message_id, row.room_id, row.name, row.room) if row else None


# -- what was edited


def edited(reach: Reach, asked: Asked) -> EditedPage:
    """Return messages that were edited and not removed, latest first, with what each edit changed."""
    statement = _select_edited().where(
        Message.edited_at.is_not(None),
        Message.deleted_at.is_(None),
        reach.condition(),
        *_conditions(asked, Message.edited_at),
    )
    place = keyset.read(asked.after)
    if place is not None:
        statement = statement.where(tuple_(Message.edited_at, Message.id) < place)
    statement = statement.order_by(Message.edited_at.desc(), Message.id.desc()).limit(EDITED_PAGE + 1)
    rows = db.session.execute(statement).all()
    texts = _texts([row.id for row in rows[:EDITED_PAGE]])
    shown = tuple(_edited(row, texts.get(row.id, [])) for row in rows[:EDITED_PAGE])
    query = dict(asked.query)
    filters = _filters(reach, query, {"person": ("Written by", [row.author for row in shown])})
    more = keyset.write(shown[-1].edited_at, shown[-1].id) if len(rows) > EDITED_PAGE else ""
    return EditedPage(shown, filters, query, more)


def versions(viewer_id: str, reach: Reach | None, message_id: str) -> EditedContext:
    """Return what a message said before: one of one's own, or one within reach.

    :param reach: None for somebody who moderates nowhere.
    :raises NotFound: there is none of that id for them, or it is as it was posted, or removed.
    """
    mine: ColumnElement[bool] = Message.author_id == viewer_id
    statement = _select_edited().where(
        Message.id == message_id, Message.edited_at.is_not(None), Message.deleted_at.is_(None),
        or_(mine, reach.condition()) if reach else mine,
    )  # fmt: skip
    row = db.session.execute(statement).one_or_none()
    if row is None:
        raise NotFound("There is nothing earlier of this message, or you cannot see it.")
    return _edited(row, _texts([message_id]).get(message_id, []))


def difference(old: str, new: str) -> tuple[Piece, ...]:
    """Return what became of a text, word by word. Long texts are compared by line, which takes a hundredth of the time."""
    split = _LINE.findall if len(old) + len(new) > 4000 else _WORD.findall
    before, after = split(old), split(new)
    often, other = Counter(before), Counter(after)
    if sum(number * other[piece] for piece, number in often.items()) > _PAIRS:
        # The same line over and over: comparing takes time that grows with the square of it.
        return tuple(Piece(kind, text) for kind, text in (("taken", old), ("added", new)) if text)
    pieces: list[Piece] = []
    taken = added = ""

    def change() -> None:
        pieces.extend(Piece(kind, text) for kind, text in (("taken", taken), ("added", added)) if text)

    for kind, a, b, c, d in difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        old_text, new_text = "".join(before[a:b]), "".join(after[c:d])
        if kind == "equal" and (new_text.strip() or not (taken or added)):
            change()
            taken = added = ""
            pieces.append(Piece("kept", new_text))
        else:  # a space between two changed words belongs to the change: it is read in one go
            taken, added = taken + old_text, added + new_text
    change()
    return tuple(pieces)


def by_name(people: Mapping[str, str]) -> tuple[Choice, ...]:
    """Return people, names by id, as the choices of a filter."""
    return tuple(Choice(user_id, name) for user_id, name in sorted(people.items(), key=lambda each: each[1].casefold()))


# -- inside: rows


def _select_removed(reach: Reach) -> Select[*tuple[Any, ...]]:
    return (
        select(
            Message.id, Message.room_id, Message.seq, Message.author_id, Message.body, Message.pictures,
            Message.created_at, Message.edited_at, Message.deleted_at, Message.deleted_by, Message.delete_reason,
            User.name.label("author"), User.picture_id.label("author_picture"), User.created_at.label("joined_at"),
            _remover.name.label("remover"), _remover.picture_id.label("remover_picture"),
            Room.name.label("room"), Room.kind.label("kind"),
        )
        .join(Room, Room.id == Message.room_id)
        .join(User, User.id == Message.author_id)
        .outerjoin(_remover, _remover.id == Message.deleted_by)
        .where(Message.deleted_at.is_not(None), Message.purged_at.is_(None), reach.condition())
    )  # fmt: skip


def _row(reach: Reach, message_id: str) -> Row[Any]:
    row = db.session.connection().execute(_select_removed(reach).where(Message.id == message_id)).one_or_none()
    if row is None:
        raise NotFound(_GONE)
    return row


def _select_edited() -> Select[*tuple[Any, ...]]:
    return (
        select(
            Message.id, Message.room_id, Message.author_id, Message.body, Message.edited_at, Message.created_at,
            User.name.label("author"), User.picture_id.label("author_picture"),
            Room.name.label("room"), Room.kind.label("kind"),
        )
        .join(Room, Room.id == Message.room_id)
        .join(User, User.id == Message.author_id)
    )  # fmt: skip


def _removed(row: Row[Any]) -> RemovedContext:
    return RemovedContext(
        row.id,
        RoomContext(row.room_id, row.kind, row.room),
        PersonContext(row.author_id, row.author, row.author_picture),
        to_line(row.body, 200),
        row.pictures,
        row.created_at,
        row.deleted_at,
        PersonContext(row.deleted_by, row.remover, row.remover_picture) if row.remover else None,
        by_author=row.deleted_by == row.author_id,
        reason=row.delete_reason,
    )


def _folded(sweep: SweepContext) -> RemovedContext:
    return RemovedContext(
        sweep.id, sweep.room, sweep.person, "", 0, sweep.created_at, sweep.created_at, sweep.actor, by_author=False,
        reason=sweep.reason, swept=sweep.left,
    )  # fmt: skip


def _edited(row: Row[Any], texts: Sequence[tuple[str, datetime]]) -> EditedContext:
    return EditedContext(
        row.id,
        RoomContext(row.room_id, row.kind, row.room),
        PersonContext(row.author_id, row.author, row.author_picture),
        row.created_at,
        row.edited_at,
        texts[0][0] if texts else "",
        _versions(texts, row.body, row.edited_at),
    )


def _texts(message_ids: Collection[str]) -> dict[str, list[tuple[str, datetime]]]:
    """Return what messages said before, and from when on, by message, oldest first."""
    found: dict[str, list[tuple[str, datetime]]] = {}
    if message_ids:
        statement = (
            select(MessageVersion.message_id, MessageVersion.body, MessageVersion.created_at)
            .where(MessageVersion.message_id.in_(sorted(message_ids)))
            .order_by(MessageVersion.message_id, MessageVersion.version)
        )
        for message_id, body, at in db.session.connection().execute(statement):
            found.setdefault(message_id, []).append((body, at))
    return found


def _versions(
    texts: Sequence[tuple[str, datetime]], body: str, edited_at: datetime | None
) -> tuple[VersionContext, ...]:
    """Return what each edit changed, oldest first."""
    if not texts or edited_at is None:
        return ()
    return tuple(
        VersionContext(at, difference(old, new)) for (old, _), (new, at) in pairwise([*texts, (body, edited_at)])
    )


def _happened(
    row: Row[Any], versions: Sequence[VersionContext], reported: tuple[int, datetime] | None
) -> tuple[Happening, ...]:
    """Return what happened to a message, latest first."""
    if row.deleted_by == row.author_id:
        gone = "Deleted by its author"
    else:
        gone = f"Removed by {row.remover or 'somebody whose account is gone'}"
    happened = [Happening(row.deleted_at, gone), Happening(row.created_at, "Posted")]
    happened += [Happening(each.at, "Edited by its author") for each in versions]
    if reported:
        number, at = reported
        happened.append(Happening(at, "Reported" if number == 1 else f"Reported, the first of {number} times"))
    return tuple(sorted(happened, key=lambda each: each.at, reverse=True))


# -- inside: filters


def _conditions(asked: Asked, moment: Any) -> list[ColumnElement[bool]]:
    """Return what rows of ``Message`` have to be, whatever the kind of removal."""
    conditions: list[ColumnElement[bool]] = []
    for column, name in ((Message.room_id, "room"), (Message.author_id, "person")):
        if name in asked.query:
            conditions.append(column == asked.query[name])
    if asked.since is not None:
        conditions.append(moment >= asked.since)
    if asked.until is not None:
        conditions.append(moment < asked.until)
    return conditions


def _singly(query: Mapping[str, str]) -> list[ColumnElement[bool]]:
    """Return what rows of ``Message`` have to be that were removed one by one."""
    conditions: list[ColumnElement[bool]] = [Message.sweep_id.is_(None)]
    if "moderator" in query:
        conditions.append(Message.deleted_by == query["moderator"])
    if query.get("by") == "author":
        conditions.append(Message.delete_reason == "")  # moderators give one, also those whose account is gone
    elif query.get("by") == "moderator":
        conditions.append(Message.delete_reason != "")
    return conditions


def _of_sweeps(asked: Asked) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    for column, name in ((Sweep.person_id, "person"), (Sweep.actor_id, "moderator")):
        if name in asked.query:
            conditions.append(column == asked.query[name])
    if asked.since is not None:
        conditions.append(Sweep.created_at >= asked.since)
    if asked.until is not None:
        conditions.append(Sweep.created_at < asked.until)
    return conditions


def _count_removed(reach: Reach, conditions: Sequence[ColumnElement[bool]]) -> int:
    gone = (Message.deleted_at.is_not(None), Message.purged_at.is_(None), reach.condition())
    return _count(select(Message.id).join(Room, Room.id == Message.room_id).where(*gone, *conditions))


def _count(statement: Select[Any]) -> int:
    """Return how many rows there are; one more than ``COUNTED`` stands for any number."""
    counted = select(func.count()).select_from(statement.limit(COUNTED + 1).subquery())
    return db.session.execute(counted).scalar_one()


def _removed_filters(
    reach: Reach, query: Mapping[str, str], shown: Sequence[RemovedContext]
) -> tuple[FilterContext, ...]:
    by = FilterContext("by", "Removed by", Choice.among(BY), query.get("by", ""))
    removers = [row.remover for row in shown if row.remover and not row.by_author]
    people = {"person": ("Written by", [row.author for row in shown]), "moderator": ("Moderator", removers)}
    return (by, *_filters(reach, query, people))


def _filters(
    reach: Reach, query: Mapping[str, str], people: Mapping[str, tuple[str, list[PersonContext]]]
) -> tuple[FilterContext, ...]:
    """Return the filters by room, by people, of whom those on the page are offered, and by day."""
    rooms = select(Room.id, Room.name).where(reach.condition()).order_by(Room.active_at.desc()).limit(_CHOICES)
    choices = tuple(Choice(room_id, name) for room_id, name in db.session.execute(rooms))
    known = accounts.people([query[name] for name in people if name in query])
    filters = [FilterContext("room", "Room", choices, query.get("room", ""))]
    for name, (label, shown) in people.items():
        chosen = query.get(name, "")
        named = {each.id: each.name for each in [*shown, *([known[chosen]] if chosen in known else [])]}
        filters.append(FilterContext(name, label, by_name(named), chosen))
    filters += [FilterContext(name, label, (), query.get(name, ""), day=True) for name, label in _DAYS]
    return tuple(filters)


_DAYS = (("since", "From"), ("until", "To"))
