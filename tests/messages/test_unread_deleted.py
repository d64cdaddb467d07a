"""What was deleted before one saw it does not count as unread."""

from __future__ import annotations

import random
import threading

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import func, select

from chat.core import ids
from chat.core.database import db
from chat.messages.models import Message
from chat.rooms.models import Membership, Room
from tests.conftest import Cast, Member

both = pytest.mark.parametrize("app", ["sqlite", "postgresql"], indirect=True)


def say(who: Member, room: str) -> str:
    answer = who.post(f"/rooms/{room}/messages", htmx=True, body="something", client_id=ids.new())
    assert answer.status_code == 201, answer.get_data(as_text=True)
    return str(answer.headers["Location"].rsplit("/", 1)[1])


def delete(who: Member, message: str, reason: str = "") -> None:
    assert who.post(f"/messages/{message}/delete", reason=reason).status_code == 303


def unread(who: Member, room: str) -> int:
    """Return the number in somebody's list."""
    page = BeautifulSoup(who.get("/rooms/list").get_data(as_text=True), "html.parser")
    badge = page.find(attrs={"data-live": f"unread:{room}"})
    return int(str(badge["data-count"])) if badge else 0


def holds(cast: Cast) -> None:
    """Hold every number against what there is."""
    with cast.app.app_context():
        left = (
            select(func.count())
            .where(
                Message.room_id == Membership.room_id,
                Message.seq > Membership.last_read_seq,
                Message.deleted_at.is_(None),
            )
            .scalar_subquery()
        )
        rows = db.session.execute(
            select(Membership.user_id, Room.posted - Membership.last_read_number, left).join(
                Room, Room.id == Membership.room_id
            )
        ).all()
        db.session.remove()
    assert [(who, number) for who, number, _ in rows] == [(who, number) for who, _, number in rows]


@both
def test_three_messages_of_which_two_and_then_all_are_deleted(cast: Cast):
    one, two, three = (say(cast.alice, cast.room) for _ in range(3))
    assert unread(cast.bob, cast.room) == 3
    delete(cast.alice, one)
    delete(cast.mia, two, "private details")
    assert unread(cast.bob, cast.room) == 1
    delete(cast.alice, three)
    assert unread(cast.bob, cast.room) == 0
    assert cast.alice.post(f"/messages/{three}/restore").status_code == 303
    assert unread(cast.bob, cast.room) == 1, "restored and not seen"
    delete(cast.mia, three, "private details")
    assert unread(cast.bob, cast.room) == 0
    holds(cast)


def test_in_a_direct_room(cast: Cast):
    room = cast.alice.post("/rooms/direct", person=cast.bob.id).headers["Location"].rsplit("/", 1)[1]
    message = say(cast.alice, room)
    assert unread(cast.bob, room) == 1
    delete(cast.alice, message)
    assert unread(cast.bob, room) == 0


def test_what_one_has_read_changes_nothing(cast: Cast):
    said = [say(cast.alice, cast.room) for _ in range(4)]
    delete(cast.alice, said[3])
    with cast.app.app_context():
        seq = db.session.get_one(Message, said[1]).seq
    assert cast.bob.post(f"/rooms/{cast.room}/read", seq=str(seq)).status_code == 204
    assert unread(cast.bob, cast.room) == 1, "the third; the fourth is gone"
    delete(cast.alice, said[0])
    assert unread(cast.bob, cast.room) == 1
    cast.alice.post(f"/messages/{said[0]}/restore")
    assert unread(cast.bob, cast.room) == 1, "it was seen"
    delete(cast.alice, said[2])
    assert unread(cast.bob, cast.room) == 0
    page = cast.bob.get(f"/rooms/{cast.room}").get_data(as_text=True)
    assert "New since" not in page
    holds(cast)


def test_the_line_stands_before_the_first_that_one_can_read(cast: Cast):
    one, two = say(cast.alice, cast.room), say(cast.alice, cast.room)
    delete(cast.alice, one)
    page = BeautifulSoup(cast.bob.get(f"/rooms/{cast.room}").get_data(as_text=True), "html.parser")
    line = page.find(id="new-since")
    assert line is not None
    after = line.find_next(class_="message")
    assert after is not None
    assert after["id"] == f"message_{two}"


@both
def test_a_sweep_and_its_undoing(cast: Cast):
    for _ in range(3):
        say(cast.bob, cast.room)
    say(cast.mia, cast.room)
    swept = cast.mia.post("/moderation/sweeps", person=cast.bob.id, room=cast.room, span="1h", reason="a flood")
    assert unread(cast.alice, cast.room) == 1
    holds(cast)
    cast.mia.post(swept.headers["Location"] + "/undo")
    assert unread(cast.alice, cast.room) == 4
    holds(cast)


def test_out_of_the_room_meanwhile(cast: Cast):
    said = [say(cast.alice, cast.room) for _ in range(2)]
    fields = {"person": cast.bob.id, "kind": "suspend", "room": cast.room, "duration": "1h", "reason": "flooding"}
    assert cast.mia.post("/moderation/sanctions", **fields).status_code == 303
    delete(cast.alice, said[0])
    listed = cast.mia.get("/moderation/sanctions").get_data(as_text=True)
    sanction = listed.split("/moderation/sanctions/")[-1].split("/lift")[0]
    assert cast.mia.post(f"/moderation/sanctions/{sanction}/lift", reason="a mistake").status_code == 303
    assert unread(cast.bob, cast.room) == 1
    holds(cast)


@both
def test_reading_deleting_and_posting_at_once(cast: Cast):
    """Many at the same time, and every number holds in the end."""
    cast.alice.post(f"/rooms/{cast.room}/members", person=cast.mallory.id)
    chance, failed = random.Random(20), []

    def act(who: Member, seed: int) -> None:
        mine, own = random.Random(seed), []
        try:
            for _ in range(12):
                what = mine.randrange(4)
                if what == 0 or not own:
                    own.append(say(who, cast.room))
                elif what == 1:
                    who.post(f"/messages/{mine.choice(own)}/delete")
                elif what == 2:
                    who.post(f"/messages/{mine.choice(own)}/restore")
                else:
                    assert who.post(f"/rooms/{cast.room}/read", seq=str(mine.randrange(1, 60))).status_code == 204
        except Exception as problem:
            failed.append(problem)

    people = [cast.alice, cast.bob, cast.mia, cast.mallory, cast.bob.elsewhere(), cast.mia.elsewhere()]
    threads = [threading.Thread(target=act, args=(who, chance.random())) for who in people]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert failed == []
    holds(cast)
