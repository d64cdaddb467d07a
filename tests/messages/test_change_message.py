"""Editing, deleting, undoing, removing and restoring."""

from __future__ import annotations

from datetime import timedelta

import pytest
from bs4 import BeautifulSoup

from chat.core import clock
from chat.core.database import db
from chat.messages.models import Message, MessageVersion
from tests.conftest import Cast, Member


def say(member: Member, room: str, body: str = "the first words") -> str:
    answer = member.post(f"/rooms/{room}/messages", htmx=True, body=body)
    assert answer.status_code == 201
    return answer.headers["Location"].rsplit("/", 1)[1]


def page_of(member: Member, room: str) -> str:
    return member.get(f"/rooms/{room}").get_data(as_text=True)


def later(monkeypatch: pytest.MonkeyPatch, **delta: float) -> None:
    moment = clock.now() + timedelta(**delta)
    monkeypatch.setattr(clock, "now", lambda: moment)


def test_an_edit_is_marked_and_keeps_what_was_said_before(cast: Cast):
    message = say(cast.alice, cast.room)
    for body in ("better words", "best words"):
        assert cast.alice.post(f"/messages/{message}/edit", body=body).status_code == 303
    page = page_of(cast.bob, cast.room)
    assert "best words" in page
    assert "edited" in page
    assert "first words" not in page
    with cast.app.app_context():
        versions = db.session.query(MessageVersion.version, MessageVersion.body).order_by(MessageVersion.version).all()
        assert [tuple(each) for each in versions] == [(1, "the first words"), (2, "better words")]


def test_the_form_holds_the_text_as_it_was_typed(cast: Cast):
    message = say(cast.alice, cast.room, "**bold** & <b>")
    page = BeautifulSoup(cast.alice.get(f"/messages/{message}/edit").get_data(as_text=True), "html.parser")
    assert page.select_one("#edit-body").text == "**bold** & <b>"
    part = cast.alice.get(f"/messages/{message}/edit", headers={"HX-Request": "true"}).get_data(as_text=True)
    assert "<html" not in part


def test_somebody_elses_words_are_theirs(cast: Cast):
    message = say(cast.alice, cast.room)
    for member in (cast.bob, cast.mia):
        assert member.post(f"/messages/{message}/edit", body="I never said that").status_code == 403
    assert cast.mallory.post(f"/messages/{message}/edit", body="x").status_code == 404
    assert "the first words" in page_of(cast.bob, cast.room)


def test_after_fifteen_minutes_it_stays(cast: Cast, monkeypatch: pytest.MonkeyPatch):
    message = say(cast.alice, cast.room)
    later(monkeypatch, minutes=14, seconds=58)
    assert cast.alice.post(f"/messages/{message}/edit", body="in time").status_code == 303
    later(monkeypatch, seconds=4)
    answer = cast.alice.post(f"/messages/{message}/edit", body="too late")
    assert answer.status_code == 403
    page = answer.get_data(as_text=True)
    assert "can be edited for 15 minutes" in page
    assert "too late" in page, "the text is still in the box"


@pytest.mark.parametrize(("body", "reason"), [("", "Write something"), ("x" * 10_001, "this one has 10,001")])
def test_an_edit_has_to_leave_a_message(cast: Cast, body: str, reason: str):
    message = say(cast.alice, cast.room)
    answer = cast.alice.post(f"/messages/{message}/edit", htmx=True, body=body)
    assert answer.status_code == 422
    assert reason in answer.get_data(as_text=True)


def test_deleting_leaves_a_place_without_words(cast: Cast):
    message = say(cast.alice, cast.room)
    assert cast.alice.post(f"/messages/{message}/delete").status_code == 303
    page = page_of(cast.bob, cast.room)
    assert "Message deleted by its author" in page
    assert "first words" not in page
    with cast.app.app_context():
        assert db.session.get(Message, message).body == "the first words", "the row stays"


