"""What was done in the name of this site, by whom, to whom and why: rows that are added and never changed.

Each row is sealed with a keyed hash over itself and the seal of the row before it. The key is derived from SECRET_KEY and is
not in the database: whoever changes, removes, inserts or reorders a row by SQL breaks the chain at that row, and ``verify``
names it. The last number and seal stand in a row of their own, under a seal of their own, so that rows cannot be cut off at the
end either. After every transaction its end goes to a file outside of the database, and within a minute to the process's log:
whoever puts an older copy of the tables back cannot undo these, and ``verify`` holds the chain against them. Triggers refuse
what is not an addition, as a second line.

No row holds the text of a message, a password or a secret: what is told are ids, states, and the reason somebody gave.
"""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from hmac import compare_digest
from pathlib import Path
from typing import Any, NamedTuple, cast

from flask import current_app
from sqlalchemy import Index, String, Table, Text, bindparam, insert, select, update
from sqlalchemy.orm import Mapped, mapped_column

from chat.core import bus, clock, keys
from chat.core.background import every
from chat.core.database import Big, Id, Model, Utc, db
from chat.core.errors import Invalid

log = logging.getLogger(__name__)

#: Characters of a reason; as Discord has it.
REASON_LIMIT = 512
_ANCHOR = re.compile(r"audit anchor ([0-9]{1,18}):([\w-]{22})")
#: Rows read at a time when the chain is checked.
_STRETCH = 2000


def wrong_with(reason: str, missing: str) -> str:
    """Return what is wrong with a reason, empty where nothing is.

    :param missing: what to say when there is none: who reads it.
    """
    if not reason:
        return missing
    if len(reason) > REASON_LIMIT:
        return f"A reason has {REASON_LIMIT} characters at most; this one has {len(reason)}."
    return ""


def check_reason(reason: str, missing: str, field: str = "reason") -> None:
    """Refuse a reason that says nothing, or too much.

    :raises Invalid: naming the field.
    """
    if problem := wrong_with(reason, missing):
        raise Invalid(problem, {field: problem})


