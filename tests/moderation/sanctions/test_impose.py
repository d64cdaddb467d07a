"""Muting, suspending and banning people, and lifting it again."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from chat.core import clock, ids
from chat.core.audit import AuditRow
from chat.core.database import db
from chat.core.errors import ChatError, Conflict
from chat.moderation.sanctions import service
from chat.moderation.sanctions.models import Sanction
from chat.rooms import queries as rooms
from chat.rooms import service as room_service
from chat.rooms.models import Membership
from chat.rooms.queries import Reach
from tests.conftest import Cast, Member, make_cast
from tests.pictures.samples import png


def impose(who: Member, person: Member, kind: str, room: str = "", **more: str) -> Any:
    fields = {"person": person.id, "kind": kind, "room": room, "duration": "1h", "reason": "flooding"} | more
    return who.post("/moderation/sanctions", **fields)


def say(who: Member, room: str, body: str = "Hello") -> Any:
    return who.post(f"/rooms/{room}/messages", htmx=True, body=body, client_id=ids.new())


def the_sanction(cast: Cast) -> str:
    with cast.app.app_context():
        return str(db.session.execute(select(Sanction.id).order_by(Sanction.created_at.desc()).limit(1)).scalar_one())


def membership(cast: Cast, member: Member, room: str) -> Membership | None:
    with cast.app.app_context():
        return db.session.get(Membership, (room, member.id))


def pass_time(cast: Cast) -> None:
    """Have everything that ends within a day have ended, and the job have come by."""
    with cast.app.app_context():
        earlier = clock.now() - timedelta(seconds=1)
        db.session.execute(update(Sanction).where(Sanction.expires_at.is_not(None)).values(expires_at=earlier))
        db.session.commit()
        service.end_due()


def test_a_muted_member_reads_but_writes_and_edits_nothing(cast: Cast):
    posted = say(cast.bob, cast.room, "before")
    message = posted.headers["Location"].rsplit("/", 1)[1]
    assert impose(cast.mia, cast.bob, "mute", cast.room).status_code == 303
    assert cast.bob.get(f"/rooms/{cast.room}").status_code == 200
    refused = say(cast.bob, cast.room)
    assert refused.status_code == 403
    assert "You are muted until" in refused.get_data(as_text=True)
    kept = cast.bob.post(f"/rooms/{cast.room}/messages", body="a long thought", client_id="muted-client")
    assert kept.status_code == 403
    assert "a long thought</textarea>" in kept.get_data(as_text=True)
    assert cast.bob.post(f"/messages/{message}/edit", body="worse").status_code == 403
    picture = (BytesIO(png(60, 40)), "picture.png")
    assert cast.bob.post(f"/rooms/{cast.room}/pictures", image=picture).status_code == 403
    assert cast.bob.post(f"/rooms/{cast.room}/members", person=cast.mallory.id).status_code == 403
    assert say(cast.alice, cast.room).status_code == 201


def test_everywhere_is_also_where_they_come_later(cast: Cast):
    impose(cast.ada, cast.bob, "mute", duration="none")
    assert cast.bob.post(f"/rooms/{cast.open_room}/join").status_code == 303
    assert say(cast.bob, cast.open_room).status_code == 403
    assert cast.ada.post(f"/moderation/sanctions/{the_sanction(cast)}/lift", reason="a mistake").status_code == 303
    assert say(cast.bob, cast.open_room).status_code == 201
    assert say(cast.bob, cast.room).status_code == 201


def test_of_two_mutes_the_longer_holds_and_lifting_one_leaves_the_other(cast: Cast):
    impose(cast.ada, cast.bob, "mute", duration="1h")
    everywhere = the_sanction(cast)
    impose(cast.mia, cast.bob, "mute", cast.room, duration="24h")
    cast.ada.post(f"/moderation/sanctions/{everywhere}/lift", reason="a mistake")
    assert say(cast.bob, cast.room).status_code == 403
    pass_time(cast)
    assert say(cast.bob, cast.room).status_code == 201


def test_a_suspension_takes_the_membership_and_gives_it_back_as_it_was(cast: Cast):
    with cast.app.app_context():
        db.session.execute(
            update(Membership)
            .where(Membership.user_id == cast.bob.id, Membership.room_id == cast.room)
            .values(role="moderator")
        )
        db.session.commit()
    before = membership(cast, cast.bob, cast.room)
    assert impose(cast.mia, cast.bob, "suspend", cast.room).status_code == 303
    assert cast.bob.get(f"/rooms/{cast.room}").status_code == 404
    assert membership(cast, cast.bob, cast.room) is None
    added = cast.alice.post(f"/rooms/{cast.room}/members", person=cast.bob.id)
    assert added.status_code == 403
    assert "They are suspended in lamp-room until" in added.get_data(as_text=True)
    say(cast.alice, cast.room, "said meanwhile")
    pass_time(cast)
    after = membership(cast, cast.bob, cast.room)
    assert before is not None
    assert after is not None
    assert (after.role, after.last_read_seq, after.last_read_number) == (
        "moderator",
        before.last_read_seq,
        before.last_read_number,
    )
    assert "Suspended in lamp-room" not in cast.bob.get("/standing").get_data(as_text=True)


def test_a_ban_that_ends_lets_one_join_again_and_one_that_is_lifted_brings_one_back(cast: Cast):
    cast.bob.post(f"/rooms/{cast.open_room}/join")
    impose(cast.mia, cast.bob, "ban", cast.open_room, duration="7d")
    refused = cast.bob.post(f"/rooms/{cast.open_room}/join")
    assert refused.status_code == 403
    assert "You are banned in everyone until" in refused.get_data(as_text=True)
    pass_time(cast)
    assert membership(cast, cast.bob, cast.open_room) is None
    assert cast.bob.post(f"/rooms/{cast.open_room}/join").status_code == 303
    impose(cast.mia, cast.bob, "ban", cast.open_room, duration="none")
    cast.mia.post(f"/moderation/sanctions/{the_sanction(cast)}/lift", reason="a mistake")
    assert membership(cast, cast.bob, cast.open_room) is not None


def test_lifting_one_of_two_leaves_the_membership_to_the_other(cast: Cast):
    impose(cast.mia, cast.bob, "suspend", cast.room)
    first = the_sanction(cast)
    impose(cast.mia, cast.bob, "ban", cast.room, duration="none")
    second = the_sanction(cast)
    cast.mia.post(f"/moderation/sanctions/{first}/lift", reason="a mistake")
    assert membership(cast, cast.bob, cast.room) is None
    cast.mia.post(f"/moderation/sanctions/{second}/lift", reason="a mistake")
    assert membership(cast, cast.bob, cast.room) is not None


def test_the_owner_of_a_room_passes_it_on(cast: Cast):
    impose(cast.mia, cast.alice, "suspend", cast.room)
    with cast.app.app_context():
        heirs = db.session.execute(
            select(Membership.user_id).where(Membership.role == "owner", Membership.room_id == cast.room)
        )
        assert heirs.scalar_one() in (cast.bob.id, cast.mia.id)


def test_shut_out_everywhere_one_sees_ones_standing_and_nothing_else(cast: Cast):
    assert impose(cast.ada, cast.bob, "ban", duration="none", reason="selling tickets").status_code == 303
    assert cast.bob.get("/rooms").headers["Location"].startswith("/sign-in"), "the session has ended"
    with cast.app.app_context():
        back = make_cast(cast.app, cast.app.extensions["test_ids"]).bob
    for path in ("/rooms", f"/rooms/{cast.room}", "/profile", "/devices"):
        assert back.get(path).headers["Location"] == "/standing", path
    page = back.get("/standing").get_data(as_text=True)
    assert "You are banned" in page
    assert "selling tickets" in page
    assert "lamp-room" not in page, "no list of rooms, no previews"
    assert back.get(f"/events?room={cast.room}").status_code == 403
    assert "confab-ticket" not in "".join(back.get("/standing").headers.getlist("Set-Cookie"))
    assert back.get("/rooms/list", headers={"HX-Request": "true"}).status_code == 403
    assert say(back, cast.room).status_code == 403
    assert back.post("/rooms", name="mine", kind="open").status_code == 403
    assert back.post("/sign-out").status_code == 303


def test_a_suspension_everywhere_ends_by_itself(cast: Cast):
    impose(cast.ada, cast.bob, "suspend")
    pass_time(cast)
    back = make_cast(cast.app, cast.app.extensions["test_ids"]).bob
    assert back.get(f"/rooms/{cast.room}").status_code == 200
    assert "You are no longer suspended everywhere" in back.get("/standing").get_data(as_text=True)


@pytest.mark.parametrize(
    ("actor", "person", "status"),
    [
        ("mia", "bob", 303),
        ("mia", "mia", 403),
        ("mia", "ada", 403),
        ("ada", "mia", 303),
        ("alice", "bob", 404),
        ("mallory", "bob", 404),
    ],
)
def test_who_may_sanction_whom(cast: Cast, actor: str, person: str, status: int):
    members = cast.everybody()
    assert impose(members[actor], members[person], "mute").status_code == status


def test_a_moderator_of_a_room_sanctions_there_and_nowhere_else(cast: Cast):
    with cast.app.app_context():
        other = room_service.create_room("other", "group", "", cast.alice.id)
        db.session.execute(
            update(Membership)
            .where(Membership.user_id == cast.bob.id, Membership.room_id == cast.room)
            .values(role="moderator")
        )
        db.session.commit()
        db.session.remove()
    assert impose(cast.bob, cast.alice, "mute", cast.room).status_code == 403, "she owns it"
    assert impose(cast.bob, cast.alice, "mute").status_code == 404
    assert impose(cast.bob, cast.alice, "mute", other).status_code == 404
    assert impose(cast.bob, cast.mallory, "mute", cast.room).status_code == 404, "never was in it"
    cast.alice.post(f"/rooms/{cast.room}/members", person=cast.mallory.id)
    assert impose(cast.bob, cast.mallory, "mute", cast.room).status_code == 303
    assert impose(cast.bob, cast.mia, "mute", cast.room).status_code == 403, "a moderator of the site"
    listed = cast.bob.get("/moderation/sanctions").get_data(as_text=True)
    assert "Mallory Finch" in listed
    impose(cast.ada, cast.alice, "mute")
    assert "Alice" not in cast.bob.get("/moderation/sanctions").get_data(as_text=True)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"reason": ""}, "Say why"),
        ({"reason": "x" * 513}, "512 characters at most; this one has 513"),
        ({"note": "x" * 1001}, "1,000 characters at most"),
        ({"duration": "for ages"}, "Choose for how long"),
        ({"duration": "until", "until": "2020-01-01T10:00"}, "still to come"),
        ({"kind": "suspend", "duration": "none"}, "within 28 days"),
        ({"kind": "silence"}, "Choose what to do"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_typed_is_lost(cast: Cast, fields: dict[str, str], sentence: str):
    response = impose(cast.mia, cast.bob, fields.pop("kind", "mute"), **{"note": "typed", "reason": "typed"} | fields)
    page = response.get_data(as_text=True)
    assert response.status_code == 422
    assert sentence in page
    assert "typed" in page


def test_the_same_is_not_imposed_twice(cast: Cast):
    assert impose(cast.mia, cast.bob, "mute", cast.room).status_code == 303
    again = impose(cast.mia, cast.bob, "mute", cast.room)
    assert again.status_code == 409
    assert "already under this sanction" in again.get_data(as_text=True)


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_of_fifty_moderators_at_once_one_imposes_it(
    make_app: Callable[..., tuple[Flask, dict[str, str]]], database: str
):
    app, ids = make_app(database)
    outcomes: list[str] = []
    gate = threading.Barrier(10)

    def press() -> None:
        with app.app_context():
            gate.wait()
            for _ in range(5):
                try:
                    service.impose(
                        "mute", ids["bob"], "flooding", room_id=ids["room"], reach=Reach(ids["mia"], "moderator")
                    )
                    outcomes.append("done")
                except Conflict:
                    outcomes.append("conflict")
                except ChatError as problem:
                    outcomes.append(problem.sentence)
            db.session.remove()

    threads = [threading.Thread(target=press) for _ in range(10)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(outcomes) == ["conflict"] * 49 + ["done"]
    with app.app_context():
        assert db.session.execute(select(func.count()).select_from(Sanction)).scalar_one() == 1
        assert db.session.execute(select(func.count()).where(AuditRow.action == "sanction.imposed")).scalar_one() == 1
        assert rooms.members_named([(ids["room"], ids["bob"])])


def test_it_is_answered_for_and_the_person_is_told_without_a_name(cast: Cast):
    impose(cast.mia, cast.bob, "mute", cast.room, note="third time")
    with cast.app.app_context():
        row = db.session.execute(select(AuditRow).where(AuditRow.action == "sanction.imposed")).scalar_one()
        assert (row.actor_id, row.person_id, row.room_id, row.reason) == (
            cast.mia.id,
            cast.bob.id,
            cast.room,
            "flooding",
        )
    page = cast.bob.get("/standing").get_data(as_text=True)
    assert "You are muted in lamp-room" in page
    assert "Mia" not in page
    assert "third time" not in page
    assert "third time" in cast.mia.get("/moderation/sanctions").get_data(as_text=True)
