"""Roles: given and taken, and what each of them cannot do."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from chat.accounts import service as accounts
from chat.accounts.models import User
from chat.core.audit import AuditRow
from chat.core.database import db
from chat.core.errors import Conflict
from tests.conftest import Cast, populate
from tests.moderation.sanctions.test_impose import say
from tests.services import Site


def become(cast: Cast, who: str, role: str) -> None:
    with cast.app.app_context():
        accounts.change_role(cast.everybody()[who].id, role)
        db.session.remove()


def appoint(who: Any, person: Any, room: str, what: str = "appoint", why: str = "knows the lamp") -> Any:
    return who.post(f"/moderation/people/{person.id}/office", office=f"{what}:{room}", why=why)


def test_a_guest_sees_the_rooms_they_were_added_to_and_nothing_else(cast: Cast):
    become(cast, "bob", "guest")
    assert say(cast.bob, cast.room).status_code == 201
    page = cast.bob.get("/rooms").get_data(as_text=True)
    assert "You are here as a guest" in page
    assert "Mallory" not in page, "no list of people"
    assert "everyone" not in page, "no open room"
    assert cast.bob.get(f"/rooms/{cast.open_room}").status_code == 404
    assert cast.bob.post(f"/rooms/{cast.open_room}/join").status_code == 404
    assert cast.bob.post("/rooms", name="mine", kind="open").status_code == 403
    assert cast.bob.get("/rooms/new").status_code == 403
    assert cast.bob.post("/rooms/direct", person=cast.mallory.id).status_code == 403
    assert cast.bob.post(f"/rooms/{cast.room}/members", person=cast.mallory.id).status_code == 403
    assert "Mallory" not in cast.bob.get(f"/rooms/{cast.room}/members").get_data(as_text=True)


def test_a_bot_writes_where_it_is_and_reports_nobody(cast: Cast):
    said = say(cast.alice, cast.room).headers["Location"].rsplit("/", 1)[1]
    become(cast, "bob", "bot")
    assert say(cast.bob, cast.room).status_code == 201
    assert cast.bob.post(f"/messages/{said}/report", reason="spam").status_code == 403
    assert cast.bob.post("/rooms", name="mine", kind="open").status_code == 403
    assert cast.bob.post(f"/rooms/{cast.open_room}/join").status_code == 404


@pytest.mark.parametrize("role", ["guest", "bot"])
def test_a_new_account_of_theirs_is_in_no_room(app: Flask, role: str):
    from chat.core.log import Meta
    from chat.rooms.models import Membership

    with app.app_context():
        db.session.add(Meta(name="first_room", value=app.extensions["test_ids"]["open_room"]))
        db.session.commit()
        user_id = accounts.add_user("Newcomer", "new@example.org", "a quiet lamp over the bay", role)
        assert db.session.execute(select(func.count()).where(Membership.user_id == user_id)).scalar_one() == 0


def test_an_administrator_gives_a_role_and_the_person_is_told(cast: Cast):
    answer = cast.ada.post(f"/moderation/people/{cast.bob.id}/role", role="moderator", reason="helps every day")
    assert answer.status_code == 303
    assert cast.bob.get("/moderation/removed").status_code == 200
    assert "Your role on this site is another one now, moderator: helps every day" in cast.bob.get(
        "/standing"
    ).get_data(as_text=True)
    with cast.app.app_context():
        row = db.session.execute(select(AuditRow).where(AuditRow.action == "role.changed")).scalar_one()
        assert (row.actor_id, row.before, row.after, row.reason) == (
            cast.ada.id, '{"role":"member"}', '{"role":"moderator"}', "helps every day",
        )  # fmt: skip
    cast.ada.post(f"/moderation/people/{cast.bob.id}/role", role="member", reason="moved on")
    assert cast.bob.get("/moderation/removed").status_code == 404


def test_it_needs_a_role_and_a_reason(cast: Cast):
    path = f"/moderation/people/{cast.bob.id}/role"
    assert cast.ada.post(path, role="emperor", reason="why not").status_code == 422
    silent = cast.ada.post(path, role="guest", reason="")
    assert silent.status_code == 422
    assert "Say why" in silent.get_data(as_text=True)
    for member in (cast.mia, cast.alice, cast.bob, cast.mallory):
        assert member.post(path, role="administrator", reason="mine").status_code == 404


def test_the_last_administrator_stays(cast: Cast):
    answer = cast.ada.post(f"/moderation/people/{cast.ada.id}/role", role="member", reason="tired")
    assert answer.status_code == 409
    assert "This is the last administrator" in answer.get_data(as_text=True)


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_of_two_who_demote_each_other_one_stays(make_app: Callable[..., tuple[Flask, dict[str, str]]], database: str):
    app, known = make_app(database)
    with app.app_context():
        accounts.change_role(known["mia"], "administrator")
        db.session.remove()
    gate, outcomes = threading.Barrier(10), []

    def demote(who: str) -> None:
        with app.app_context():
            gate.wait()
            for _ in range(5):
                try:
                    accounts.change_role(known[who], "member", known["ada"], "a race")
                    outcomes.append("done")
                except Conflict:
                    outcomes.append("refused")
                db.session.remove()

    threads = [threading.Thread(target=demote, args=(("ada", "mia")[n % 2],)) for n in range(10)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    with app.app_context():
        left = db.session.execute(select(func.count()).where(User.role == "administrator")).scalar_one()
    assert left == 1
    assert "refused" in outcomes


def test_a_moderator_of_a_room_moderates_there_alone(cast: Cast):
    said = say(cast.alice, cast.room, "the canary").headers["Location"].rsplit("/", 1)[1]
    elsewhere = say(cast.alice, cast.open_room).headers["Location"].rsplit("/", 1)[1]
    cast.bob.post(f"/rooms/{cast.open_room}/join")
    assert appoint(cast.ada, cast.bob, cast.room).status_code == 303
    assert appoint(cast.ada, cast.bob, cast.room).status_code == 409
    assert 'data-may="moderate"' in cast.bob.get(f"/rooms/{cast.room}").get_data(as_text=True)
    assert 'data-may="moderate"' not in cast.bob.get(f"/rooms/{cast.open_room}").get_data(as_text=True)
    assert cast.bob.post(f"/messages/{elsewhere}/delete", reason="mine now").status_code == 403
    assert cast.bob.post(f"/messages/{said}/delete", reason="private details").status_code == 303
    assert "the canary" in cast.bob.get("/moderation/removed").get_data(as_text=True)
    assert cast.bob.get("/moderation/audit").status_code == 404
    assert cast.bob.get(f"/moderation/removed/{said}/purge").status_code == 404
    assert "You moderate lamp-room: knows the lamp" in cast.bob.get("/standing").get_data(as_text=True)
    assert appoint(cast.ada, cast.bob, cast.room, "dismiss").status_code == 303
    assert cast.bob.get("/moderation/removed").status_code == 404
    assert cast.bob.get(f"/moderation/removed/{said}").status_code == 404


def test_only_members_are_appointed_and_never_in_a_direct_room(cast: Cast):
    assert appoint(cast.ada, cast.mallory, cast.room, "appoint").status_code == 404
    assert appoint(cast.ada, cast.alice, cast.room, "appoint").status_code == 409
    direct = cast.alice.post("/rooms/direct", person=cast.bob.id).headers["Location"].rsplit("/", 1)[1]
    assert appoint(cast.ada, cast.bob, direct).status_code == 404
    for member in (cast.mia, cast.alice, cast.bob):
        assert appoint(member, cast.bob, cast.room).status_code == 404


def test_it_holds_within_a_second_on_the_other_process(pair: tuple[Site, Site]):
    import time

    town = populate(*pair)
    stream = town.bob.listen(town.room)
    appoint(town.alice, town.bob, town.room)
    stream.next("member.changed", containing="Moderator")
    assert town.bob.get("/moderation/removed").status_code == 200
    appoint(town.alice, town.bob, town.room, "dismiss")
    end = time.monotonic() + 1
    while town.bob.get("/moderation/removed").status_code != 404:
        assert time.monotonic() < end, "still a moderator after a second"
