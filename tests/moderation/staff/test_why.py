"""The page that says why somebody may do something here is right about it."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import update

from chat.core.database import db
from chat.core.permissions import PERMISSIONS
from chat.moderation.sanctions import service as sanctions
from chat.rooms.models import Membership
from tests.conftest import Cast
from tests.moderation.sanctions.test_impose import say
from tests.moderation.staff.test_roles import become


def answer(cast: Cast, person: str, permission: str, room: str = "") -> tuple[bool, str]:
    query = {"person": cast.everybody()[person].id, "permission": permission, "room": room}
    page = cast.ada.get("/moderation/why", query_string=query).get_data(as_text=True)
    assert 'id="answer"' in page
    return "why__answer--no" not in page, page


def test_it_names_the_ground(cast: Cast):
    allowed, page = answer(cast, "mia", "message.remove", cast.room)
    assert allowed
    assert "Mia Haddad is a moderator of this site." in page
    allowed, page = answer(cast, "bob", "message.remove", cast.room)
    assert not allowed
    with cast.app.app_context():
        sanctions.impose("mute", cast.bob.id, "flooding", room_id=cast.room)
    allowed, page = answer(cast, "bob", "message.post", cast.room)
    assert not allowed
    assert "Bob de Vos is muted here: flooding" in page


def test_everybody_else_asks_nothing(cast: Cast):
    for member in (cast.alice, cast.bob, cast.mallory):
        assert member.get("/moderation/why").status_code == 404
    direct = cast.alice.post("/rooms/direct", person=cast.bob.id).headers["Location"].rsplit("/", 1)[1]
    query = {"person": cast.alice.id, "permission": "message.post", "room": direct}
    assert cast.ada.get("/moderation/why", query_string=query).status_code == 404


def _doors(cast: Cast, room: str, victim: str) -> dict[str, Any]:
    """By permission: what somebody does who tries it, and answers that mean no."""
    return {
        "message.post": lambda who: say(who, room),
        "room.create": lambda who: who.get("/rooms/new"),
        "member.add": lambda who: who.post(f"/rooms/{room}/members", person=cast.mallory.id),
        "room.change": lambda who: who.get(f"/rooms/{room}/settings"),
        "message.remove": lambda who: who.get(f"/messages/{victim}/delete"),
        "sanction.site": lambda who: who.get("/moderation/sanctions/new"),
        "audit.read": lambda who: who.get("/moderation/audit"),
        "security.read": lambda who: who.get("/moderation/security"),
        "hold.manage": lambda who: who.get("/moderation/holds/new"),
        "retention.change": lambda who: who.get("/moderation/keeping/retention?days=40"),
        "people.find": lambda who: who.post("/rooms/direct", person=cast.mallory.id),
    }


@pytest.mark.parametrize("role", ["member", "guest", "bot", "moderator", "administrator"])
@pytest.mark.parametrize("membership", ["member", "moderator", "owner"])
@pytest.mark.parametrize("state", ["free", "muted"])
def test_its_answer_is_what_the_door_says(cast: Cast, role: str, membership: str, state: str):
    victim = say(cast.alice, cast.room).headers["Location"].rsplit("/", 1)[1]
    become(cast, "bob", role)
    with cast.app.app_context():
        mine = (Membership.room_id == cast.room, Membership.user_id == cast.bob.id)
        db.session.execute(update(Membership).where(*mine).values(role=membership))
        db.session.commit()
        db.session.remove()
    if state == "muted":
        with cast.app.app_context():
            sanctions.impose("mute", cast.bob.id, "flooding", room_id=cast.room)
            db.session.remove()
    for permission, attempt in _doors(cast, cast.room, victim).items():
        said, page = answer(cast, "bob", permission, cast.room if PERMISSIONS[permission].in_room else "")
        if permission == "room.change" and state == "muted":
            continue  # the form is shown to whoever owns the room; saving it is refused
        status = attempt(cast.bob).status_code
        assert (status < 400) == said, (permission, status, page[-3000:])
