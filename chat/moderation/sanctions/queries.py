"""Sanctions and appeals: those in force, those of a person, and the lists of the console."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Row, Select, and_, exists, func, or_, select
from sqlalchemy.orm import aliased

from chat.accounts import queries as accounts
from chat.accounts.contexts import PersonContext
from chat.accounts.models import User
from chat.core import addresses, clock, ids
from chat.core.database import db
from chat.core.errors import NotFound
from chat.messages.models import Message
from chat.messages.queries import kept_for
from chat.moderation.sanctions.contexts import (
    AppealContext,
    AppealsPage,
    RemovalContext,
    SanctionContext,
    SanctionsPage,
    Target,
)
from chat.moderation.sanctions.models import Appeal, Sanction
from chat.moderation.sanctions.words import KINDS
from chat.rooms import queries as rooms
from chat.rooms.contexts import Choice, FilterContext
from chat.rooms.models import Membership, Room
from chat.rooms.queries import Reach

PAGE = 40
#: Removed messages of one's own that can be appealed.
REMOVALS = 20

_imposer = aliased(User)
_ACTIVE = Sanction.lifted_at.is_(None)


class Range(NamedTuple):
    """A range of addresses under a sanction."""

    network: addresses.Network
    kind: str
    until: datetime
    reason: str


# -- what is in force


def in_force(now: datetime) -> ColumnElement[bool]:
    """Return what a row has to be to have effect."""
    return and_(_ACTIVE, or_(Sanction.expires_at.is_(None), Sanction.expires_at > now))


def active_of(person_id: str) -> list[Sanction]:
    """Return what is in force against a person, for writing."""
    statement = select(Sanction).where(Sanction.person_id == person_id, in_force(clock.now()))
    return list(db.session.execute(statement.execution_options(populate_existing=True)).scalars())


def ranges() -> tuple[Range, ...]:
    """Return the ranges of addresses that are under a sanction."""
    statement = select(Sanction).where(Sanction.network.is_not(None), in_force(clock.now()))
    return tuple(
        Range(addresses.network(row.network or ""), row.kind, row.expires_at or clock.FOREVER, row.reason)
        for row in db.session.execute(statement).scalars()
    )


def due(now: datetime, limit: int = 100) -> list[str]:
    """Return what has come to its end and was not given back yet."""
    statement = (
        select(Sanction.id).where(_ACTIVE, Sanction.expires_at <= now).order_by(Sanction.expires_at).limit(limit)
    )
    return list(db.session.execute(statement).scalars())


# -- whom one may sanction


def target(reach: Reach, person_id: str, room_id: str | None) -> tuple[User, Room | None]:
    """Return whom somebody wants to sanction, and where, for writing.

    :raises NotFound: there is no such person or room within reach, or the person is not, and never wrote, in it.
    """
    person = db.session.get(User, person_id, populate_existing=True)
    if person is None:
        raise NotFound("There is nobody of that name here.")
    if room_id is None:
        if not reach.may_everywhere("sanction.site"):
            raise NotFound
        return person, None
    room = db.session.execute(select(Room).where(Room.id == room_id, reach.condition())).scalar_one_or_none()
    inside = or_(
        exists().where(Membership.room_id == room_id, Membership.user_id == person_id),
        exists().where(Message.room_id == room_id, Message.author_id == person_id),
        exists().where(Sanction.room_id == room_id, Sanction.person_id == person_id),
    )
    if room is None or not db.session.execute(select(inside)).scalar():
        raise NotFound("This person is not in that room.")
    return person, room


def rank(room_id: str, person_id: str) -> str:
    """Return somebody's role in a room, also one that a sanction took: ``owner``, ``moderator`` or ``member``."""
    found = rooms.rank(room_id, person_id)
    if found != "member":
        return found
    return "moderator" if room_id in _moderated_before(person_id) else "member"


def _moderated_before(person_id: str) -> set[str]:
    """Return the rooms that somebody moderated when a sanction in force took their membership."""
    taken = [(each.room_id, each.membership) for each in active_of(person_id) if each.membership]
    return {room_id for room_id, was in taken if room_id and "moderator" in (was["role"], was.get("role_before"))}


