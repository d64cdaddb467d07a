"""What people do with rooms."""

from __future__ import annotations

from contextlib import suppress

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from chat import clock, ids, log
from chat.accounts.queries import get_user
from chat.bus import transaction
from chat.database import db
from chat.errors import Invalid, NotFound
from chat.folding import folded
from chat.rooms import kinds, policy, queries
from chat.rooms.events import MemberJoined, MemberLeft, RoomChanged
from chat.rooms.kinds import direct
from chat.rooms.models import Membership, Room


def create_room(name: str, kind: str, purpose: str, creator_id: str) -> str:
    """Make a room with its creator as the owner; return its id.

    :param kind: a kind that is made by name, such as ``open`` or ``group``.
    :raises Invalid: there is no such kind.
    """
    if kind not in kinds.creatable():
        raise Invalid("Choose one of the kinds of rooms.", {"kind": "Choose one of the kinds of rooms."})
    with transaction():
        room_id = _add_room(kind, name, purpose, None, creator_id)
        _add_member(room_id, creator_id, "owner", creator_id)
    return room_id


def find_direct(person_id: str, viewer_id: str) -> str:
    """Return the one room of a pair of people, made when it is first asked for.

    :raises Invalid: with oneself.
    :raises NotFound: there is no such person.
    """
    if person_id == viewer_id:
        raise Invalid("A direct room is with somebody else.")
    get_user(person_id)
    key = direct.key(person_id, viewer_id)
    by_key = select(Room.id).where(Room.direct_key == key)
    found: str | None = db.session.execute(by_key).scalar()
    if found is not None:
        return found
    try:
        with transaction():
            room_id = _add_room("direct", "", "", key, viewer_id)
            for user_id in sorted((person_id, viewer_id)):
                _add_member(room_id, user_id, "member", viewer_id)
        return room_id
    except IntegrityError:  # the other one of the two was faster
        return str(db.session.execute(by_key).scalar_one())


def join(room_id: str, user_id: str) -> None:
    """Join an open room; nothing happens when one is in it already.

    :raises NotFound: there is no such room, or it is not one that anybody may find.
    """
    if queries.members_named([(room_id, user_id)]):
        return
    queries.get_joinable(room_id)  # before the lock is taken, which is not for everybody
    with suppress(IntegrityError), transaction():  # a double click: the other request has done it
        seq = log.take(room_id)
        policy.require_may_join(queries.get_joinable(room_id))
        _add_member(room_id, user_id, "member", user_id, seq)


def grant(room_id: str, user_id: str, actor_id: str) -> None:
    """Add somebody to a room; nothing happens when they are in it already.

    :raises NotFound: there is no such room or person, or the actor is not in it.
    :raises NotAllowed: the kind of room has its members by nature.
    """
    with suppress(IntegrityError), transaction():  # in it already: a double click, or two who invite at once
        seq = log.take(room_id)
        door = queries.get_membership(room_id, actor_id)
        policy.require_may_add(door.room)
        get_user(user_id)
        _add_member(room_id, user_id, "member", actor_id, seq)


def admit(room_id: str, user_id: str, invited_by: str | None = None) -> None:
    """Put a new account into a room that was chosen for it, in the transaction that makes the account.

    :param invited_by: whose invitation leads there; None if it leads there for everybody.
    :raises Invalid: whoever invited them is no longer in the room.
    """
    seq = log.take(room_id)
    if invited_by is not None and not queries.members_named([(room_id, invited_by)]):
        raise Invalid("This invitation does not work any more. Ask for another one.")
    _add_member(room_id, user_id, "member", user_id, seq)


def revoke(room_id: str, user_id: str, actor_id: str) -> None:
    """Remove somebody from a room, or leave it oneself.

    :raises NotFound: one of the two is not in it.
    :raises NotAllowed: it cannot be left, or the actor is neither the person nor the owner.
    """
    queries.get_membership(room_id, actor_id)  # before the lock is taken, which is not for everybody
    with transaction():
        seq = log.take(room_id)
        door = queries.get_membership(room_id, actor_id)
        if user_id == actor_id:
            policy.require_may_leave(door.room)
        else:
            policy.require_may_manage(door.room, door.membership)
        gone = db.session.execute(
            delete(Membership)
            .where(Membership.room_id == room_id, Membership.user_id == user_id)
            .returning(Membership.role)
        ).scalar()
        if gone is None:
            raise NotFound("This person is not in the room.")
        if gone == "owner":
            _pass_on(room_id)
        log.write(MemberLeft(room_id, seq, user_id, actor_id))


def change_room(room_id: str, name: str, purpose: str, actor_id: str) -> None:
    """Give a room another name and purpose.

    :raises NotFound: the actor is not in it.
    :raises NotAllowed: the actor is not the owner.
    """
    with transaction():
        seq = log.take(room_id)
        door = queries.get_membership(room_id, actor_id)
        policy.require_may_manage(door.room, door.membership)
        db.session.execute(
            update(Room).where(Room.id == room_id).values(name=name, folded_name=folded(name), purpose=purpose)
        )
        log.write(RoomChanged(room_id, seq, room_id, actor_id))


def _add_room(kind: str, name: str, purpose: str, direct_key: str | None, creator_id: str) -> str:
    room_id, now = ids.new(), clock.now()
    db.session.execute(
        insert(Room).values(
            id=room_id,
            kind=kind,
            name=name,
            folded_name=folded(name),
            purpose=purpose,
            direct_key=direct_key,
            created_by=creator_id,
            created_at=now,
            head=0,
            posted=0,
            active_at=now,
        )
    )
    return room_id


def _add_member(room_id: str, user_id: str, role: str, actor_id: str, seq: int | None = None) -> None:
    """Add a membership that starts with everything read, and log it.

    :param seq: what ``log.take`` gave; None to take it here.
    """
    seq = log.take(room_id) if seq is None else seq
    posted = db.session.execute(select(Room.posted).where(Room.id == room_id)).scalar_one()
    db.session.execute(
        insert(Membership).values(
            room_id=room_id,
            user_id=user_id,
            role=role,
            joined_at=clock.now(),
            last_read_seq=seq,
            last_read_number=posted,
        )
    )
    log.write(MemberJoined(room_id, seq, user_id, actor_id))


def _pass_on(room_id: str) -> None:
    """Make whoever has been in a room longest its owner, unless it still has one."""
    remaining = select(Membership.user_id).where(Membership.room_id == room_id)
    if db.session.execute(remaining.where(Membership.role == "owner").limit(1)).scalar() is None:
        heir = db.session.execute(remaining.order_by(Membership.joined_at, Membership.user_id).limit(1)).scalar()
        db.session.execute(
            update(Membership).where(Membership.room_id == room_id, Membership.user_id == heir).values(role="owner")
        )
