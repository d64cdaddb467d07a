"""Who signed in, from where, and what was refused is written down, and never in anybody's way."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from chat.accounts import service
from chat.core import clock, security_events
from chat.core.database import db
from chat.core.security_events import SecurityEvent
from tests.accounts.test_known_browsers import guess, sign_in
from tests.conftest import Cast, make_cast
from tests.notifications.mailbox import outbox, parts, run
from tests.people import PASSWORD

STRANGE = "203.0.113.77"


@pytest.fixture(params=["sqlite", "postgresql"])
def app(request: pytest.FixtureRequest, make_app: Callable[..., tuple[Flask, dict[str, str]]]) -> Flask:
    app, ids = make_app(request.param, RATE_LIMITS=True)
    app.extensions["test_ids"] = ids
    with app.app_context():
        security_events.flush()
    return app


def written(cast: Cast) -> list[tuple[str, str | None, str, int]]:
    """Return every event as kind, name of the account, network and count, in the order of kinds."""
    names = {member.id: name for name, member in cast.everybody().items()}
    with cast.app.app_context():
        security_events.flush()
        rows = db.session.execute(select(SecurityEvent).order_by(SecurityEvent.kind, SecurityEvent.network)).scalars()
        return [(row.kind, names.get(row.user_id or ""), row.network, row.times) for row in rows]


def everything(cast: Cast) -> str:
    with cast.app.app_context():
        security_events.flush()
        return repr(db.session.execute(SecurityEvent.__table__.select()).all())


def test_what_happens_at_the_door(cast: Cast, monkeypatch: pytest.MonkeyPatch):
    moment = clock.now().replace(second=10)
    monkeypatch.setattr(clock, "now", lambda: moment)
    client = cast.app.test_client()
    assert sign_in(client, "alice@example.org", "not the password", STRANGE).status_code == 422
    assert sign_in(client, "Alice@EXAMPLE.org", PASSWORD, STRANGE).status_code == 303
    page = client.get("/profile").get_data(as_text=True)
    client.post("/sign-out", data={"csrf_token": page.split('name="csrf_token" value="')[1].split('"')[0]})
    assert sign_in(client, "alice@example.org", PASSWORD, STRANGE).status_code == 303
    network = "203.0.113.0/24"
    assert written(cast) == [
        ("sign_in", "alice", network, 1), ("sign_in.failed", "alice", network, 1), ("sign_in.new", "alice", network, 1),
        ("sign_out", "alice", "127.0.0.0/24", 1),
    ]  # fmt: skip


def test_what_repeats_is_one_row(cast: Cast, monkeypatch: pytest.MonkeyPatch):
    moment = clock.now().replace(second=10)
    monkeypatch.setattr(clock, "now", lambda: moment)
    for n in range(9):
        sign_in(cast.app.test_client(), "alice@example.org", f"guess {n}", STRANGE)
        if n % 2:
            written(cast)
    network = "203.0.113.0/24"
    assert written(cast) == [("sign_in.failed", "alice", network, 5), ("sign_in.locked", "alice", network, 4)]


def test_an_address_that_nobody_has_is_not_kept(cast: Cast):
    sign_in(cast.app.test_client(), "somebody.else@example.com", "a secret of theirs", STRANGE)
    assert [row[:2] for row in written(cast)] == [("sign_in.failed", None)]
    assert "somebody" not in everything(cast)


def test_changes_of_an_account(cast: Cast):
    cast.alice.post("/profile/password", current_password="not mine", password="another quiet lamp")
    cast.alice.post("/profile/password", current_password=PASSWORD, password="another quiet lamp")
    found = re.search(r'name="csrf_token" value="([^"]+)"', cast.alice.get("/profile/email").text)
    assert found
    cast.alice.token = found[1]
    cast.alice.post("/profile/email", current_password="another quiet lamp", email="okafor@example.org")
    cast.ada.post(f"/moderation/people/{cast.bob.id}/role", role="moderator", reason="knows the lamp")
    found = {(kind, name, network) for kind, name, network, _ in written(cast)}
    here = "127.0.0.0/24"
    assert {
        ("password.failed", "alice", here),
        ("password.changed", "alice", here),
        ("email.changed", "alice", here),
    } <= found
    assert not any(secret in everything(cast) for secret in ("lamp", "not mine", "okafor@"))


def test_from_where_somebody_else_did_it_is_not_told(cast: Cast):
    with cast.app.test_request_context(environ_base={"REMOTE_ADDR": STRANGE}):
        service.change_role(cast.bob.id, "moderator", cast.ada.id, "knows the lamp")
        service.change_password(cast.alice.id, "another quiet lamp")
    assert set(written(cast)) == {
        ("role.changed", "bob", "", 1), ("password.changed", "alice", "", 1), ("session.ended", "alice", "", 1)
    }  # fmt: skip


def _without_token(cast: Cast) -> Any:
    return cast.alice.client.post("/profile", data={"name": "Mallory"})


def _from_elsewhere(cast: Cast) -> Any:
    return cast.alice.post("/profile", name="Mallory", headers={"Sec-Fetch-Site": "cross-site"})


def _set_up(cast: Cast) -> Any:
    return cast.nobody.get("/setup?token=guessed")


def _invitation(cast: Cast) -> Any:
    return cast.nobody.get("/sign-up?invitation=guessed")


def _figures(cast: Cast) -> Any:
    return cast.nobody.get("/metrics", environ_base={"REMOTE_ADDR": STRANGE})


def _console(cast: Cast) -> Any:
    return cast.alice.get("/moderation/audit")


def _ticket(cast: Cast) -> Any:
    cast.nobody.set_cookie("confab-ticket", f"{cast.alice.id}.{'a' * 16}.99999999999.{'A' * 22}")
    return cast.nobody.get("/events", headers={"HX-Request": "true"})


@pytest.mark.parametrize(
    ("ask", "status", "kind", "whose"),
    [(_without_token, 403, "token.form", "alice"), (_from_elsewhere, 403, "token.foreign", "alice"),
     (_set_up, 404, "token.set_up", None), (_invitation, 200, "token.invitation", None),
     (_figures, 403, "token.metrics", None), (_console, 404, "page.refused", "alice"),
     (_ticket, 401, "token.ticket", None)],
)  # fmt: skip
def test_what_is_refused(cast: Cast, ask: Callable[[Cast], Any], status: int, kind: str, whose: str | None):
    assert ask(cast).status_code == status
    assert [row[:2] for row in written(cast)] == [(kind, whose)]
    assert "guessed" not in everything(cast)


def test_ordinary_use_writes_nothing(cast: Cast):
    cast.alice.get(f"/rooms/{cast.room}")
    cast.alice.post(f"/rooms/{cast.room}/messages", body="good evening", client_id="of-the-evening")
    cast.alice.get("/devices")
    cast.nobody.get("/rooms")
    cast.nobody.get("/no-such-page")
    assert written(cast) == []


def test_many_strangers_do_not_fill_the_disk(cast: Cast, monkeypatch: pytest.MonkeyPatch):
    moment = clock.now().replace(second=10)
    monkeypatch.setattr(clock, "now", lambda: moment)
    for n in range(3 * security_events.MOST_NEW):
        address = f"198.{18 + n // 250}.{n % 250}.1"
        with cast.app.test_request_context(environ_base={"REMOTE_ADDR": address}):
            security_events.note("sign_in.failed", email=f"user{n}@example.org")
    found = written(cast)
    assert len(found) == security_events.MOST_NEW + 1
    assert sum(times for *_, times in found) == 3 * security_events.MOST_NEW


def test_tries_for_one_account_from_everywhere_do_not_fill_the_disk(cast: Cast, monkeypatch: pytest.MonkeyPatch):
    moment = clock.now().replace(second=10)
    monkeypatch.setattr(clock, "now", lambda: moment)
    for n in range(3 * security_events.MOST_OF_ONE):
        with cast.app.test_request_context(environ_base={"REMOTE_ADDR": f"2001:db8:{n:x}::1"}):
            security_events.note("sign_in.failed", cast.alice.id)
            security_events.note("sign_in.failed", cast.bob.id if n % 20 else cast.alice.id)
    found = [row for row in written(cast) if row[1] == "alice"]
    assert len(found) == security_events.MOST_OF_ONE + 1
    assert sum(times for *_, times in found) == 3 * security_events.MOST_OF_ONE + 3


def test_a_database_that_is_away_makes_nothing_fail(cast: Cast, monkeypatch: pytest.MonkeyPatch):
    def away(_: object) -> None:
        raise OperationalError("insert", {}, Exception("away"))

    sign_in(cast.app.test_client(), "alice@example.org", "not the password", STRANGE)
    with monkeypatch.context() as broken:
        broken.setattr(security_events, "_write", away)
        with cast.app.app_context():
            security_events.flush()
    assert [row[0] for row in written(cast)] == ["sign_in.failed"]


def test_they_are_kept_as_long_as_the_setting_says(cast: Cast, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(security_events, "_BATCH", 3)
    now = clock.now()
    with cast.app.app_context():
        for days in range(80, 100):
            monkeypatch.setattr(clock, "now", lambda days=days: now - timedelta(days=days))
            security_events.note("sign_in", cast.alice.id)
        monkeypatch.setattr(clock, "now", lambda: now)
        security_events.flush()
        security_events.forget()
        assert db.session.execute(select(func.count()).select_from(SecurityEvent)).scalar() == 11
        monkeypatch.setattr(security_events, "MOST", 4)
        security_events.forget()
        assert db.session.execute(select(func.count()).select_from(SecurityEvent)).scalar() == 4


def test_the_log_has_a_line_without_what_was_typed(cast: Cast, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO)
    sign_in(cast.app.test_client(), "somebody.else@example.com", "a secret of theirs", STRANGE)
    (line,) = [each for each in caplog.records if each.getMessage() == "security event sign_in.failed"]
    assert line.network == "203.0.113.0/24"  # type: ignore[attr-defined]
    assert not any(typed in repr(vars(each)) for each in caplog.records for typed in ("somebody", "secret of"))


def test_they_are_counted_for_monitoring(cast: Cast):
    sign_in(cast.app.test_client(), "alice@example.org", "not the password", STRANGE)
    shown = cast.nobody.get("/metrics").get_data(as_text=True)
    assert 'confab_security_events_total{kind="sign_in.failed"}' in shown
    assert "confab_sign_in_failures_total" in shown
    assert "confab_sign_in_alarm" in shown


def test_whose_account_it_is_is_told_once_a_day(cast: Cast, tmp_path):
    for first in (0, 20):
        guess(cast, 8, first=first)
        written(cast)
    guess(cast, 8, "nobody@example.org", first=40)
    written(cast)
    run(cast.app, "account_mail")
    (mail,) = outbox(tmp_path)
    assert mail["To"] == "alice@example.org"
    assert mail["Subject"] == "Somebody tries to sign in as you at Confab"
    assert all("/profile/password" in text for text in parts(mail))


def test_a_new_browser_is_told_and_a_known_one_is_not(cast: Cast, tmp_path):
    client = cast.app.test_client()
    for _ in range(2):
        assert sign_in(client, "alice@example.org").status_code == 303
    run(cast.app, "account_mail")
    (mail,) = outbox(tmp_path)
    assert mail["Subject"] == "A new browser is signed in at Confab"


def test_the_place_of_an_account_that_is_gone_is_gone(cast: Cast):
    sign_in(cast.app.test_client(), "mallory@example.org", "not the password", STRANGE)
    written(cast)
    with cast.app.app_context():
        security_events.note("sign_in", cast.mallory.id)
        db.session.execute(db.text("DELETE FROM users WHERE email = 'mallory@example.org'"))
        db.session.commit()
    assert written(cast) == []


def test_cast_is_signed_in_without_a_word(make_app: Callable[..., tuple[Flask, dict[str, str]]]):
    app, ids = make_app()
    assert written(make_cast(app, ids)) == []
