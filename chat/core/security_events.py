"""Security events: sign-ins with their networks, refusals, and changes of an account.

``note`` keeps an event in memory and ``flush`` writes what there is, each second, in one transaction: a request neither waits
for it nor fails over it. Nobody can fill the disk with them: what repeats within a minute is one row with a count, a process
begins at most ``MOST_NEW`` rows of strangers a minute and ``MOST_OF_ONE`` of an account, there are at most ``MOST``, and each
goes after SECURITY_EVENTS_DAYS.

A row holds no password, no token, no e-mail address: one that was typed is turned into the account that has it, or forgotten.
A line of the log says the same at once.
"""

from __future__ import annotations

import base64
import hashlib
import logging
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, cast

from flask import Flask, current_app, g, has_request_context, request
from sqlalchemy import ForeignKey, Index, String, Table, column, delete, select, table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Mapped, mapped_column

from chat.core import addresses, clock, metrics
from chat.core.background import every
from chat.core.bus import emit, transaction
from chat.core.database import Id, Model, Utc, db, is_sqlite

log = logging.getLogger(__name__)

#: The words for an event and its icon, by its kind.
KINDS = {
    "sign_up": ("Made the account", "user-plus"),
    "sign_in": ("Signed in", "check"),
    "sign_in.new": ("Signed in with a new browser", "check"),
    "sign_in.failed": ("Wrong password", "circle-alert"),
    "sign_in.locked": ("Refused after too many tries", "hourglass"),
    "sign_in.slowed": ("Refused: too many tries from one network", "hourglass"),
    "sign_out": ("Signed out", "log-out"),
    "session.ended": ("A device was signed out", "log-out"),
    "password.failed": ("Wrong present password", "circle-alert"),
    "password.changed": ("Changed the password", "lock"),
    "email.changed": ("Changed the e-mail address", "mail"),
    "role.changed": ("Another role on this site", "users"),
    "token.form": ("Form refused: no good token", "shield"),
    "token.foreign": ("Form refused: sent from another site", "shield"),
    "token.ticket": ("Forged ticket of a stream", "shield"),
    "token.set_up": ("Wrong set-up link", "shield"),
    "token.invitation": ("Invitation that does not work", "shield"),
    "token.metrics": ("Figures refused: no good token", "shield"),
    "page.refused": ("Page refused", "eye-off"),
    "alarm": ("Alarm: many wrong passwords", "circle-alert"),
}
#: Rows without an account that a process begins in a minute; beyond that events are counted without their network.
MOST_NEW = 200
#: The same of one account: whoever has many networks can try it from all of them.
MOST_OF_ONE = 20
#: The most rows in the table.
MOST = 1_000_000
#: Rows deleted in one transaction.
_BATCH = 1000
_users = table("users", column("id"), column("email"))


class SecurityEvent(Model):
    """One thing that happened, or the same several times within a minute."""

    __tablename__ = "security_events"
    __table_args__ = (
        Index("ix_security_events_at", "at", "id"),
        Index("ix_security_events_user_id", "user_id", "at", "id"),
        Index("ix_security_events_kind", "kind", "at", "id"),
        Index("ix_security_events_network", "network", "at", "id"),
    )

    #: A hash of ``_Key``, so that events that are counted together meet in one row.
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    #: When it happened first.
    at: Mapped[datetime] = mapped_column(Utc)
    kind: Mapped[str] = mapped_column(String(30))
    #: The account it is about; empty for none that we know.
    user_id: Mapped[str | None] = mapped_column(Id, ForeignKey("users.id", ondelete="CASCADE"))
    #: From where: an address, and the network it lies in. Empty where somebody else did it, or a command.
    address: Mapped[str] = mapped_column(String(45))
    network: Mapped[str] = mapped_column(String(49))
    #: The User-Agent of the browser.
    user_agent: Mapped[str] = mapped_column(String(200))
    #: The endpoint or role that the event is about.
    detail: Mapped[str] = mapped_column(String(60))
    #: How many times it happened.
    times: Mapped[int] = mapped_column()


@dataclass(frozen=True)
class SecurityEventKept:
    """An event about an account was written down; again when it repeats."""

    kind: str
    user_id: str
    at: datetime


@dataclass(frozen=True)
class _Key:
    """The properties that events have in common to be counted together."""

    minute: datetime
    kind: str
    user_id: str | None
    #: The address as it was typed, until its account is found.
    email: str
    network: str
    detail: str


@dataclass
class _Noted:
    at: datetime
    address: str
    user_agent: str
    times: int


class Events:
    """The events that one process has not written yet."""

    def __init__(self) -> None:
        self._noted: dict[_Key, _Noted] = {}
        self._minute: datetime | None = None
        #: Rows begun in this minute, by account.
        self._begun: Counter[str | None] = Counter()
        self.writing = threading.Lock()

    def add(self, key: _Key, noted: _Noted) -> bool:
        """Count events; return whether they are the first of their key."""
        known = self._noted.get(key)
        if known is None:
            if key.minute != self._minute:
                self._minute = key.minute
                self._begun.clear()
            self._begun[key.user_id] += 1
            if self._begun[key.user_id] > (MOST_NEW if key.user_id is None else MOST_OF_ONE):
                key, noted = replace(key, email="", network="", detail=""), replace(noted, address="", user_agent="")
                known = self._noted.get(key)
        if known is None:
            self._noted[key] = noted
            return True
        known.times += noted.times
        return False

    def take(self) -> dict[_Key, _Noted]:
        """Return the events and forget them."""
        noted, self._noted = self._noted, {}
        return noted


