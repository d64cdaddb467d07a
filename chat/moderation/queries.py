"""Removed messages within a moderator's reach, and the audit log in words."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, or_, select, true, tuple_
from sqlalchemy.orm import aliased

from chat import ids
from chat.accounts import queries as accounts
from chat.accounts.contexts import PersonContext
from chat.accounts.models import User
from chat.audit import AuditRow
from chat.database import db
from chat.errors import NotFound
from chat.messages import queries as messages
from chat.messages.body import to_html, to_line
from chat.messages.models import Message, MessageVersion
from chat.moderation.contexts import (
    AuditContext,
    AuditPage,
    Choice,
    FilterContext,
    Piece,
    RemovedContext,
    RemovedDetail,
    RemovedPage,
    VersionContext,
)
from chat.moderation.words import ACTIONS
from chat.rooms import kinds
from chat.rooms.contexts import RoomContext
from chat.rooms.models import Membership, Room

PAGE = 40
#: Messages shown around a removed one, on either side.
AROUND = 5
#: Rooms and people offered in a filter.
_CHOICES = 200

_remover = aliased(User)
#: By what the audit log is filtered.
_AUDIT = {"actor": AuditRow.actor_id, "action": AuditRow.action, "person": AuditRow.person_id, "room": AuditRow.room_id}
_GONE = "This message is gone, or was put back."
_LINE = re.compile(r".*\n|.+")
_WORD = re.compile(r"\s+|\w+|[^\w\s]")


@dataclass(frozen=True)
class Reach:
    """Whose removed messages somebody may look at: never those of direct rooms, which belong to the two in them.

    An administrator reaches every other room; a moderator those that are open and those they are in.
    """

    user_id: str
    everywhere: bool

    def condition(self) -> ColumnElement[bool]:
        """Return what a room has to be."""
        own = select(Membership.room_id).where(Membership.user_id == self.user_id)
        near = or_(Room.kind.in_(kinds.joinable()), Room.id.in_(own))
        return and_(Room.kind != "direct", true() if self.everywhere else near)


def removed(reach: Reach, asked: Mapping[str, str]) -> RemovedPage:
    """Return the removed messages that a filter lets through, latest first.

    :param asked: ``room``, ``person``, ``moderator`` by id; ``by``: ``author`` or ``moderator``; ``after`` as ``more`` gave it.
    """
    query = _chosen(asked, "room", "person", "moderator", "by")
    statement = _select_removed(reach).order_by(Message.deleted_at.desc(), Message.id.desc()).limit(PAGE + 1)
    for column, name in ((Message.room_id, "room"), (Message.author_id, "person"), (Message.deleted_by, "moderator")):
        if name in query:
            statement = statement.where(column == query[name])
    if query.get("by") == "author":
        statement = statement.where(Message.deleted_by == Message.author_id)
    elif query.get("by") == "moderator":
        statement = statement.where(Message.deleted_by != Message.author_id)
    place = _place(asked.get("after", ""))
    if place is not None:
        statement = statement.where(tuple_(Message.deleted_at, Message.id) < place)
    rows = db.session.connection().execute(statement).all()
    shown = tuple(_removed(row) for row in rows[:PAGE])
    more = f"{shown[-1].removed_at.timestamp():.6f}.{shown[-1].id}" if len(rows) > PAGE else ""
    return RemovedPage(shown, _removed_filters(reach, query, shown), query, more)


def removed_one(reach: Reach, message_id: str) -> RemovedDetail:
    """Return a removed message in its place.

    :raises NotFound: there is none of that id, it is not removed, or it is out of reach; they look the same.
    """
    row = db.session.connection().execute(_select_removed(reach).where(Message.id == message_id)).one_or_none()
    if row is None:
        raise NotFound(_GONE)
    page = messages.around(row.room_id, row.seq, limit=2 * AROUND + 1, lead=AROUND)
    lines = [item.message for item in page.items]
    return RemovedDetail(
        _removed(row),
        to_html(row.body),
        _versions(message_id, row.body, row.edited_at),
        tuple(line for line in lines if line.seq < row.seq),
        tuple(line for line in lines if line.seq > row.seq),
    )


def get_removed(reach: Reach, message_id: str) -> Message:
    """Return a removed message, for writing.

    :raises NotFound: as ``removed_one``.
    """
    statement = (
        select(Message)
        .join(Room, Room.id == Message.room_id)
        .where(Message.id == message_id, Message.deleted_at.is_not(None), reach.condition())
        .execution_options(populate_existing=True)
    )
    found = db.session.execute(statement).scalar_one_or_none()
    if found is None:
        raise NotFound(_GONE)
    return found


def audit(asked: Mapping[str, str], number: int | None = None) -> AuditPage:
    """Return the rows of the audit log that a filter lets through, latest first.

    :param asked: ``actor``, ``person`` and ``room`` by id, ``action``, ``after`` as ``more`` gave it.
    :param number: of the row to show in full.
    :raises NotFound: there is no such row.
    """
    query = _chosen(asked, *_AUDIT)
    statement = _select_audit(query).limit(PAGE + 1)
    after = asked.get("after", "")
    if after.isascii() and after.isdigit() and len(after) < 19:
        statement = statement.where(AuditRow.number < int(after))
    rows = db.session.execute(statement).scalars().all()
    shown = _in_words(rows[:PAGE])
    detail = None
    if number is not None:
        row = db.session.get(AuditRow, number)
        if row is None:
            raise NotFound("There is no such entry.")
        (detail,) = _in_words([row])
    more = str(shown[-1].number) if len(rows) > PAGE else ""
    return AuditPage(shown, _audit_filters(query), query, more, detail)


def audit_rows(asked: Mapping[str, str]) -> Iterator[AuditContext]:
    """Yield every row that a filter lets through, oldest last, a few hundred at a time."""
    query = _chosen(asked, *_AUDIT)
    statement = _select_audit(query).limit(500)
    while lines := _in_words(db.session.execute(statement).scalars().all()):
        db.session.remove()  # whoever takes the lines may be slow
        yield from lines
        statement = statement.where(AuditRow.number < lines[-1].number)


# -- inside


def _chosen(asked: Mapping[str, str], *names: str) -> dict[str, str]:
    return {name: asked[name] for name in names if asked.get(name)}


def _select_removed(reach: Reach) -> Select[*tuple[Any, ...]]:
    return (
        select(
            Message.id, Message.room_id, Message.seq, Message.author_id, Message.body, Message.pictures,
            Message.created_at, Message.edited_at, Message.deleted_at, Message.deleted_by, Message.delete_reason,
            User.name.label("author"), User.picture_id.label("author_picture"),
            _remover.name.label("remover"), _remover.picture_id.label("remover_picture"),
            Room.name.label("room"), Room.kind.label("kind"),
        )
        .join(Room, Room.id == Message.room_id)
        .join(User, User.id == Message.author_id)
        .outerjoin(_remover, _remover.id == Message.deleted_by)
        .where(Message.deleted_at.is_not(None), reach.condition())
    )  # fmt: skip


def _removed(row: Row[Any]) -> RemovedContext:
    return RemovedContext(
        row.id,
        RoomContext(row.room_id, row.kind, row.room),
        PersonContext(row.author_id, row.author, row.author_picture),
        to_line(row.body, 200) or row.body[:80],
        row.pictures,
        row.created_at,
        row.deleted_at,
        PersonContext(row.deleted_by, row.remover, row.remover_picture) if row.remover else None,
        by_author=row.deleted_by == row.author_id,
        reason=row.delete_reason,
    )


def _place(after: str) -> tuple[datetime, str] | None:
    moment, _, message_id = after.rpartition(".")
    if not ids.is_id(message_id) or not re.fullmatch(r"[0-9]{1,12}\.[0-9]{6}", moment):
        return None
    return datetime.fromtimestamp(float(moment), UTC), message_id


def _versions(message_id: str, body: str, edited_at: datetime | None) -> tuple[VersionContext, ...]:
    """Return what each edit changed, oldest first."""
    statement = (
        select(MessageVersion.body, MessageVersion.created_at)
        .where(MessageVersion.message_id == message_id)
        .order_by(MessageVersion.version)
    )
    texts = [(text, at) for text, at in db.session.connection().execute(statement)]
    if not texts or edited_at is None:
        return ()
    texts.append((body, edited_at))
    return tuple(VersionContext(at, difference(old, new)) for (old, _), (new, at) in pairwise(texts))


def difference(old: str, new: str) -> tuple[Piece, ...]:
    """Return what became of a text, word by word. Long texts are compared by line, which takes a hundredth of the time."""
    split = _LINE.findall if len(old) + len(new) > 4000 else _WORD.findall
    before, after = split(old), split(new)
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


def _removed_filters(
    reach: Reach, query: Mapping[str, str], shown: Sequence[RemovedContext]
) -> tuple[FilterContext, ...]:
    rooms = select(Room.id, Room.name).where(reach.condition()).order_by(Room.active_at.desc()).limit(_CHOICES)
    authors = {row.author.id: row.author.name for row in shown}
    removers = {row.remover.id: row.remover.name for row in shown if row.remover and not row.by_author}
    known = accounts.people([query[name] for name in ("person", "moderator") if name in query])
    for name, people in (("person", authors), ("moderator", removers)):
        if query.get(name) in known:
            people[query[name]] = known[query[name]].name
    return (
        FilterContext(
            "by",
            "Removed by",
            (Choice("moderator", "By a moderator"), Choice("author", "By its author")),
            query.get("by", ""),
        ),
        FilterContext(
            "room",
            "Room",
            tuple(Choice(room_id, name) for room_id, name in db.session.execute(rooms)),
            query.get("room", ""),
        ),
        FilterContext("person", "Written by", _by_name(authors), query.get("person", "")),
        FilterContext("moderator", "Moderator", _by_name(removers), query.get("moderator", "")),
    )


def _audit_filters(query: Mapping[str, str]) -> tuple[FilterContext, ...]:
    office = select(User.id, User.name).where(User.role != "member").order_by(User.folded_name).limit(_CHOICES)
    actors = dict(db.session.execute(office).all())
    people = accounts.people([query[name] for name in ("actor", "person") if name in query])
    if query.get("actor") in people:
        actors[query["actor"]] = people[query["actor"]].name
    concerned = {query["person"]: people[query["person"]].name} if query.get("person") in people else {}
    actions = tuple(Choice(name, words) for name, (words, _) in sorted(ACTIONS.items(), key=lambda each: each[1]))
    return (
        FilterContext("actor", "Who", _by_name(actors), query.get("actor", "")),
        FilterContext("action", "What", actions, query.get("action", "")),
        FilterContext("person", "On whom", _by_name(concerned), query.get("person", "")),
    )


def _by_name(people: Mapping[str, str]) -> tuple[Choice, ...]:
    return tuple(Choice(user_id, name) for user_id, name in sorted(people.items(), key=lambda each: each[1].casefold()))


def _select_audit(query: Mapping[str, str]) -> Select[AuditRow]:
    statement = select(AuditRow).order_by(AuditRow.number.desc())
    for name, value in query.items():
        statement = statement.where(_AUDIT[name] == value)
    return statement


def _in_words(rows: Sequence[AuditRow]) -> tuple[AuditContext, ...]:
    people = accounts.people({each for row in rows for each in (row.actor_id, row.person_id) if each})
    room_ids = {row.room_id for row in rows if row.room_id}
    named = select(Room.id, Room.name).where(Room.id.in_(sorted(room_ids)), Room.kind != "direct")
    rooms = dict(db.session.execute(named).all()) if room_ids else {}
    return tuple(_line(row, people, rooms) for row in rows)


def _line(row: AuditRow, people: Mapping[str, PersonContext], rooms: Mapping[str, str]) -> AuditContext:
    did, sign = ACTIONS.get(row.action, (row.action, "circle-alert"))
    return AuditContext(
        row.number,
        row.at,
        people.get(row.actor_id or ""),
        did,
        sign,
        people.get(row.person_id or ""),
        rooms.get(row.room_id or "", ""),
        row.target_id or "",
        row.reason,
        row.before,
        row.after,
        row.address,
        row.seal,
    )
