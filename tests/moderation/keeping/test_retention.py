"""How long removed text is kept, what a change would destroy, and that just this is destroyed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from chat.core import clock, log
from chat.core.audit import AuditRow
from chat.core.database import db
from chat.messages.models import Message
from chat.moderation.keeping import queries, service
from tests.conftest import Cast, make_cast
from tests.moderation.keeping.test_purge import post, purge, remove


def age(cast: Cast, days: int, *messages: str) -> None:
    with cast.app.app_context():
        then = clock.now() - timedelta(days=days)
        db.session.execute(update(Message).where(Message.id.in_(messages)).values(deleted_at=then))
        db.session.commit()


def destroyed(cast: Cast) -> set[str]:
    with cast.app.app_context():
        return set(db.session.execute(select(Message.id).where(Message.purged_at.is_not(None))).scalars())


def tick(cast: Cast) -> None:
    with cast.app.app_context():
        service.destroy_overdue()


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_what_is_older_than_thirty_days_is_destroyed_and_nothing_else(
    make_app: Callable[..., tuple[Flask, dict[str, str]]], database: str
):
    cast = make_cast(*make_app(database))
    messages = [post(cast.bob, cast.room, f"canary {n}") for n in range(6)]
    for each in messages[:4]:
        remove(cast.mia, each)
    age(cast, 31, *messages[:2])
    age(cast, 29, messages[2])
    tick(cast)
    assert destroyed(cast) == set(messages[:2])
    with cast.app.app_context():
        row = db.session.execute(select(AuditRow).where(AuditRow.action == "retention.purged")).scalar_one()
        assert all(each in row.after for each in messages[:2])
        assert [event.seq for event in log.read(cast.room, 0)] == list(range(1, log.head(cast.room) + 1)), "no gap"
    tick(cast)
    assert destroyed(cast) == set(messages[:2])


def test_a_change_says_first_what_it_would_destroy(cast: Cast):
    messages = [post(cast.bob, cast.room, f"canary {n}") for n in range(4)]
    for each in messages:
        remove(cast.mia, each)
    cast.bob.post(f"/messages/{messages[0]}/edit", htmx=True, body="later")
    age(cast, 8, *messages[:3])
    page = cast.ada.get("/moderation/keeping/retention?days=7").get_data(as_text=True)
    assert 'preview__number">3</b>' in page
    assert destroyed(cast) == set(), "looking destroys nothing"
    assert cast.ada.post("/moderation/keeping/retention", days="7", reason="").status_code == 422
    assert cast.ada.post("/moderation/keeping/retention", days="7", reason="policy 4.2").status_code == 303
    with cast.app.app_context():
        promised = queries.preview(7).messages
    tick(cast)
    assert destroyed(cast) == set(messages[:3])
    assert promised == 3
    with cast.app.app_context():
        row = db.session.execute(select(AuditRow).where(AuditRow.action == "retention.changed")).scalar_one()
        assert (row.before, row.after, row.reason) == ('{"days":30}', '{"days":7}', "policy 4.2")


@pytest.mark.parametrize("days", ["0", "3651", "-1", "many", "1e3", "٣"])
def test_what_is_no_number_of_days_is_refused_in_words(cast: Cast, days: str):
    response = cast.ada.get("/moderation/keeping/retention", query_string={"days": days})
    assert response.status_code == 422
    assert "Choose 1 to 3,650 days" in response.get_data(as_text=True)


def test_without_an_end_nothing_is_destroyed(cast: Cast):
    message = post(cast.bob, cast.room, "canary")
    remove(cast.mia, message)
    age(cast, 4000, message)
    cast.ada.post("/moderation/keeping/retention", days="", reason="a museum")
    tick(cast)
    assert destroyed(cast) == set()


def test_only_administrators_choose(cast: Cast):
    for member in (cast.mia, cast.alice, cast.mallory):
        assert member.get("/moderation/keeping/retention?days=7").status_code == 404
        assert member.post("/moderation/keeping/retention", days="7", reason="mine").status_code == 404
        assert member.post("/moderation/keeping/approval", two="yes").status_code == 404


def test_many_go_in_slices_while_the_room_goes_on(cast: Cast, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(service, "SLICE", 3)
    messages = [post(cast.bob, cast.room, f"canary {n}") for n in range(8)]
    for each in messages:
        remove(cast.mia, each)
    age(cast, 40, *messages)
    tick(cast)
    assert destroyed(cast) == set(messages)
    with cast.app.app_context():
        slices = db.session.execute(select(func.count()).where(AuditRow.action == "retention.purged")).scalar_one()
    assert slices == 3
    assert purge(cast.mia, messages[0]).status_code == 409
