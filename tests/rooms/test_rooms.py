"""Making rooms, joining and leaving them, and who may do what there."""

from __future__ import annotations

import threading

import pytest

from chat.core.database import db
from chat.rooms import queries, service
from chat.rooms.models import Room
from tests.conftest import Cast, Member


def room_of(answer) -> str:
    assert answer.status_code == 303, answer.get_data(as_text=True)[:300]
    return answer.headers["Location"].rsplit("/", 1)[1]


def in_list(member: Member, room: str) -> bool:
    return f'data-room="{room}"' in member.get("/rooms/list").get_data(as_text=True)


def test_an_open_room_is_found_and_joined(cast: Cast):
    assert "everyone" in cast.mallory.get("/rooms").get_data(as_text=True)
    page = cast.mallory.get(f"/rooms/{cast.open_room}").get_data(as_text=True)
    assert "Join the room" in page
    assert 'id="timeline"' not in page, "nothing of it is shown before"
    assert cast.mallory.get(f"/rooms/{cast.open_room}/messages").status_code == 404
    cast.mallory.post(f"/rooms/{cast.open_room}/join")
    assert 'id="timeline"' in cast.mallory.get(f"/rooms/{cast.open_room}").get_data(as_text=True)
    assert in_list(cast.mallory, cast.open_room)


def test_a_group_room_is_found_by_its_members_only(cast: Cast):
    assert "lamp-room" not in cast.mallory.get("/rooms").get_data(as_text=True)
    assert cast.mallory.post(f"/rooms/{cast.room}/join").status_code == 404
    assert not in_list(cast.mallory, cast.room)


def test_joining_twice_is_joining_once(cast: Cast):
    for _ in range(2):
        assert cast.bob.post(f"/rooms/{cast.open_room}/join").status_code == 303
    with cast.app.app_context():
        assert (
            queries.audience(cast.open_room) == (2, [cast.alice.id, cast.bob.id])
            or queries.member_count(cast.open_room) == 2
        )
        assert queries.audience(cast.open_room)[0] == 2, "one event for each of the two"


@pytest.mark.parametrize("kind", ["open", "group"])
def test_whoever_makes_a_room_owns_it(cast: Cast, kind: str):
    room = room_of(cast.bob.post("/rooms", name="night sky", kind=kind, purpose="Stars"))
    page = cast.bob.get(f"/rooms/{room}").get_data(as_text=True)
    assert "night sky" in page
    assert f"/rooms/{room}/settings" in page


@pytest.mark.parametrize(
    ("fields", "reason"),
    [({"name": ""}, "Give the room a name"), ({"name": "…"}, "Give the room a name"), ({"name": "n" * 65}, "this one has 65"),
     ({"purpose": "p" * 251}, "this one has 251"), ({"kind": "direct"}, "of the kinds"), ({"kind": "secret"}, "of the kinds")],
)  # fmt: skip
def test_a_refused_form_keeps_what_was_typed(cast: Cast, fields: dict[str, str], reason: str):
    answer = cast.bob.post("/rooms", **({"name": "night sky", "kind": "group", "purpose": "Stars"} | fields))
    assert answer.status_code == 422
    page = answer.get_data(as_text=True)
    assert reason in page
    assert fields.get("name", "night sky") in page


def test_a_member_adds_somebody(cast: Cast):
    assert cast.bob.post(f"/rooms/{cast.room}/members", person=cast.mallory.id).status_code == 303
    assert cast.mallory.get(f"/rooms/{cast.room}").status_code == 200
    assert cast.bob.post(f"/rooms/{cast.room}/members", person=cast.mallory.id).status_code == 303, "again is no error"


def test_an_address_of_somebody_known_adds_them(cast: Cast):
    cast.bob.post(f"/rooms/{cast.room}/members", email=" Mallory@Example.org ")
    assert cast.mallory.get(f"/rooms/{cast.room}").status_code == 200