def highest_rank(reach: Reach, person_id: str, room_id: str | None) -> str:
    """Return the highest of somebody's ranks in a room, or, for None, in all within reach."""
    if room_id is not None:
        return rank(room_id, person_id)
    if reach.may_everywhere("sanction.site"):
        return "member"  # nobody's rank in a room counts there
    ranks = set(rooms.ranks(person_id, reach.condition()).values())
    before = select(Room.id).where(reach.condition(), Room.id.in_(_moderated_before(person_id))).limit(1)
    if db.session.execute(before).scalar() is not None:
        ranks.add("moderator")
    return next((each for each in ("owner", "moderator") if each in ranks), "member")


def imposer_role(sanction: Sanction) -> str | None:
    """Return the role on the site of a sanction's imposer; None for a rule, and for an account that is gone."""
    return db.session.execute(select(User.role).where(User.id == sanction.imposed_by)).scalar()


def imposers(room_id: str) -> set[str]:
    """Return the imposers of the sanctions that keep owners of a room out, those who stood in included."""
    near = select(Membership.user_id).where(Membership.room_id == room_id)
    owner = select(Room.kept_for).where(Room.id == room_id, Room.kept_for.is_not(None))
    everywhere = and_(Sanction.room_id.is_(None), or_(Sanction.person_id.in_(near), Sanction.person_id.in_(owner)))
    statement = select(Sanction.imposed_by, Sanction.membership).where(
        Sanction.kind != "mute", Sanction.imposed_by.is_not(None), in_force(clock.now()),
        or_(Sanction.room_id == room_id, everywhere),
    )  # fmt: skip
    return {
        by
        for by, taken in db.session.execute(statement)
        if taken and (taken.get("role") == "owner" or room_id in taken.get("owned", ()))
    }


def rooms_shared(reach: Reach, person_id: str) -> tuple[Choice, ...]:
    """Return the rooms in which somebody may sanction a person, by name."""
    inside = exists().where(Membership.room_id == Room.id, Membership.user_id == person_id)
    statement = select(Room.id, Room.name).where(reach.condition(), inside).order_by(Room.folded_name).limit(200)
    return tuple(Choice(*row) for row in db.session.execute(statement))


def get_lockable(reach: Reach, sanction_id: str) -> Sanction:
    """Return a sanction within reach, for lifting.

    :raises NotFound: there is none of that id within reach.
    """
    statement = select(Sanction).outerjoin(Room, Room.id == Sanction.room_id)
    statement = statement.where(Sanction.id == sanction_id, _within(reach))
    found = db.session.execute(statement.execution_options(populate_existing=True)).scalar_one_or_none()
    if found is None:
        raise NotFound("This sanction is gone, or you cannot see it.")
    return found


# -- the console


def listed(reach: Reach, asked: Mapping[str, str]) -> SanctionsPage:
    """Return the sanctions within reach, latest first; without a filter those in force.

    :param asked: ``person`` and ``room`` by id, ``kind``, ``state``: ``ended`` or ``all``; ``after`` as ``more`` gave it.
    """
    query = {name: asked[name] for name in ("person", "room", "kind", "state") if asked.get(name)}
    statement = _select().where(_within(reach)).order_by(Sanction.created_at.desc(), Sanction.id.desc()).limit(PAGE + 1)
    for column, name in ((Sanction.person_id, "person"), (Sanction.room_id, "room"), (Sanction.kind, "kind")):
        if name in query:
            statement = statement.where(column == query[name])
    state = query.get("state", "active")
    if state == "active":
        statement = statement.where(_ACTIVE)
    elif state == "ended":
        statement = statement.where(Sanction.lifted_at.is_not(None))
    if ids.is_id(asked.get("after")):
        before = select(Sanction.created_at).where(Sanction.id == asked["after"]).scalar_subquery()
        statement = statement.where(
            or_(Sanction.created_at < before, and_(Sanction.created_at == before, Sanction.id < asked["after"]))
        )
    rows = db.session.connection().execute(statement).all()
    shown = tuple(_context(row) for row in rows[:PAGE])
    more = shown[-1].id if len(rows) > PAGE else ""
    return SanctionsPage(shown, _filters(reach, query, shown), query, more, reach.may_everywhere("sanction.site"))


def one(reach: Reach, sanction_id: str) -> SanctionContext:
    """Return a sanction within reach.

    :raises NotFound: there is none of that id within reach.
    """
    row = db.session.connection().execute(_select().where(Sanction.id == sanction_id, _within(reach))).one_or_none()
    if row is None:
        raise NotFound("This sanction is gone, or you cannot see it.")
    return _context(row)


