"""Names of accounts: none looks like that of an administrator or moderator; others that look alike get a tag."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select, update

from chat.accounts.events import UserChanged
from chat.accounts.models import User
from chat.core import names
from chat.core.bus import emit
from chat.core.database import db
from chat.core.errors import Invalid
from chat.core.folding import folded
from chat.core.log import take_turns

#: The fact under which roles and names are given: of two who choose the same name at once one comes first.
LOCK = "roles"
STAFF = ("administrator", "moderator")


def named(user_id: str, name: str) -> dict[str, Any]:
    """Return the columns of a name, inside ``transaction()``: with a tag behind it where another name looks like it.

    :raises Invalid: it looks like the name of somebody who runs the site.
    """
    take_turns(LOCK)
    name, alike = names.plain(name, user_id), names.likeness(name)
    mine = db.session.execute(select(User.name).where(User.id == user_id)).scalar()
    if mine is not None and names.plain(mine, user_id) == name:
        return _stored(mine)  # as it was, whoever came to be like it since
    others = select(User.role).where(User.likeness == alike, User.id != user_id)
    roles = set(db.session.execute(others).scalars()) if alike else set()
    if not roles.isdisjoint(STAFF):
        sentence = "Somebody who runs this site has a name that looks like this one. Choose another name."
        raise Invalid(sentence, {"name": sentence})
    return _stored(names.told_apart(name, user_id) if roles else name)


def come_first(user_id: str) -> None:
    """Give a tag to names that look like that of a new administrator or moderator, inside ``transaction()``."""
    name = db.session.execute(select(User.name).where(User.id == user_id)).scalar_one()
    alike = select(User.id, User.name, User.role).where(User.likeness == names.likeness(name), User.id != user_id)
    others = db.session.execute(alike).all()
    if not others:
        return
    if all(other.role not in STAFF for other in others):
        _rename(user_id, names.plain(name, user_id))
    for other in others:
        if other.role not in STAFF:
            _rename(other.id, names.told_apart(other.name, other.id))
            emit(UserChanged(other.id))


def _rename(user_id: str, name: str) -> None:
    db.session.execute(update(User).where(User.id == user_id).values(**_stored(name)))


def _stored(name: str) -> dict[str, Any]:
    return {"name": name, "folded_name": folded(name), "likeness": names.likeness(name)}
