"""Telling people, and noting that they have read it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, insert, select, update

from chat.accounts import queries as accounts
from chat.accounts.models import User
from chat.core import clock, ids
from chat.core.bus import emit, transaction
from chat.core.database import db
from chat.notices.events import PersonTold
from chat.notices.models import TEXT_LIMIT, Notice


@dataclass(frozen=True)
class Told:
    """What somebody is told."""

    person_id: str
    #: ``message``, ``sanction``, ``report``, ``appeal`` or ``held``.
    kind: str
    #: Whole sentences: what happened, why, what they can do. No text of a message, no name of a moderator.
    sentence: str
    #: Of the page that it leads to.
    path: str = ""


def tell(person_id: str, kind: str, sentence: str, path: str = "") -> None:
    """Tell somebody what was decided about them, inside ``transaction()``; nothing of it is told if that fails.

    :param kind: and the others, as of ``Told``.
    """
    tell_all([Told(person_id, kind, sentence, path)])


def tell_all(tellings: Sequence[Told]) -> None:
    """Tell several people, each their own, inside ``transaction()``. Nobody is told twice at once."""
    now = clock.now()
    rows = [
        {
            "id": ids.new(),
            "person_id": each.person_id,
            "kind": each.kind,
            "sentence": each.sentence[:TEXT_LIMIT],
            "path": each.path,
            "created_at": now,
        }
        for each in tellings
    ]
    if not rows:
        return
    db.session.execute(insert(Notice), rows)
    people = User.id.in_(sorted(each.person_id for each in tellings))
    accounts.lock(
        each.person_id for each in tellings
    )  # two who tell the same people at once wait for each other in turn
    db.session.execute(
        update(User).where(people).values(notices=User.notices + 1).execution_options(synchronize_session=False)
    )
    for each in tellings:
        emit(PersonTold(each.person_id))


def mark_read(person_id: str) -> None:
    """Note that somebody has read all of their notices."""
    with transaction():
        unread = (Notice.person_id == person_id, Notice.read_at.is_(None))
        if db.session.execute(select(func.count()).where(*unread)).scalar_one() == 0:
            return
        db.session.execute(update(Notice).where(*unread).values(read_at=clock.now()))
        db.session.execute(update(User).where(User.id == person_id).values(notices=0))
        emit(PersonTold(person_id))
