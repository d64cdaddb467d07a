"""What a moderator sees of a person."""

from __future__ import annotations

from sqlalchemy import update

from chat.core.database import db
from chat.rooms import service as rooms
from chat.rooms.models import Membership
from tests.conftest import Cast
from tests.moderation.sanctions.test_impose import say


def page(who, person) -> str:
    response = who.get(f"/moderation/people/{person.id}")
    assert response.status_code == 200, response.status_code
    return response.get_data(as_text=True)


def test_it_shows_what_they_wrote_within_reach_and_nothing_of_direct_rooms(cast: Cast):
    say(cast.bob, cast.room, "in the lamp-room")
    direct = cast.alice.post("/rooms/direct", person=cast.bob.id).headers["Location"].rsplit("/", 1)[1]
    say(cast.bob, direct, "canary between two")
    removed = say(cast.bob, cast.room, "removed canary").headers["Location"].rsplit("/", 1)[1]
    cast.mia.post(f"/messages/{removed}/delete", reason="private details")
    for who in (cast.ada, cast.mia):
        shown = page(who, cast.bob)
        assert "in the lamp-room" in shown
        assert "canary" not in shown
        assert "bob@example.org" not in shown


def test_a_moderator_of_a_room_sees_its_people_and_what_they_wrote_there(cast: Cast):
    with cast.app.app_context():
        other = rooms.create_room("other", "group", "", cast.alice.id)
        db.session.execute(update(Membership).where(Membership.user_id == cast.bob.id).values(role="moderator"))
        db.session.commit()
        db.session.remove()
    say(cast.alice, other, "elsewhere")
    say(cast.alice, cast.room, "here")
    shown = page(cast.bob, cast.alice)
    assert "here" in shown
    assert "elsewhere" not in shown
    assert cast.bob.get(f"/moderation/people/{cast.mallory.id}").status_code == 404
    found = cast.bob.get("/moderation/people").get_data(as_text=True)
    assert "Alice Okafor" in found
    assert "Mallory" not in found


def test_it_is_not_for_members(cast: Cast):
    for member in (cast.alice, cast.bob, cast.mallory):
        assert member.get(f"/moderation/people/{cast.mia.id}").status_code == 404
        assert member.get("/moderation/people").status_code == 404
        assert member.get("/moderation/roles").status_code == 404
