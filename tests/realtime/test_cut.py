"""A stream ends with the right to it: at once, exactly, and it cannot be opened again."""

from __future__ import annotations

import pytest

from tests.conftest import Town
from tests.people import Stream


@pytest.fixture
def town(quarter: Town) -> Town:
    return quarter


def test_a_removed_member_hears_nothing_after_the_removal(town: Town):
    stream = town.bob.listen(town.room)
    before = town.alice.say(town.room, "bob may read this")
    town.alice.post(f"/rooms/{town.room}/members/{town.bob.id}/remove")
    canaries = [town.alice.say(town.room, f"canary {n}") for n in range(20)]
    stream.next("reset", containing=town.room)
    watcher = town.alice.listen(town.room)
    last = town.alice.say(town.room, "the end")
    watcher.until(last.seq)
    assert b"canary" not in stream.raw
    assert b"the end" not in stream.raw
    assert [event.seq for event in stream.logged][:1] == [before.seq]
    assert max(event.seq for event in stream.logged) == before.seq + 1, "nothing after the removal itself"
    assert canaries[0].seq == before.seq + 2


@pytest.mark.parametrize("way", ["door", "flask"])
def test_a_removed_member_cannot_come_back_with_the_cursor(town: Town, way: str):
    stream = town.bob.listen(town.room)
    said = town.alice.say(town.room, "bob may read this")
    stream.until(said.seq)
    cursor = stream.last_id
    other = town.bob.make_room("his own")
    town.alice.post(f"/rooms/{town.room}/members/{town.bob.id}/remove")
    town.alice.say(town.room, "canary")
    if way == "flask":
        del town.bob.http.cookies["confab-ticket"]
    again = Stream(town.bob, f"/events?room={town.room}&after={cursor}")
    assert again.status == 404
    among_others = Stream(town.bob, f"/events?room={town.room}&after={cursor}&room={other}")
    assert among_others.status == 200
    among_others.next("reset", containing=town.room)
    town.alice.say(town.room, "canary")
    town.bob.say(other, "only this")
    among_others.next("message.posted", containing="only this")
    assert b"canary" not in among_others.raw


@pytest.mark.parametrize("way", ["door", "flask"])
@pytest.mark.parametrize("room", ["{room}", "aaaaaaaaaaaaaaaa", "not-a-room", "%00", ""])
def test_an_outsider_gets_no_stream(town: Town, way: str, room: str):
    if way == "flask":
        del town.mallory.http.cookies["confab-ticket"]
    stream = Stream(town.mallory, f"/events?room={room.format(room=town.room)}&after={town.bob.cursor(town.room)}")
    assert stream.status == 404


def test_somebody_added_again_sees_the_room_from_its_page_on(town: Town):
    cursor = town.bob.cursor(town.room)
    town.alice.post(f"/rooms/{town.room}/members/{town.bob.id}/remove")
    town.alice.say(town.room, "while out")
    town.alice.add(town.room, town.bob)
    stream = town.bob.listen(town.room, after={town.room: cursor})
    said = town.alice.say(town.room, "welcome back")
    assert stream.until(said.seq)[-1].seq == said.seq


@pytest.mark.parametrize("way", ["sign-out", "ended elsewhere", "all others ended"])
def test_a_session_that_ends_takes_its_streams_along(town: Town, way: str):
    phone = town.bob.elsewhere()
    stream, desk = phone.listen(town.room), town.bob.listen(town.room)
    stream.next("hello")
    desk.next("hello")
    if way == "sign-out":
        phone.post("/sign-out")
    elif way == "ended elsewhere":
        action = town.bob.page("/devices").select_one("form[action$='/end']")["action"]
        town.bob.post(action)
    else:
        town.bob.post("/devices/end-others")
    stream.wait_end(1.0)
    said = town.alice.say(town.room, "canary")
    desk.until(said.seq)
    assert b"canary" not in stream.raw


def test_a_ticket_of_an_ended_session_opens_nothing(town: Town):
    saved = {cookie.name: cookie.value for cookie in town.bob.http.cookies}
    cursor = town.bob.cursor(town.room)
    town.bob.post("/sign-out")
    town.bob.http.cookies.clear()
    for name, value in saved.items():
        town.bob.http.cookies.set(name, value)
    stream = Stream(town.bob, f"/events?room={town.room}&after={cursor}")
    assert stream.status == 401
    assert town.bob.get("/rooms").status_code == 303


def test_nobody_gets_no_stream(town: Town):
    town.mallory.http.cookies.clear()
    stream = Stream(town.mallory, "/events")
    assert stream.status == 401


@pytest.mark.parametrize("sender", ["cross-site", "same-site"])
@pytest.mark.parametrize("way", ["door", "flask"])
def test_another_site_cannot_read_a_stream(town: Town, sender: str, way: str):
    if way == "flask":
        del town.bob.http.cookies["confab-ticket"]
    stream = Stream(town.bob, f"/events?room={town.room}", {"Sec-Fetch-Site": sender})
    assert stream.status == 403


def test_a_foreign_host_name_is_refused(town: Town):
    stream = Stream(town.bob, f"/events?room={town.room}", {"Host": "evil.example"})
    assert stream.status == 400
