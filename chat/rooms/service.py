"""What people do with rooms."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from chat.accounts import service as accounts
from chat.accounts.events import UserChanged
from chat.accounts.queries import get_user
from chat.core import audit, clock, ids, log, names, screens
from chat.core.bus import emit, transaction
from chat.core.database import db
from chat.core.errors import Conflict, Invalid, NotAllowed, NotFound
from chat.core.folding import folded
from chat.rooms import kinds, policy, queries
from chat.rooms.events import MemberAppointed, MemberChanged, MemberJoined, MemberLeft, MemberReturned, RoomChanged
from chat.rooms.kinds import direct
from chat.rooms.models import Membership, Room


def create_room(name: str, kind: str, purpose: str, creator_id: str) -> str:
    """Make a room with its creator as the owner; return its id.

    :param kind: a kind that is made by name, such as ``open`` or ``group``.
    :raises Invalid: there is no such kind, or a rule does not have the name or the purpose.
    :raises NotAllowed: its maker is muted.
    """
    if kind not in kinds.creatable():
        raise Invalid("Choose one of the kinds of rooms.", {"kind": "Choose one of the kinds of rooms."})
    screens.require_name("name", name, creator_id)
    screens.require_name("purpose", purpose, creator_id)
    with transaction():
        accounts.require_may_publish(creator_id)
        room_id = _add_room(kind, name, purpose, None, creator_id)
        _add_member(room_id, creator_id, "owner", creator_id)
    return room_id


def find_direct(person_id: str, viewer_id: str) -> str:
    """Return the one room of a pair of people, made when it is first asked for.

    :raises Invalid: with oneself.
    :raises NotAllowed: it is not there yet, and the viewer is muted.
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
            accounts.require_may_publish(viewer_id)
            room_id = _add_room(direct.KIND.name, "", "", key, viewer_id)
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
        policy.require_may_write(door.membership, clock.now())
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
            policy.require_not_kept_for(door.room, user_id)
        if _remove_member(room_id, user_id) is None:
            raise NotFound("This person is not in the room.")
        settle(room_id)
        log.write(MemberLeft(room_id, seq, user_id, actor_id))


def appoint(room_id: str, user_id: str, role: str, actor_id: str, reason: str) -> None:
    """Make a member a moderator of a room, or a plain member again; who owns it stays its owner.

    :param role: ``moderator`` or ``member``.
    :raises NotFound: the person is not in it, or it is a direct room.
    :raises Conflict: they own it, or have this role already.
    """
    with transaction():
        log.lock(room_id)
        kind = db.session.execute(select(Room.kind).where(Room.id == room_id)).scalar()
        known = queries.members_named([(room_id, user_id)]).get((room_id, user_id))
        if known is None or not kinds.get(str(kind)).changeable:
            raise NotFound("This person is not in the room.")
        if known.role in ("owner", role):
            raise Conflict(f"{known.person.name} is {known.role} of this room already.")
        mine = (Membership.room_id == room_id, Membership.user_id == user_id)
        db.session.execute(update(Membership).where(*mine).values(role=role))
        log.write(MemberChanged(room_id, log.take(room_id), user_id, actor_id))
        emit(UserChanged(user_id))
        emit(MemberAppointed(room_id, user_id, role, reason))
        audit.write(
            "member.appointed" if role == "moderator" else "member.dismissed", actor_id, person_id=user_id, room_id=room_id,
            reason=reason, before={"role": known.role}, after={"role": role},
        )  # fmt: skip


