"""Posting a message: stored once, in order, and safe to look at."""

from __future__ import annotations

import threading

import pytest
from bs4 import BeautifulSoup

from chat.core.database import db
from chat.core.errors import NotFound
from chat.core.log import LogRow
from chat.messages import queries, service
from chat.messages.models import Message
from chat.rooms import service as rooms
from tests.conftest import Cast, Member

both = pytest.mark.parametrize("app", ["sqlite", "postgresql"], indirect=True)


def post(member: Member, room: str, htmx: bool = True, **fields: str):
    return member.post(f"/rooms/{room}/messages", htmx=htmx, **fields)


def shown(member: Member, room: str) -> list[str]:
    page = BeautifulSoup(member.get(f"/rooms/{room}").get_data(as_text=True), "html.parser")
    for mark in page.select(".message__edited"):
        mark.decompose()
    return [message.get_text(" ", strip=True) for message in page.select("#timeline .message__text")]


def test_it_is_there_for_every_member(cast: Cast):
    answer = post(cast.alice, cast.room, body="hello", client_id="client-1")
    assert answer.status_code == 201
    assert answer.get_data() == b""
    assert int(answer.headers["Chat-Seq"]) > 0
    assert cast.bob.get(answer.headers["Location"]).status_code == 200
    assert shown(cast.bob, cast.room) == ["hello"]


def test_a_plain_form_leads_back_to_the_room(cast: Cast):
    answer = post(cast.alice, cast.room, htmx=False, body="hello", client_id="client-1")
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith(f"/rooms/{cast.room}#message_")
    assert answer.headers["Chat-Message"].startswith(f"/rooms/{cast.room}/messages/")


def test_the_attributes_programs_rely_on(cast: Cast):
    answer = post(cast.alice, cast.room, body="hello", client_id="client-1")
    page = BeautifulSoup(cast.bob.get(f"/rooms/{cast.room}").get_data(as_text=True), "html.parser")
    message = page.select_one(".message:not(template .message)")
    assert message["id"] == "message_" + answer.headers["Location"].rsplit("/", 1)[1]
    assert message["data-seq"] == answer.headers["Chat-Seq"]
    assert message["data-author-id"] == cast.alice.id
    assert message["data-client-id"] == "client-1"
    live = page.select_one("[data-cursor]")
    assert live["data-room"] == cast.room
    assert live["data-cursor"].startswith(f"{cast.room}.")
    assert live["data-cursor"].endswith(f".{answer.headers['Chat-Seq']}")
    assert live["sse-connect"] == f"/events?room={cast.room}&after={live['data-cursor']}"


def test_a_repeat_is_answered_like_the_first(cast: Cast):
    first = post(cast.alice, cast.room, body="hello", client_id="client-1")
    again = post(cast.alice, cast.room, body="hello", client_id="client-1")
    assert again.status_code == 201
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    for name in ("Location", "Chat-Seq", "Chat-Message"):
        assert again.headers[name] == first.headers[name]
    assert shown(cast.bob, cast.room) == ["hello"]


@pytest.mark.parametrize("change", ["edited", "deleted"])
def test_a_late_repeat_brings_nothing_back(cast: Cast, change: str):
    first = post(cast.alice, cast.room, body="hello", client_id="client-1")
    message = first.headers["Location"].rsplit("/", 1)[1]
    cast.alice.post(f"/messages/{message}/{'edit' if change == 'edited' else 'delete'}", body="changed")
    again = post(cast.alice, cast.room, body="hello", client_id="client-1")
    assert again.headers["Idempotent-Replayed"] == "true"
    assert shown(cast.bob, cast.room) == (["changed"] if change == "edited" else [])


@pytest.mark.parametrize("other", ["body", "room"])
def test_another_message_under_the_same_id_is_refused(cast: Cast, other: str):
    post(cast.alice, cast.room, body="hello", client_id="client-1")
    room = cast.open_room if other == "room" else cast.room
    body = "something else" if other == "body" else "hello"
    answer = post(cast.alice, room, htmx=False, body=body, client_id="client-1")
    assert answer.status_code == 422
    page = BeautifulSoup(answer.get_data(as_text=True), "html.parser")
    assert page.select_one("#body").text == body, "the text is still in the box"
    assert page.select_one("#composer [name=client_id]")["value"] != "client-1", "and can be sent at once"