class AuditRow(Model):
    """One action. People and rooms are named without a foreign key: the row stays when they are gone."""

    __tablename__ = "audit_log"
    __table_args__ = (
        Index("ix_audit_log_actor_id", "actor_id", "number"),
        Index("ix_audit_log_person_id", "person_id", "number"),
        Index("ix_audit_log_room_id", "room_id", "number"),
        Index("ix_audit_log_action", "action", "number"),
    )

    #: 1, 2, 3, … without a gap.
    number: Mapped[int] = mapped_column(Big, primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(Utc)
    #: Who did it; empty when it was a rule or a job.
    actor_id: Mapped[str | None] = mapped_column(Id)
    #: What was done, such as ``message.removed``.
    action: Mapped[str] = mapped_column(String(40))
    #: What it was done to: a message, a rule, a hold.
    target_id: Mapped[str | None] = mapped_column(Id)
    #: Whom it concerns: the author of the message, the one who was banned.
    person_id: Mapped[str | None] = mapped_column(Id)
    room_id: Mapped[str | None] = mapped_column(Id)
    reason: Mapped[str] = mapped_column(String(REASON_LIMIT))
    #: How it was and how it is, as JSON objects; empty where nothing is compared.
    before: Mapped[str] = mapped_column(Text)
    after: Mapped[str] = mapped_column(Text)
    #: From where, and by which request.
    address: Mapped[str] = mapped_column(String(45))
    request_id: Mapped[str] = mapped_column(String(40))
    seal: Mapped[str] = mapped_column(String(22))


class AuditHead(Model):
    """The end of the chain, and the lock under which it grows. One row."""

    __tablename__ = "audit_head"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(Big)
    #: The seal of the last row.
    last: Mapped[str] = mapped_column(String(22))
    seal: Mapped[str] = mapped_column(String(22))


class Origin(NamedTuple):
    """Where an action comes from. Set by ``chat.web`` for each request; a command has neither."""

    address: str = ""
    request_id: str = ""


_NOWHERE = Origin()
origin: ContextVar[Origin] = ContextVar("origin", default=_NOWHERE)


@dataclass(frozen=True)
class Anchor:
    """An end of the chain as it once was, from outside of the database."""

    number: int
    seal: str


@dataclass(frozen=True)
class Grown:
    """A row was added to the chain, which ends here now."""

    anchor: Anchor


@dataclass(frozen=True)
class Verdict:
    """What ``verify`` found. ``number`` is that of the first bad row; None when the chain is whole."""

    rows: int
    number: int | None = None
    problem: str = ""


_FIELDS = (
    "number",
    "at",
    "actor_id",
    "action",
    "target_id",
    "person_id",
    "room_id",
    "reason",
    "before",
    "after",
    "address",
    "request_id",
)
# The head's row is the chain's lock: the number and the seal before ours come from the statement that takes it.
_GROW = (
    update(AuditHead)
    .where(AuditHead.id == 1)
    .values(number=AuditHead.number + 1)
    .returning(AuditHead.number, AuditHead.last)
)
_INSERT = insert(cast("Table", AuditRow.__table__))
_SEAL_HEAD = update(AuditHead).where(AuditHead.id == 1).values(last=bindparam("row_seal"), seal=bindparam("head_seal"))


def write(
    action: str,
    actor_id: str | None,
    *,
    target_id: str | None = None,
    person_id: str | None = None,
    room_id: str | None = None,
    reason: str = "",
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> int:
    """Add a row inside ``transaction()`` and return its number.

    It holds the lock of the whole chain until COMMIT, so it belongs at the end of what is done, after every lock of a room.

    :param before: how it was, as small JSON values; never a text that somebody wrote.
    :param after: how it is now.
    """
    connection = db.session.connection()
    number, last = connection.execute(_GROW).one()
    where = origin.get()
    row = {
        "number": number,
        "at": clock.now(),
        "actor_id": actor_id,
        "action": action,
        "target_id": target_id,
        "person_id": person_id,
        "room_id": room_id,
        "reason": reason,
        "before": _json(before),
        "after": _json(after),
        "address": where.address,
        "request_id": where.request_id,
    }
    seal = _seal(last, row)
    connection.execute(_INSERT, row | {"seal": seal})
    connection.execute(_SEAL_HEAD, {"row_seal": seal, "head_seal": _head_seal(number, seal)})
    bus.emit(Grown(Anchor(number, seal)))
    return number


def verify(anchors: tuple[Anchor, ...] = ()) -> Verdict:
    """Read the whole chain and return whether it is whole, or which row is the first that is not as it was written.

    :param anchors: ends of the chain that were written down elsewhere.
    """
    expected, last = 1, ""
    seals: dict[int, str] = {}
    wanted = {anchor.number for anchor in anchors}
    for row in _rows():
        if row["number"] != expected:
            return Verdict(expected - 1, expected, f"row {expected} is missing")
        if not compare_digest(_seal(last, row), row["seal"]):
            return Verdict(expected - 1, expected, f"row {expected} is not what was written")
        last = row["seal"]
        if expected in wanted:
            seals[expected] = last
        expected += 1
    written = expected - 1
    head = db.session.connection().execute(select(AuditHead.number, AuditHead.last, AuditHead.seal)).one_or_none()
    if head is None or not compare_digest(_head_seal(head.number, head.last), head.seal):
        return Verdict(written, written + 1, "the end of the chain is not what was written")
    if (head.number, head.last) != (written, last):
        return Verdict(written, written + 1, f"{head.number - written} rows are missing at the end")
    for anchor in anchors:
        if seals.get(anchor.number, "") != anchor.seal:
            return Verdict(
                written, anchor.number, f"row {anchor.number} is another one than was written down elsewhere"
            )
    return Verdict(written)


def empty_head() -> dict[str, Any]:
    """Return the row of ``audit_head`` for a chain without rows, for the migration that makes the table."""
    return {"id": 1, "number": 0, "last": "", "seal": _head_seal(0, "")}


def anchors_file() -> Path:
    """Return the path of the file to which the end of the chain is appended."""
    chosen: str = current_app.config["AUDIT_ANCHORS"]
    return Path(chosen) if chosen else Path(current_app.instance_path) / "audit-anchors.log"


def anchors_in(lines: Iterable[str]) -> Iterator[Anchor]:
    """Yield the ends of the chain in the lines of ``anchors_file``, or of the log of a process."""
    for line in lines:
        for number, seal in _ANCHOR.findall(line):
            yield Anchor(int(number), seal)


@bus.after(Grown)
def append(event: Grown) -> None:
    """Write the end of the chain to the file, after the transaction that moved it."""
    with open(anchors_file(), "a", encoding="ascii", opener=_private) as file:
        file.write(f"{clock.now().isoformat()} audit anchor {event.anchor.number}:{event.anchor.seal}\n")


@every(60.0)
def anchor() -> None:
    """Tell the process's log how far the chain goes, if it has grown since."""
    head = db.session.connection().execute(select(AuditHead.number, AuditHead.last)).one_or_none()
    told = current_app.extensions.setdefault("audit_anchored", {})
    if head is not None and head.number and told.get("seal") != head.last:
        told["seal"] = head.last
        log.info("audit anchor %s:%s", head.number, head.last)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _rows() -> Iterator[dict[str, Any]]:
    columns = [getattr(AuditRow, name) for name in (*_FIELDS, "seal")]
    number = 0
    while True:
        statement = select(*columns).where(AuditRow.number > number).order_by(AuditRow.number).limit(_STRETCH)
        found = db.session.connection().execute(statement).mappings().all()
        for row in found:
            yield dict(row)
        if len(found) < _STRETCH:
            return
        number = found[-1]["number"]


def _json(values: dict[str, Any] | None) -> str:
    return json.dumps(values, sort_keys=True, ensure_ascii=False, separators=(",", ":")) if values else ""


def _seal(last: str, row: dict[str, Any]) -> str:
    """Return the seal of a row that follows one with the seal ``last``."""
    values = [row[name].astimezone(UTC).isoformat() if name == "at" else row[name] for name in _FIELDS]
    return keys.seal(keys.derive("audit"), last, json.dumps(values, ensure_ascii=True, separators=(",", ":")))


def _head_seal(number: int, last: str) -> str:
    return keys.seal(keys.derive("audit head"), str(number), last)
