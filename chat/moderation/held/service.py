"""Deciding over held messages."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from chat.accounts.contexts import PersonContext
from chat.accounts.models import User
from chat.core import audit, clock, ids, log
from chat.core.bus import emit, transaction
from chat.core.database import db
from chat.core.errors import Conflict, NotAllowed, NotFound
from chat.messages import queries as timeline
from chat.messages import service as messages
from chat.messages.contexts import PictureContext
from chat.messages.events import HeldChanged
from chat.messages.models import HeldMessage
from chat.messages.service import Posted
from chat.moderation.held import queries
from chat.moderation.held.contexts import HeldCase
from chat.moderation.held.queries import UNDO_WINDOW
from chat.moderation.rules.models import RuleHit
from chat.notices import service as notices
from chat.rooms.models import Room
from chat.rooms.queries import Reach

_NO_LONGER = "Somebody has decided over this message already, or its author took it back."


def approve(held_id: str, reach: Reach) -> Posted:
    """Post a held message in its author's name, under its ``client_id``; no rule is asked again.

    :raises NotFound: it is not within reach.
    :raises NotAllowed: it is one's own.
    :raises Conflict: it waits no longer, its author may not write there now, or nothing of it is left.
    """
    held = queries.get_held(reach, held_id)
    try:
        return _approve(held_id, held.room_id, reach)
    except IntegrityError:  # its author sent a picture of it, or the same message, at this moment
        raise Conflict("Its author was writing just now. Look at it once more.") from None


def _approve(held_id: str, room_id: str, reach: Reach) -> Posted:
    with transaction():
        log.lock(room_id)
        held = _taken(held_id, reach, "approved")
        author = db.session.get_one(User, held.author_id, populate_existing=True)
        if author.barred_until is not None and author.barred_until > clock.now():
            raise Conflict(f"{author.name} is shut out of this site. Refuse the message.")
        known = timeline.by_client_id(held.author_id, held.client_id)
        if known is not None and (known.room_id, known.digest) == (held.room_id, held.digest):
            # It was sent again after the rule was gone.
            posted = Posted(known.id, known.room_id, known.seq, repeated=True)
        else:
            pictures = [each for id_ in held.pictures if (each := timeline.own_unsent(id_, held.author_id)) is not None]
            posted = _post(held, author.context, held.client_id if known is None else ids.new(), pictures)
        # From here on the message has the text, and whatever is done to it is done to all there is of it.
        moved = {"message_id": posted.message_id, "body": "", "digest": "", "pictures": []}
        db.session.execute(update(HeldMessage).where(HeldMessage.id == held_id).values(**moved))
        path = f"/rooms/{held.room_id}/messages/{posted.message_id}"
        notices.tell(held.author_id, "held", f"Your message in {_room(held)} was looked at and is posted.", path)
        emit(HeldChanged(held_id, held.room_id, held.author_id))
        audit.write(
            "held.approved", reach.user_id, target_id=held_id, person_id=held.author_id, room_id=held.room_id,
            after={"message": posted.message_id},
        )  # fmt: skip
    return posted


def refuse(held_id: str, reason: str, reach: Reach) -> None:
    """Refuse a held message; its author is told why, and its text is kept as that of a removed one.

    :raises NotFound: it is not within reach.
    :raises NotAllowed: it is one's own.
    :raises Invalid: no reason, or one that is too long.
    :raises Conflict: it waits no longer.
    """
    audit.check_reason(reason, "Say why, in a few words: its author reads it.")
    with transaction():
        held = _taken(held_id, reach, "refused", reason)
        notices.tell(held.author_id, "held", f"Your message in {_room(held)} was not let through: {reason}")
        emit(HeldChanged(held_id, held.room_id, held.author_id))
        audit.write(
            "held.refused",
            reach.user_id,
            target_id=held_id,
            person_id=held.author_id,
            room_id=held.room_id,
            reason=reason,
        )


def take_back(held_id: str, reach: Reach) -> None:
    """Take a refusal of a moment ago back: the message waits again.

    :raises NotFound: it is not within reach.
    :raises Conflict: it was not refused, not by oneself, or too long ago.
    """
    with transaction():
        held = queries.get_held(reach, held_id)
        again = (
            update(HeldMessage)
            .where(
                HeldMessage.id == held_id, HeldMessage.state == "refused", HeldMessage.decided_by == reach.user_id,
                HeldMessage.decided_at > clock.now() - UNDO_WINDOW,
            )
            .values(state="waiting", decided_by=None, decided_at=None, reason="")
            .execution_options(synchronize_session=False)
        )  # fmt: skip
        if db.session.execute(again).rowcount != 1:  # type: ignore[attr-defined]
            raise Conflict("This refusal can no longer be taken back.")
        notices.tell(held.author_id, "held", f"Your message in {_room(held)} waits for a moderator again.")
        emit(HeldChanged(held_id, held.room_id, held.author_id))
        audit.write("held.reopened", reach.user_id, target_id=held_id, person_id=held.author_id, room_id=held.room_id)


def note_seen(hit_id: int, reach: Reach) -> None:
    """Note that somebody has looked at what a rule told of; once is enough.

    :raises NotFound: it is not within reach.
    """
    inside = select(RuleHit.id).join(Room, Room.id == RuleHit.room_id).where(RuleHit.id == hit_id, reach.condition())
    if db.session.execute(inside).scalar() is None:
        raise NotFound("This alert is gone, or you cannot see it.")
    with transaction():
        unseen = (RuleHit.id == hit_id, RuleHit.seen_at.is_(None))
        db.session.execute(update(RuleHit).where(*unseen).values(seen_at=clock.now()))


def note_all_seen(until: int, reach: Reach) -> None:
    """Note that somebody has looked at all that rules told of within reach.

    :param until: the id of the latest one that they were shown: what came later they have not seen.
    """
    with transaction():
        seen = update(RuleHit).where(RuleHit.id.in_(queries.unseen(reach, until))).values(seen_at=clock.now())
        db.session.execute(seen.execution_options(synchronize_session=False))


def note_listed(actor_id: str, cases: Sequence[HeldCase]) -> None:
    """Write down that somebody is about to be shown held texts. Nothing is written of none, or of one's own."""
    shown = [each.id for each in cases if each.author.id != actor_id]
    if shown:
        with transaction():
            audit.write("hidden.listed", actor_id, after={"held": shown})


