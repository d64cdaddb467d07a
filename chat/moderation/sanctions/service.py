"""Imposing sanctions, lifting them, ending them when their time is over; appeals and what becomes of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import case, insert, select, update
from sqlalchemy.exc import IntegrityError

from chat.accounts import queries as people
from chat.accounts import service as accounts
from chat.accounts.models import LoginSession, User
from chat.core import addresses, audit, clock, ids
from chat.core.audit import REASON_LIMIT
from chat.core.background import every
from chat.core.bus import emit, transaction
from chat.core.database import db
from chat.core.errors import Conflict, Invalid, NotAllowed
from chat.core.log import LogEvent
from chat.core.permissions import SITE_ROLES, may
from chat.messages import service as messages
from chat.messages.models import Message
from chat.moderation.sanctions import policy, queries
from chat.moderation.sanctions.events import RangesChanged
from chat.moderation.sanctions.models import APPEAL_LIMIT, EVERYWHERE, Appeal, Sanction
from chat.moderation.sanctions.words import KINDS
from chat.notices import service as notices
from chat.rooms import queries as room_queries
from chat.rooms import service as rooms
from chat.rooms.events import MemberReturned
from chat.rooms.models import Membership, Room
from chat.rooms.queries import Reach

STANDING = "/standing"


def impose(
    kind: str,
    person_id: str,
    reason: str,
    *,
    room_id: str | None = None,
    note: str = "",
    expires_at: datetime | None = None,
    reach: Reach | None = None,
) -> str:
    """Impose a sanction on a person and return its id.

    :param kind: ``mute``, ``suspend`` or ``ban``.
    :param room_id: None for everywhere.
    :param expires_at: None: until it is lifted.
    :param reach: of the moderator who does it; None when a rule does.
    :raises NotFound: the person, or the room, is not within reach.
    :raises NotAllowed: they have no say over this person.
    :raises Invalid: naming the fields that are wrong.
    :raises Conflict: one of this kind is in force there already.
    """
    now = clock.now()
    policy.check(kind, reason, note, expires_at, now)
    try:
        with transaction():
            if kind != "mute":  # rooms before people, as everywhere
                rooms.lock_all([room_id] if room_id else room_queries.to_settle(person_id))
            # Two who sanction the same person come one after the other.
            people.lock([person_id])
            room_name = _may_impose(reach, person_id, room_id)
            _close_ended(Sanction.person_id == person_id)
            actor_id = reach.user_id if reach else None
            sanction_id = _insert(kind, reason, note, expires_at, actor_id, person_id=person_id, room_id=room_id)
            membership = None
            if kind == "mute":
                _apply_mutes(person_id)
            elif room_id is None:
                accounts.bar(person_id, _barred_until(person_id))
                owned = room_queries.owned_by(person_id)
                membership = {"owned": owned} if owned else None
                rooms.settle_all(person_id, actor_id)
            else:
                membership = rooms.take_out(room_id, person_id, actor_id)
            if membership is not None:
                db.session.execute(update(Sanction).where(Sanction.id == sanction_id).values(membership=membership))
            notices.tell(person_id, "sanction", _told(kind, room_name, expires_at, reason), STANDING)
            audit.write(
                "sanction.imposed", actor_id, target_id=sanction_id, person_id=person_id, room_id=room_id, reason=reason,
                after={"kind": kind, "until": expires_at.isoformat() if expires_at else None},
            )  # fmt: skip
    except IntegrityError:
        raise Conflict("They are already under this sanction there. Lift it first to change it.") from None
    return sanction_id


def impose_on_network(
    kind: str,
    network: str,
    reason: str,
    reach: Reach,
    *,
    note: str = "",
    expires_at: datetime | None = None,
    own_address: str = "",
) -> str:
    """Put a range of addresses under a sanction and return its id; who is signed in from there is no longer, if banned.

    :param network: such as ``203.0.113.0/24``.
    :param own_address: of whoever does it.
    :raises NotAllowed: they may not.
    :raises Invalid: naming the fields that are wrong.
    :raises Conflict: one of this kind is in force there already.
    """
    if not reach.may_everywhere("sanction.site"):
        raise NotAllowed("Ranges of addresses are for moderators of the whole site.")
    found = policy.network(network, own_address)
    if kind == "suspend":
        raise Invalid("A range is muted or banned.", {"kind": "A range is muted or banned."})
    policy.check(kind, reason, note, expires_at, clock.now())
    try:
        with transaction():
            _close_ended(Sanction.network == found)
            sanction_id = _insert(kind, reason, note, expires_at, reach.user_id, network=found)
            ended = accounts.end_sessions(_sessions_in(addresses.network(found))) if kind == "ban" else 0
            emit(RangesChanged())
            until = expires_at.isoformat() if expires_at else None
            audit.write(
                "sanction.imposed", reach.user_id, target_id=sanction_id, reason=reason,
                after={"kind": kind, "network": found, "until": until, "sessions_ended": ended},
            )  # fmt: skip
    except IntegrityError:
        raise Conflict(f"{found} is already under this sanction.") from None
    return sanction_id


def lift(sanction_id: str, reason: str, reach: Reach) -> None:
    """Lift a sanction before its end; what it took is given back.

    :raises NotFound: it is not within reach.
    :raises Invalid: no reason, or one that is too long.
    :raises Conflict: it has ended already.
    """
    audit.check_reason(reason, policy.WHY)
    with transaction():
        sanction = queries.get_lockable(reach, sanction_id)
        policy.require_may_lift(reach.user_id, reach.role, sanction.person_id, queries.imposer_role(sanction))
        if not _close(sanction, clock.now(), reach.user_id, reason):
            raise Conflict("This sanction has ended already.")
        _undo(sanction, reach.user_id)
        if sanction.person_id is not None:
            where = _where(sanction.room_id)
            notices.tell(
                sanction.person_id,
                "sanction",
                f"You are no longer {KINDS[sanction.kind][1]} {where}: {reason}",
                STANDING,
            )
        audit.write(
            "sanction.lifted", reach.user_id, target_id=sanction_id, person_id=sanction.person_id,
            room_id=sanction.room_id, reason=reason, before={"kind": sanction.kind},
        )  # fmt: skip


@every(20.0, setting="JOBS")
def end_due() -> None:
    """Give back what sanctions took whose time is over."""
    for sanction_id in queries.due(clock.now()):
        with transaction():
            sanction = db.session.get_one(Sanction, sanction_id, populate_existing=True)
            ended_at = sanction.expires_at
            if ended_at is not None and _close(sanction, ended_at, None, ""):
                _end(sanction)


def appeal(person_id: str, body: str, *, sanction_id: str | None = None, message_id: str | None = None) -> None:
    """Say something against a sanction of one's own, or against the removal of a message of one's own. Once for each.

    :raises NotFound: it is not one's own, or over.
    :raises Invalid: nothing is said, or too much.
    :raises Conflict: one has appealed already.
    """
    if not body:
        raise Invalid("Say why this should be looked at again.", {"body": "Say why this should be looked at again."})
    if len(body) > APPEAL_LIMIT:
        sentence = f"An appeal has {APPEAL_LIMIT:,} characters at most; this one has {len(body):,}."
        raise Invalid(sentence, {"body": sentence})
    try:
        with transaction():
            if sanction_id is not None:
                queries.appealable_sanction(sanction_id, person_id)
            else:
                queries.appealable_message(message_id or "", person_id)
            db.session.execute(
                insert(Appeal).values(
                    id=ids.new(), person_id=person_id, sanction_id=sanction_id, message_id=message_id, body=body,
                    created_at=clock.now(),
                )
            )  # fmt: skip
    except IntegrityError:
        raise Conflict("You have appealed already. A moderator looks at it.") from None


def decide(appeal_id: str, granted: bool, answer: str, reach: Reach) -> None:
    """Grant an appeal, which lifts the sanction or puts the message back, or refuse it; the person is told.

    :param answer: to the person; needed for a refusal.
    :raises NotFound: it is not within reach.
    :raises NotAllowed: it is one's own.
    :raises Invalid: the answer is missing, or too long.
    :raises Conflict: somebody has decided it already.
    """
    if not granted or answer:
        audit.check_reason(answer, policy.WHY)
    with transaction():
        found = queries.get_appeal(reach, appeal_id)
        if found.person_id == reach.user_id:
            raise NotAllowed("Somebody else decides over your appeal.")
        now = clock.now()
        taken = db.session.execute(
            update(Appeal)
            .where(Appeal.id == appeal_id, Appeal.state == "open")
            .values(state="granted" if granted else "refused", decided_by=reach.user_id, decided_at=now, answer=answer)
            .execution_options(synchronize_session=False)
        )
        if taken.rowcount != 1:  # type: ignore[attr-defined]
            raise Conflict("Somebody has decided this appeal already.")
        if granted:
            _grant(found, answer or "your appeal was granted", reach)
        outcome = "was granted" if granted else "was refused"
        notices.tell(found.person_id, "appeal", f"Your appeal {outcome}{': ' + answer if answer else '.'}", STANDING)
        audit.write(
            "appeal.granted" if granted else "appeal.refused", reach.user_id, target_id=appeal_id,
            person_id=found.person_id, reason=answer,
        )  # fmt: skip


def apply_to_newcomer(event: LogEvent) -> None:
    """Have a new membership follow what is in force against its person, inside the transaction that makes it.

    :raises NotAllowed: they are suspended or banned there.
    """
    room_id, person_id = event.room_id, event.ref_id
    active = queries.active_of(person_id)
    # A member who returns may be shut out everywhere all the same, like any other member.
    places = (room_id,) if isinstance(event, MemberReturned) else (None, room_id)
    for each in active:
        if each.kind != "mute" and each.room_id in places:
            end = f" until {each.expires_at:%d %B %Y, %H:%M} UTC" if each.expires_at else ""
            own = event.actor_id == person_id
            raise NotAllowed(f"{'You are' if own else 'They are'} {KINDS[each.kind][1]} {_where(each.room_id)}{end}.")
    if any(each.kind == "mute" for each in active):
        _apply_mutes(person_id)


# -- inside


def _may_impose(reach: Reach | None, person_id: str, room_id: str | None) -> str:
    """Return the name of the room; empty for everywhere.

    :raises NotFound: the person or the room is not within reach.
    :raises NotAllowed: they have no say over this person.
    """
    if reach is None:
        found = db.session.execute(select(Room.name).where(Room.id == room_id)).scalar() if room_id else None
        return found or ""
    person, room = queries.target(reach, person_id, room_id)
    policy.require_may_sanction(reach.user_id, reach.role, person_id, person.role)
    if room is not None:
        policy.require_rank(reach.role, queries.rank(room.id, person_id), person.name)
    return room.name if room else ""


def _insert(
    kind: str,
    reason: str,
    note: str,
    expires_at: datetime | None,
    actor_id: str | None,
    *,
    person_id: str | None = None,
    network: str | None = None,
    room_id: str | None = None,
) -> str:
    sanction_id = ids.new()
    db.session.execute(
        insert(Sanction).values(
            id=sanction_id, kind=kind, person_id=person_id, network=network, target=person_id or network,
            room_id=room_id, scope=room_id or EVERYWHERE, reason=reason, note=note, imposed_by=actor_id,
            created_at=clock.now(), expires_at=expires_at,
        )
    )  # fmt: skip
    return sanction_id


def _close(sanction: Sanction, at: datetime, by: str | None, reason: str) -> bool:
    """Mark a sanction as over; of two who do it at once one has done it."""
    statement = (
        update(Sanction)
        .where(Sanction.id == sanction.id, Sanction.lifted_at.is_(None))
        .values(lifted_at=at, lifted_by=by, lift_reason=reason)
        .execution_options(synchronize_session=False)
    )
    return db.session.execute(statement).rowcount == 1  # type: ignore[attr-defined, no-any-return]


def _close_ended(which: Any) -> None:
    """End what is over but was not given back yet, so that it does not stand in the way of another."""
    statement = select(Sanction).where(which, Sanction.lifted_at.is_(None), Sanction.expires_at <= clock.now())
    for sanction in db.session.execute(statement.execution_options(populate_existing=True)).scalars().all():
        if _close(sanction, sanction.expires_at or clock.now(), None, ""):
            _end(sanction)


def _end(sanction: Sanction) -> None:
    """Give back what a sanction took whose time is over.

    A membership goes to whoever was suspended, and to an owner; others who were banned come again by themselves.
    """
    taken = sanction.membership or {}
    owned = taken.get("role") == "owner" and not taken.get("role_before")
    _undo(sanction, None, give_back=sanction.kind == "suspend" or owned)
    if sanction.person_id is not None:
        sentence = f"You are no longer {KINDS[sanction.kind][1]} {_where(sanction.room_id)}: the time is over."
        notices.tell(sanction.person_id, "sanction", sentence, STANDING)
    audit.write(
        "sanction.ended", None, target_id=sanction.id, person_id=sanction.person_id, room_id=sanction.room_id,
        before={"kind": sanction.kind},
    )  # fmt: skip


def _undo(sanction: Sanction, actor_id: str | None, give_back: bool = True) -> None:
    person_id, room_id = sanction.person_id, sanction.room_id
    if person_id is None:
        emit(RangesChanged())
    elif sanction.kind == "mute":
        _apply_mutes(person_id)
    elif room_id is None:
        accounts.bar(person_id, _barred_until(person_id))
        rooms.settle_all(person_id)
    elif sanction.membership is not None and give_back:
        others = [each for each in queries.active_of(person_id) if each.kind != "mute" and each.room_id == room_id]
        if others:  # it is theirs to give back now
            heir = update(Sanction).where(Sanction.id == others[0].id).values(membership=sanction.membership)
            db.session.execute(heir.execution_options(synchronize_session=False))
        else:
            rooms.put_in(room_id, person_id, sanction.membership, actor_id)


def _apply_mutes(person_id: str) -> None:
    """Write into a person's memberships until when they are muted there, by what is in force now."""
    mutes = [each for each in queries.active_of(person_id) if each.kind == "mute"]
    everywhere = max((each.expires_at or clock.FOREVER for each in mutes if each.room_id is None), default=None)
    ends: dict[str, datetime] = {}
    for each in mutes:
        if each.room_id is not None:
            own = each.expires_at or clock.FOREVER
            ends[each.room_id] = max(own, everywhere) if everywhere else own
    until = case(ends, value=Membership.room_id, else_=everywhere) if ends else everywhere
    statement = update(Membership).where(Membership.user_id == person_id).values(muted_until=until)
    db.session.execute(statement.execution_options(synchronize_session=False))
    accounts.mute(person_id, everywhere)


