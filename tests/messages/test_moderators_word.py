"""A moderator's word about a message stands, whoever deleted it first."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from sqlalchemy import select

from chat.core import ids
from chat.core.audit import AuditRow
from chat.core.database import db
from chat.messages.models import Message
from tests.conftest import Cast, Member

both = pytest.mark.parametrize("app", ["sqlite", "postgresql"], indirect=True)


def say(who: Member, room: str, body: str = "a rumour") -> str:
    answer = who.post(f"/rooms/{room}/messages", htmx=True, body=body, client_id=ids.new())
    assert answer.status_code == 201
    return str(answer.headers["Location"].rsplit("/", 1)[1])


def restore(who: Member, message: str) -> int:
    return int(who.post(f"/messages/{message}/restore").status_code)


def row(cast: Cast, message: str) -> Message:
    with cast.app.app_context():
        return db.session.get_one(Message, message)


def removed(cast: Cast, message: str, by: Member, reason: str) -> None:
    found = row(cast, message)
    assert (found.deleted_by, found.delete_reason) == (by.id, reason)
    assert restore(cast.bob, message) == 403


@both
def test_a_removal_takes_over_what_its_author_deleted(cast: Cast):
    message = say(cast.bob, cast.room)
    assert cast.bob.post(f"/messages/{message}/delete").status_code == 303
    assert cast.mia.post(f"/messages/{message}/delete", reason="private details").status_code == 303
    removed(cast, message, cast.mia, "private details")
    assert "private details" in cast.alice.get(f"/rooms/{cast.room}").get_data(as_text=True)
    assert cast.mia.post(f"/messages/{message}/delete", reason="again").status_code == 409
    assert cast.bob.post(f"/messages/{message}/delete").status_code == 409
    with cast.app.app_context():
        told = db.session.execute(select(AuditRow).where(AuditRow.action == "message.removed")).scalar_one()
    assert "deleted by its author" in told.before
    assert restore(cast.mia, message) == 303


def test_a_sweep_takes_them_with_it(cast: Cast):
    gone, there = say(cast.bob, cast.room, "gone"), say(cast.bob, cast.room, "there")
    cast.bob.post(f"/messages/{gone}/delete")
    swept = cast.mia.post("/moderation/sweeps", person=cast.bob.id, room=cast.room, span="1h", reason="a flood")
    assert swept.status_code == 303
    for message in (gone, there):
        removed(cast, message, cast.mia, "a flood")


def test_a_report_that_is_decided_does_so_too(cast: Cast):
    message = say(cast.bob, cast.room)
    assert cast.alice.post(f"/messages/{message}/report", reason="spam").status_code == 303
    cast.bob.post(f"/messages/{message}/delete")
    queue = cast.mia.get("/moderation/reports").get_data(as_text=True)
    case = queue.split('href="/moderation/reports/')[1].split('"')[0]
    assert cast.mia.post(f"/moderation/reports/{case}/remove").status_code == 303
    removed(cast, message, cast.mia, "It was reported")


def test_a_purge_that_waits_does_so_too(cast: Cast):
    message = say(cast.bob, cast.room)
    assert cast.ada.post("/moderation/keeping/approval", two="yes").status_code == 303
    cast.bob.post(f"/messages/{message}/delete")
    assert cast.mia.post(f"/moderation/removed/{message}/purge", reason="a number").status_code == 303
    removed(cast, message, cast.mia, "a number")


def test_a_restore_that_is_taken_back_does_so_too(cast: Cast):
    message = say(cast.bob, cast.room)
    cast.mia.post(f"/messages/{message}/delete", reason="private details")
    assert cast.mia.post(f"/moderation/removed/{message}/restore").status_code == 303
    cast.bob.post(f"/messages/{message}/delete")
    assert cast.mia.post(f"/moderation/removed/{message}/undo").status_code == 303
    removed(cast, message, cast.mia, "private details")


def test_what_a_higher_rank_removed_a_lower_one_does_not_bring_back(cast: Cast):
    appointed = cast.ada.post(f"/moderation/people/{cast.alice.id}/office", office=f"appoint:{cast.room}", why="x")
    assert appointed.status_code == 409, "she owns it"
    cast.ada.post(f"/moderation/people/{cast.bob.id}/office", office=f"appoint:{cast.room}", why="knows the lamp")
    message = say(cast.alice, cast.room)
    cast.mia.post(f"/messages/{message}/delete", reason="private details")
    assert restore(cast.bob, message) == 403
    assert cast.bob.post(f"/moderation/removed/{message}/restore").status_code == 403
    assert restore(cast.mia, message) == 303


@both
def test_of_an_author_and_a_moderator_at_once_the_moderator_stands(cast: Cast):
    for _ in range(5):
        message = say(cast.bob, cast.room)
        statuses: dict[str, int] = {}
        gate = threading.Barrier(2)

        def press(name: str, who: Member, message: str, statuses: dict[str, int], gate: Any, **fields: str) -> None:
            gate.wait()
            statuses[name] = who.post(f"/messages/{message}/delete", **fields).status_code

        presses = [
            threading.Thread(target=press, args=("author", cast.bob, message, statuses, gate)),
            threading.Thread(
                target=press,
                args=("moderator", cast.mia, message, statuses, gate),
                kwargs={"reason": "private details"},
            ),
        ]
        for each in presses:
            each.start()
        for each in presses:
            each.join()
        assert statuses["moderator"] == 303
        assert statuses["author"] in (303, 409)
        removed(cast, message, cast.mia, "private details")
