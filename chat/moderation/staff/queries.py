"""Who may do what and why, and what a moderator sees of a person."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import ColumnElement, and_, case, exists, func, or_, select
from sqlalchemy.orm import aliased

from chat.accounts import queries as accounts
from chat.accounts.contexts import PersonContext
from chat.accounts.models import User
from chat.core import clock, permissions
from chat.core.database import db
from chat.core.errors import ChatError, NotFound
from chat.core.folding import words
from chat.core.permissions import PERMISSIONS, ROLES, SITE_ROLES
from chat.messages import queries as messages
from chat.messages.models import Message
from chat.moderation.reports.models import ReportCase
from chat.moderation.sanctions import queries as sanctions
from chat.moderation.sanctions.models import Sanction
from chat.moderation.sanctions.words import KINDS
from chat.moderation.staff.contexts import (
    Ground,
    OfficeContext,
    OwnedRoom,
    PeopleFound,
    PermissionRow,
    PersonPage,
    RolesPage,
    RoomOwnerPage,
    RoomsPage,
    WhyPage,
)
from chat.rooms import kinds
from chat.rooms import policy as room_policy
from chat.rooms import queries as rooms
from chat.rooms.contexts import Choice
from chat.rooms.models import Membership, Room
from chat.rooms.queries import Reach

#: Messages of a person that are shown.
LATEST = 20
_FOUND = 100
#: Members among whom an owner is chosen.
_INSIDE = 500


# -- roles


def roles(may_change: bool) -> RolesPage:
    """Return the table of permissions, and everybody whose role is not that of everybody."""
    table = tuple(
        PermissionRow(each.name, each.words, tuple(words for role, words in ROLES.items() if role in each.roles))
        for each in PERMISSIONS.values()
    )
    office = select(User).where(User.role != "member").order_by(User.folded_name, User.id).limit(500)
    on_site = [OfficeContext(user.context, ROLES[user.role]) for user in db.session.execute(office).scalars()]
    order = list(ROLES.values())
    on_site.sort(key=lambda each: order.index(each.role))
    appointed = (
        select(User, Room.id, Room.name)
        .join(Membership, Membership.user_id == User.id)
        .join(Room, Room.id == Membership.room_id)
        .where(Membership.role == "moderator")
        .order_by(User.folded_name, Room.folded_name)
        .limit(500)
    )
    in_rooms = [
        OfficeContext(user.context, ROLES["room_moderator"], name, room_id)
        for user, room_id, name in db.session.execute(appointed)
    ]
    return RolesPage(table, (*on_site, *in_rooms), may_change)


# -- why


def why(reach: Reach, person_id: str, room_id: str, permission: str) -> WhyPage:
    """Return why somebody may do something, or may not, in a room or anywhere.

    :param room_id: empty for what is about no room.
    :raises NotFound: the person, or the room, is not within reach.
    """
    page = _choices(reach, person_id, room_id, permission)
    if not (person_id and permission):
        return page
    asked = PERMISSIONS.get(permission)
    if asked is None:
        raise NotFound
    person = get_person(reach, person_id)
    room = _room(reach, room_id) if room_id else None
    allowed, grounds = decide(person, room, permission)
    where = f" in {room.name}" if room else ""
    answer = f"{person.name} {'may' if allowed else 'may not'} {asked.words}{where}."
    return WhyPage(page.people, page.rooms, page.permissions, person_id, room_id, permission, answer, allowed, grounds)


def decide(person: User, room: Room | None, permission: str) -> tuple[bool, tuple[Ground, ...]]:
    """Return whether somebody may do something, by what decides it when they try, and each ground in order."""
    grounds = tuple(_grounds(person, room, permission))
    return all(each.speaks_for for each in grounds), grounds


def _grounds(person: User, room: Room | None, permission: str) -> Iterator[Ground]:
    asked, name = PERMISSIONS[permission], person.name
    yield Ground(True, f"{name} is {_a(ROLES[person.role])} of this site.")
    for each in sanctions.active_of(person.id):
        if each.room_id is None and each.kind != "mute":
            yield Ground(False, f"{name} is {KINDS[each.kind][1]} everywhere{_until(each)}: {each.reason}")
    in_room = None
    if asked.in_room and room is not None:
        membership = db.session.get(Membership, (room.id, person.id), populate_existing=True)
        in_room = permissions.room_role(membership.role if membership else None)
        inside = membership is not None
        staff = not permissions.may(permission, "member") and not asked.roles.isdisjoint(("administrator", "moderator"))
        if inside:
            part = f" and {ROLES[in_room].lower()}" if in_room else ""
            yield Ground(True, f"{name} is in {room.name}{part}.")
        elif (
            staff
            and db.session.execute(
                select(exists().where(Room.id == room.id, Reach(person.id, person.role).condition()))
            ).scalar()
        ):
            yield Ground(True, f"{name} reaches {room.name} as {_a(ROLES[person.role])}, without being in it.")
        else:
            yield Ground(False, f"{name} is not in {room.name}.")
        if membership is not None and permission in _WRITING:
            yield from _writes(name, membership)
        if not kinds.get(room.kind).moderated and permission in _NOT_IN_DIRECT:
            yield Ground(False, "A direct room belongs to the two in it.")
    holders = [ROLES[role] for role in ROLES if role in asked.roles]
    has = permissions.may(permission, person.role, in_room)
    yield Ground(has, f"Who may {asked.words}: {', '.join(holders)}.")


#: What a muted member cannot do, and what nobody does in a direct room.
_WRITING = frozenset({"message.post", "member.add", "room.change"})
_NOT_IN_DIRECT = frozenset(
    {
        "member.add",
        "member.remove",
        "room.change",
        "message.remove",
        "hidden.read",
        "held.decide",
        "sanction.room",
        "rule.room",
    }
)


def _writes(name: str, membership: Membership) -> Iterator[Ground]:
    try:
        room_policy.require_may_write(membership, clock.now())
    except ChatError:
        muted = [each for each in sanctions.active_of(membership.user_id) if each.kind == "mute"]
        for each in muted:
            if each.room_id in (None, membership.room_id):
                where = "everywhere" if each.room_id is None else "here"
                yield Ground(False, f"{name} is muted {where}{_until(each)}: {each.reason}")


def _until(sanction: Sanction) -> str:
    return f" until {sanction.expires_at:%d %B, %H:%M} UTC" if sanction.expires_at else ""


def _a(words: str) -> str:
    return f"{'an' if words[0] in 'AEIOU' else 'a'} {words.lower()}"


def _choices(reach: Reach, person_id: str, room_id: str, permission: str) -> WhyPage:
    people = select(User.id, User.name).where(_seen(reach)).order_by(User.folded_name, User.id).limit(500)
    rooms = select(Room.id, Room.name).where(reach.condition()).order_by(Room.folded_name, Room.id).limit(500)
    return WhyPage(
        tuple(Choice(*row) for row in db.session.execute(people)),
        tuple(Choice(*row) for row in db.session.execute(rooms)),
        tuple(Choice(each.name, each.words[0].upper() + each.words[1:]) for each in PERMISSIONS.values()),
        person_id,
        room_id,
        permission,
    )


def _room(reach: Reach, room_id: str) -> Room:
    room = db.session.execute(select(Room).where(Room.id == room_id, reach.condition())).scalar_one_or_none()
    if room is None:
        raise NotFound("This room is gone, or you cannot see it.")
    return room


# -- people


def get_person(reach: Reach, person_id: str) -> User:
    """Return a person within reach.

    :raises NotFound: there is nobody of that id.
    """
    statement = select(User).where(User.id == person_id, _seen(reach)).execution_options(populate_existing=True)
    found = db.session.execute(statement).scalar_one_or_none()
    if found is None:
        raise NotFound("There is nobody of that name here.")
    return found


def found(reach: Reach, search: str) -> PeopleFound:
    """Return people within reach whose name has the words searched for."""
    statement = select(User).where(_seen(reach)).order_by(User.folded_name, User.id).limit(_FOUND)
    for word in words(search):
        statement = statement.where(User.folded_name.contains(word, autoescape=True))
    return PeopleFound(tuple(user.context for user in db.session.execute(statement).scalars()), search)


def person(reach: Reach, person_id: str, may_change: bool) -> PersonPage:
    """Return what a moderator sees of a person.

    :raises NotFound: there is nobody of that id within reach.
    """
    user = get_person(reach, person_id)
    near = select(Room.id).where(reach.condition())
    mine = (Message.author_id == person_id, Message.room_id.in_(near))
    counted = select(func.count(), func.count(Message.deleted_at)).where(*mine)
    total, removed = db.session.execute(counted).one()
    cases = select(func.coalesce(func.sum(ReportCase.reports), 0)).where(
        ReportCase.person_id == person_id, or_(ReportCase.room_id.is_(None), ReportCase.room_id.in_(near))
    )
    inside = (
        select(Room.id, Room.name, Membership.role)
        .join(Membership, Membership.room_id == Room.id)
        .where(Membership.user_id == person_id, reach.condition())
        .order_by(Room.active_at.desc())
        .limit(50)
    )
    latest = (
        select(Message.id, Room.name)
        .join(Room, Room.id == Message.room_id)
        .where(*mine, Message.deleted_at.is_(None))
        .order_by(Message.created_at.desc(), Message.id.desc())
        .limit(LATEST)
    )
    rows = db.session.execute(latest).all()
    contexts = messages.contexts([row.id for row in rows])
    context = PersonContext(user.id, user.name, user.picture_id, user.status)
    rooms = tuple(
        OfficeContext(context, ROLES.get(permissions.room_role(role) or "", ""), name, room_id)
        for room_id, name, role in db.session.execute(inside)
    )
    offices = [
        Choice(f"dismiss:{each.room_id}", f"No longer moderator of {each.room}")
        if each.role
        else Choice(f"appoint:{each.room_id}", f"Moderator of {each.room}")
        for each in rooms
        if each.role != ROLES["room_owner"]
    ]
    return PersonPage(
        context, user.role, ROLES[user.role], user.created_at, user.last_seen_at, total, removed,
        db.session.execute(cases).scalar_one(),
        rooms,
        sanctions.history_of(reach, person_id),
        tuple((row.name, contexts[row.id]) for row in rows),
        tuple(Choice(role, ROLES[role]) for role in SITE_ROLES if role != user.role) if may_change else (),
        offices=tuple(offices) if may_change else (),
    )  # fmt: skip


# -- rooms


def owned_rooms(search: str) -> RoomsPage:
    """Return rooms that are not direct, with who owns them: those that nobody owns first, then the liveliest."""
    inside = aliased(Membership)
    members = select(func.count()).where(inside.room_id == Room.id).scalar_subquery()
    statement = (
        select(Room, User, members)
        .outerjoin(Membership, and_(Membership.room_id == Room.id, Membership.role == "owner"))
        .outerjoin(User, User.id == Membership.user_id)
        .where(Room.kind.in_(kinds.moderated()))
        .order_by(case((User.id.is_(None), 0), else_=1), Room.active_at.desc(), Room.id)
        .limit(_FOUND)
    )
    for word in words(search):
        statement = statement.where(Room.folded_name.contains(word, autoescape=True))
    found = tuple(
        OwnedRoom(rooms.shared(room), owner.context if owner else None, count, room.kept_for is not None)
        for room, owner, count in db.session.execute(statement)
    )
    return RoomsPage(found, search)


def room(room_id: str) -> RoomOwnerPage:
    """Return the owner of a room and the people who can be named: its members, by name; of an empty room its maker.

    :raises NotFound: there is no such room, or it is a direct one.
    """
    found = db.session.execute(
        select(Room).where(Room.id == room_id, Room.kind.in_(kinds.moderated()))
    ).scalar_one_or_none()
    if found is None:
        raise NotFound("This room is gone.")
    inside = rooms.members(room_id, _INSIDE)
    owner = next((each.person for each in inside if each.role == "owner"), None)
    known = accounts.people([each for each in (found.kept_for, found.created_by) if each])
    others = [each.person for each in inside if each.role != "owner"]
    maker = known.get(found.created_by or "")
    if not inside and maker is not None:
        others = [maker]
    away = known.get(found.kept_for or "")
    if away is not None and away not in others:
        others.append(away)
    choices = tuple(Choice(each.id, each.name) for each in others)
    return RoomOwnerPage(rooms.shared(found), owner, away, rooms.member_count(room_id), choices)


def _seen(reach: Reach) -> ColumnElement[bool]:
    """Return whom a moderator sees: everybody, or who is, writes or was sanctioned in a room within reach."""
    if reach.may_everywhere("sanction.site"):
        return User.id.is_not(None)
    near = select(Room.id).where(reach.condition())
    return or_(
        exists().where(Membership.user_id == User.id, Membership.room_id.in_(near)),
        exists().where(Message.author_id == User.id, Message.room_id.in_(near)),
        exists().where(Sanction.person_id == User.id, Sanction.room_id.in_(near)),
    )