def name_owner(room_id: str, user_id: str, actor_id: str, reason: str) -> None:
    """Make somebody the owner of a room, in their own right. They come in if need be, and the former owner becomes a member.

    :raises NotFound: there is no such room or person, or it is a direct room.
    :raises NotAllowed: they imposed the sanction that keeps its owner out, or are suspended or banned.
    :raises Conflict: they own it already.
    """
    with transaction():
        log.lock(room_id)
        now = queries.ownership(room_id)
        if not kinds.get(now.kind).changeable:
            raise NotFound("This room is gone, or nobody owns it.")
        person = get_user(user_id)
        if now.owner_id == user_id and now.kept_for is None:
            raise Conflict(f"{person.name} owns this room already.")
        policy.require_may_own(person.name, user_id in queries.imposers(room_id))
        if not queries.members_named([(room_id, user_id)]):
            _add_member(room_id, user_id, "member", actor_id)
        if not queries.is_in(room_id, user_id):
            raise NotAllowed(f"{person.name} is suspended or banned everywhere.")
        _keep_for(room_id, None)
        if now.owner_id is not None:
            _give_role(room_id, now.owner_id, now.role_before or "member")
        _give_role(room_id, user_id, "owner")
        log.write(MemberChanged(room_id, log.take(room_id), user_id, actor_id))
        emit(MemberAppointed(room_id, user_id, "owner", reason))
        audit.write(
            "owner.named", actor_id, person_id=user_id, room_id=room_id, reason=reason,
            before={"owner": now.owner_id}, after={"owner": user_id},
        )  # fmt: skip


def take_out(room_id: str, user_id: str, actor_id: str | None) -> dict[str, Any] | None:
    """Take somebody's membership away, inside ``transaction()``; return what ``put_in`` gives back, None if there is none.

    An owner's room is kept for them, and somebody stands in, but never the actor, who does so no longer if they did.
    """
    log.lock(room_id)
    gone = _remove_member(room_id, user_id)
    if gone is None:
        return None
    now = queries.ownership(room_id)
    if now.kept_for == user_id:
        gone["role"] = "owner"  # by right: a sanction from everywhere took it before
    elif gone["role"] == "owner" and now.kept_for is None and kinds.get(now.kind).changeable:
        _keep_for(room_id, user_id)
    settle(room_id, actor_id if gone["role"] == "owner" else None)
    log.write(MemberLeft(room_id, log.take(room_id), user_id, actor_id))
    return gone


def put_in(room_id: str, user_id: str, membership: dict[str, Any], actor_id: str | None) -> None:
    """Give somebody back what ``take_out`` took, inside ``transaction()``: also the room, unless it was given to another."""
    log.lock(room_id)
    if not queries.members_named([(room_id, user_id)]):
        was = membership.get("role_before") or membership["role"]
        role = "moderator" if was == "moderator" else "member"
        read = membership["last_read_seq"], membership["last_read_number"]
        _add_member(room_id, user_id, role, actor_id, read=read, returned=True)


def settle(room_id: str, besides: str | None = None) -> None:
    """Give a room, whose lock is held, an owner who may act: its own, or a member who stands in.

    An owner whom a sanction keeps out owns it again as soon as they may act. One who left is followed by an heir.

    :param besides: id of a person who is not to be its owner, for they keep its own out.
    """
    now = queries.ownership(room_id)
    if not kinds.get(now.kind).changeable:
        return
    if now.kept_for is not None and queries.is_in(room_id, now.kept_for):
        if now.owner_id is not None:
            _give_role(room_id, now.owner_id, now.role_before or "member")
        _give_role(room_id, now.kept_for, "owner")
        _keep_for(room_id, None)
        return
    if now.owner_id not in (None, besides) and not now.away:
        return
    found = queries.heir(room_id, *filter(None, (besides, now.kept_for, now.owner_id)))
    rightful = now.kept_for or now.owner_id
    if now.owner_id is not None and (found is not None or now.owner_id == besides):
        _give_role(room_id, now.owner_id, now.role_before or "member")
    if found is None:
        return
    _keep_for(room_id, rightful)
    heir_id, role = found
    _give_role(room_id, heir_id, "owner", role if rightful else None)


def settle_all(user_id: str, besides: str | None = None) -> None:
    """Settle every room whose owner may change with a person who is shut out or let in again, inside ``transaction()``."""
    for room_id in queries.to_settle(user_id):
        log.lock(room_id)
        settle(room_id, besides)