def test_a_bad_address_is_said_to_be_one(cast: Cast):
    answer = cast.bob.post(f"/rooms/{cast.room}/members", email="nobody at all")
    assert answer.status_code == 422
    assert "nobody at all" in answer.get_data(as_text=True)


def test_only_the_owner_removes_others(cast: Cast):
    assert cast.bob.post(f"/rooms/{cast.room}/members/{cast.mia.id}/remove").status_code == 403
    assert cast.alice.post(f"/rooms/{cast.room}/members/{cast.bob.id}/remove").status_code == 303
    assert cast.bob.get(f"/rooms/{cast.room}").status_code == 404
    assert cast.bob.post(f"/rooms/{cast.room}/messages", body="still here").status_code == 404


def test_an_owner_who_leaves_passes_the_room_on(cast: Cast):
    cast.alice.post(f"/rooms/{cast.room}/leave")
    assert cast.alice.get(f"/rooms/{cast.room}").status_code == 404
    assert cast.bob.get(f"/rooms/{cast.room}/settings").status_code == 200, "bob has been here longest"


def test_a_room_is_renamed_by_its_owner(cast: Cast):
    assert cast.bob.post(f"/rooms/{cast.room}/settings", name="bob-room", purpose="").status_code == 403
    cast.alice.post(f"/rooms/{cast.room}/settings", name="lens-room", purpose="Only lenses")
    page = cast.bob.get(f"/rooms/{cast.room}").get_data(as_text=True)
    assert "lens-room" in page
    assert "Only lenses" in page
    assert "lamp-room" not in page


# -- direct rooms


def test_a_pair_has_one_room_whoever_asks(cast: Cast):
    one = room_of(cast.alice.post("/rooms/direct", person=cast.bob.id))
    other = room_of(cast.bob.post("/rooms/direct", person=cast.alice.id))
    assert one == other
    assert "Bob de Vos" in cast.alice.get(f"/rooms/{one}").get_data(as_text=True)
    assert "Alice Okafor" in cast.bob.get(f"/rooms/{one}").get_data(as_text=True)
    assert cast.mallory.get(f"/rooms/{one}").status_code == 404


@pytest.mark.parametrize("app", ["sqlite", "postgresql"], indirect=True)
def test_two_who_ask_at_the_same_time_get_the_same(cast: Cast):
    found: list[str] = []

    def ask(me: str, you: str) -> None:
        with cast.app.app_context():
            found.append(service.find_direct(you, me))
            db.session.remove()

    pairs = [(cast.alice.id, cast.mallory.id), (cast.mallory.id, cast.alice.id)] * 8
    threads = [threading.Thread(target=ask, args=pair) for pair in pairs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 16
    assert len(set(found)) == 1
    with cast.app.app_context():
        assert db.session.query(Room).filter(Room.kind == "direct").count() == 1


def test_one_does_not_write_to_oneself(cast: Cast):
    answer = cast.alice.post("/rooms/direct", person=cast.alice.id)
    assert answer.status_code == 422
    assert cast.alice.post("/rooms/direct", person="a" * 16).status_code == 404
    assert cast.alice.post("/rooms/direct", person="").status_code == 404


def test_an_empty_direct_room_is_its_makers_alone(cast: Cast):
    room = room_of(cast.alice.post("/rooms/direct", person=cast.bob.id))
    assert in_list(cast.alice, room)
    assert not in_list(cast.bob, room)
    cast.alice.post(f"/rooms/{room}/messages", body="hello", client_id="client-1")
    assert in_list(cast.bob, room)


def test_a_direct_room_is_for_two(cast: Cast):
    room = room_of(cast.alice.post("/rooms/direct", person=cast.bob.id))
    assert cast.alice.post(f"/rooms/{room}/members", person=cast.mallory.id).status_code == 403
    assert cast.alice.post(f"/rooms/{room}/leave").status_code == 403
    assert cast.alice.post(f"/rooms/{room}/settings", name="ours", purpose="").status_code == 403
    assert cast.mallory.post(f"/rooms/{room}/join").status_code == 404
