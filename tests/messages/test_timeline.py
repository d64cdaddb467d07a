"""Pages of a timeline: both ways by seq, and where a room opens."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from bs4 import BeautifulSoup, Tag

from chat.core import clock
from chat.core.database import db
from chat.messages import service
from tests.conftest import Cast, Member


@pytest.fixture
def long(cast: Cast) -> list[int]:
    """A hundred messages of alice; return their seqs."""
    with cast.app.app_context():
        seqs = [
            service.post_message(cast.room, cast.alice.person, f"number {n}", f"client-{n:04}").seq for n in range(100)
        ]
        db.session.remove()
    return seqs


def soup(member: Member, path: str) -> BeautifulSoup:
    answer = member.get(path)
    assert answer.status_code == 200, answer.get_data(as_text=True)[:300]
    return BeautifulSoup(answer.get_data(as_text=True), "html.parser")


def seqs_of(page: BeautifulSoup | Tag) -> list[int]:
    return [int(each["data-seq"]) for each in page.select(".message") if int(each["data-seq"])]


def link(page: BeautifulSoup, way: str) -> str | None:
    found = page.select_one(f"#{way} a")
    return str(found["hx-get"]) if found else None


def test_going_back_page_by_page_shows_everything_once(cast: Cast, long: list[int]):
    page = soup(cast.alice, f"/rooms/{cast.room}")
    found = seqs_of(page.select_one("#timeline"))
    assert found == long[-40:]
    while (address := link(page, "older")) is not None:
        page = soup(cast.alice, address)
        found = seqs_of(page) + found
    assert found == long


def test_going_forward_page_by_page_shows_everything_once(cast: Cast, long: list[int]):
    page = soup(cast.alice, f"/rooms/{cast.room}/messages?after=0")
    found = seqs_of(page)
    assert len(found) == 40
    while (address := link(page, "newer")) is not None:
        page = soup(cast.alice, address)
        found += seqs_of(page)
    assert found == long


def test_beyond_the_ends_there_is_nothing(cast: Cast, long: list[int]):
    for query in (f"before={long[0]}", f"after={long[-1]}", "before=0", "after=999999999"):
        page = soup(cast.alice, f"/rooms/{cast.room}/messages?{query}")
        assert seqs_of(page) == []
        assert link(page, "older") is None
        assert link(page, "newer") is None
        assert len(seqs_of(soup(cast.alice, f"/rooms/{cast.room}?{query}").select_one("#timeline"))) == 40
    assert link(soup(cast.alice, f"/rooms/{cast.room}/messages?after=0"), "older") is None


@pytest.mark.parametrize("place", [0, 1, 50, 98, 99])
def test_around_a_message_there_is_context(cast: Cast, long: list[int], place: int):
    page = soup(cast.alice, f"/rooms/{cast.room}/messages?around={long[place]}")
    found = seqs_of(page.select_one("#timeline"))
    assert long[place] in found
    assert found == long[max(0, place - 20) : place + 20]


def test_the_same_pages_without_script(cast: Cast, long: list[int]):
    page = soup(cast.alice, f"/rooms/{cast.room}")
    older = soup(cast.alice, str(page.select_one("#older a")["href"]))
    assert seqs_of(older.select_one("#timeline")) == long[20:60]
    assert older.select_one("#body") is not None, "it is the whole page"
    back = soup(cast.alice, str(older.select_one("#newer a")["href"]))
    assert seqs_of(back.select_one("#timeline")) == long[60:]


def test_it_opens_at_the_first_unread(cast: Cast, long: list[int]):
    cast.bob.post(f"/rooms/{cast.room}/read", seq=str(long[29]))
    page = soup(cast.bob, f"/rooms/{cast.room}")
    found = seqs_of(page.select_one("#timeline"))
    assert found == long[18:58]
    marker = page.select_one("#new-since")
    assert marker.find_next("li", class_="message")["data-seq"] == str(long[30])
    assert page.select_one("#timeline")["data-newer"] == "yes"


def test_further_down_there_is_no_line(cast: Cast, long: list[int]):
    """The line is where one stopped reading, not where a page happens to begin."""
    assert not soup(cast.bob, f"/rooms/{cast.room}/messages").select("#new-since")
    assert not soup(cast.bob, f"/rooms/{cast.room}?around={long[-5]}").select("#new-since")
    assert soup(cast.bob, f"/rooms/{cast.room}?around={long[0]}").select("#new-since")


def test_without_script_a_button_says_that_one_has_read(cast: Cast, long: list[int]):
    page = soup(cast.bob, f"/rooms/{cast.room}?around={long[-1]}")
    form = next(each for each in page.select("noscript form") if "Mark as read" in each.text)
    answer = cast.bob.post(str(form["action"]), back="1", seq=str(form.select_one("[name=seq]")["value"]))
    assert answer.status_code == 303
    assert answer.headers["Location"] == f"/rooms/{cast.room}"
    assert not soup(cast.bob, answer.headers["Location"]).select("#new-since")


def test_with_little_unread_it_opens_at_the_end(cast: Cast, long: list[int]):
    cast.bob.post(f"/rooms/{cast.room}/read", seq=str(long[95]))
    page = soup(cast.bob, f"/rooms/{cast.room}")
    assert seqs_of(page.select_one("#timeline")) == long[-40:]
    assert page.select_one("#new-since").find_next("li", class_="message")["data-seq"] == str(long[96])
    assert page.select_one("#timeline")["data-newer"] == "no"


def test_with_nothing_unread_there_is_no_line(cast: Cast, long: list[int]):
    assert soup(cast.alice, f"/rooms/{cast.room}").select_one("#new-since") is None


def test_a_permalink_shows_its_message_in_context(cast: Cast, long: list[int]):
    first = soup(cast.alice, f"/rooms/{cast.room}/messages?after=0").select_one(".message")
    page = soup(cast.bob, str(first.select_one(".message__time")["href"]))
    assert page.select_one("#timeline")["data-target"] == first["id"]
    assert first["id"] in [each["id"] for each in page.select("#timeline .message")]


def test_a_permalink_into_another_room_is_none(cast: Cast, long: list[int]):
    address = str(soup(cast.alice, f"/rooms/{cast.room}").select_one(".message__time")["href"])
    assert cast.alice.get(address.replace(cast.room, cast.open_room)).status_code == 404


def test_one_authors_messages_are_grouped_for_five_minutes(cast: Cast, monkeypatch: pytest.MonkeyPatch):
    start = datetime(2026, 3, 5, 12, 0, tzinfo=UTC)
    for minute, member in ((0, cast.alice), (3, cast.alice), (9, cast.alice), (10, cast.bob), (11, cast.alice)):
        monkeypatch.setattr(clock, "now", lambda minute=minute: start + timedelta(minutes=minute))
        with cast.app.app_context():
            service.post_message(cast.room, member.person, "x", f"client-{minute:04}")
            db.session.remove()
    monkeypatch.undo()
    page = soup(cast.alice, f"/rooms/{cast.room}")
    grouped = ["message--continues" in each["class"] for each in page.select("#timeline .message")]
    assert grouped == [False, True, False, False, False]


def test_days_are_those_of_the_reader(cast: Cast, monkeypatch: pytest.MonkeyPatch):
    for hour in (22, 23):
        moment = datetime(2026, 3, 5, hour, 30, tzinfo=UTC)
        monkeypatch.setattr(clock, "now", lambda moment=moment: moment)
        with cast.app.app_context():
            service.post_message(cast.room, cast.alice.person, "x", f"client-{hour:04}")
            db.session.remove()
    monkeypatch.undo()
    days = [each.get_text(strip=True) for each in soup(cast.alice, f"/rooms/{cast.room}").select("#timeline .day")]
    assert days == ["Thursday 5 March"]
    cast.alice.client.set_cookie("tz", "Europe/Oslo")
    page = soup(cast.alice, f"/rooms/{cast.room}")
    assert [each.get_text(strip=True) for each in page.select("#timeline .day")] == [
        "Thursday 5 March",
        "Friday 6 March",
    ]
    assert [each.get_text(strip=True) for each in page.select(".message__time")][:2] == ["23:30", "00:30"]


@pytest.mark.parametrize("zone", ["", "Nowhere/At-All", "../../etc/passwd", "x" * 100, "\0", "UTC\r\nSet-Cookie: x"])
def test_a_zone_that_is_none_is_utc(cast: Cast, zone: str, long: list[int]):
    cast.alice.client.set_cookie("tz", zone)
    assert cast.alice.get(f"/rooms/{cast.room}").status_code == 200


def test_a_frame_is_in_utc_whoever_posted(cast: Cast):
    """What is broadcast is the same for everybody, so the poster's zone must not be in it."""
    from chat import realtime

    cast.alice.client.set_cookie("tz", "Asia/Tokyo")
    with cast.app.app_context():
        realtime.here().pump.load(cast.room, None)
    cast.alice.post(f"/rooms/{cast.room}/messages", htmx=True, body="when is it")
    with cast.app.app_context():
        ring = realtime.here().pump.feeds[cast.room].ring
        html = ring.after(ring.base, 10_000)[0].decode()
    stamp = html.split('<time datetime="')[1]
    assert stamp.split(">")[1].split("<")[0] == stamp[11:16]


def test_a_page_costs_the_same_however_long_the_room_is(cast: Cast, long: list[int]):
    from sqlalchemy import event

    statements: list[str] = []
    with cast.app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", lambda *arguments: statements.append(arguments[2]))
    cast.alice.get(f"/rooms/{cast.room}")  # what a process looks up once
    statements.clear()
    cast.alice.get(f"/rooms/{cast.room}")
    count = len(statements)
    with cast.app.app_context():
        for n in range(60):
            service.post_message(cast.room, cast.alice.person, f"more {n}", f"more-{n:04}")
        db.session.remove()
    statements.clear()
    cast.alice.get(f"/rooms/{cast.room}")
    assert len(statements) == count
    assert count <= 16, statements