def lock_all(room_ids: Collection[str]) -> None:
    """Take the locks of some rooms in their order, before those of people."""
    for room_id in sorted(set(room_ids)):
        log.lock(room_id)


def change_room(room_id: str, name: str, purpose: str, actor_id: str) -> None:
    """Give a room another name and purpose. The same ones again change nothing.

    :raises NotFound: the actor is not in it.
    :raises NotAllowed: the actor is not the owner.
    :raises Invalid: a rule does not have the name or the purpose.
    """
    screens.require_name("name", name, actor_id, room_id)
    screens.require_name("purpose", purpose, actor_id, room_id)
    with transaction():
        log.lock(room_id)
        door = queries.get_membership(room_id, actor_id)
        policy.require_may_write(door.membership, clock.now())
        policy.require_may_manage(door.room, door.membership)
        if (names.plain(door.room.name, room_id), door.room.purpose) == (names.plain(name, room_id), purpose):
            return
        seq = log.take(room_id)
        db.session.execute(update(Room).where(Room.id == room_id).values(purpose=purpose, **_named(room_id, name)))
        log.write(RoomChanged(room_id, seq, room_id, actor_id))


def _named(room_id: str, name: str) -> dict[str, str]:
    """Return the columns of a name: with a tag behind it where that of an open room, which everybody sees, looks like it."""
    name, alike = names.plain(name, room_id), names.likeness(name)
    others = select(Room.id).where(Room.likeness == alike, Room.kind.in_(kinds.joinable()), Room.id != room_id).limit(1)
    if alike and db.session.execute(others).scalar() is not None:
        name = names.told_apart(name, room_id)
    return {"name": name, "folded_name": folded(name), "likeness": alike}


def _add_room(kind: str, name: str, purpose: str, direct_key: str | None, creator_id: str) -> str:
    room_id, now = ids.new(), clock.now()
    db.session.execute(
        insert(Room).values(
            id=room_id,
            kind=kind,
            **_named(room_id, name),
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


def _remove_member(room_id: str, user_id: str) -> dict[str, Any] | None:
    """Take a membership out and return what it was, None if there was none."""
    statement = delete(Membership).where(Membership.room_id == room_id, Membership.user_id == user_id)
    kept = (Membership.role, Membership.role_before, Membership.last_read_seq, Membership.last_read_number)
    gone = db.session.execute(statement.returning(*kept)).one_or_none()
    return None if gone is None else dict(gone._mapping)


def _add_member(
    room_id: str,
    user_id: str,
    role: str,
    actor_id: str | None,
    seq: int | None = None,
    read: tuple[int, int] | None = None,
    *,
    returned: bool = False,
) -> None:
    """Add a membership and log it; where nobody owns the room, or it is kept for them, it is theirs.

    :param seq: what ``log.take`` gave; None to take it here.
    :param read: how far they have read, as ``seq`` and number; None for everything.
    :param returned: whether a sanction had taken it.
    """
    seq = log.take(room_id) if seq is None else seq
    now = queries.ownership(room_id)
    read_seq, read_number = read or (seq, now.posted)
    db.session.execute(
        insert(Membership).values(
            room_id=room_id,
            user_id=user_id,
            role=role,
            joined_at=clock.now(),
            last_read_seq=read_seq,
            last_read_number=read_number,
        )
    )
    log.write((MemberReturned if returned else MemberJoined)(room_id, seq, user_id, actor_id))
    if role != "owner" and (now.owner_id is None or now.away or now.kept_for == user_id):
        settle(room_id)


def _give_role(room_id: str, user_id: str, role: str, before: str | None = None) -> None:
    mine = (Membership.room_id == room_id, Membership.user_id == user_id)
    values = {"role": role, "role_before": before}
    statement = update(Membership).where(*mine).values(**values)
    db.session.execute(statement.execution_options(synchronize_session=False))
    emit(UserChanged(user_id))


def _keep_for(room_id: str, user_id: str | None) -> None:
    statement = update(Room).where(Room.id == room_id).values(kept_for=user_id)
    db.session.execute(statement.execution_options(synchronize_session=False))
