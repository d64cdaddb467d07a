"""An edit that changes nothing is none."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from chat.core import ids
from chat.core.audit import AuditRow
from chat.core.database import db
from chat.core.log import LogRow
from chat.messages.models import Message, MessageVersion
from tests.conftest import Cast

both = pytest.mark.parametrize("app", ["sqlite", "postgresql"], indirect=True)


def say(cast: Cast, body: str) -> str:
    answer = cast.alice.post(f"/rooms/{cast.room}/messages", htmx=True, body=body, client_id=ids.new())
    return str(answer.headers["Location"].rsplit("/", 1)[1])


def versions(cast: Cast, message: str) -> tuple[int, int, bool]:
    """Return earlier versions, edits in the log, and whether it is marked."""
    with cast.app.app_context():
        earlier = select(func.count()).where(MessageVersion.message_id == message)
        logged = select(func.count()).where(LogRow.ref_id == message, LogRow.name == "message.edited")
        edited = select(Message.edited_at).where(Message.id == message)
        run = db.session.execute
        return run(earlier).scalar_one(), run(logged).scalar_one(), run(edited).scalar() is not None


@both
def test_the_same_text_again_is_no_edit(cast: Cast):
    message = say(cast, "first line\nsecond é")
    for body in ("first line\nsecond é", "first line\r\nsecond é", "  first line\nsecond é \n\n"):
        for htmx in (True, False):
            answer = cast.alice.post(f"/messages/{message}/edit", htmx=htmx, body=body)
            assert answer.status_code == (200 if htmx else 303)
            assert answer.headers["Chat-Message"].endswith(message)
    assert versions(cast, message) == (0, 0, False)
    assert "first line" not in cast.mia.get("/moderation/edited").get_data(as_text=True)


def test_another_text_is_one_and_so_is_the_way_back(cast: Cast):
    message = say(cast, "one")
    for body in ("two", "two", "one", "one"):
        assert cast.alice.post(f"/messages/{message}/edit", htmx=True, body=body).status_code == 200
    assert versions(cast, message) == (2, 2, True)


def test_a_rule_that_came_later_says_nothing_of_what_stays(cast: Cast):
    message = say(cast, "cheap lenses")
    fields = {"kind": "words", "name": "Words", "action": "mute", "mute_minutes": "60", "words": "lenses"}
    assert cast.mia.post("/moderation/rules", room="", **fields).status_code == 303
    assert cast.alice.post(f"/messages/{message}/edit", htmx=True, body="cheap lenses").status_code == 200
    assert cast.alice.post(f"/messages/{message}/edit", htmx=True, body="so").status_code == 200, "nobody was muted"


def test_it_is_still_ones_own_alone_and_in_time(cast: Cast):
    message = say(cast, "one")
    assert cast.bob.post(f"/messages/{message}/edit", htmx=True, body="one").status_code == 403
    cast.alice.post(f"/messages/{message}/delete")
    assert cast.alice.post(f"/messages/{message}/edit", htmx=True, body="one").status_code == 409


def test_settings_that_stay_as_they_are_are_not_told(cast: Cast):
    with cast.app.app_context():
        before = db.session.execute(select(func.count()).select_from(LogRow)).scalar_one()
    fields = {"name": "lamp-room", "purpose": "Lens and clockwork"}
    assert cast.alice.post(f"/rooms/{cast.room}/settings", **fields).status_code == 303
    with cast.app.app_context():
        assert db.session.execute(select(func.count()).select_from(LogRow)).scalar_one() == before
    cast.ada.post("/moderation/keeping/approval", two="")
    with cast.app.app_context():
        assert db.session.execute(select(func.count()).where(AuditRow.action == "purge.rule")).scalar_one() == 0