def test_two_people_may_choose_the_same_id(cast: Cast):
    assert post(cast.alice, cast.room, body="one", client_id="client-1").status_code == 201
    assert post(cast.bob, cast.room, body="two", client_id="client-1").status_code == 201
    assert shown(cast.bob, cast.room) == ["one", "two"]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [({"body": ""}, "Write something"), ({"body": " \n\t "}, "Write something"), ({"body": "x" * 10_001}, "has 10,001"),
     ({"body": "x", "client_id": "short"}, "client_id has 8 to 64"), ({"body": "x", "client_id": "has spaces"}, "client_id"),
     ({"body": "x", "client_id": "dotted.client.id"}, "client_id"), ({"body": "x", "picture": "a" * 16}, "is gone")],
)  # fmt: skip
def test_what_is_no_message_is_refused_with_the_reason(cast: Cast, fields: dict[str, str], reason: str):
    answer = post(cast.alice, cast.room, **fields)
    assert answer.status_code == 422
    assert reason in answer.get_data(as_text=True)
    page = post(cast.alice, cast.room, htmx=False, **fields)
    assert page.status_code == 422
    assert reason in page.get_data(as_text=True)
    assert shown(cast.bob, cast.room) == []


def test_ten_thousand_characters_are_taken(cast: Cast):
    assert post(cast.alice, cast.room, body="é" * 10_000).status_code == 201


@pytest.mark.parametrize(
    ("typed", "stored"),
    [("a\r\nb", "a\nb"), ("  spaced  ", "spaced"), ("nul\0byte", "nulbyte"), ("bell\x07", "bell"), ("tab\tkept", "tab\tkept"),
     ("\u202egnp.exe", "gnp.exe"), ("שלום\u200f", "שלום\u200f")],
)  # fmt: skip
def test_text_is_cleaned_of_what_nobody_sees(cast: Cast, typed: str, stored: str):
    data = {"csrf_token": cast.alice.token, "body": typed.encode("utf-8", "surrogatepass"), "client_id": "client-1"}
    cast.alice.client.post(f"/rooms/{cast.room}/messages", data=data)
    with cast.app.app_context():
        assert queries.by_client_id(cast.alice.id, "client-1").body == stored


@both
def test_fifty_equal_ones_at_once_are_one(cast: Cast):
    found = []

    def send() -> None:
        with cast.app.app_context():
            found.append(service.post_message(cast.room, cast.alice.person, "hello", "client-1"))
            db.session.remove()

    threads = [threading.Thread(target=send) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({each.message_id for each in found}) == 1
    assert sum(1 for each in found if not each.repeated) == 1
    with cast.app.app_context():
        assert db.session.query(Message).count() == 1
        _expect_gapless(cast.room)


@both
def test_many_writers_leave_no_gap(cast: Cast):
    def write(member: Member, number: int) -> None:
        for n in range(10):
            with cast.app.app_context():
                service.post_message(cast.room, member.person, f"{n}", f"client-{number}-{n}")
                db.session.remove()

    threads = [
        threading.Thread(target=write, args=(member, number))
        for number, member in enumerate([cast.alice, cast.bob, cast.mia] * 3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with cast.app.app_context():
        assert db.session.query(Message).count() == 90
        _expect_gapless(cast.room)
        numbers = [number for (number,) in db.session.query(Message.number).order_by(Message.seq)]
        assert numbers == list(range(1, 91))


@both
def test_a_removal_and_a_post_have_one_order(cast: Cast):
    """Whatever comes first: after the removal's place in the log there is no message of the removed."""
    start = threading.Barrier(2)

    def write() -> None:
        start.wait()
        for n in range(40):
            with cast.app.app_context():
                try:
                    service.post_message(cast.room, cast.bob.person, f"{n}", f"bob-{n:08}")
                except NotFound:
                    return
                finally:
                    db.session.remove()

    def remove() -> None:
        start.wait()
        with cast.app.app_context():
            rooms.revoke(cast.room, cast.bob.id, cast.alice.id)
            db.session.remove()

    threads = [threading.Thread(target=each) for each in (write, remove)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with cast.app.app_context():
        removed = db.session.query(LogRow.seq).filter(LogRow.name == "member.left").scalar()
        late = db.session.query(Message).filter(Message.author_id == cast.bob.id, Message.seq > removed).count()
        assert late == 0
        _expect_gapless(cast.room)


@both
def test_a_post_that_waited_for_the_lock_sees_the_removal(cast: Cast):
    """The removal holds the room's lock; the post has looked up nothing yet that it would still believe."""
    from chat.core import log
    from chat.core.bus import transaction

    outcome = []

    def write() -> None:
        with cast.app.app_context():
            try:
                service.post_message(cast.room, cast.bob.person, "too late", "client-1")
                outcome.append("posted")
            except NotFound:
                outcome.append("refused")
            db.session.remove()

    with cast.app.app_context():
        with transaction():
            log.take(cast.room)
            thread = threading.Thread(target=write)
            thread.start()
            thread.join(0.3)
            rooms.revoke(cast.room, cast.bob.id, cast.alice.id)
        db.session.remove()
    thread.join()
    assert outcome == ["refused"]


def _expect_gapless(room: str) -> None:
    seqs = [seq for (seq,) in db.session.query(LogRow.seq).filter(LogRow.room_id == room).order_by(LogRow.seq)]
    assert seqs == list(range(1, len(seqs) + 1))
