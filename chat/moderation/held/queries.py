"""What waits within reach, and what rules told of."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, func, select

from chat.accounts.contexts import PersonContext
from chat.accounts.models import User
from chat.core import clock
from chat.core.database import db
from chat.core.errors import NotFound
from chat.messages.body import to_html
from chat.messages.models import HeldMessage, Message
from chat.moderation.held.contexts import AlertContext, Decided, HeldCase, HeldPage
from chat.moderation.rules.models import Rule, RuleHit
from chat.rooms.contexts import RoomContext
from chat.rooms.models import Room
from chat.rooms.queries import Reach

#: Shown at once.
PAGE = 30
#: For how long a decision is said, and a refusal can be taken back.
UNDO_WINDOW = timedelta(minutes=10)


def waiting(reach: Reach) -> tuple[int, int]:
    """Return how many messages wait, and of how many that were posted a rule told."""
    held = select(func.count()).select_from(HeldMessage).join(Room, Room.id == HeldMessage.room_id)
    alerts = select(func.count()).select_from(RuleHit).join(Room, Room.id == RuleHit.room_id)
    both = select(
        held.where(HeldMessage.state == "waiting", reach.condition()).scalar_subquery(),
        alerts.where(*_unseen(reach)).scalar_subquery(),
    )
    number, told = db.session.execute(both).one()
    return number, told


def page(reach: Reach, decided_id: str = "") -> HeldPage:
    """Return the queue, and what was decided a moment ago."""
    statement = _select().where(HeldMessage.state == "waiting", reach.condition())
    rows = db.session.execute(statement.order_by(HeldMessage.created_at, HeldMessage.id).limit(PAGE)).all()
    number, told = waiting(reach)
    return HeldPage(tuple(_case(row) for row in rows), number, _alerts(reach), told, _decided(reach, decided_id))


def case(reach: Reach, held_id: str) -> HeldCase:
    """Return one that waits.

    :raises NotFound: it is not within reach, or waits no longer.
    """
    statement = _select().where(HeldMessage.id == held_id, HeldMessage.state == "waiting", reach.condition())
    row = db.session.execute(statement).one_or_none()
    if row is None:
        raise NotFound("This message waits no longer, or you cannot see it.")
    return _case(row)


def get_held(reach: Reach, held_id: str) -> HeldMessage:
    """Return one, waiting or not, for writing.

    :raises NotFound: it is not within reach.
    """
    statement = (
        select(HeldMessage)
        .join(Room, Room.id == HeldMessage.room_id)
        .where(HeldMessage.id == held_id, reach.condition())
        .execution_options(populate_existing=True)
    )
    held = db.session.execute(statement).scalar_one_or_none()
    if held is None:
        raise NotFound("This message is gone, or you cannot see it.")
    return held


def _select() -> Select[*tuple[Any, ...]]:
    return (
        select(
            HeldMessage.id, HeldMessage.body, HeldMessage.pictures, HeldMessage.label, HeldMessage.created_at,
            HeldMessage.author_id, User.name, User.picture_id, Room.id.label("room_id"), Room.kind, Room.name.label("room"),
        )
        .join(Room, Room.id == HeldMessage.room_id)
        .join(User, User.id == HeldMessage.author_id)
    )  # fmt: skip


def _case(row: Row[*tuple[Any, ...]]) -> HeldCase:
    author = PersonContext(row.author_id, row.name, row.picture_id)
    room = RoomContext(row.room_id, row.kind, row.room)
    return HeldCase(row.id, room, author, to_html(row.body), tuple(row.pictures), row.label, row.created_at)


def unseen(reach: Reach, until: int) -> Select[int]:
    """Return what selects the alerts within reach up to one of them that nobody has seen."""
    return select(RuleHit.id).join(Room, Room.id == RuleHit.room_id).where(RuleHit.id <= until, *_unseen(reach))


def _unseen(reach: Reach) -> tuple[ColumnElement[bool], ...]:
    return RuleHit.action == "alert", RuleHit.seen_at.is_(None), RuleHit.message_id.is_not(None), reach.condition()


def _alerts(reach: Reach) -> tuple[AlertContext, ...]:
    statement = (
        select(
            RuleHit.id, RuleHit.at, RuleHit.message_id, Rule.name.label("label"), User.id.label("author_id"), User.name,
            User.picture_id, Room.id.label("room_id"), Room.kind, Room.name.label("room"),
        )
        .join(Rule, Rule.id == RuleHit.rule_id)
        .join(Room, Room.id == RuleHit.room_id)
        .join(User, User.id == RuleHit.person_id)
        .join(Message, Message.id == RuleHit.message_id)
        .where(*_unseen(reach))
        .order_by(RuleHit.id)
        .limit(PAGE)
    )  # fmt: skip
    return tuple(
        AlertContext(
            row.id, RoomContext(row.room_id, row.kind, row.room), PersonContext(row.author_id, row.name, row.picture_id),
            row.message_id, row.label, row.at,
        )
        for row in db.session.execute(statement)
    )  # fmt: skip


def _decided(reach: Reach, held_id: str) -> Decided | None:
    """Return what the viewer decided a moment ago."""
    statement = (
        select(HeldMessage.id, HeldMessage.state, HeldMessage.message_id, User.name, Room.id.label("room_id"), Room.kind)
        .add_columns(Room.name.label("room"))
        .join(Room, Room.id == HeldMessage.room_id)
        .join(User, User.id == HeldMessage.author_id)
        .where(
            HeldMessage.id == held_id, HeldMessage.decided_by == reach.user_id, reach.condition(),
            HeldMessage.decided_at > clock.now() - UNDO_WINDOW, HeldMessage.state != "waiting",
        )
    )  # fmt: skip
    row = db.session.execute(statement).one_or_none() if held_id else None
    if row is None:
        return None
    room = RoomContext(row.room_id, row.kind, row.room)
    return Decided(row.id, row.state == "approved", row.name, room, row.message_id)
