"""Where one is signed in, and ending it."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from bs4 import BeautifulSoup

from chat.accounts import queries, service
from chat.accounts.devices import describe
from chat.accounts.sessions import write_use
from chat.core import clock, security_events
from chat.core.database import db
from chat.realtime import tickets
from tests.conftest import Cast
from tests.people import PASSWORD

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0"
PIXEL = "Mozilla/5.0 (Linux; Android 16; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Mobile Safari/537.36"
IPAD = "Mozilla/5.0 (iPad; CPU OS 19_0 like Mac OS X) AppleWebKit/605.1.15 Version/19.0 Mobile/15E148 Safari/604.1"


@pytest.mark.parametrize(
    ("user_agent", "name", "shape"),
    [(FIREFOX, "Firefox on Linux", "computer"), (PIXEL, "Chrome on Android", "phone"), (IPAD, "Safari on iOS", "tablet"),
     ("", "A browser", "computer"), ("curl/8.5", "curl", "computer")],
)  # fmt: skip
def test_it_calls_a_browser_what_people_call_it(user_agent: str, name: str, shape: str):
    found, found_shape = describe(user_agent)
    assert found_shape == shape
    assert found.startswith(name) or found == "Other"


def elsewhere(cast: Cast, user_agent: str = PIXEL):
    client = cast.app.test_client()
    token = client.get("/sign-in").get_data(as_text=True).split('name="csrf_token" value="')[1].split('"')[0]
    data = {"csrf_token": token, "email": "alice@example.org", "password": PASSWORD}
    assert client.post("/sign-in", data=data, headers={"User-Agent": user_agent}).status_code == 303
    return client


def test_it_lists_them_with_this_one_first(cast: Cast):
    elsewhere(cast)
    page = cast.alice.get("/devices").get_data(as_text=True)
    assert page.index("This one") < page.index("Chrome on Android")


def test_it_ends_one(cast: Cast):
    phone = elsewhere(cast)
    action = cast.alice.get("/devices").get_data(as_text=True).split('action="/devices/')[1].split('"')[0]
    assert cast.alice.post(f"/devices/{action}").status_code == 303
    assert phone.get("/rooms").status_code == 303
    assert cast.alice.get("/rooms").status_code == 200


def test_it_asks_once_more_before_it_ends_all_others(cast: Cast):
    phone = elsewhere(cast)
    page = BeautifulSoup(cast.alice.get("/devices").get_data(as_text=True), "html.parser")
    assert not page.select("form[action='/devices/end-others']")
    asked = BeautifulSoup(
        cast.alice.get(page.select_one("a[href='/devices/end-others']")["href"]).get_data(), "html.parser"
    )
    named = [each.get_text() for each in asked.select(".line__title")]
    assert named == ["Chrome on Android"], "all that ends, and not this one"
    assert phone.get("/rooms").status_code == 200, "asking changes nothing"
    assert cast.alice.post(asked.select_one("main form[method=post]")["action"]).status_code == 303
    assert phone.get("/rooms").status_code == 303


def test_who_is_signed_in_nowhere_else_has_nothing_to_end(cast: Cast):
    assert b"Sign it out" not in cast.alice.get("/devices/end-others").get_data()


def test_it_ends_all_others(cast: Cast):
    phones = [elsewhere(cast) for _ in range(3)]
    cast.alice.post("/devices/end-others")
    assert [phone.get("/rooms").status_code for phone in phones] == [303] * 3
    assert cast.alice.get("/rooms").status_code == 200


def test_it_does_not_end_somebody_elses(cast: Cast):
    with cast.app.app_context():
        (session,) = queries.sessions_of(cast.alice.id, "")
    assert cast.mallory.post(f"/devices/{session.id}/end").status_code == 404
    assert cast.alice.get("/rooms").status_code == 200


def test_a_session_that_is_not_used_for_a_week_ends(cast: Cast, monkeypatch: pytest.MonkeyPatch):
    later = clock.now() + timedelta(days=7, minutes=1)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert cast.alice.get("/rooms").status_code == 303


def test_using_it_puts_the_end_off(cast: Cast, monkeypatch: pytest.MonkeyPatch):
    with cast.app.app_context():
        (session,) = queries.sessions_of(cast.alice.id, "")
        soon = clock.now() + timedelta(days=5)
        monkeypatch.setattr(clock, "now", lambda: soon)
        write_use({session.id: cast.alice.id})
        later = soon + timedelta(days=6)
        monkeypatch.setattr(clock, "now", lambda: later)
        db.session.remove()
    assert cast.alice.get("/rooms").status_code == 200


def test_and_the_end_of_the_cookie(cast: Cast, monkeypatch: pytest.MonkeyPatch):
    """A browser forgets a cookie at its own time, whatever the server has put off."""
    cast.alice.get("/rooms")
    assert "confab-session" not in {name for name, _ in _cookies_set(cast)}, "not with every page"
    later = time.time() + 600
    monkeypatch.setattr(tickets.time, "time", lambda: later)
    renewed = dict(_cookies_set(cast))
    assert "Max-Age=604800" in renewed["confab-session"]
    assert cast.alice.client.get_cookie("confab-session").value in renewed["confab-session"]


def _cookies_set(cast: Cast) -> list[tuple[str, str]]:
    cookies = cast.alice.get("/rooms").headers.getlist("Set-Cookie")
    return [(each.split("=")[0], each) for each in cookies]


def test_the_cookie_is_nowhere_in_the_database(cast: Cast):
    with cast.app.app_context():
        secret = service.start_session(cast.alice.id, "x", "127.0.0.1")
        stored = [repr(row) for table in db.metadata.sorted_tables for row in db.session.execute(table.select())]
    assert not any(secret in row for row in stored)


def test_it_shows_what_happened_to_ones_account_and_to_no_other(cast: Cast):
    elsewhere(cast)
    with cast.app.app_context():
        security_events.flush()
    page = cast.alice.get("/devices").get_data(as_text=True)
    assert "Recent activity" in page
    assert "Signed in with a new browser" in page
    assert "Chrome" in page.split("Recent activity")[1]
    assert "Signed in with a new browser" not in cast.bob.get("/devices").get_data(as_text=True)


def test_page_by_page(cast: Cast, monkeypatch: pytest.MonkeyPatch):
    now = clock.now()
    with cast.app.app_context():
        security_events.flush()
        for minutes in range(45):
            monkeypatch.setattr(clock, "now", lambda minutes=minutes: now - timedelta(minutes=minutes))
            security_events.note("sign_in", cast.mallory.id)
        monkeypatch.setattr(clock, "now", lambda: now)
        security_events.flush()
    path, found = "/devices", []
    while path:
        page = BeautifulSoup(cast.mallory.get(path).get_data(as_text=True), "html.parser")
        found.append([each["datetime"] for each in page.select("[aria-labelledby=activity] time")])
        link = page.find("a", string="Earlier activity")
        path = link["href"] if link else ""
    assert [len(each) for each in found[:2]] == [20, 20]
    everything = [each for page in found for each in page]
    assert len(set(everything)) == len(everything) >= 45
    assert everything == sorted(everything, reverse=True)
