"""The list of one's rooms: order, preview and the number of unread messages."""

from __future__ import annotations

import pytest
from bs4 import BeautifulSoup, Tag

from tests.conftest import Cast, Member
from tests.conftest import Town as Live


@pytest.fixture
def town(quarter: Live) -> Live:
    return quarter


def rows(member: Member) -> dict[str, Tag]:
    page = BeautifulSoup(member.get("/rooms/list").get_data(as_text=True), "html.parser")
    return {str(row["data-room"]): row for row in page.select("[data-room]")}


def unread(member: Member, room: str) -> int:
    return int(str(rows(member)[room].select_one(f'[data-live="unread:{room}"]')["data-count"]))


def say(member: Member, room: str, body: str) -> None:
    answer = member.post(f"/rooms/{room}/messages", htmx=True, body=body)
    assert answer.status_code == 201, answer.get_data(as_text=True)


def test_the_latest_room_is_first(cast: Cast):
    cast.bob.post(f"/rooms/{cast.open_room}/join")
    say(cast.bob, cast.open_room, "one")
    say(cast.bob, cast.room, "two")
    assert list(rows(cast.bob)) == [cast.room, cast.open_room]
    say(cast.bob, cast.open_room, "three")
    assert list(rows(cast.bob)) == [cast.open_room, cast.room]


def test_it_counts_what_was_not_read(cast: Cast):
    for n in range(3):
        say(cast.alice, cast.room, f"number {n}")
    assert unread(cast.bob, cast.room) == 3
    assert unread(cast.alice, cast.room) == 0, "one's own are read"
    cast.bob.post(f"/rooms/{cast.room}/read", seq="5")
    assert unread(cast.bob, cast.room) == 1
    cast.bob.post(f"/rooms/{cast.room}/read", seq="4")
    assert unread(cast.bob, cast.room) == 1, "reading never goes back"
    cast.bob.post(f"/rooms/{cast.room}/read", seq="999999")
    assert unread(cast.bob, cast.room) == 0
    say(cast.alice, cast.room, "one more")
    assert unread(cast.bob, cast.room) == 1, "reading never goes beyond what there is"


def test_an_edit_or_a_new_member_is_no_message(cast: Cast):
    say(cast.alice, cast.room, "number 0")
    cast.bob.post(f"/rooms/{cast.room}/read", seq="4")
    message = (
        cast.alice.post(f"/rooms/{cast.room}/messages", htmx=True, body="number 1")
        .headers["Location"]
        .rsplit("/", 1)[1]
    )
    cast.alice.post(f"/messages/{message}/edit", body="number one")
    cast.alice.post(f"/rooms/{cast.room}/members", person=cast.mallory.id)
    assert unread(cast.bob, cast.room) == 1
    assert unread(cast.mallory, cast.room) == 0, "who comes later is not handed what came before"


def test_writing_is_reading(cast: Cast):
    say(cast.alice, cast.room, "question")
    say(cast.bob, cast.room, "answer")
    assert unread(cast.bob, cast.room) == 0


def test_the_preview_says_who_and_what(cast: Cast):
    say(cast.alice, cast.room, "**Three** millimetres\n- is `inside`")
    text = rows(cast.bob)[cast.room].select_one(".row__preview").text.strip()
    assert text == "Alice: Three millimetres is inside"


def test_the_preview_forgets_what_was_deleted(cast: Cast):
    answer = cast.alice.post(f"/rooms/{cast.room}/messages", htmx=True, body="canary")
    cast.alice.post(f"/messages/{answer.headers['Location'].rsplit('/', 1)[1]}/delete")
    page = cast.bob.get("/rooms/list").get_data(as_text=True)
    assert "canary" not in page
    assert "Message deleted" in page


def test_it_is_brought_up_to_date_by_the_stream(town: Live):
    stream = town.bob.listen()
    stream.next("hello")
    town.alice.say(town.room, "for the list")
    signal = stream.next("room.unread", containing=f'"unread:{town.room}"').data
    assert 'data-count="1"' in signal
    assert "for the list" in signal
    town.bob.post(f"/rooms/{town.room}/read", seq="100")
    stream.next("room.unread", containing='data-count="0"')


def test_an_edit_changes_the_preview_at_once(town: Live):
    said = town.alice.say(town.room, "a slip of the pen")
    stream = town.bob.listen()
    stream.next("hello")
    town.alice.post(f"/messages/{said.id}/edit", body="as it should be")
    stream.next("room.unread", containing="as it should be")


def test_an_outsiders_stream_says_nothing_of_a_room(town: Live):
    outside, inside = town.mallory.listen(), town.bob.listen()
    outside.next("hello")
    town.alice.say(town.room, "not for mallory")
    town.alice.post(f"/rooms/{town.room}/typing")
    inside.next("room.unread", containing=town.room)
    assert town.room.encode() not in outside.raw
    assert b"mallory</" not in outside.raw


def test_somebody_who_is_added_or_removed_sees_it_at_once(town: Live):
    stream = town.mallory.listen()
    stream.next("hello")
    town.alice.add(town.room, town.mallory)
    stream.next("room.list")
    assert town.room in town.mallory.get("/rooms/list").text
    before = len(stream.events)
    town.alice.post(f"/rooms/{town.room}/members/{town.mallory.id}/remove")
    stream.wait(lambda events: any(event.name == "room.list" for event in events[before:]))
    assert town.room not in town.mallory.get("/rooms/list").text
