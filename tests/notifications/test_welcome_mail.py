"""The welcome: one e-mail for each account, as text and as HTML, promised with the account and sent after it."""

import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import delete, select

from chat.accounts.models import LoginSession, User
from chat.core.database import db
from chat.core.jobs import Job
from tests.notifications.mailbox import forget_jobs, job, outbox, parts, run, sign_up

MakeApp = Callable[..., tuple[Flask, dict[str, str]]]


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    made, _ = make_app(
        BASE_URL="https://chat.example.org", SITE_NAME="Skerry Light", MAIL_FROM="Skerry <hi@skerry.example>"
    )
    forget_jobs(made)
    return made


def test_it_says_hello_as_text_and_as_html(app: Flask, tmp_path: Path):
    sign_up(app, name="Zoë Lind-Østergård")
    run(app)
    (mail,) = outbox(tmp_path)
    assert mail["Subject"] == "Welcome to Skerry Light"
    assert (mail["From"], mail["To"]) == ("Skerry <hi@skerry.example>", "victor@example.org")
    assert mail.get_content_type() == "multipart/alternative"
    text, html = parts(mail)
    for body in (text, html):
        assert "Zoë Lind-Østergård" in body
        assert "https://chat.example.org/rooms" in body
    assert "<" not in text
    assert text.startswith("Hello"), "the subject is not said twice"


def test_it_greets_the_person_and_runs_nothing(app: Flask, tmp_path: Path):
    sign_up(app, name="<img src=x onerror=alert(1)> & Co")
    run(app)
    text, html = parts(outbox(tmp_path)[0])
    assert "Hello img src x onerror alert 1 Co," in text
    assert "Hello img src x onerror alert 1 Co," in html
    assert "<img" not in html


def test_it_is_sent_once(app: Flask, tmp_path: Path):
    sign_up(app)
    for _ in range(3):
        run(app)
    assert len(outbox(tmp_path)) == 1
    done = job(app)
    assert (done.run_at, done.attempts, done.error, done.claimed_until) == (None, 1, None, None)
    assert done.finished_at is not None


def test_it_is_not_promised_to_who_was_refused(app: Flask):
    assert sign_up(app, email="alice@example.org")[1].status_code == 422
    with app.app_context():
        assert db.session.execute(select(Job)).all() == []


def test_it_is_sent_to_nobody_when_the_account_is_gone(app: Flask, tmp_path: Path):
    sign_up(app)
    with app.app_context():
        gone = select(User.id).where(User.email == "victor@example.org")
        db.session.execute(delete(LoginSession).where(LoginSession.user_id.in_(gone)))
        db.session.execute(delete(User).where(User.email == "victor@example.org"))
        db.session.commit()
    run(app)
    assert outbox(tmp_path) == []
    assert job(app).finished_at is not None


def test_it_is_read_by_nobody_else_on_the_machine(make_app: MakeApp, tmp_path: Path):
    from config import load

    load({"INSTANCE_PATH": str(tmp_path / "instance")})
    assert stat.S_IMODE((tmp_path / "instance").stat().st_mode) == 0o700


def test_it_is_written_by_the_theme_where_there_is_one(make_app: MakeApp, tmp_path: Path):
    theme = tmp_path / "theme" / "templates" / "mail"
    theme.mkdir(parents=True)
    (theme / "welcome.txt").write_text("{{ name }}, the lamp is lit\nCome in: {{ address }}\n")
    app, _ = make_app(THEME_DIR=str(tmp_path / "theme"))
    forget_jobs(app)
    sign_up(app)
    run(app)
    (mail,) = outbox(tmp_path)
    assert mail["Subject"] == "Victor Lind, the lamp is lit"
    assert parts(mail)[0] == "Come in: http://127.0.0.1:8000/rooms\n"
