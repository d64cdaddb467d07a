"""Appealing against a sanction, and against the removal of a message."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from chat.core.database import db
from chat.moderation.sanctions.models import Appeal
from tests.conftest import Cast, Member, make_cast
from tests.moderation.sanctions.test_impose import impose, say, the_sanction


def appeal(who: Member, body: str = "I pasted a log by mistake.", **about: str) -> Any:
    return who.post("/standing/appeals", body=body, **about)


def the_appeal(cast: Cast) -> str:
    with cast.app.app_context():
        return str(db.session.execute(select(Appeal.id)).scalar_one())


def test_granting_lifts_the_sanction_and_the_person_is_told(cast: Cast):
    impose(cast.mia, cast.bob, "mute", cast.room)
    assert appeal(cast.bob, sanction=the_sanction(cast)).status_code == 303
    listed = cast.ada.get("/moderation/appeals").get_data(as_text=True)
    assert "I pasted a log by mistake." in listed
    assert (
        cast.ada.post(f"/moderation/appeals/{the_appeal(cast)}/decision", decision="grant", answer="Fair").status_code
        == 303
    )
    assert say(cast.bob, cast.room).status_code == 201
    assert "Your appeal was granted: Fair" in cast.bob.get("/standing").get_data(as_text=True)


def test_refusing_needs_an_answer_and_keeps_it_in_force(cast: Cast):
    impose(cast.mia, cast.bob, "mute", cast.room)
    appeal(cast.bob, sanction=the_sanction(cast))
    path = f"/moderation/appeals/{the_appeal(cast)}/decision"
    silent = cast.ada.post(path, decision="refuse", answer="")
    assert silent.status_code == 422
    assert cast.ada.post(path, decision="refuse", answer="It was the third time").status_code == 303
    assert say(cast.bob, cast.room).status_code == 403
    assert "Your appeal was refused: It was the third time" in cast.bob.get("/standing").get_data(as_text=True)
    again = cast.mia.post(path, decision="grant", answer="")
    assert again.status_code == 409


def test_one_appeals_once(cast: Cast):
    impose(cast.mia, cast.bob, "mute", cast.room)
    sanction = the_sanction(cast)
    assert appeal(cast.bob, "", sanction=sanction).status_code == 422
    long = appeal(cast.bob, "x" * 1001, sanction=sanction)
    assert long.status_code == 422
    assert "x" * 1001 in long.get_data(as_text=True)
    assert appeal(cast.bob, sanction=sanction).status_code == 303
    assert appeal(cast.bob, sanction=sanction).status_code == 409
    assert appeal(cast.alice, sanction=sanction).status_code == 404, "it is not hers"


def test_a_removed_message_can_be_appealed_by_its_author_alone(cast: Cast):
    said = say(cast.bob, cast.room, "the canary").headers["Location"].rsplit("/", 1)[1]
    cast.mia.post(f"/messages/{said}/delete", reason="private details")
    page = cast.bob.get("/standing").get_data(as_text=True)
    assert "private details" in page
    assert "the canary" not in page
    assert appeal(cast.alice, message=said).status_code == 404
    assert appeal(cast.mallory, message=said).status_code == 404
    assert appeal(cast.bob, message=said).status_code == 303
    assert cast.ada.post(f"/moderation/appeals/{the_appeal(cast)}/decision", decision="grant").status_code == 303
    assert "the canary" in cast.alice.get(f"/rooms/{cast.room}").get_data(as_text=True)


def test_who_is_shut_out_appeals_too(cast: Cast):
    impose(cast.ada, cast.bob, "ban", duration="none")
    back = make_cast(cast.app, cast.app.extensions["test_ids"]).bob
    assert appeal(back, sanction=the_sanction(cast)).status_code == 303
    assert "You have appealed." in back.get("/standing").get_data(as_text=True)
    cast.ada.post(f"/moderation/appeals/{the_appeal(cast)}/decision", decision="grant")
    again = make_cast(cast.app, cast.app.extensions["test_ids"]).bob
    assert again.get("/rooms").status_code == 200


def test_nobody_decides_over_their_own(cast: Cast):
    impose(cast.ada, cast.mia, "mute", cast.room)
    appeal(cast.mia, sanction=the_sanction(cast))
    path = f"/moderation/appeals/{the_appeal(cast)}/decision"
    assert cast.mia.post(path, decision="grant").status_code == 403
    assert cast.bob.post(path, decision="grant").status_code == 404
    assert cast.mallory.post(path, decision="grant").status_code == 404
