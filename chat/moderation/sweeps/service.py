"""Removing what somebody wrote lately, and putting all of it back.

What it is about is settled when it begins: those messages name it from then on. It goes in slices, each of one room and in a
transaction of its own, with one row of the audit log that names what it removed. One that is cut off has removed what it says,
and can be finished or undone, by who moderates all of its rooms; one that is undone while it runs stops: every slice looks at
the row of the sweep first, under its lock.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import insert, update

from chat.accounts import queries as accounts
from chat.core import audit, clock, ids
from chat.core.bus import transaction
from chat.core.database import db
from chat.core.errors import Conflict, Invalid, NotAllowed
from chat.core.threads import turn
from chat.messages import policy as message_policy
from chat.messages import service as messages
from chat.moderation.sanctions import policy as sanction_policy
from chat.moderation.sanctions import queries as sanction_queries
from chat.moderation.sanctions import service as sanctions
from chat.moderation.sweeps import queries
from chat.moderation.sweeps.contexts import SweepPage
from chat.moderation.sweeps.models import Sweep
from chat.moderation.sweeps.words import SPANS
from chat.notices import service as notices
from chat.rooms.queries import Reach

#: Messages that are removed in one transaction, while their room waits.
SLICE = 100


def start(person_id: str, room_id: str | None, span: str, reason: str, reach: Reach, *, ban: bool = False) -> str:
    """Remove what somebody wrote lately and return the id of the sweep.

    :param room_id: None for every room within reach.
    :param span: one of ``SPANS``.
    :param ban: first ban them from where the messages are, without an end.
    :raises NotFound: there is no such person, or no such room within reach.
    :raises NotAllowed: it is oneself, or one has no say over this person.
    :raises Invalid: no reason, or one that is too long; or there is nothing to remove, or too much.
    """
    person, room = queries.get_person(reach, person_id, room_id)
    if person_id == reach.user_id:
        raise NotAllowed("Messages of your own you delete one by one, in their rooms.")
    if span not in SPANS:
        raise Invalid("Choose for how long.", {"span": "Choose for how long."})
    sanction_policy.require_rank(reach.role, sanction_queries.highest_rank(reach, person_id, room_id), person.name)
    audit.check_reason(reason, f"Say why, in a few words: {person.name} reads it.")
    now = clock.now()
    since = now - SPANS[span][1]
    number = queries.count(reach, person_id, room_id, since)
    if number == 0 or number > queries.MOST:
        problem = (
            "There is nothing to remove: nothing of theirs from this time stands there."
            if number == 0
            else f"These are more than {queries.MOST:,} messages. Choose a shorter time, or one room."
        )
        raise Invalid(problem, {"span": problem})
    if ban:
        _ban(person_id, room_id, reason, reach)
    sweep_id = ids.new()
    with transaction():
        db.session.execute(
            insert(Sweep).values(
                id=sweep_id, actor_id=reach.user_id, person_id=person_id, room_id=room_id, since=since, reason=reason,
                created_at=now,
            )
        )  # fmt: skip
        where = f"in {room.name}" if room else "in several rooms"
        what = SPANS[span][0].lower()
        notices.tell(
            person_id,
            "message",
            f"Your messages of {what} {where} were removed: {reason}. You can appeal.",
            "/standing",
        )
        number = messages.give_to_sweep(queries.found_now(reach, person_id, room_id, since), sweep_id)
        audit.write(
            "sweep.started", reach.user_id, target_id=sweep_id, person_id=person_id, room_id=room_id, reason=reason,
            after={"since": since.isoformat(), "messages": number},
        )  # fmt: skip
    _remove(sweep_id, reach)
    return sweep_id


def finish(sweep_id: str, reach: Reach) -> None:
    """Remove what is left of what a sweep was to remove.

    :raises NotFound: there is no such sweep within reach.
    :raises NotAllowed: some of it is not.
    :raises Conflict: it was undone, or is done.
    """
    sweep = queries.get_sweep(sweep_id, reach)
    _require_all_of_it(sweep_id, reach)
    if sweep.undone_at is not None or sweep.finished_at is not None:
        raise Conflict("There is nothing left for this sweep to do.")
    _remove(sweep_id, reach)


def undo(sweep_id: str, reach: Reach) -> None:
    """Put back what a sweep removed and nobody has put back, or destroyed, since; one that still runs stops first.

    :raises NotFound: there is no such sweep within reach.
    :raises NotAllowed: some of it is not, it is one's own messages that it removed, or a person of a higher rank started it.
    :raises Conflict: nothing of it is left to put back, or to stop.
    """
    sweep = queries.get_sweep(sweep_id, reach)
    if sweep.person_id == reach.user_id:
        raise NotAllowed("Somebody else decides over your messages.")
    with transaction():
        sweep = queries.lock_sweep(sweep_id)
        _require_all_of_it(sweep_id, reach)
        message_policy.require_may_undo(reach.role, accounts.roles([sweep.actor_id or ""]).get(sweep.actor_id or ""))
        accounts.lock([sweep.person_id])
        messages.give_to_sweep(queries.still_to_remove(sweep_id), None)
        number = queries.count_left(sweep, reach)
        if number == 0 and sweep.finished_at is not None:
            raise Conflict("Nothing of this sweep is left to put back.")
        if sweep.undone_at is None or sweep.finished_at is not None:  # else this goes on with one that was cut off
            # Here, where nothing is removed or put back meanwhile: of two who undo it at once neither puts back all of it.
            _tell_undone(sweep, number)
            values = {"undone_at": clock.now(), "undone_by": reach.user_id, "finished_at": None}
            db.session.execute(update(Sweep).where(Sweep.id == sweep_id).values(**values))

    def put_back(sweep: Sweep, room_id: str, message_ids: list[str]) -> list[str]:
        return messages.put_back_many(room_id, message_ids, reach.user_id, sweep.id)

    _in_slices("sweep.restored", sweep_id, reach, queries.next_to_put_back, put_back, undone=True)


def note_read(actor_id: str, page: SweepPage) -> None:
    """Write down that somebody is about to be shown the hidden texts of a sweep. Nothing is written of none."""
    if page.rows:
        with transaction():
            audit.write(
                "hidden.listed", actor_id, target_id=page.sweep.id, person_id=page.sweep.person.id,
                after={"messages": [row.id for row in page.rows]},
            )  # fmt: skip


# -- inside


def _require_all_of_it(sweep_id: str, reach: Reach) -> None:
    if not queries.reaches_all(sweep_id, reach):
        raise NotAllowed("Some of it is in rooms that you do not moderate.")


def _remove(sweep_id: str, reach: Reach) -> None:
    def remove(sweep: Sweep, room_id: str, message_ids: list[str]) -> list[str]:
        removed = messages.remove_many(room_id, message_ids, reach.user_id, sweep.reason, sweep.id)
        total = Sweep.messages + len(removed)
        db.session.execute(update(Sweep).where(Sweep.id == sweep.id).values(messages=total))
        return removed

    _in_slices("sweep.removed", sweep_id, reach, queries.next_to_remove, remove, undone=False)


def _in_slices(
    action: str,
    sweep_id: str,
    reach: Reach,
    find: Callable[[Sweep, Reach, int], tuple[str, list[str]] | None],
    change: Callable[[Sweep, str, list[str]], list[str]],
    *,
    undone: bool,
) -> None:
    """Change what is found, slice by slice, until nothing is; stop where the sweep was undone meanwhile, or somebody is done.

    :param undone: what the sweep has to be for this to go on.
    """
    while True:
        with transaction():
            sweep = queries.lock_sweep(sweep_id)
            if (sweep.undone_at is not None) != undone or sweep.finished_at is not None:
                return
            found = find(sweep, reach, SLICE)
            if found is None:
                if not queries.reaches_all(sweep_id, reach):
                    return  # they moderate fewer rooms than when they began: somebody else finishes it
                db.session.execute(update(Sweep).where(Sweep.id == sweep_id).values(finished_at=clock.now()))
                return
            room_id, message_ids = found
            changed = change(sweep, room_id, message_ids)
            if changed:
                audit.write(
                    action, reach.user_id, target_id=sweep_id, person_id=sweep.person_id, room_id=room_id,
                    reason=sweep.reason, after={"messages": changed},
                )  # fmt: skip
        turn()


def _tell_undone(sweep: Sweep, number: int) -> None:
    if number:
        sentence = f"{number:,} messages of yours were put back." if number > 1 else "1 message of yours was put back."
    elif not sweep.messages:
        sentence = "Your messages were not removed after all."
    else:
        return  # they came back one by one, or are destroyed, and each of it was told
    notices.tell(sweep.person_id, "message", sentence, "/rooms")


def _ban(person_id: str, room_id: str | None, reason: str, reach: Reach) -> None:
    try:
        sanctions.impose("ban", person_id, reason, room_id=room_id, reach=reach)
    except Conflict:
        pass  # they are banned already
