"""E-mail for tests: signing up, letting jobs run, moving the clock, and reading what was written to the outbox."""

from __future__ import annotations

from datetime import datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import delete, select

from chat.core import clock, jobs
from chat.core.database import db
from chat.core.jobs import Job
from tests.people import PASSWORD


class Clock:
    """The time of the application, which stands still until it is moved."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = clock.now()
        monkeypatch.setattr(clock, "now", lambda: self.now)

    def forward(self, **time: float) -> datetime:
        self.now += timedelta(**time)
        return self.now


def forget_jobs(app: Flask) -> None:
    """Forget what was promised while the cast was made."""
    with app.app_context():
        db.session.execute(delete(Job))
        db.session.commit()


def run(app: Flask, *kinds: str) -> None:
    """Do what is due, as the process does every second."""
    for kind in kinds or ("welcome_mail", "invitation_mail"):
        with app.app_context():
            jobs.run_due(kind)


def job(app: Flask, kind: str = "welcome_mail") -> Job:
    """Return the one job of a kind."""
    with app.app_context():
        return db.session.execute(select(Job).where(Job.kind == kind)).scalar_one()


def sign_up(app: Flask, name: str = "Victor Lind", email: str = "victor@example.org", **more: str):
    """Make an account as a visitor does; return their client and the answer."""
    client = app.test_client()
    page = client.get("/sign-up").get_data(as_text=True)
    token = page.split('name="csrf_token" value="')[1].split('"')[0]
    fields = {"csrf_token": token, "name": name, "email": email, "password": PASSWORD}
    return client, client.post("/sign-up", data=fields | more)


def outbox(folder: Path) -> list[EmailMessage]:
    """Return every e-mail in the outbox of an instance folder."""
    return [
        message_from_bytes(path.read_bytes(), policy=policy.default) for path in sorted(folder.glob("outbox/*.eml"))
    ]


def parts(mail: EmailMessage) -> tuple[str, str]:
    """Return the text and the HTML of an e-mail."""
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert html is not None
    return text.get_content(), html.get_content()
