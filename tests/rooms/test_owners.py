"""Somebody may always settle a room's affairs, and it is never who shut its owner out."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text, update

from chat.core import clock
from chat.core.audit import AuditRow
from chat.core.database import db
from chat.moderation.sanctions import service as sanctions
from chat.moderation.sanctions.models import Sanction
from chat.rooms.models import Membership
from tests.conftest import Cast, Member, make_cast

both = pytest.mark.parametrize("app", ["sqlite", "postgresql"], indirect=True)


def again(cast: Cast, name: str) -> Member:
    """Sign somebody in once more, whose sessions have ended."""
    member: Member = getattr(make_cast(cast.app, cast.app.extensions["test_ids"]), name)
    return member


def settles(member: Member, room: str) -> bool:
    return bool(member.get(f"/rooms/{room}/settings").status_code == 200)


def owners(cast: Cast, room: str) -> list[str]:
    with cast.app.app_context():
        found = db.session.execute(
            select(Membership.user_id).where(Membership.room_id == room, Membership.role == "owner")
        ).scalars()
        names = {member.id: name for name, member in cast.everybody().items()}
        return [names[each] for each in found]


def appoint(cast: Cast, member: Member, room: str) -> None:
    assert cast.ada.post(
        f"/moderation/people/{member.id}/office", office=f"appoint:{room}", why="knows the lamp"
    ).status_code in (303,)


def impose(who: Member, person: Member, kind: str, room: str = "", duration: str = "1h") -> Any:
    fields = {"person": person.id, "kind": kind, "room": room, "duration": duration, "reason": "flooding"}
    return who.post("/moderation/sanctions", **fields)


def lift_all(cast: Cast, who: Member) -> None:
    with cast.app.app_context():
        found = db.session.execute(select(Sanction.id).where(Sanction.lifted_at.is_(None))).scalars().all()
        db.session.remove()
    for each in found:
        assert who.post(f"/moderation/sanctions/{each}/lift", reason="a mistake").status_code == 303


def pass_time(cast: Cast) -> None:
    with cast.app.app_context():
        db.session.execute(update(Sanction).values(expires_at=clock.now() - timedelta(seconds=1)))
        db.session.execute(text("UPDATE users SET barred_until = NULL"))
        db.session.commit()
        sanctions.end_due()
        db.session.remove()


@pytest.mark.parametrize("kind", ["mute", "suspend", "ban"])
def test_a_room_moderator_has_no_say_over_owner_and_moderators(cast: Cast, kind: str):
    appoint(cast, cast.bob, cast.room)
    cast.alice.post(f"/rooms/{cast.room}/members", person=cast.mallory.id)
    appoint(cast, cast.mallory, cast.room)
    for person in (cast.alice, cast.mallory):
        refused = impose(cast.bob, person, kind, cast.room)
        assert refused.status_code == 403
        assert "only a moderator of the whole site" in refused.get_data(as_text=True)
    assert settles(cast.alice, cast.room)
    assert impose(cast.mia, cast.mallory, kind, cast.room).status_code == 303, "site staff has"


def test_nor_by_a_sweep_or_while_they_are_out(cast: Cast):
    appoint(cast, cast.bob, cast.room)
    cast.alice.post(f"/rooms/{cast.room}/messages", htmx=True, body="mine", client_id="owners-text")
    for room in (cast.room, ""):
        fields = {"person": cast.alice.id, "room": room, "span": "1h", "reason": "a flood"}
        assert cast.bob.post("/moderation/sweeps", **fields).status_code == 403
    cast.alice.post(f"/rooms/{cast.room}/members", person=cast.mallory.id)
    appoint(cast, cast.mallory, cast.room)
    assert impose(cast.mia, cast.alice, "suspend", cast.room).status_code == 303
    assert impose(cast.mallory, cast.alice, "ban", cast.room).status_code == 403, "she owns it all the same"


def test_nobody_lifts_what_is_against_oneself_or_what_a_higher_rank_imposed(cast: Cast):
    appoint(cast, cast.bob, cast.room)
    assert impose(cast.mia, cast.bob, "mute", cast.room).status_code == 303
    with cast.app.app_context():
        own = db.session.execute(select(Sanction.id)).scalar_one()
    assert cast.bob.post(f"/moderation/sanctions/{own}/lift", reason="no").status_code == 403
    cast.alice.post(f"/rooms/{cast.room}/members", person=cast.mallory.id)
    for who in (cast.mia, cast.ada):
        assert impose(who, cast.mallory, "mute" if who is cast.mia else "ban", cast.room).status_code == 303
    with cast.app.app_context():
        against = db.session.execute(select(Sanction.id).where(Sanction.person_id == cast.mallory.id)).scalars().all()
        by_ada = db.session.execute(select(Sanction.id).where(Sanction.imposed_by == cast.ada.id)).scalar_one()
        db.session.remove()
    for each in against:
        assert cast.bob.post(f"/moderation/sanctions/{each}/lift", reason="no").status_code == 403
    assert cast.mia.post(f"/moderation/sanctions/{by_ada}/lift", reason="no").status_code == 403
    assert cast.ada.post(f"/moderation/sanctions/{by_ada}/lift", reason="yes").status_code == 303


@pytest.mark.parametrize(("kind", "room"), [("suspend", True), ("ban", True), ("ban", False)])
@pytest.mark.parametrize("end", ["lifted", "over"])
def test_ownership_is_given_back_at_the_end(cast: Cast, kind: str, room: bool, end: str):
    assert impose(cast.mia, cast.alice, kind, cast.room if room else "", "24h").status_code == 303
    assert owners(cast, cast.room) == ["bob"], "somebody stands in, and it is not mia"
    assert settles(cast.bob, cast.room)
    assert not settles(cast.mia, cast.room)
    if end == "lifted":
        lift_all(cast, cast.mia)
    else:
        pass_time(cast)
    assert owners(cast, cast.room) == ["alice"]
    alice = cast.alice if room else again(cast, "alice")
    assert settles(alice, cast.room)
    assert not settles(cast.bob, cast.room)


def test_whoever_imposed_it_never_owns_the_room_not_even_when_they_come_back(cast: Cast):
    cast.mia.post(f"/rooms/{cast.open_room}/join")
    assert impose(cast.mia, cast.alice, "ban", cast.open_room, "none").status_code == 303
    assert owners(cast, cast.open_room) == [], "only mia is in it"
    cast.mia.post(f"/rooms/{cast.open_room}/leave")
    cast.mia.post(f"/rooms/{cast.open_room}/join")
    assert not settles(cast.mia, cast.open_room)
    cast.bob.post(f"/rooms/{cast.open_room}/join")
    assert settles(cast.bob, cast.open_room)
    cast.bob.post(f"/rooms/{cast.open_room}/leave")
    assert not settles(cast.mia, cast.open_room)
    named = cast.ada.post(f"/moderation/rooms/{cast.open_room}/owner", person=cast.mia.id, reason="somebody has to")
    assert named.status_code == 403
    lift_all(cast, cast.mia)
    assert owners(cast, cast.open_room) == ["alice"]


@both
@pytest.mark.parametrize("everywhere", [True, False])
def test_who_stands_in_and_shuts_the_owner_out_as_well_stands_in_no_longer(cast: Cast, everywhere: bool):
    cast.bob.post(f"/rooms/{cast.room}/leave")
    cast.alice.post(f"/rooms/{cast.room}/members", person=cast.bob.id)
    first, second = ("", cast.room) if everywhere else (cast.room, "")
    impose(cast.ada, cast.alice, "ban", first)
    assert owners(cast, cast.room) == ["mia"]
    impose(cast.mia, cast.alice, "ban", second)
    assert owners(cast, cast.room) == ["bob"]
    impose(cast.mia, cast.bob, "ban")
    assert "mia" not in owners(cast, cast.room), "rather nobody than who imposed it"
    lift_all(cast, cast.ada)
    assert owners(cast, cast.room) == ["alice"]


def test_who_stands_in_does_not_remove_whom_they_stand_in_for(cast: Cast):
    assert impose(cast.ada, cast.alice, "suspend").status_code == 303
    assert settles(cast.bob, cast.room)
    assert cast.bob.post(f"/rooms/{cast.room}/members/{cast.alice.id}/remove").status_code == 403
    assert cast.bob.post(f"/rooms/{cast.room}/members/{cast.mia.id}/remove").status_code == 303


def test_a_moderator_who_stands_in_moderates_again_after_it(cast: Cast):
    appoint(cast, cast.bob, cast.room)
    impose(cast.mia, cast.alice, "suspend", cast.room)
    assert owners(cast, cast.room) == ["bob"]
    lift_all(cast, cast.mia)
    with cast.app.app_context():
        bob = db.session.get_one(Membership, (cast.room, cast.bob.id))
        assert (bob.role, bob.role_before) == ("moderator", None)


def test_shut_out_from_the_room_and_everywhere_they_get_it_back_when_both_are_over(cast: Cast):
    impose(cast.mia, cast.alice, "suspend", cast.room)
    impose(cast.ada, cast.alice, "suspend")
    with cast.app.app_context():
        here = db.session.execute(select(Sanction.id).where(Sanction.room_id == cast.room)).scalar_one()
    assert cast.mia.post(f"/moderation/sanctions/{here}/lift", reason="a mistake").status_code == 303
    assert owners(cast, cast.room) == ["bob"], "she is in it again, and cannot act"
    lift_all(cast, cast.ada)
    assert owners(cast, cast.room) == ["alice"]


def test_an_empty_room_belongs_to_whoever_comes_next(cast: Cast):
    cast.alice.post(f"/rooms/{cast.open_room}/leave")
    cast.mallory.post(f"/rooms/{cast.open_room}/join")
    assert settles(cast.mallory, cast.open_room)
    cast.alice.post(f"/rooms/{cast.open_room}/join")
    assert not settles(cast.alice, cast.open_room)
    cast.mallory.post(f"/rooms/{cast.open_room}/leave")
    assert settles(cast.alice, cast.open_room)


def test_a_room_that_lost_its_owner_gets_one_with_the_next_who_comes(cast: Cast):
    cast.mia.post(f"/rooms/{cast.open_room}/join")
    with cast.app.app_context():
        db.session.execute(text("UPDATE memberships SET role = 'member'"))
        db.session.commit()
    cast.mallory.post(f"/rooms/{cast.open_room}/join")
    assert owners(cast, cast.open_room) == ["alice"], "whoever has been in it longest"


def test_a_room_that_nobody_could_own_belongs_to_who_may_act_there_again(cast: Cast):
    impose(cast.ada, cast.bob, "suspend")
    for each in (cast.mia, cast.alice):
        each.post(f"/rooms/{cast.room}/leave")
    assert owners(cast, cast.room) == []
    lift_all(cast, cast.ada)
    assert owners(cast, cast.room) == ["bob"]


@both
def test_an_administrator_names_an_owner(cast: Cast):
    cast.alice.post(f"/rooms/{cast.room}/leave")
    path = f"/moderation/rooms/{cast.room}"
    assert "Bob de Vos" in cast.ada.get(path).get_data(as_text=True)
    for who in (cast.mia, cast.bob, cast.mallory):
        assert who.get(path).status_code == 404
        assert who.post(f"{path}/owner", person=who.id, reason="me").status_code == 404
    refused = cast.ada.post(f"{path}/owner", person=cast.mia.id, reason="")
    assert refused.status_code == 422
    assert "Say why" in refused.get_data(as_text=True)
    assert cast.ada.post(f"{path}/owner", person=cast.mia.id, reason="bob is on leave").status_code == 303
    assert owners(cast, cast.room) == ["mia"]
    assert settles(cast.mia, cast.room)
    assert not settles(cast.bob, cast.room)
    assert "You own lamp-room: bob is on leave" in cast.mia.get("/standing").get_data(as_text=True)
    with cast.app.app_context():
        row = db.session.execute(select(AuditRow).where(AuditRow.action == "owner.named")).scalar_one()
        assert (row.actor_id, row.person_id, row.room_id) == (cast.ada.id, cast.mia.id, cast.room)


def test_a_named_owner_stays_when_the_former_one_comes_back(cast: Cast):
    impose(cast.mia, cast.alice, "ban", cast.room, "none")
    assert (
        cast.ada.post(f"/moderation/rooms/{cast.room}/owner", person=cast.bob.id, reason="for good").status_code == 303
    )
    lift_all(cast, cast.mia)
    assert owners(cast, cast.room) == ["bob"]


def test_an_empty_room_is_given_to_its_maker_by_an_administrator(cast: Cast):
    for who in (cast.alice, cast.bob, cast.mia):
        who.post(f"/rooms/{cast.room}/leave")
    assert "Nobody owns it" in cast.ada.get("/moderation/rooms").get_data(as_text=True)
    page = cast.ada.get(f"/moderation/rooms/{cast.room}").get_data(as_text=True)
    assert "Alice Okafor" in page
    assert cast.ada.post(f"/moderation/rooms/{cast.room}/owner", person=cast.alice.id, reason="hers").status_code == 303
    assert settles(cast.alice, cast.room)


def test_no_rule_of_a_room_mutes_its_owner(cast: Cast):
    appoint(cast, cast.bob, cast.room)
    fields = {"kind": "words", "name": "Words", "action": "mute", "mute_minutes": "60", "words": "lens"}
    assert cast.bob.post("/moderation/rules", room=cast.room, **fields).status_code == 303
    said = cast.alice.post(f"/rooms/{cast.room}/messages", htmx=True, body="a lens", client_id="owner-and-rule")
    assert said.status_code == 422
    assert (
        cast.alice.post(f"/rooms/{cast.room}/messages", htmx=True, body="so", client_id="owner-unmuted").status_code
        == 201
    )
