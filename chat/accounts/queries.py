"""People by id, by name and by address; the devices they are signed in on."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from sqlalchemy import select, tuple_

from chat.accounts import emails
from chat.accounts.contexts import ActivityContext, PersonContext, SessionContext
from chat.accounts.devices import describe
from chat.accounts.models import Invitation, LoginSession, User
from chat.core import clock, keys, keyset, permissions, security_events
from chat.core.database import db
from chat.core.errors import NotFound
from chat.core.folding import words
from chat.core.security_events import SecurityEvent


def has_administrator() -> bool:
    """Tell whether the site is set up: whether somebody is its administrator."""
    return db.session.execute(select(User.id).where(User.role == "administrator").limit(1)).scalar() is not None


def get_user(user_id: str) -> User:
    """Return a person for writing.

    :raises NotFound: there is nobody of that id.
    """
    user = db.session.get(User, user_id)
    if user is None:
        raise NotFound("There is nobody of that name here.")
    return user


def lock(user_ids: Iterable[str]) -> None:
    """Take the rows of some people, in the order of their ids, for the rest of ``transaction()``."""
    wanted = sorted(set(user_ids))
    if wanted:
        statement = select(User.id).where(User.id.in_(wanted)).order_by(User.id).with_for_update(key_share=True)
        db.session.execute(statement).all()


def user_by_email(email: str) -> User | None:
    """Return the account of an e-mail address, however it is written; None if there is none."""
    return db.session.execute(select(User).where(User.email == emails.for_search(email))).scalar_one_or_none()


def roles(user_ids: Collection[str]) -> dict[str, str]:
    """Return the roles of some people on the site; unknown ids are left out."""
    rows = db.session.execute(select(User.id, User.role).where(User.id.in_(sorted(set(user_ids)))))
    return {row.id: row.role for row in rows}


def people(ids: Collection[str]) -> dict[str, PersonContext]:
    """Return people by id; unknown ids are left out."""
    if not ids:
        return {}
    statement = select(User.id, User.name, User.picture_id, User.status, User.last_seen_at).where(
        User.id.in_(sorted(set(ids)))
    )
    return {row.id: PersonContext(*row) for row in db.session.execute(statement)}


def directory(search: str, limit: int = 100) -> list[PersonContext]:
    """Return people whose name contains the words searched for, by name.

    :param search: empty for everybody.
    """
    statement = (
        select(User.id, User.name, User.picture_id, User.status, User.last_seen_at)
        .order_by(User.folded_name, User.id)
        .limit(limit)
    )
    for word in words(search):
        statement = statement.where(User.folded_name.contains(word, autoescape=True))
    return [PersonContext(*row) for row in db.session.execute(statement)]


def sessions_of(user_id: str, current_id: str) -> tuple[SessionContext, ...]:
    """Return where somebody is signed in: this browser first, then the latest."""
    statement = (
        select(LoginSession)
        .where(
            LoginSession.user_id == user_id, LoginSession.revoked_at.is_(None), LoginSession.expires_at > clock.now()
        )
        .order_by(LoginSession.last_seen_at.desc())
    )
    rows = db.session.execute(statement).scalars()
    found = [
        SessionContext(row.id, *describe(row.user_agent), row.address, row.last_seen_at, row.id == current_id)
        for row in rows
    ]
    return tuple(sorted(found, key=lambda each: not each.current))


def recent_activity(user_id: str, after: str, limit: int = 20) -> tuple[tuple[ActivityContext, ...], str]:
    """Return the security events of an account, latest first, and where the next page begins.

    :param after: as this gave it; empty for the latest.
    """
    event = SecurityEvent
    statement = (
        select(event).where(event.user_id == user_id).order_by(event.at.desc(), event.id.desc()).limit(limit + 1)
    )
    place = keyset.read(after)
    if place is not None:
        statement = statement.where(tuple_(event.at, event.id) < place)
    found = activity(db.session.execute(statement).scalars().all())
    shown = found[:limit]
    return shown, keyset.write(shown[-1].at, shown[-1].id) if len(found) > limit else ""


def activity(rows: Sequence[SecurityEvent]) -> tuple[ActivityContext, ...]:
    """Return security events in words."""
    named = people({row.user_id for row in rows if row.user_id})
    return tuple(_in_words(row, named) for row in rows)


def _in_words(row: SecurityEvent, named: Mapping[str, PersonContext]) -> ActivityContext:
    did, sign = security_events.KINDS.get(row.kind, (row.kind, "circle-alert"))
    detail = permissions.ROLES.get(row.detail, row.detail)
    return ActivityContext(
        row.id,
        row.at,
        named.get(row.user_id or ""),
        did,
        sign,
        describe(row.user_agent)[0] if row.user_agent else "",
        row.address,
        row.network,
        detail,
        row.times,
    )


def invitation_by(token: str) -> tuple[Invitation, str] | None:
    """Return an invitation that can still be used, and the name of whom it is from."""
    statement = (
        select(Invitation, User.name)
        .join(User, User.id == Invitation.invited_by)
        .where(
            Invitation.secret_hash == keys.fingerprint(token),
            Invitation.used_by.is_(None),
            Invitation.expires_at > clock.now(),
        )
    )
    row = db.session.execute(statement).one_or_none()
    return (row[0], row[1]) if row else None


def picture_of(user_id: str) -> str | None:
    """Return the id of somebody's picture, or None."""
    return db.session.execute(select(User.picture_id).where(User.id == user_id)).scalar()
