"""Rooms, their members, and the list of one's rooms. ``get_membership`` is the door to everything in a room."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, case, exists, func, or_, select, true, tuple_
from sqlalchemy.orm import aliased

from chat.accounts.contexts import PersonContext
from chat.accounts.models import User
from chat.core import clock, permissions
from chat.core.database import db
from chat.core.errors import NoSuchRoom
from chat.core.folding import words
from chat.rooms import kinds
from chat.rooms.contexts import MemberContext, OpenRoomContext, PreviewContext, RoomContext, RowContext
from chat.rooms.models import Membership, Room


@dataclass(frozen=True)
class Door:
    """A room that somebody is in: proof, for whoever holds it, that they are."""

    room: Room
    membership: Membership


@dataclass(frozen=True)
class Reach:
    """Where somebody moderates: never in direct rooms, which belong to the two in them.

    An administrator reaches every other room; a moderator those that are open and those they are in; who moderates some
    rooms, those.
    """

    user_id: str
    #: On the site.
    role: str

    def condition(self) -> ColumnElement[bool]:
        """Return what a row of ``Room`` has to be."""
        own = select(Membership.room_id).where(Membership.user_id == self.user_id)
        if self.role == "administrator":
            near: ColumnElement[bool] = true()
        elif permissions.may("message.remove", self.role):
            # A case and no "or": of that SQLite makes a search by rooms, and then reads every message of every room.
            near = case((Room.kind.in_(kinds.joinable()), true()), else_=Room.id.in_(own))
        else:
            near = Room.id.in_(own.where(Membership.role == "moderator"))
        return and_(Room.kind.in_(kinds.moderated()), near)

    def may(self, permission: str) -> bool:
        """Tell whether they have a permission, in the rooms that they reach."""
        return permissions.may(permission, self.role, "room_moderator")

    def may_everywhere(self, permission: str) -> bool:
        """Tell whether their account alone gives them a permission."""
        return permissions.may(permission, self.role)


# The statements behind every page of a room, built once: building one costs several times what running it does.
_DOOR = (
    select(Room, Membership)
    .join(Membership, Membership.room_id == Room.id)
    .where(Room.id == bindparam("room"), Membership.user_id == bindparam("user"))
)
_AUDIENCE = (
    select(Room.head, Membership.user_id)
    .outerjoin(Membership, Membership.room_id == Room.id)
    .outerjoin(User, User.id == Membership.user_id)
    .where(Room.id == bindparam("room"))
    .order_by(User.folded_name, User.id)
)
_OWNERSHIP = (
    select(Room.kind, Room.posted, Room.kept_for, Membership.user_id, User.barred_until, Membership.role_before)
    .outerjoin(Membership, and_(Membership.room_id == Room.id, Membership.role == "owner"))
    .outerjoin(User, User.id == Membership.user_id)
    .where(Room.id == bindparam("room"))
    .order_by(Membership.joined_at)
    .limit(1)
)
_MEMBER_IDS = select(Membership.user_id).where(Membership.room_id == bindparam("room"))
_MEMBERS = (
    select(User.id, User.name, User.picture_id, User.status, User.last_seen_at, Membership.role)
    .join(Membership, Membership.user_id == User.id)
    .where(Membership.room_id == bindparam("room"))
    .order_by(User.folded_name, User.id)
    .limit(bindparam("most"))
)
_COUNT = select(func.count()).where(Membership.room_id == bindparam("room"))

#: Returns one line of the last message of each room, by room id. Set by the feature that has messages.
previews: Callable[[Collection[str]], dict[str, PreviewContext]] = lambda room_ids: {}  # noqa: E731 - a slot

#: Returns who imposed the sanctions that keep owners out of a room: it never becomes theirs. Set by the feature with sanctions.
imposers: Callable[[str], set[str]] = lambda room_id: set()  # noqa: E731 - a slot


@dataclass(frozen=True)
class Ownership:
    """The owner of a room, read under its lock."""

    kind: str
    posted: int
    #: As in ``Room``.
    kept_for: str | None
    owner_id: str | None
    #: Whether the owner is suspended or banned everywhere.
    away: bool
    #: The former role of an owner who stands in, as in ``Membership``.
    role_before: str | None


def get_membership(room_id: str, user_id: str) -> Door:
    """Return a room through somebody's membership in it.

    :raises NotFound: there is no such room, or they are not in it; the two look the same.
    """
    row = db.session.execute(_DOOR, {"room": room_id, "user": user_id}).one_or_none()
    if row is None:
        raise NoSuchRoom
    return Door(row[0], row[1])


def get_joinable(room_id: str) -> Room:
    """Return a room that anybody may find.

    :raises NotFound: there is none of that id.
    """
    room = db.session.get(Room, room_id)
    if room is None or not kinds.get(room.kind).joinable:
        raise NoSuchRoom
    return room


def readable(user_id: str, room_ids: Collection[str]) -> set[str]:
    """Return those of some rooms that a person may read."""
    if not room_ids:
        return set()
    statement = select(Membership.room_id).where(
        Membership.user_id == user_id, Membership.room_id.in_(sorted(room_ids))
    )
    return set(db.session.execute(statement).scalars())


#: Members named beside a timeline, the first of them by name.
SHOWN_MEMBERS = 100


def audience(room_id: str) -> tuple[int, list[str]]:
    """Return the head of a room's log and everybody who may read it, by name, from one snapshot.

    :raises NotFound: there is no such room.
    """
    rows = db.session.connection().execute(_AUDIENCE, {"room": room_id}).all()
    if not rows:
        raise NoSuchRoom
    return rows[0][0], [user_id for _, user_id in rows if user_id is not None]


def room_context(room: Room, viewer_id: str) -> RoomContext:
    """Return a room as one of its members sees it."""
    person = other_person(room.id, viewer_id) if kinds.get(room.kind).pair else None
    return RoomContext(room.id, room.kind, person.name if person else room.name, room.purpose, person)


def shared_context(room_id: str) -> RoomContext:
    """Return a room as every member of it sees it; not for direct rooms.

    :raises NotFound: there is no such room.
    """
    room = db.session.get(Room, room_id)
    if room is None:
        raise NoSuchRoom
    return shared(room)


def shared(room: Room) -> RoomContext:
    """Return a room as ``shared_context`` does."""
    return RoomContext(room.id, room.kind, room.name, room.purpose)


@lru_cache(maxsize=10_000)
def kind_of(room_id: str) -> str:
    """Return the kind of a room, which never changes; what asks is rendered for every message.

    :raises NotFound: there is no such room.
    """
    kind: str | None = db.session.execute(select(Room.kind).where(Room.id == room_id)).scalar()
    if kind is None:
        raise NoSuchRoom
    return kind


def other_person(room_id: str, viewer_id: str) -> PersonContext | None:
    """Return the other one of a direct room; None when their account is gone."""
    statement = (
        select(User)
        .join(Membership, Membership.user_id == User.id)
        .where(Membership.room_id == room_id, Membership.user_id != viewer_id)
        .limit(1)
    )
    user = db.session.execute(statement).scalar_one_or_none()
    return user.context if user else None


def rows_of(user_id: str) -> tuple[RowContext, ...]:
    """Return the list of somebody's rooms, latest first. A direct room nobody has written in is its maker's alone."""
    found = _rows(_ROWS_OF, {"user": user_id})
    texts = previews([row.room.id for _, row in found])
    rows = [_with_preview(row, texts) for _, row in found]
    return tuple(sorted(rows, key=lambda row: row.active_at, reverse=True))


def rows_for(room_ids: Collection[str], user_ids: Collection[str]) -> list[tuple[str, RowContext]]:
    """Return the lines of some rooms in the lists of some people, each with the person's id."""
    found = _rows(_ROWS_FOR, {"users": sorted(user_ids), "rooms": sorted(room_ids)})
    texts = previews(room_ids)
    return [(user_id, _with_preview(row, texts)) for user_id, row in found]


