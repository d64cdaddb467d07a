"""Leaving a room: at once where one can come back, and else after a page that says what goes with it."""

from __future__ import annotations

from bs4 import BeautifulSoup

from chat.core.database import db
from chat.rooms import service as rooms
from tests.conftest import Cast, Member


def words(who: Member, path: str) -> str:
    return " ".join(BeautifulSoup(who.get(path).text, "html.parser").select_one("main").get_text(" ").split())


def way_out(who: Member, room: str) -> str:
    """Return where one leaves from the page of members: the address of a form or of a link."""
    page = BeautifulSoup(who.get(f"/rooms/{room}/members").text, "html.parser")
    link = page.select_one(f'a[href="/rooms/{room}/leave"]')
    return "asks" if link else "at once" if page.select_one(f'form[action="/rooms/{room}/leave"]') else "none"


def test_an_open_room_is_left_at_once(cast: Cast):
    cast.bob.post(f"/rooms/{cast.open_room}/join")
    assert way_out(cast.bob, cast.open_room) == "at once"


def test_a_room_by_invitation_asks_first(cast: Cast):
    assert way_out(cast.bob, cast.room) == "asks"
    said = words(cast.bob, f"/rooms/{cast.room}/leave")
    assert "only if somebody in it adds you again" in said
    assert "own" not in said
    assert cast.bob.post(f"/rooms/{cast.room}/leave").status_code == 303
    assert cast.bob.get(f"/rooms/{cast.room}").status_code == 404


def test_an_owner_reads_who_owns_it_afterwards(cast: Cast):
    cast.bob.post(f"/rooms/{cast.open_room}/join")
    for room in (cast.room, cast.open_room):
        assert way_out(cast.alice, room) == "asks"
        assert "Bob de Vos owns it after you" in words(cast.alice, f"/rooms/{room}/leave")
        cast.alice.post(f"/rooms/{room}/leave")
        assert "Owner" in words(cast.bob, f"/rooms/{room}/members").partition("Bob de Vos (you)")[2][:60]


def test_a_moderator_reads_that_it_is_over(cast: Cast):
    cast.bob.post(f"/rooms/{cast.open_room}/join")
    with cast.app.app_context():
        rooms.appoint(cast.open_room, cast.bob.id, "moderator", cast.ada.id, "knows the lamp")
        db.session.remove()
    assert way_out(cast.bob, cast.open_room) == "asks"
    assert "it is as a member" in words(cast.bob, f"/rooms/{cast.open_room}/leave")


def test_who_is_alone_reads_that_nobody_could_add_them(cast: Cast):
    made = cast.bob.post("/rooms", name="harbour", kind="group", purpose="").headers["Location"].rsplit("/", 1)[1]
    assert "Nobody else" in words(cast.bob, f"/rooms/{made}/leave")


def test_a_direct_room_has_no_way_out(cast: Cast):
    direct = cast.alice.post("/rooms/direct", person=cast.bob.id).headers["Location"].rsplit("/", 1)[1]
    assert way_out(cast.alice, direct) == "none"
    assert cast.alice.get(f"/rooms/{direct}/leave").status_code == 403
