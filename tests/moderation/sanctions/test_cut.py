"""A sanction cuts streams at once and exactly, on every process, also without Redis."""

from __future__ import annotations

import pytest

from tests.conftest import populate
from tests.people import Person
from tests.services import Redis, Site


def impose(ada: Person, person: Person, kind: str, room: str = "") -> None:
    fields = {"person": person.id, "kind": kind, "room": room, "duration": "1h", "reason": "flooding"}
    assert ada.post("/moderation/sanctions", **fields).status_code == 303


@pytest.mark.parametrize("kind", ["suspend", "ban"])
def test_out_of_a_room_nothing_later_arrives(pair: tuple[Site, Site], kind: str):
    town = populate(*pair)
    stream = town.bob.listen(town.room)
    town.bob.listen(town.room)
    before = town.alice.say(town.room, "bob may read this")
    impose(town.alice, town.bob, kind, town.room)
    for n in range(50):
        town.alice.say(town.room, f"canary {n}")
    stream.next("reset", containing=town.room)
    assert b"canary" not in stream.raw
    assert max(event.seq for event in stream.logged) == before.seq + 1, "nothing after the removal itself"
    assert town.bob.get(f"/rooms/{town.room}").status_code == 404


@pytest.mark.parametrize("redis", ["alive", "dead"])
def test_out_of_everything_every_stream_ends(pair: tuple[Site, Site], redis_server: Redis, redis: str):
    town = populate(*pair)
    streams = [town.bob.listen(town.room), town.bob.elsewhere().listen(town.room), town.bob.listen()]
    town.alice.say(town.room, "bob may read this")
    for stream in streams[:2]:
        stream.next("message.posted", containing="bob may read this")
    if redis == "dead":
        redis_server.process.kill()
    try:
        impose(town.alice, town.bob, "ban")
        for stream in streams:
            stream.wait_end(1.5 if redis == "alive" else 3)
        for n in range(20):
            town.alice.say(town.room, f"canary {n}")
        assert not any(b"canary" in stream.raw for stream in streams)
        assert town.bob.get("/rooms").status_code == 303
    finally:
        if redis == "dead":
            redis_server.start()


def test_a_mute_holds_at_once_on_the_other_process(pair: tuple[Site, Site]):
    town = populate(*pair)
    town.bob.say(town.room, "before")
    impose(town.alice, town.bob, "mute", town.room)
    answer = town.bob.post(f"/rooms/{town.room}/messages", htmx=True, body="after", client_id="after-the-mute")
    assert answer.status_code == 403