def rows_of_pairs(pairs: Collection[tuple[str, str]]) -> list[tuple[str, RowContext]]:
    """Return the lines of rooms in people's lists, by pairs of room and person, each with the person's id."""
    if not pairs:
        return []
    statement = _select_rows(tuple_(Membership.room_id, Membership.user_id).in_(sorted(pairs)))
    texts = previews({room_id for room_id, _ in pairs})
    return [(user_id, _with_preview(row, texts)) for user_id, row in _rows(statement, {})]


def _select_rows(condition: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    other = aliased(Membership)
    return (
        select(
            Membership.user_id, Room.id, Room.kind, Room.name, Room.purpose, Room.active_at,
            (Room.posted - Membership.last_read_number).label("unread"),
            User.id, User.name, User.picture_id, User.status, User.last_seen_at,
        )
        .join(Room, Room.id == Membership.room_id)
        .outerjoin(other, and_(Room.kind.in_(kinds.pairs()), other.room_id == Room.id, other.user_id != Membership.user_id))
        .outerjoin(User, User.id == other.user_id)
        .where(condition, or_(Room.kind.in_(kinds.listed_empty()), Room.posted > 0, Room.created_by == Membership.user_id))
    )  # fmt: skip


_ROWS_OF = _select_rows(Membership.user_id == bindparam("user"))
_ROWS_FOR = _select_rows(
    and_(
        Membership.user_id.in_(bindparam("users", expanding=True)),
        Membership.room_id.in_(bindparam("rooms", expanding=True)),
    )
)


def _rows(statement: Select[*tuple[Any, ...]], values: dict[str, Any]) -> list[tuple[str, RowContext]]:
    found = db.session.connection().execute(statement, values)
    rows = []
    for user_id, room_id, kind, name, purpose, active_at, unread, *person_row in found:
        person = PersonContext(*person_row) if person_row[0] else None
        room = RoomContext(room_id, kind, person.name if person else name or "Nobody any more", purpose, person)
        rows.append((user_id, RowContext(room, active_at, None, max(0, unread))))
    return rows


def _with_preview(row: RowContext, found: dict[str, PreviewContext]) -> RowContext:
    return RowContext(row.room, row.active_at, found.get(row.room.id), row.unread)


def open_rooms(user_id: str, search: str = "") -> tuple[OpenRoomContext, ...]:
    """Return the rooms that anybody may join: those one is not in yet before the others, the liveliest first.

    :param search: words that a name must contain; empty for all.
    """
    mine = select(Membership.room_id).where(Membership.user_id == user_id)
    members = select(func.count()).where(Membership.room_id == Room.id).scalar_subquery()
    statement = (
        select(Room, members, Room.id.in_(mine))
        .where(Room.kind.in_(kinds.joinable()))
        .order_by(Room.id.in_(mine), Room.active_at.desc(), Room.id)
        .limit(100)
    )
    for word in words(search):
        statement = statement.where(Room.folded_name.contains(word, autoescape=True))
    return tuple(
        OpenRoomContext(RoomContext(room.id, room.kind, room.name, room.purpose), count, joined)
        for room, count, joined in db.session.execute(statement)
    )


def members(room_id: str, limit: int = 200) -> tuple[MemberContext, ...]:
    """Return the members of a room by name."""
    rows = db.session.connection().execute(_MEMBERS, {"room": room_id, "most": limit})
    return tuple([_member(room_id, *row) for row in rows])


@lru_cache(maxsize=4096)
def _member(
    room_id: str, user_id: str, name: str, picture_id: str | None, status: str, last_seen_at: datetime | None, role: str
) -> MemberContext:
    return MemberContext(PersonContext(user_id, name, picture_id, status, last_seen_at), role, room_id)


def member_ids(room_id: str) -> list[str]:
    """Return who is in a room, in no order."""
    return list(db.session.connection().execute(_MEMBER_IDS, {"room": room_id}).scalars())


def members_named(pairs: Collection[tuple[str, str]]) -> dict[tuple[str, str], MemberContext]:
    """Return members by pairs of room and person; who is not in the room is left out."""
    statement = (
        select(User, Membership.role, Membership.room_id)
        .join(Membership, Membership.user_id == User.id)
        .where(tuple_(Membership.room_id, Membership.user_id).in_(sorted(set(pairs))))
    )
    rows = db.session.execute(statement)
    return {(room_id, user.id): MemberContext(user.context, role, room_id) for user, role, room_id in rows}


def member_count(room_id: str) -> int:
    """Return how many members a room has."""
    count: int = db.session.connection().execute(_COUNT, {"room": room_id}).scalar_one()
    return count


def non_members(room_id: str, limit: int = 100) -> tuple[PersonContext, ...]:
    """Return people who could be added to a room, by name."""
    inside = select(Membership.user_id).where(Membership.room_id == room_id)
    statement = select(User).where(User.id.not_in(inside)).order_by(User.folded_name, User.id).limit(limit)
    return tuple(user.context for user in db.session.execute(statement).scalars())


def moderates(room_id: str, user_id: str, role: str) -> bool:
    """Tell whether somebody may act on what others wrote in a room that they are in.

    :param role: of theirs, on the site.
    """
    statement = select(Membership.role, Room.kind).join(Room, Room.id == Membership.room_id)
    found = db.session.execute(
        statement.where(Membership.room_id == room_id, Membership.user_id == user_id)
    ).one_or_none()
    if found is None or not kinds.get(found.kind).moderated:
        return False
    return permissions.may("message.remove", role, permissions.room_role(found.role))


def ownership(room_id: str) -> Ownership:
    """Return the ownership of a room.

    :raises NotFound: there is no such room.
    """
    row = db.session.connection().execute(_OWNERSHIP, {"room": room_id}).one_or_none()
    if row is None:
        raise NoSuchRoom
    return Ownership(row[0], row[1], row[2], row[3], _is_away(row[4]), row[5])


def rank(room_id: str, user_id: str) -> str:
    """Return a person's role in a room: ``owner``, also while a sanction keeps them out, ``moderator`` or ``member``."""
    return ranks(user_id, Room.id == room_id).get(room_id, "member")


def ranks(user_id: str, near: ColumnElement[bool]) -> dict[str, str]:
    """Return a person's roles by room, as ``rank`` says them, of the rooms that they are in or own.

    :param near: a condition on ``Room``.
    """
    theirs = aliased(Membership)  # a condition may ask for memberships, too
    role = case((Room.kept_for == user_id, "owner"), else_=theirs.role)
    statement = (
        select(Room.id, role)
        .outerjoin(theirs, and_(theirs.room_id == Room.id, theirs.user_id == user_id))
        .where(near, or_(Room.kept_for == user_id, theirs.user_id == user_id))
    )
    return dict(db.session.execute(statement).all())


def is_in(room_id: str, user_id: str) -> bool:
    """Tell whether somebody is in a room and not suspended or banned everywhere."""
    statement = (
        select(User.barred_until)
        .join(Membership, Membership.user_id == User.id)
        .where(Membership.room_id == room_id, Membership.user_id == user_id)
    )
    row = db.session.execute(statement).one_or_none()
    return row is not None and not _is_away(row[0])


def heir(room_id: str, *besides: str) -> tuple[str, str] | None:
    """Return the member who succeeds the owner of a room, and their role in it; None when there is nobody.

    It is the one who has been in it longest; members who may write and make rooms come first.

    :param besides: ids of people to leave out.
    """
    now = clock.now()
    statement = (
        select(Membership.user_id, Membership.role)
        .join(User, User.id == Membership.user_id)
        .where(
            Membership.room_id == room_id,
            Membership.user_id.not_in({*besides, *imposers(room_id)}),
            or_(User.barred_until.is_(None), User.barred_until <= now),
        )
        .order_by(
            case((User.role.in_(permissions.site_roles("room.create")), 0), else_=1),
            case((Membership.muted_until > now, 1), else_=0),
            Membership.joined_at,
            Membership.user_id,
        )
        .limit(1)
    )
    row = db.session.execute(statement).one_or_none()
    return (row[0], row[1]) if row else None


def owned_by(user_id: str) -> list[str]:
    """Return the rooms that a person owns, or would but for a sanction, in the order in which they are locked."""
    owned = select(Membership.room_id).where(Membership.user_id == user_id, Membership.role == "owner")
    kept = select(Room.id).where(Room.kept_for == user_id)
    return sorted({*db.session.execute(owned).scalars(), *db.session.execute(kept).scalars()})


def to_settle(user_id: str) -> list[str]:
    """Return the rooms whose owner may change when a person is shut out everywhere or let in again, in the order of locks.

    Beside their own it is those they are in that nobody owns: nobody else there may act.
    """
    theirs = aliased(Membership)
    waiting = select(Room.id).where(
        Room.id.in_(select(theirs.room_id).where(theirs.user_id == user_id)),
        Room.kind.in_(kinds.creatable()),
        ~exists().where(Membership.room_id == Room.id, Membership.role == "owner"),
    )
    return sorted({*owned_by(user_id), *db.session.execute(waiting).scalars()})


def _is_away(barred_until: datetime | None) -> bool:
    return barred_until is not None and barred_until > clock.now()


def moderator_ids(room_id: str) -> set[str]:
    """Return who may act on what others write in a room, or in some other: whoever is told so has to look."""
    in_room = select(Membership.user_id).where(Membership.room_id == room_id, Membership.role == "moderator")
    on_site = select(User.id).where(User.role.in_(permissions.site_roles("message.remove")))
    return {*db.session.execute(in_room).scalars(), *db.session.execute(on_site).scalars()}


def rooms_of(user_ids: Collection[str]) -> dict[str, list[str]]:
    """Return the rooms of some people: room ids by person."""
    statement = select(Membership.user_id, Membership.room_id).where(Membership.user_id.in_(sorted(user_ids)))
    found: dict[str, list[str]] = {}
    for user_id, room_id in db.session.execute(statement):
        found.setdefault(user_id, []).append(room_id)
    return found


def direct_partners(user_ids: Collection[str]) -> dict[str, list[str]]:
    """Return with whom some people have direct rooms: partners by person."""
    other = aliased(Membership)
    statement = (
        select(Membership.user_id, other.user_id)
        .join(Room, and_(Room.id == Membership.room_id, Room.kind.in_(kinds.pairs())))
        .join(other, and_(other.room_id == Room.id, other.user_id != Membership.user_id))
        .where(Membership.user_id.in_(sorted(user_ids)))
    )
    found: dict[str, list[str]] = {}
    for user_id, partner_id in db.session.execute(statement):
        found.setdefault(user_id, []).append(partner_id)
    return found
