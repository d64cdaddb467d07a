"""Who sent a request: from the secret in the session cookie to a ``Viewer``.

Sessions are rows. A row is looked up once and remembered for a few seconds; what ends a session, or changes a person, is
told to every process and forgets it there at once, and the sweep does the same within a second.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, column, exists, select, table, update

from chat.accounts import queries
from chat.accounts.contexts import PersonContext
from chat.accounts.models import LoginSession, User
from chat.core import clock, keys, permissions
from chat.core.bus import transaction
from chat.core.database import db
from chat.realtime.tickets import LIFE as TICKET_LIFE

#: A session ends when it was not used for so long.
LIFE = timedelta(days=7)
_memberships = table("memberships", column("user_id"), column("role"))
# Built once: most requests that are not remembered ask this, and building it costs more than asking.
_BY_MARK = (
    select(
        LoginSession.id, User.id, User.name, User.picture_id, User.status, User.role, User.theme, User.barred_until,
        User.notices,
        exists().where(_memberships.c.user_id == User.id, _memberships.c.role == "moderator"),
    )
    .join(User, User.id == LoginSession.user_id)
    .where(
        LoginSession.secret_hash == bindparam("mark"),
        LoginSession.revoked_at.is_(None),
        LoginSession.expires_at > bindparam("now"),
    )
)  # fmt: skip

#: Seconds a looked-up session is remembered.
_REMEMBERED = 2.0
_MOST = 20_000


@dataclass(frozen=True)
class Viewer:
    """The person looking at a page, and the session they do it with. What Flask-Login calls the user."""

    person: PersonContext
    role: str
    theme: str
    session_id: str
    #: Until when they are suspended or banned everywhere.
    barred_until: datetime | None = None
    #: How many notices they have not read.
    notices: int = 0
    #: Whether they were made a moderator of some room.
    moderates_rooms: bool = False

    is_authenticated = True
    is_active = True
    is_anonymous = False

    @property
    def id(self) -> str:
        """Return the person's id."""
        return self.person.id

    @property
    def name(self) -> str:
        """Return the person's name."""
        return self.person.name

    @property
    def moderates(self) -> bool:
        """Tell whether this person may act on what others wrote, somewhere."""
        return self.moderates_rooms or self.may("message.remove")

    @property
    def barred(self) -> bool:
        """Tell whether they are suspended or banned everywhere just now."""
        return self.barred_until is not None and self.barred_until > clock.now()

    def may(self, permission: str) -> bool:
        """Tell whether their account alone gives them a permission."""
        return permissions.may(permission, self.role)

    def get_id(self) -> str:
        """Return what Flask-Login would store; we never have it store anything."""
        return self.session_id


class Sessions:
    """The sessions that one process has looked up lately, and when each was last used."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[float, Viewer | None]] = {}
        self._used: dict[str, str] = {}

    def viewer(self, secret: str) -> Viewer | None:
        """Return whose session this secret opens, or None."""
        if not secret or len(secret) > 64:
            return None
        mark = keys.fingerprint(secret)
        until, viewer = self._known.get(mark, (0.0, None))
        now = time.monotonic()
        if until < now:
            if len(self._known) > _MOST:
                self._known.clear()
            viewer = _look_up(mark)
            self._known[mark] = (now + _REMEMBERED, viewer)
        if viewer is not None:
            self._used[viewer.session_id] = viewer.id
        return viewer

    def forget_session(self, session_id: str) -> None:
        """Look this session up again next time."""
        self._forget(lambda viewer: viewer.session_id == session_id)

    def forget_person(self, user_id: str) -> None:
        """Look this person's sessions up again next time."""
        self._forget(lambda viewer: viewer.id == user_id)

    def use(self, user_id: str, session_id: str) -> None:
        """Note a sign of life of a session."""
        self._used[session_id] = user_id

    def take_used(self) -> dict[str, str]:
        """Return sessions used since the last call, each with its person."""
        used, self._used = self._used, {}
        return used

    def _forget(self, chosen: Callable[[Viewer], bool]) -> None:
        for mark in [mark for mark, (_, viewer) in self._known.items() if viewer is not None and chosen(viewer)]:
            del self._known[mark]


def recently_revoked() -> list[str]:
    """Return the sessions that ended within the life of a ticket, for the doors."""
    since = clock.now() - timedelta(seconds=TICKET_LIFE + 10)
    found = list(db.session.execute(select(LoginSession.id).where(LoginSession.revoked_at > since)).scalars())
    db.session.remove()
    return found


def _look_up(mark: str) -> Viewer | None:
    row = db.session.connection().execute(_BY_MARK, {"mark": mark, "now": clock.now()}).one_or_none()
    if row is None:
        return None
    session_id, user_id, name, picture, status, role, theme, *rest = row
    return Viewer(PersonContext(user_id, name, picture, status), role, theme, session_id, *rest)


def write_use(used: dict[str, str]) -> None:
    """Record when sessions and people were last seen, and put off the end of those sessions."""
    if not used:
        return
    now = clock.now()
    with transaction():
        # People before their sessions, in the order of their ids: who ends them meanwhile takes both the same way.
        people = set(used.values())
        queries.lock(people)
        db.session.execute(update(User).where(User.id.in_(sorted(people))).values(last_seen_at=now))
        db.session.execute(
            update(LoginSession)
            .where(LoginSession.id.in_(sorted(used)), LoginSession.revoked_at.is_(None))
            .values(last_seen_at=now, expires_at=now + LIFE)
        )