def note_read(actor_id: str, case: HeldCase, picture_id: str = "") -> None:
    """Write down that somebody is about to be shown one held text, or a picture of it."""
    with transaction():
        audit.write(
            "hidden.pictured" if picture_id else "hidden.read", actor_id, target_id=case.id, person_id=case.author.id,
            room_id=case.room.id, after={"picture": picture_id} if picture_id else {"held": True},
        )  # fmt: skip


# -- inside


def _taken(held_id: str, reach: Reach, state: str, reason: str = "") -> HeldMessage:
    """Decide; of two who do so at once one has done it."""
    held = queries.get_held(reach, held_id)
    if held.author_id == reach.user_id:
        raise NotAllowed("Somebody else decides over your message.")
    decided = (
        update(HeldMessage)
        .where(HeldMessage.id == held_id, HeldMessage.state == "waiting")
        .values(state=state, decided_by=reach.user_id, decided_at=clock.now(), reason=reason)
        .execution_options(synchronize_session=False)
    )
    if db.session.execute(decided).rowcount != 1:  # type: ignore[attr-defined]
        raise Conflict(_NO_LONGER)
    return held


def _post(held: HeldMessage, author: PersonContext, client_id: str, pictures: Sequence[PictureContext]) -> Posted:
    if not held.body and not pictures:
        raise Conflict("Nothing of this message is left: its author took its pictures away. Refuse it.")
    try:
        return messages.post_once(held.room_id, author, held.body, client_id, pictures, reads=False)
    except NotFound:
        raise Conflict(f"{author.name} is no longer in this room. Refuse the message.") from None
    except NotAllowed:
        raise Conflict(f"{author.name} is muted in this room. Lift the mute first, or refuse the message.") from None


def _room(held: HeldMessage) -> str:
    return db.session.execute(select(Room.name).where(Room.id == held.room_id)).scalar() or "a room"