def _barred_until(person_id: str) -> datetime | None:
    active = [each for each in queries.active_of(person_id) if each.kind != "mute" and each.room_id is None]
    return max((each.expires_at or clock.FOREVER for each in active), default=None)


def _sessions_in(network: addresses.Network) -> list[str]:
    """Return the sessions of people, not of staff, that were signed in from a range."""
    members = [role for role in SITE_ROLES if not may("sanction.site", role)]
    statement = (
        select(LoginSession.id, LoginSession.address)
        .join(User, User.id == LoginSession.user_id)
        .where(LoginSession.revoked_at.is_(None), LoginSession.address != "", User.role.in_(members))
    )
    return [session_id for session_id, address in db.session.execute(statement) if _lies_in(address, network)]


def _lies_in(address: str, network: addresses.Network) -> bool:
    ip = addresses.read(address)
    return ip is not None and ip in network


def _grant(found: Appeal, reason: str, reach: Reach) -> None:
    if found.sanction_id is not None:
        sanction = queries.get_lockable(reach, found.sanction_id)
        policy.require_may_lift(reach.user_id, reach.role, sanction.person_id, queries.imposer_role(sanction))
        if _close(sanction, clock.now(), reach.user_id, reason[:REASON_LIMIT]):
            _undo(sanction, reach.user_id)
        return
    message_id = found.message_id or ""

    def removed() -> Message:
        return queries.appealable_message(message_id, found.person_id)

    messages.put_back(message_id, reach.user_id, removed)


def _told(kind: str, room: str, expires_at: datetime | None, reason: str) -> str:
    end = f" until {expires_at:%d %B %Y, %H:%M} UTC" if expires_at else ""
    return f"You are {KINDS[kind][1]} {f'in {room}' if room else 'everywhere'}{end}: {reason}"


def _where(room_id: str | None) -> str:
    if room_id is None:
        return "everywhere"
    name = db.session.execute(select(Room.name).where(Room.id == room_id)).scalar()
    return f"in {name}" if name else "in a room"