def init_app(app: Flask) -> None:
    """Give the application a place for events."""
    app.extensions["security_events"] = Events()


def note(kind: str, user_id: str | None = None, email: str = "", detail: str = "", own: bool = True) -> None:
    """Note that an event happened. Cheap, and never fails.

    :param kind: one of ``KINDS``.
    :param user_id: the account it is about; None for none that is known.
    :param email: in place of ``user_id``, the normal form of an address that may have an account.
    :param detail: the endpoint or role it is about, one of a few values: never a text that somebody typed.
    :param own: whether the account's own person sent the request, and so may read its network and browser.
    """
    address = network = user_agent = ""
    if has_request_context():
        g.noted = kind
        if own:
            found = addresses.read(request.remote_addr)
            address, network = (str(found), str(addresses.around(found))) if found else ("", "")
            user_agent = "".join(each for each in request.headers.get("User-Agent", "") if each.isprintable())[:200]
    now = clock.now()
    key = _Key(now.replace(second=0, microsecond=0), kind, user_id, email[:254], network, detail[:60])
    metrics.SECURITY_EVENTS.labels(kind).inc()
    if _here().add(key, _Noted(now, address, user_agent, 1)):
        log.info("security event %s", kind, extra=_told(user_id, network, detail))


def noted() -> bool:
    """Tell whether the current request is in an event already."""
    return "noted" in g


@every(1.0)
def flush() -> None:
    """Write the noted events of this process to the database."""
    events = _here()
    with events.writing:
        taken = events.take()
        if not taken:
            return
        try:
            _write(taken)
        except SQLAlchemyError as problem:  # the next turn tries again
            db.session.rollback()
            log.warning("security events are not written: %s", type(problem).__name__)
            for key, noted_ in taken.items():
                events.add(key, noted_)


@every(3600.0)
def forget() -> None:
    """Delete events older than SECURITY_EVENTS_DAYS, and the oldest beyond ``MOST``, some at a time."""
    end = clock.now() - timedelta(days=current_app.config["SECURITY_EVENTS_DAYS"])
    newest = select(SecurityEvent.at).order_by(SecurityEvent.at.desc(), SecurityEvent.id.desc())
    beyond = db.session.execute(newest.offset(MOST).limit(1)).scalar()
    if beyond is not None and beyond >= end:
        end = beyond + timedelta(milliseconds=1)
    while True:
        some = select(SecurityEvent.id).where(SecurityEvent.at < end).order_by(SecurityEvent.at).limit(_BATCH)
        found = db.session.execute(some).scalars().all()
        if found:
            with transaction():
                db.session.execute(delete(SecurityEvent).where(SecurityEvent.id.in_(found)))
        if len(found) < _BATCH:
            return


def _write(taken: dict[_Key, _Noted]) -> None:
    emails = sorted({key.email for key in taken if key.email})
    rows: dict[str, dict[str, Any]] = {}
    with transaction():
        whose = dict(db.session.execute(select(_users.c.email, _users.c.id).where(_users.c.email.in_(emails))).all())
        ids = sorted({key.user_id for key in taken if key.user_id} | set(whose.values()))
        there = set(db.session.execute(select(_users.c.id).where(_users.c.id.in_(ids))).scalars())
        for key, noted_ in taken.items():
            user_id = key.user_id or whose.get(key.email)
            if key.user_id is not None and user_id not in there:
                continue  # the account is gone, and so is what it did
            row = _row(key, noted_, user_id)
            known = rows.setdefault(row["id"], row)
            if known is not row:
                known["times"] += row["times"]
        _upsert(list(rows.values()))
        for row in rows.values():
            if row["user_id"] is not None:
                emit(SecurityEventKept(row["kind"], row["user_id"], row["at"]))
    found = set(whose.values())
    for row in rows.values():
        if row["times"] > 1 or row["user_id"] in found:  # as the line at its first moment could not say
            told = _told(row["user_id"], row["network"], row["detail"])
            log.info("security event %s", row["kind"], extra=told | {"times": row["times"]})


def _row(key: _Key, noted_: _Noted, user_id: str | None) -> dict[str, Any]:
    parts = "\n".join((key.minute.isoformat(), key.kind, user_id or "", key.network, key.detail))
    return {
        "id": base64.b32encode(hashlib.sha256(parts.encode()).digest()[:10]).decode().lower(),
        "at": noted_.at,
        "kind": key.kind,
        "user_id": user_id,
        "address": noted_.address,
        "network": key.network,
        "user_agent": noted_.user_agent,
        "detail": key.detail,
        "times": noted_.times,
    }


def _upsert(rows: Sequence[dict[str, Any]]) -> None:
    if not rows:
        return
    dialect = sqlite if is_sqlite(db.engine) else postgresql
    # In one order: two processes that write the same rows wait for each other and do not lock each other out.
    statement = dialect.insert(cast("Table", SecurityEvent.__table__))
    statement = statement.on_conflict_do_update(
        index_elements=["id"], set_={"times": SecurityEvent.times + statement.excluded.times}
    )
    db.session.connection().execute(statement, sorted(rows, key=lambda row: row["id"]))


def _told(user_id: str | None, network: str, detail: str) -> dict[str, Any]:
    said = {"account": user_id, "network": network, "what": detail}
    return {name: value for name, value in said.items() if value}


def _here() -> Events:
    found: Events = current_app.extensions["security_events"]
    return found