def history_of(reach: Reach, person_id: str) -> tuple[SanctionContext, ...]:
    """Return what was imposed on a person within reach, latest first."""
    statement = _select().where(Sanction.person_id == person_id, _within(reach)).order_by(Sanction.created_at.desc())
    return tuple(_context(row) for row in db.session.connection().execute(statement.limit(PAGE)))


def appeals(reach: Reach, state: str) -> AppealsPage:
    """Return the appeals within reach: those that wait, oldest first; or those that were decided, latest first.

    :param state: ``open`` or ``decided``.
    """
    decided = state == "decided"
    order = (Appeal.decided_at.desc(), Appeal.id) if decided else (Appeal.created_at, Appeal.id)
    statement = _select_appeals(reach).where(Appeal.state != "open" if decided else Appeal.state == "open")
    rows = db.session.connection().execute(statement.order_by(*order).limit(100)).all()
    return AppealsPage(_appeal_contexts(rows), "decided" if decided else "open")


def open_appeals(reach: Reach) -> int:
    """Return how many appeals wait within reach."""
    statement = _select_appeals(reach).where(Appeal.state == "open").with_only_columns(Appeal.id).limit(100)
    return len(db.session.connection().execute(statement).all())


def get_appeal(reach: Reach, appeal_id: str) -> Appeal:
    """Return an appeal within reach, for deciding it.

    :raises NotFound: there is none of that id within reach.
    """
    if db.session.execute(_select_appeals(reach).where(Appeal.id == appeal_id)).one_or_none() is None:
        raise NotFound("This appeal is gone, or you cannot see it.")
    return db.session.get_one(Appeal, appeal_id, populate_existing=True)


# -- one's own


def own(person_id: str) -> tuple[SanctionContext, ...]:
    """Return what is in force against oneself, with what became of an appeal. It names no moderator."""
    statement = (
        _select()
        .add_columns(Appeal.state.label("appeal"), Appeal.answer)
        .outerjoin(Appeal, Appeal.sanction_id == Sanction.id)
        .where(Sanction.person_id == person_id, in_force(clock.now()))
        .order_by(Sanction.created_at.desc())
    )
    rows = db.session.connection().execute(statement)
    return tuple(_context(row, appeal=row.appeal or "", answer=row.answer or "", anonymous=True) for row in rows)


def own_removals(person_id: str) -> tuple[RemovalContext, ...]:
    """Return one's own messages that moderators removed, latest first: not their text, which is hidden from its author too."""
    statement = (
        select(
            Message.id, Message.room_id, Room.name, Message.created_at, Message.deleted_at, Message.delete_reason,
            Message.purged_at, Appeal.state.label("appeal"), Appeal.answer,
        )
        .join(Room, Room.id == Message.room_id)
        .outerjoin(Appeal, Appeal.message_id == Message.id)
        .where(Message.author_id == person_id, Message.deleted_at.is_not(None), Message.deleted_by != person_id)
        .order_by(Message.deleted_at.desc(), Message.id.desc())
        .limit(REMOVALS)
    )  # fmt: skip
    rows, span = db.session.connection().execute(statement).all(), kept_for()
    return tuple(
        RemovalContext(
            row.id, row.room_id, row.name, row.created_at, row.deleted_at, row.delete_reason,
            row.deleted_at + span if span and not row.purged_at else None, row.appeal or "", row.answer or "",
        )
        for row in rows
    )  # fmt: skip


def appealable_sanction(sanction_id: str, person_id: str) -> Sanction:
    """Return a sanction that is in force against a person.

    :raises NotFound: there is none of that id.
    """
    statement = select(Sanction).where(
        Sanction.id == sanction_id, Sanction.person_id == person_id, in_force(clock.now())
    )
    found = db.session.execute(statement).scalar_one_or_none()
    if found is None:
        raise NotFound("This has ended, or is not yours.")
    return found


def appealable_message(message_id: str, person_id: str) -> Message:
    """Return a message of a person's own that a moderator removed and that could be put back.

    :raises NotFound: there is none of that id.
    """
    statement = select(Message).where(
        Message.id == message_id, Message.author_id == person_id, Message.deleted_at.is_not(None),
        Message.deleted_by != person_id, Message.purged_at.is_(None),
    )  # fmt: skip
    found = db.session.execute(statement).scalar_one_or_none()
    if found is None:
        raise NotFound("This message is back, or cannot be put back any more.")
    return found


# -- inside


def _within(reach: Reach) -> ColumnElement[bool]:
    """Return which sanctions somebody sees: those of rooms within reach, and those that hold everywhere if they impose such."""
    near = and_(Sanction.room_id.is_not(None), reach.condition())
    return or_(near, Sanction.room_id.is_(None)) if reach.may_everywhere("sanction.site") else near