def test_it_can_be_undone_for_a_moment(cast: Cast, monkeypatch: pytest.MonkeyPatch):
    message = say(cast.alice, cast.room)
    answer = cast.alice.post(f"/messages/{message}/delete")
    page = cast.alice.get(answer.headers["Location"]).get_data(as_text=True)
    assert f'action="/messages/{message}/restore"' in page, "also without script"
    assert cast.alice.post(f"/messages/{message}/restore").status_code == 303
    assert "the first words" in page_of(cast.bob, cast.room)
    cast.alice.post(f"/messages/{message}/delete")
    later(monkeypatch, seconds=121)
    assert cast.alice.post(f"/messages/{message}/restore").status_code == 403
    assert "first words" not in page_of(cast.bob, cast.room)


def test_a_moderator_removes_with_a_reason_that_all_can_read(cast: Cast):
    message = say(cast.alice, cast.room)
    assert cast.mia.post(f"/messages/{message}/delete").status_code == 422
    assert cast.mia.post(f"/messages/{message}/delete", reason="x" * 513).status_code == 422
    assert cast.mia.post(f"/messages/{message}/delete", reason="private details").status_code == 303
    page = page_of(cast.bob, cast.room)
    assert "Removed by a moderator" in page
    assert "private details" in page
    assert "first words" not in page


def test_its_author_cannot_bring_it_back_but_a_moderator_can(cast: Cast):
    message = say(cast.alice, cast.room)
    cast.mia.post(f"/messages/{message}/delete", reason="private details")
    assert cast.alice.post(f"/messages/{message}/restore").status_code == 403
    assert cast.mia.post(f"/messages/{message}/restore").status_code == 303
    page = page_of(cast.bob, cast.room)
    assert "the first words" in page
    assert "private details" not in page


def test_an_administrator_moderates_where_they_are_a_member(cast: Cast):
    message = say(cast.alice, cast.room)
    assert cast.ada.post(f"/messages/{message}/delete", reason="spam").status_code == 404
    cast.alice.post(f"/rooms/{cast.room}/members", person=cast.ada.id)
    assert cast.ada.post(f"/messages/{message}/delete", reason="spam").status_code == 303


def test_a_restored_message_is_in_its_old_place(cast: Cast):
    messages = [say(cast.alice, cast.room, f"number {n}") for n in range(3)]
    cast.mia.post(f"/messages/{messages[1]}/delete", reason="mistake")
    cast.mia.post(f"/messages/{messages[1]}/restore")
    timeline = BeautifulSoup(page_of(cast.bob, cast.room), "html.parser").select_one("#timeline")
    assert [each["id"] for each in timeline.select(".message")] == [f"message_{each}" for each in messages]


def test_what_is_done_already_is_said_to_be(cast: Cast):
    message = say(cast.alice, cast.room)
    assert cast.mia.post(f"/messages/{message}/restore").status_code == 409
    cast.alice.post(f"/messages/{message}/delete")
    assert cast.alice.post(f"/messages/{message}/delete").status_code == 409
    assert cast.alice.post(f"/messages/{message}/edit", body="x").status_code == 409


def test_a_deleted_text_is_nowhere_any_more(cast: Cast):
    message = say(cast.alice, cast.room, "canary in the bay")
    cast.alice.post(f"/messages/{message}/delete")
    for member in cast.everybody().values():
        for path in (
            f"/rooms/{cast.room}", f"/rooms/{cast.room}/messages", f"/rooms/{cast.room}/messages?around=4", "/rooms/list",
            "/rooms",
            f"/rooms/{cast.room}/messages/{message}", f"/rooms/{cast.room}?before=99", f"/messages/{message}/edit",
            f"/messages/{message}/delete",
        ):  # fmt: skip
            assert "canary" not in member.get(path).get_data(as_text=True), (member.name, path)


def test_a_permalink_explains_what_is_gone(cast: Cast):
    message = say(cast.alice, cast.room)
    cast.alice.post(f"/messages/{message}/delete")
    page = cast.bob.get(f"/rooms/{cast.room}/messages/{message}")
    assert page.status_code == 200
    assert "Message deleted by its author" in page.get_data(as_text=True)
