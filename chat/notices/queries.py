"""What somebody was told, latest first."""

from __future__ import annotations

from sqlalchemy import select

from chat.accounts.models import User
from chat.core.database import db
from chat.notices.contexts import NoticeContext
from chat.notices.models import Notice

#: How many are shown.
SHOWN = 50


def latest(person_id: str) -> tuple[NoticeContext, ...]:
    """Return the latest notices of a person."""
    statement = select(Notice).where(Notice.person_id == person_id).order_by(Notice.created_at.desc(), Notice.id.desc())
    rows = db.session.execute(statement.limit(SHOWN)).scalars()
    return tuple(
        NoticeContext(row.id, row.kind, row.sentence, row.path, row.created_at, row.read_at is None) for row in rows
    )


def unread(person_id: str) -> int:
    """Return how many they have not read; 0 if there is no such person."""
    return db.session.execute(select(User.notices).where(User.id == person_id)).scalar() or 0
