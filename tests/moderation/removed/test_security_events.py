"""What administrators see of who signed in and what was refused."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from sqlalchemy import delete

from chat.core import clock, security_events
from chat.core.database import db
from chat.core.security_events import SecurityEvent
from tests.conftest import Cast


@pytest.fixture(params=["sqlite", "postgresql"])
def app(request: pytest.FixtureRequest, make_app: Callable[..., tuple[Flask, dict[str, str]]]) -> Flask:
    app, ids = make_app(request.param)
    app.extensions["test_ids"] = ids
    with app.app_context():
        security_events.flush()
        db.session.execute(delete(SecurityEvent))
        db.session.commit()
    return app


def happen(cast: Cast, kind: str, address: str = "203.0.113.77", ago: timedelta = timedelta(0), **more: Any) -> None:
    moment = clock.now() - ago
    with cast.app.test_request_context(environ_base={"REMOTE_ADDR": address}), pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "now", lambda: moment)
        security_events.note(kind, **more)
        security_events.flush()
        db.session.remove()


def shown(cast: Cast, query: str = "") -> list[list[str]]:
    answer = cast.ada.get(f"/moderation/security{query}")
    assert answer.status_code == 200
    page = BeautifulSoup(answer.get_data(as_text=True), "html.parser")
    return [[cell.get_text(" ", strip=True) for cell in row.select("td")] for row in page.select("tbody tr")]


def test_it_names_the_account_the_place_and_the_count(cast: Cast):
    for _ in range(3):
        happen(cast, "sign_in.failed", email="alice@example.org", ago=timedelta(minutes=5))
    happen(cast, "sign_in.failed", "2001:db8::7", email="nobody@example.org")
    (nobody, alice) = shown(cast)
    assert nobody[1:4] == ["Nobody we know", "Wrong password", "2001:db8::7"]
    assert alice[1].endswith("Alice Okafor")
    assert alice[2:4] == ["Wrong password, 3 times", "203.0.113.77"]


def test_it_is_filtered(cast: Cast):
    happen(cast, "sign_in", user_id=cast.alice.id)
    happen(cast, "sign_out", user_id=cast.bob.id)
    happen(cast, "sign_in", "192.0.2.9", user_id=cast.bob.id, ago=timedelta(days=9))
    assert len(shown(cast)) == 3
    assert [row[2] for row in shown(cast, "?kind=sign_out")] == ["Signed out"]
    assert len(shown(cast, f"?person={cast.bob.id}")) == 2
    assert [row[3] for row in shown(cast, "?network=192.0.2.0/24")] == ["192.0.2.9"]
    day = (clock.now() - timedelta(days=5)).date()
    assert len(shown(cast, f"?since={day}")) == 2
    assert len(shown(cast, f"?until={day}")) == 1


@pytest.mark.parametrize("query", ["?after=x", "?after=99999999999999.000000.aaaaaaaaaaaaaaaa", "?kind=%00", "?person=x",
    "?since=9999-12-31", "?until=0001-01-01", "?network='--"])  # fmt: skip
def test_no_address_breaks_it(cast: Cast, query: str):
    happen(cast, "sign_in", user_id=cast.alice.id)
    assert cast.ada.get(f"/moderation/security{query}").status_code == 200
    assert cast.ada.get(f"/moderation/security.csv{query}").status_code == 200


def test_it_goes_on_page_by_page(cast: Cast, monkeypatch: pytest.MonkeyPatch):
    for minutes in range(7):
        happen(cast, "sign_in", user_id=cast.alice.id, ago=timedelta(minutes=minutes))
    monkeypatch.setattr("chat.moderation.removed.security_log.PAGE", 3)
    path, found = "/moderation/security?kind=sign_in", []
    while path:
        page = BeautifulSoup(cast.ada.get(path).get_data(as_text=True), "html.parser")
        found.append([each["datetime"] for each in page.select("tbody time")])
        link = page.find("a", string="Older events")
        path = link["href"] if link else ""
    assert [len(each) for each in found] == [3, 3, 1]
    moments = [each for page in found for each in page]
    assert moments == sorted(moments, reverse=True)


def test_it_is_taken_as_a_table_and_that_is_written_down(cast: Cast, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("chat.moderation.removed.security_log._STRETCH", 2)
    for minutes in range(5):
        happen(cast, "sign_in", user_id=cast.alice.id, ago=timedelta(minutes=minutes))
    answer = cast.ada.get("/moderation/security.csv")
    rows = list(csv.DictReader(io.StringIO(answer.get_data(as_text=True))))
    assert [(row["account"], row["name"], row["network"]) for row in rows] == [
        (cast.alice.id, "Alice Okafor", "203.0.113.0/24")
    ] * 5
    assert "Exported security events" in cast.ada.get("/moderation/audit").get_data(as_text=True)


def test_it_is_for_administrators(cast: Cast):
    for path in ("/moderation/security", "/moderation/security.csv"):
        assert [who.get(path).status_code for who in (cast.alice, cast.mia)] == [404, 404]
