"""Destroying texts for good, by hand and when their time is over; legal holds, under which nothing is destroyed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from functools import partial

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from chat.core import audit, clock, ids, jobs, keys
from chat.core.background import every
from chat.core.bus import emit, transaction
from chat.core.database import db
from chat.core.errors import Conflict
from chat.core.log import Meta, take_turns
from chat.messages import service as messages
from chat.messages.models import HeldMessage
from chat.messages.queries import RETENTION, kept_for
from chat.messages.service import Destroyed
from chat.moderation.keeping import policy, queries
from chat.moderation.keeping.events import TextsDestroyed
from chat.moderation.keeping.models import Hold, Purge
from chat.notices import service as notices
from chat.pictures import discard
from chat.rooms.models import Room
from chat.rooms.queries import Reach

#: Messages that are destroyed in one transaction, while their room waits.
SLICE = 200
_OVERDUE = "the time for which removed text is kept is over"


def purge(message_id: str, reason: str, reach: Reach) -> str | None:
    """Destroy the text of a removed message for good, or ask for it where two have to agree.

    :returns: the id of the purge; None when it waits for somebody to agree.
    :raises NotFound: the message is not removed, or not within reach.
    :raises Invalid: no reason, or one that is too long.
    :raises Conflict: it is destroyed already, asked for already, or under a hold.
    """
    audit.check_reason(reason, policy.WHY)
    purge_id, now = ids.new(), clock.now()
    try:
        with transaction():
            take_turns(queries.LOCK, shared=True)
            message = queries.get_removed(reach, message_id)
            policy.require_purgeable(message, queries.is_held(message_id), reach.user_id)
            db.session.execute(
                insert(Purge).values(
                    id=purge_id, message_id=message_id, requested_by=reach.user_id, reason=reason, requested_at=now,
                    receipt="", seal="",
                )
            )  # fmt: skip
            if queries.needs_two():
                if message.deleted_by == message.author_id:  # else it could come back while this waits
                    messages.take_over(
                        message_id, reach.user_id, reason, partial(queries.get_removed, reach, message_id)
                    )
                audit.write(
                    "purge.requested", reach.user_id, target_id=message_id, person_id=message.author_id,
                    room_id=message.room_id, reason=reason,
                )  # fmt: skip
                return None
            _carry_out(purge_id, message.room_id, message_id, reason, reach.user_id)
    except IntegrityError:
        raise Conflict("Somebody has asked for this already. It waits for another moderator to agree.") from None
    return purge_id


def approve(purge_id: str, reach: Reach) -> str:
    """Agree to a purge that somebody else asked for, which carries it out; return its id.

    :raises NotFound: it does not wait, or is not within reach.
    :raises NotAllowed: one asked for it oneself.
    :raises Conflict: the message is back, or under a hold by now.
    """
    with transaction():
        take_turns(queries.LOCK, shared=True)
        found = queries.get_waiting(reach, purge_id)
        policy.require_another(found, reach.user_id)
        message = queries.get_removed(reach, found.message_id)
        policy.require_purgeable(message, queries.is_held(message.id), reach.user_id)
        taken = update(Purge).where(Purge.id == purge_id, Purge.approved_by.is_(None)).values(approved_by=reach.user_id)
        if db.session.execute(taken.execution_options(synchronize_session=False)).rowcount != 1:  # type: ignore[attr-defined]
            raise Conflict("Somebody has agreed already.")
        _carry_out(purge_id, message.room_id, message.id, found.reason, found.requested_by, reach.user_id)
    return purge_id


def refuse(purge_id: str, reach: Reach) -> None:
    """Do not agree to a purge, or take back one's own; the message stays as it is.

    :raises NotFound: it does not wait, or is not within reach.
    """
    with transaction():
        found = queries.get_waiting(reach, purge_id)
        if db.session.execute(delete(Purge).where(Purge.id == purge_id, Purge.done_at.is_(None))).rowcount != 1:  # type: ignore[attr-defined]
            raise Conflict("Somebody has decided this already.")
        audit.write("purge.refused", reach.user_id, target_id=found.message_id, reason=found.reason)


def set_approval(two: bool, actor_id: str) -> None:
    """Choose whether two people have to agree to a purge."""
    with transaction():
        before = queries.needs_two()
        if before == two:
            return
        _set(queries.APPROVAL, "two" if two else "")
        audit.write("purge.rule", actor_id, before={"two": before}, after={"two": two})


def set_retention(days: int | None, reason: str, actor_id: str) -> None:
    """Choose for how many days the text of removed messages is kept; what is older is destroyed within the hour.

    :param days: None for without an end.
    :raises Invalid: no reason, or one that is too long.
    """
    audit.check_reason(reason, policy.WHY)
    with transaction():
        before = kept_for()
        _set(RETENTION, "" if days is None else str(days))
        audit.write(
            "retention.changed", actor_id, reason=reason,
            before={"days": before.days if before else None}, after={"days": days},
        )  # fmt: skip


@every(600.0, setting="JOBS")
def destroy_overdue() -> None:
    """Destroy what was removed longer ago than removed text is kept."""
    while _destroy_held_slice():
        pass
    while (found := queries.next_slice(SLICE)) is not None:
        if not _destroy_slice(*found):
            return  # another process is at it, or a hold came between


def make_hold(
    name: str,
    person_id: str | None,
    room_id: str | None,
    since: datetime | None,
    until: datetime | None,
    reason: str,
    actor_id: str,
) -> str:
    """Put what a person wrote, what is in a room, or what was posted in a time, under a hold; return its id.

    What is being destroyed at this moment is destroyed before it; nothing is afterwards.

    :raises Invalid: naming the fields.
    """
    covers = any(each is not None for each in (person_id, room_id, since, until))
    policy.check_hold(name, covers, since, until, reason)
    hold_id = ids.new()
    with transaction():
        take_turns(queries.LOCK)
        db.session.execute(
            insert(Hold).values(
                id=hold_id, name=name, person_id=person_id, room_id=room_id, since=since, until=until, reason=reason,
                created_by=actor_id, created_at=clock.now(),
            )
        )  # fmt: skip
        audit.write(
            "hold.made", actor_id, target_id=hold_id, person_id=person_id, room_id=room_id, reason=reason,
            after={"since": since.isoformat() if since else None, "until": until.isoformat() if until else None},
        )  # fmt: skip
    return hold_id


def release_hold(hold_id: str, reason: str, actor_id: str) -> None:
    """Release a hold; what it covered may be destroyed again.

    :raises NotFound: there is none of that id.
    :raises Invalid: no reason, or one that is too long.
    :raises Conflict: it is released already.
    """
    audit.check_reason(reason, policy.WHY)
    with transaction():
        queries.get_hold(hold_id)
        released = update(Hold).where(Hold.id == hold_id, Hold.released_at.is_(None))
        values = {"released_at": clock.now(), "released_by": actor_id}
        done = db.session.execute(released.values(**values).execution_options(synchronize_session=False))
        if done.rowcount != 1:  # type: ignore[attr-defined]
            raise Conflict("This hold is released already.")
        audit.write("hold.released", actor_id, target_id=hold_id, reason=reason)


def note_exported(hold_id: str, actor_id: str) -> None:
    """Write down that somebody is about to be handed what a hold covers."""
    with transaction():
        audit.write("hold.exported", actor_id, target_id=hold_id)


def sealed(text: str) -> str:
    """Return our seal over a receipt, or over the manifest of an export."""
    return keys.seal(keys.derive("keeping"), text)


# -- inside


def _carry_out(
    purge_id: str, room_id: str, message_id: str, reason: str, requested_by: str | None, approved_by: str | None = None
) -> None:
    destroyed = messages.destroy_texts(
        room_id, [message_id], approved_by or requested_by, queries.on_hold(), queries.on_hold(HeldMessage)
    )
    if not destroyed:
        raise Conflict("This message is back, or its text is destroyed already.")
    done = destroyed[0]
    _write_receipts([(purge_id, done)], reason, two=approved_by is not None)
    room = db.session.execute(select(Room.name).where(Room.id == room_id)).scalar_one()
    notices.tell(
        done.author_id,
        "message",
        f"The text of a message of yours in {room} was destroyed for good: {reason}",
        f"/receipts/{purge_id}",
    )
    _clean_up(room_id, [each.message_id for each in destroyed])
    audit.write(
        "message.purged", approved_by or requested_by, target_id=message_id, person_id=done.author_id, room_id=room_id,
        reason=reason, before={"versions": done.versions, "files": done.files, "requested_by": requested_by},
        after={"fingerprint": done.fingerprint},
    )  # fmt: skip


def _destroy_slice(room_id: str, message_ids: Sequence[str]) -> bool:
    """Destroy some messages of a room that are kept too long; return whether there was anything left of them to destroy."""
    with transaction():
        take_turns(queries.LOCK, shared=True)
        destroyed = messages.destroy_texts(
            room_id, message_ids, None, ~queries.overdue(kept_for()), queries.on_hold(HeldMessage)
        )
        if not destroyed:
            return False
        found = [each.message_id for each in destroyed]
        db.session.execute(delete(Purge).where(Purge.message_id.in_(found), Purge.done_at.is_(None)))
        receipts, now = [(ids.new(), each) for each in destroyed], clock.now()
        asked = {"requested_by": None, "reason": _OVERDUE, "requested_at": now, "receipt": "", "seal": ""}
        db.session.execute(
            insert(Purge), [asked | {"id": key, "message_id": each.message_id} for key, each in receipts]
        )
        _write_receipts(receipts, _OVERDUE, two=False)
        _clean_up(room_id, found)
        audit.write("retention.purged", None, room_id=room_id, reason=_OVERDUE, after={"messages": found})
    return True


def _destroy_held_slice() -> bool:
    """Destroy some texts that were held and not posted, and are kept too long; return whether there were any."""
    with transaction():
        take_turns(queries.LOCK, shared=True)
        found = queries.held_overdue(SLICE)
        for held in found:
            discard(*held.pictures)
        emptied = update(HeldMessage).where(HeldMessage.id.in_([held.id for held in found]))
        db.session.execute(emptied.values(body="", digest="", pictures=[]).execution_options(synchronize_session=False))
        for room_id in sorted({held.room_id for held in found}):
            here = [held.id for held in found if held.room_id == room_id]
            _clean_up(room_id, here)
            audit.write("retention.purged", None, room_id=room_id, reason=_OVERDUE, after={"held": here})
    return bool(found)


def _write_receipts(purges: Sequence[tuple[str, Destroyed]], reason: str, two: bool) -> None:
    now, rows = clock.now(), []
    for purge_id, each in purges:
        told = {
            "message": each.message_id, "room": each.room_id, "seq": each.seq, "author": each.author_id,
            "posted_at": each.posted_at.isoformat(), "removed_at": each.removed_at.isoformat(), "purged_at": now.isoformat(),
            "reason": reason, "two_agreed": two, "versions": each.versions, "files": each.files,
            "fingerprint": each.fingerprint,
        }  # fmt: skip
        text = json.dumps(told, sort_keys=True, ensure_ascii=False)
        rows.append({"id": purge_id, "receipt": text, "seal": sealed(text), "done_at": now})
    db.session.execute(update(Purge), rows)


def _clean_up(room_id: str, found: Sequence[str]) -> None:
    """Promise that the database forgets, too, and have every process drop what it remembers of some messages."""
    jobs.add("scrub", f"scrub:{found[0]}", {})
    emit(TextsDestroyed(room_id, tuple(found)))


def _set(name: str, value: str) -> None:
    db.session.execute(delete(Meta).where(Meta.name == name))
    db.session.execute(insert(Meta).values(name=name, value=value))
