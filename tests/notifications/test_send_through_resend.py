"""E-mail through Resend's own SDK: it arrives once, whatever goes wrong on the way, and who signs up never waits for it."""

import threading
import time
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import update

from chat.accounts.models import User
from chat.core import jobs
from chat.core.bus import transaction
from chat.core.database import db
from chat.notifications import mailer
from tests.emulators.running import MAIL_FROM, Emulators
from tests.notifications.mailbox import Clock, forget_jobs, job, run, sign_up

MakeApp = Callable[..., tuple[Flask, dict[str, str]]]


@pytest.fixture
def app(make_app: MakeApp, emulators: Emulators) -> Flask:
    made, _ = make_app(**emulators.resend)
    forget_jobs(made)
    return made


@pytest.fixture
def time_of_day(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def test_it_arrives_with_everything(app: Flask, emulators: Emulators):
    sign_up(app)
    run(app)
    (sent,) = emulators.outbox()
    assert sent["key"] == job(app).key
    assert (sent["mail"]["from"], sent["mail"]["to"]) == (MAIL_FROM, ["victor@example.org"])
    assert sent["mail"]["subject"] == "Welcome to Confab"
    assert sent["mail"]["text"].startswith("Hello Victor Lind,")
    assert "<h1" in sent["mail"]["html"]
    assert sent["mail"].keys() == {"from", "to", "subject", "text", "html"}


@pytest.mark.parametrize("kind", ["error", "limited", "unavailable", "garbage", "cut", "hang", "lost"])
def test_it_arrives_once_whatever_goes_wrong(
    app: Flask, emulators: Emulators, time_of_day: Clock, monkeypatch: pytest.MonkeyPatch, kind: str
):
    monkeypatch.setattr(mailer, "TIMEOUT", 0.3)
    app.extensions["mail"] = mailer.Resend(app.config["SETTINGS"])
    emulators.fail("resend", kind, times=2, seconds=20)
    sign_up(app)
    for minutes in (0, 1, 5, 30, 60):
        time_of_day.forward(minutes=minutes, seconds=1)
        started = time.monotonic()
        run(app)
        assert time.monotonic() - started < 10
    assert [sent["mail"]["to"] for sent in emulators.outbox()] == [["victor@example.org"]]
    done = job(app)
    assert (done.attempts, done.run_at, done.error) == (3, None, None)


def test_it_is_not_sent_again_though_it_would_read_otherwise(app: Flask, emulators: Emulators, time_of_day: Clock):
    """The first try was taken and its answer lost; then the person changed their name."""
    emulators.fail("resend", "lost")
    sign_up(app)
    run(app)
    with app.app_context():
        db.session.execute(update(User).where(User.email == "victor@example.org").values(name="Victoria Lind"))
        db.session.commit()
    time_of_day.forward(minutes=1, seconds=1)
    run(app)
    assert [request["status"] for request in emulators.requests("resend")] == [200, 409]
    assert len(emulators.outbox()) == 1
    assert (job(app).error, job(app).run_at) == (None, None)


def test_it_is_tried_after_1_and_5_and_30_minutes_and_then_rests(make_app: MakeApp, emulators: Emulators, time_of_day):
    app, _ = make_app(**emulators.resend | {"RESEND_API_KEY": "re_of_somebody_else"})
    forget_jobs(app)
    assert sign_up(app)[1].status_code == 303
    tried: list[int] = []
    for minute in range(120):
        run(app, "welcome_mail")
        if job(app).attempts > len(tried):
            tried.append(minute)
        time_of_day.forward(minutes=1)
    assert tried == [0, 1, 6, 36]
    assert {request["status"] for request in emulators.requests("resend")} == {403}
    failed = job(app)
    assert (failed.attempts, failed.run_at, failed.claimed_until) == (4, None, None)
    assert failed.finished_at is not None
    assert "API key is invalid" in failed.error
    time_of_day.forward(days=30)
    run(app)
    assert (job(app).attempts, emulators.outbox()) == (4, [])


def test_it_delays_no_other_work(app: Flask, emulators: Emulators, monkeypatch: pytest.MonkeyPatch):
    """Each kind of job has its own queue: while e-mail hangs, a picture is still hidden."""
    done: list[str] = []
    monkeypatch.setitem(jobs._handlers, "hide_pictures", lambda due: done.append(due.key))
    emulators.fail("resend", "hang", seconds=2)
    sign_up(app)
    with app.app_context(), transaction():
        jobs.add("hide_pictures", "hide:one", {})
    mail = threading.Thread(target=run, args=(app, "welcome_mail"))
    mail.start()
    while job(app).attempts == 0:
        time.sleep(0.01)
    run(app, "hide_pictures")
    assert (done, mail.is_alive()) == (["hide:one"], True)
    mail.join()
