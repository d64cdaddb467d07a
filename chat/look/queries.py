"""The look of the site, and drafts of it."""

from __future__ import annotations

from sqlalchemy import select

from chat.core.database import db
from chat.look.models import SITE, Look

#: The fact that is the lock of whoever changes a look.
LOCK = "looks"


def get_look(look_id: str) -> Look | None:
    """Return a look; None where nobody has changed what we ship.

    :param look_id: ``SITE``, or of the administrator whose draft it is.
    """
    statement = select(Look).where(Look.id == look_id)
    return db.session.execute(statement.execution_options(populate_existing=True)).scalar_one_or_none()


def version() -> str:
    """Return what is another one whenever the look of the site is; empty while it is ours."""
    return db.session.execute(select(Look.version).where(Look.id == SITE)).scalar() or ""
