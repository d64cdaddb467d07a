"""Work promised inside a transaction and done after it: an e-mail, a clean-up.

A job is a row, committed together with what caused it, so neither a crash nor a failing provider loses it and nobody
waits for it. Any process may do it; a claim lasts ``CLAIM`` and is then anybody's again, so a job runs at least once:
what it does must bear that, with its ``key`` as the idempotency key towards a provider. Each kind has a thread of its
own while there is any: where one provider hangs, only its own jobs wait.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from flask import Flask, current_app
from sqlalchemy import JSON, Index, String, Text, bindparam, func, or_, select, update
from sqlalchemy.orm import Mapped, mapped_column

from chat.core import clock, ids, metrics
from chat.core.background import every, run_apart
from chat.core.bus import transaction
from chat.core.database import Id, Model, Utc, db

log = logging.getLogger(__name__)

#: Waits between tries; after the last one fails the job rests as failed, for a person to look at.
RETRIES = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30))
#: How long one try may take before another process may start over.
CLAIM = timedelta(minutes=2)


class Job(Model):
    """One piece of promised work."""

    __tablename__ = "jobs"
    __table_args__ = (Index("ix_jobs_run_at", "run_at"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    kind: Mapped[str] = mapped_column(String(40))
    key: Mapped[str] = mapped_column(String(120), unique=True)
    payload: Mapped[dict[str, Any]] = mapped_column(JSON)
    #: When it is due; empty once it is done or has failed for good.
    run_at: Mapped[datetime | None] = mapped_column(Utc)
    attempts: Mapped[int] = mapped_column(default=0)
    claimed_until: Mapped[datetime | None] = mapped_column(Utc)
    finished_at: Mapped[datetime | None] = mapped_column(Utc)
    error: Mapped[str | None] = mapped_column(Text)


@dataclass(frozen=True)
class Due:
    """A claimed job, as its handler sees it. ``attempt`` counts from 1."""

    id: str
    kind: str
    key: str
    payload: dict[str, Any]
    attempt: int


_handlers: dict[str, Callable[[Due], None]] = {}


def handles(kind: str) -> Callable[[Callable[[Due], None]], Callable[[Due], None]]:
    """Register what does a kind of job. Raising means: not done, try again later."""

    def register(handler: Callable[[Due], None]) -> Callable[[Due], None]:
        _handlers[kind] = handler
        return handler

    return register


def add(kind: str, key: str, payload: dict[str, Any], delay: timedelta = timedelta(0)) -> None:
    """Promise a job, inside ``transaction()``.

    :param key: unique for ever: promising the same thing twice is an error of the caller.
    """
    db.session.add(Job(id=ids.new(), kind=kind, key=key, payload=payload, run_at=clock.now() + delay))
    db.session.flush()


# Asked once a second by every process, so built once.
_IS_DUE = (Job.run_at <= bindparam("now"), or_(Job.claimed_until.is_(None), Job.claimed_until < bindparam("now")))
_KINDS = select(Job.kind).where(*_IS_DUE).distinct()
_OLDEST = select(Job.id).where(Job.kind == bindparam("kind"), *_IS_DUE).order_by(Job.run_at).limit(1)
_FIGURES = select(
    func.count().filter(*_IS_DUE),
    func.min(Job.run_at, type_=Utc).filter(*_IS_DUE),
    func.count().filter(Job.attempts > 0),
).where(Job.run_at.is_not(None))


@every(1.0, setting="JOBS")
def look() -> None:
    """Start the work on every kind of which a job is due."""
    due = db.session.connection().execute(_KINDS, {"now": clock.now()}).scalars().all()
    application: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    working: set[str] = application.extensions.setdefault("jobs", set())
    for kind in [kind for kind in due if kind in _handlers and kind not in working]:
        threading.Thread(target=_work, args=(application, working, kind), name=f"jobs {kind}", daemon=True).start()


@every(5.0)
def measure() -> None:
    """Note how far behind the work is, in every process that serves: those who do it may serve nobody."""
    now = clock.now()
    due, oldest, retried = db.session.connection().execute(_FIGURES, {"now": now}).one()
    metrics.JOBS_DUE.set(due)
    metrics.JOBS_LAG.set((now - oldest).total_seconds() if oldest else 0.0)
    metrics.JOBS_RETRIED.set(retried)


def _work(application: Flask, working: set[str], kind: str) -> None:
    working.add(kind)
    try:
        run_apart(application, partial(run_due, kind), f"work on jobs of the kind {kind}")  # the next look starts again
    finally:
        working.discard(kind)


def run_due(kind: str) -> None:
    """Do every job of a kind that is due."""
    while (due := claim(kind)) is not None:
        perform(due)


def claim(kind: str) -> Due | None:
    """Claim the job of a kind that is due longest, or return None. Two processes never claim the same one."""
    now = clock.now()
    asked = {"kind": kind, "now": now}
    if db.session.execute(_OLDEST, asked).scalar() is None:
        return None  # no writing transaction for nothing
    with transaction():
        job_id = db.session.execute(_OLDEST.with_for_update(skip_locked=True), asked).scalar()
        if job_id is None:
            return None
        statement = (
            update(Job)
            .where(Job.id == job_id)
            .values(claimed_until=now + CLAIM, attempts=Job.attempts + 1)
            .returning(Job.id, Job.kind, Job.key, Job.payload, Job.attempts)
        )
        return Due(*db.session.execute(statement).one())


def perform(due: Due) -> None:
    """Do a claimed job and record how it ended, unless somebody else has claimed it meanwhile."""
    try:
        if due.attempt > len(RETRIES) + 1:
            raise RuntimeError("every process that tried it ended")
        _handlers[due.kind](due)
    except Exception as problem:
        db.session.rollback()
        retry = RETRIES[due.attempt - 1] if due.attempt <= len(RETRIES) else None
        log.warning("job %s %s, try %d: %s", due.kind, due.id, due.attempt, type(problem).__name__)
        values: dict[str, Any] = {
            "run_at": clock.now() + retry if retry else None,
            "finished_at": None if retry else clock.now(),
            "error": f"{type(problem).__name__}: {problem}"[:500],
        }
    else:  # what it was told is no longer needed; it may hold the secret of an invitation
        values = {"run_at": None, "finished_at": clock.now(), "error": None, "payload": {}}
    with transaction():
        mine = (Job.id == due.id, Job.attempts == due.attempt)
        db.session.execute(update(Job).where(*mine).values(claimed_until=None, **values))