def _select() -> Select[*tuple[Any, ...]]:
    return (
        select(
            Sanction.id, Sanction.kind, Sanction.person_id, Sanction.network, Sanction.room_id, Sanction.reason, Sanction.note,
            Sanction.imposed_by, Sanction.created_at, Sanction.expires_at, Sanction.lifted_at, Sanction.lifted_by,
            Sanction.lift_reason, User.name.label("person"), User.picture_id.label("picture"), Room.name.label("room"),
            _imposer.name.label("imposer"),
        )
        .outerjoin(User, User.id == Sanction.person_id)
        .outerjoin(Room, Room.id == Sanction.room_id)
        .outerjoin(_imposer, _imposer.id == Sanction.imposed_by)
    )  # fmt: skip


def _context(row: Row[Any], appeal: str = "", answer: str = "", anonymous: bool = False) -> SanctionContext:
    words, state, means, sign = KINDS[row.kind]
    return SanctionContext(
        id=row.id,
        kind=row.kind,
        words=words,
        state=state,
        means=means,
        sign=sign,
        target=Target(
            PersonContext(row.person_id, row.person, row.picture) if row.person_id else None, row.network or ""
        ),
        room=row.room or "",
        room_id=row.room_id or "",
        reason=row.reason,
        note="" if anonymous else row.note,
        imposer="" if anonymous else row.imposer or ("a rule" if row.imposed_by is None else ""),
        created_at=row.created_at,
        expires_at=row.expires_at,
        lifted_at=row.lifted_at,
        ended=row.lifted_at is not None and row.lifted_by is None,
        lift_reason=row.lift_reason,
        appeal=appeal,
        answer=answer,
    )


def _filters(reach: Reach, query: Mapping[str, str], shown: Sequence[SanctionContext]) -> tuple[FilterContext, ...]:
    rooms = select(Room.id, Room.name).where(reach.condition()).order_by(Room.active_at.desc()).limit(200)
    people = {each.target.person.id: each.target.person.name for each in shown if each.target.person}
    if "person" in query:
        people |= {key: person.name for key, person in accounts.people([query["person"]]).items()}
    return (
        FilterContext(
            "state",
            "State",
            (Choice("ended", "Ended or lifted"), Choice("all", "All")),
            query.get("state", ""),
            any="In force",
        ),
        FilterContext(
            "kind", "Kind", tuple(Choice(kind, words) for kind, (words, *_) in KINDS.items()), query.get("kind", "")
        ),
        FilterContext("room", "Room", tuple(Choice(*row) for row in db.session.execute(rooms)), query.get("room", "")),
        FilterContext(
            "person",
            "Person",
            tuple(Choice(*each) for each in sorted(people.items(), key=lambda each: each[1])),
            query.get("person", ""),
        ),
    )


def _select_appeals(reach: Reach) -> Select[*tuple[Any, ...]]:
    room_id = func.coalesce(Sanction.room_id, Message.room_id)
    return (
        select(
            Appeal.id, Appeal.body, Appeal.state, Appeal.answer, Appeal.created_at, Appeal.decided_at, Appeal.sanction_id,
            Appeal.message_id, Appeal.person_id, User.name, User.picture_id, Room.name.label("room"), Message.delete_reason,
            Message.deleted_by, Sanction.kind, Sanction.reason, Sanction.imposed_by,
        )
        .join(User, User.id == Appeal.person_id)
        .outerjoin(Sanction, Sanction.id == Appeal.sanction_id)
        .outerjoin(Message, Message.id == Appeal.message_id)
        .outerjoin(Room, Room.id == room_id)
        .where(or_(_within(reach), and_(Appeal.message_id.is_not(None), reach.condition())))
    )  # fmt: skip


def _appeal_contexts(rows: Sequence[Row[Any]]) -> tuple[AppealContext, ...]:
    return tuple(
        AppealContext(
            id=row.id,
            person=PersonContext(row.person_id, row.name, row.picture_id),
            against=KINDS[row.kind][1] if row.kind else "message",
            room=row.room or "",
            reason=row.reason or row.delete_reason or "",
            body=row.body,
            created_at=row.created_at,
            state=row.state,
            answer=row.answer,
            message_id=row.message_id or "",
            decided_by_id=row.imposed_by or row.deleted_by or "",
        )
        for row in rows
    )
