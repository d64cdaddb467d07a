"""What a sweep would remove, what it removed, and the list of them within reach."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, case, exists, func, not_, select, tuple_
from sqlalchemy.orm import aliased

from chat.accounts.contexts import PersonContext
from chat.accounts.models import User
from chat.core.database import db
from chat.core.errors import NotFound
from chat.messages import queries as messages
from chat.messages.body import to_line
from chat.messages.models import Message
from chat.moderation.sweeps.contexts import SweepContext, SweepPage, SweptContext
from chat.moderation.sweeps.models import Sweep
from chat.rooms.contexts import Choice, RoomContext
from chat.rooms.models import Room
from chat.rooms.queries import Reach

#: Most messages of one sweep, and most of them that its page lists.
MOST = 5000
LISTED = 200

_actor = aliased(User)


def found_now(reach: Reach, person_id: str, room_id: str | None, since: datetime) -> Select[str]:
    """Return what selects the ids of the messages that a sweep would remove; of very many, one more than ``MOST``."""
    conditions = [
        Message.author_id == person_id, Message.created_at >= since, messages.standing(), reach.condition(),
    ]  # fmt: skip
    if room_id:
        conditions.append(Message.room_id == room_id)
    return select(Message.id).join(Room, Room.id == Message.room_id).where(*conditions).limit(MOST + 1)


def count(reach: Reach, person_id: str, room_id: str | None, since: datetime) -> int:
    """Return how many messages a sweep would remove; one more than ``MOST`` stands for any number."""
    found = found_now(reach, person_id, room_id, since)
    return db.session.execute(select(func.count()).select_from(found.subquery())).scalar_one()


def get_person(reach: Reach, person_id: str, room_id: str | None) -> tuple[User, Room | None]:
    """Return whom a sweep is about, and where.

    :raises NotFound: there is no such person, or the room is not within reach.
    """
    person = db.session.get(User, person_id)
    room = None
    if room_id is not None:
        room = db.session.execute(select(Room).where(Room.id == room_id, reach.condition())).scalar_one_or_none()
    if person is None or (room_id is not None and room is None) or not _wrote(reach, person_id):
        raise NotFound("There is nobody of that name here.")
    return person, room


def rooms_of(reach: Reach, person_id: str) -> tuple[Choice, ...]:
    """Return the rooms within reach in which somebody wrote, by name."""
    wrote = Room.id.in_(select(Message.room_id).where(Message.author_id == person_id).distinct())
    statement = select(Room.id, Room.name).where(reach.condition(), wrote).order_by(Room.folded_name).limit(200)
    return tuple(Choice(*row) for row in db.session.execute(statement))


def get_sweep(sweep_id: str, reach: Reach) -> Sweep:
    """Return a sweep, for writing.

    :raises NotFound: there is none of that id, or nothing of it is within reach.
    """
    sweep = db.session.get(Sweep, sweep_id, populate_existing=True)
    if sweep is None or not (sweep.actor_id == reach.user_id or _any(reach, sweep_id)):
        raise NotFound("This sweep is gone, or you cannot see it.")
    return sweep


def lock_sweep(sweep_id: str) -> Sweep:
    """Return a sweep as it is, under its lock until the end of ``transaction()``.

    :raises NotFound: there is none of that id.
    """
    statement = select(Sweep).where(Sweep.id == sweep_id).with_for_update()
    sweep = db.session.execute(statement.execution_options(populate_existing=True)).scalar_one_or_none()
    if sweep is None:
        raise NotFound("This sweep is gone, or you cannot see it.")
    return sweep


def next_to_remove(sweep: Sweep, reach: Reach, limit: int) -> tuple[str, list[str]] | None:
    """Return a room and messages in it that a sweep has still to remove; None when there are none."""
    statement = _next(Message.sweep_id == sweep.id, messages.standing(), reach.condition())
    return _of_one_room(db.session.execute(statement.limit(limit)).all())


def still_to_remove(sweep_id: str) -> Select[str]:
    """Return what selects the ids of the messages that a sweep has not come to."""
    return select(Message.id).where(Message.sweep_id == sweep_id, Message.deleted_at.is_(None))


def reaches_all(sweep_id: str, reach: Reach) -> bool:
    """Tell whether everything that a sweep has removed, and is to remove, is within reach."""
    beyond = exists().where(
        Message.sweep_id == sweep_id, Message.purged_at.is_(None), Room.id == Message.room_id, not_(reach.condition())
    )
    return not db.session.execute(select(beyond)).scalar()


def next_to_put_back(sweep: Sweep, reach: Reach, limit: int) -> tuple[str, list[str]] | None:
    """Return a room and messages in it that are still removed by a sweep; None when there are none."""
    return _of_one_room(db.session.execute(_next(*_left(reach, sweep.id)).limit(limit)).all())


def count_left(sweep: Sweep, reach: Reach) -> int:
    """Return how many messages are still removed by a sweep."""
    statement = select(func.count()).select_from(Message).join(Room, Room.id == Message.room_id)
    return db.session.execute(statement.where(*_left(reach, sweep.id))).scalar_one()


def page(sweep_id: str, reach: Reach) -> SweepPage:
    """Return one sweep with its messages.

    :raises NotFound: as ``get_sweep``.
    """
    sweep = get_sweep(sweep_id, reach)
    (context,) = _contexts(reach, _select().where(Sweep.id == sweep_id))
    statement = (
        select(Message.id, Message.body, Message.pictures, Message.created_at, Room.name)
        .join(Room, Room.id == Message.room_id)
        .where(*_left(reach, sweep_id))
        .order_by(Message.created_at.desc(), Message.id.desc())
        .limit(LISTED)
    )
    rows = tuple(
        SweptContext(row.id, row.name, to_line(row.body, 200), row.pictures, row.created_at)
        for row in db.session.execute(statement)
    )
    return SweepPage(
        context,
        sweep.since,
        sweep.messages,
        sweep.finished_at is None,
        sweep.undone_at,
        rows,
        reach.may("sanction.room"),
        reaches_all(sweep_id, reach),
    )


def listed(
    reach: Reach,
    conditions: Sequence[ColumnElement[bool]],
    room_id: str,
    place: tuple[datetime, str] | None,
    limit: int,
) -> tuple[SweepContext, ...]:
    """Return the sweeps that have something removed within reach, latest first.

    :param conditions: what a row of ``Sweep`` has to be.
    :param room_id: in which they have something; empty for any.
    :param place: of the one they come after.
    """
    statement = _select().where(*conditions, _standing_in(reach, room_id))
    if place is not None:
        statement = statement.where(tuple_(Sweep.created_at, Sweep.id) < place)
    return _contexts(reach, statement.order_by(Sweep.created_at.desc(), Sweep.id.desc()).limit(limit))


def found(reach: Reach, conditions: Sequence[ColumnElement[bool]], room_id: str, most: int) -> int:
    """Return how many ``listed`` would return without an end; at most ``most``."""
    some = select(Sweep.id).where(*conditions, _standing_in(reach, room_id)).limit(most)
    return db.session.execute(select(func.count()).select_from(some.subquery())).scalar_one()


# -- inside


def _left(reach: Reach, sweep_id: str) -> list[ColumnElement[bool]]:
    return [
        Message.sweep_id == sweep_id, Message.deleted_at.is_not(None), Message.purged_at.is_(None), reach.condition(),
        Message.deleted_by.is_distinct_from(Message.author_id),
    ]  # fmt: skip


def _standing_in(reach: Reach, room_id: str) -> ColumnElement[bool]:
    # Not what it has not come to. As a case: asked plainly whether it is deleted, SQLite would go by the room.
    removed = case((Message.deleted_at.is_(None), 0), else_=1) == 1
    inside = [Message.sweep_id == Sweep.id, Message.purged_at.is_(None), removed]
    if room_id:
        inside.append(Message.room_id == room_id)
    # As the first that is found, and no exists(): PostgreSQL would make a join of it, over all that was ever swept.
    first = select(Message.id).join(Room, Room.id == Message.room_id).where(*inside, reach.condition()).limit(1)
    return first.correlate(Sweep).scalar_subquery().is_not(None)


def _wrote(reach: Reach, person_id: str) -> bool:
    inside = exists().where(Message.author_id == person_id, Room.id == Message.room_id, reach.condition())
    return reach.may_everywhere("message.remove") or bool(db.session.execute(select(inside)).scalar())


def _any(reach: Reach, sweep_id: str) -> bool:
    inside = exists().where(Message.sweep_id == sweep_id, Room.id == Message.room_id, reach.condition())
    return bool(db.session.execute(select(inside)).scalar())


def _next(*conditions: ColumnElement[bool]) -> Select[str, str]:
    joined = select(Message.room_id, Message.id).join(Room, Room.id == Message.room_id)
    return joined.where(*conditions).order_by(Message.room_id, Message.seq)


def _of_one_room(rows: Sequence[Row[str, str]]) -> tuple[str, list[str]] | None:
    if not rows:
        return None
    room_id = rows[0].room_id
    return room_id, [row.id for row in rows if row.room_id == room_id]


def _select() -> Select[*tuple[Any, ...]]:
    return (
        select(
            Sweep.id, Sweep.person_id, Sweep.actor_id, Sweep.reason, Sweep.created_at,
            User.name.label("person"), User.picture_id.label("person_picture"),
            _actor.name.label("actor"), _actor.picture_id.label("actor_picture"),
        )
        .join(User, User.id == Sweep.person_id)
        .outerjoin(_actor, _actor.id == Sweep.actor_id)
    )  # fmt: skip


def _contexts(reach: Reach, statement: Select[*tuple[Any, ...]]) -> tuple[SweepContext, ...]:
    rows = db.session.execute(statement).all()
    counted = _counted(reach, [row.id for row in rows])
    return tuple(
        SweepContext(
            row.id,
            PersonContext(row.person_id, row.person, row.person_picture),
            counted[row.id][1] if row.id in counted else None,
            PersonContext(row.actor_id, row.actor, row.actor_picture) if row.actor else None,
            row.reason,
            row.created_at,
            counted[row.id][0] if row.id in counted else 0,
        )
        for row in rows
    )


def _counted(reach: Reach, sweep_ids: Collection[str]) -> dict[str | None, tuple[int, RoomContext | None]]:
    """Return how many messages of each sweep are still removed by it, and the room if they are all in one."""
    if not sweep_ids:
        return {}
    statement = (
        select(Message.sweep_id, func.count(), Room.id, Room.kind, Room.name)
        .join(Room, Room.id == Message.room_id)
        .where(
            Message.sweep_id.in_(sorted(sweep_ids)), Message.deleted_at.is_not(None), Message.purged_at.is_(None),
            reach.condition(),
        )
        .group_by(Message.sweep_id, Room.id, Room.kind, Room.name)
    )  # fmt: skip
    counted: dict[str | None, tuple[int, RoomContext | None]] = {}
    for sweep_id, number, room_id, kind, name in db.session.execute(statement):
        room = None if sweep_id in counted else RoomContext(room_id, kind, name)
        counted[sweep_id] = (counted.get(sweep_id, (0, None))[0] + number, room)
    return counted
