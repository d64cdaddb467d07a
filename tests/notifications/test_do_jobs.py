"""Jobs: each is done by one worker at a time, taken over from one that died, and recorded by the one that did it."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from chat.core import jobs
from chat.core.bus import transaction
from chat.core.database import db
from chat.core.jobs import Job
from tests.notifications.mailbox import Clock

MakeApp = Callable[..., tuple[Flask, dict[str, str]]]


@pytest.fixture(params=["sqlite", "postgresql"])
def app(request: pytest.FixtureRequest, make_app: MakeApp) -> Flask:
    return make_app(request.param)[0]


@pytest.fixture
def time_of_day(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """What was done, as key and try; a job of this kind says in its payload in which try it succeeds."""
    found: list[tuple[str, int]] = []

    def do(due: jobs.Due) -> None:
        found.append((due.key, due.attempt))
        if due.attempt < due.payload.get("succeeds", 1):
            raise ConnectionError("the line is dead")

    monkeypatch.setitem(jobs._handlers, "probe", do)
    return found


def _promise(app: Flask, *keys: str, **payload: int) -> None:
    with app.app_context(), transaction():
        for key in keys:
            jobs.add("probe", key, payload)


def _run(app: Flask) -> None:
    with app.app_context():
        jobs.run_due("probe")


def _row(app: Flask, key: str) -> Job:
    with app.app_context():
        return db.session.execute(select(Job).where(Job.key == key)).scalar_one()


def test_two_workers_never_do_the_same_job(app: Flask, done: list[tuple[str, int]]):
    keys = {f"job:{n}" for n in range(60)}
    _promise(app, *sorted(keys))
    start, problems = threading.Barrier(4), []

    def work() -> None:
        start.wait()
        try:
            _run(app)
        except Exception as problem:
            problems.append(problem)

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert problems == []
    assert sorted(done) == sorted((key, 1) for key in keys)


def test_a_promise_is_kept_only_if_the_transaction_is(app: Flask, done: list[tuple[str, int]]):
    def break_off() -> None:
        with transaction():
            jobs.add("probe", "never", {})
            raise ConnectionError

    with app.app_context():
        with pytest.raises(ConnectionError):
            break_off()
        with transaction():
            jobs.add("probe", "later", {}, delay=timedelta(hours=1))
    _run(app)
    assert done == []


def test_a_job_is_tried_again_until_it_is_done(app: Flask, done: list[tuple[str, int]], time_of_day: Clock):
    _promise(app, "stubborn", succeeds=3)
    for minutes in (0, 1, 5, 30, 600):
        time_of_day.forward(minutes=minutes)
        _run(app)
        _run(app)
    assert done == [("stubborn", 1), ("stubborn", 2), ("stubborn", 3)]
    row = _row(app, "stubborn")
    assert (row.error, row.run_at, row.payload) == (None, None, {})


def test_a_failure_says_why_while_it_waits(app: Flask, done: list[tuple[str, int]], time_of_day: Clock):
    _promise(app, "stubborn", succeeds=9)
    _run(app)
    row = _row(app, "stubborn")
    assert row.error == "ConnectionError: the line is dead"
    assert (row.run_at, row.finished_at) == (time_of_day.now + timedelta(minutes=1), None)


def test_a_job_is_taken_over_from_a_worker_that_died(app: Flask, done: list[tuple[str, int]], time_of_day: Clock):
    _promise(app, "orphan")
    with app.app_context():
        assert jobs.claim("probe").key == "orphan"
    time_of_day.forward(seconds=119)
    _run(app)
    assert done == [], "it may still be at work"
    time_of_day.forward(seconds=2)
    _run(app)
    assert done == [("orphan", 2)]


def test_a_worker_that_comes_back_too_late_changes_nothing(app: Flask, done: list[tuple[str, int]], time_of_day: Clock):
    _promise(app, "slow", succeeds=2)
    with app.app_context():
        first = jobs.claim("probe")
        time_of_day.forward(minutes=3)
        _run(app)
        finished = _row(app, "slow").finished_at
        assert finished is not None
        jobs.perform(first)
    row = _row(app, "slow")
    assert (row.finished_at, row.run_at, row.error) == (finished, None, None)


def test_a_job_that_ends_every_process_is_given_up(app: Flask, done: list[tuple[str, int]], time_of_day: Clock):
    _promise(app, "poison")
    for _ in range(4):
        with app.app_context():
            assert jobs.claim("probe") is not None
        time_of_day.forward(minutes=3)
    _run(app)
    assert done == []
    row = _row(app, "poison")
    assert (row.run_at, row.error) == (None, "RuntimeError: every process that tried it ended")


def test_one_kind_does_not_do_the_work_of_another(app: Flask, done: list[tuple[str, int]]):
    _promise(app, "mine")
    with app.app_context():
        jobs.run_due("hide_pictures")
    assert done == []
