"""Ranges of addresses under a sanction."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import PASSWORD, Cast
from tests.moderation.sanctions.test_impose import the_sanction
from tests.people import Person
from tests.services import Site

THERE = {"REMOTE_ADDR": "203.0.113.7"}


def impose(cast: Cast, network: str = "203.0.113.0/24", kind: str = "ban", **more: str) -> Any:
    fields = {"network": network, "kind": kind, "duration": "none", "reason": "a flood"} | more
    return cast.mia.post("/moderation/sanctions", **fields)


def test_nobody_gets_in_from_a_banned_range_but_staff(cast: Cast):
    assert impose(cast).status_code == 303
    assert cast.alice.client.get("/rooms").status_code == 200
    assert cast.bob.client.get("/rooms", environ_overrides=THERE).status_code == 403
    assert cast.bob.client.get("/rooms").status_code == 303, "the browser that came from there is signed out"
    assert cast.ada.client.get("/rooms", environ_overrides=THERE).status_code == 200
    stranger = cast.app.test_client()
    page = stranger.get("/sign-up", environ_overrides=THERE).get_data(as_text=True)
    token = page.split('name="csrf_token" value="')[1].split('"')[0]
    fields = {"csrf_token": token, "name": "Eve", "email": "eve@example.org", "password": PASSWORD}
    assert stranger.post("/sign-up", data=fields, environ_overrides=THERE).status_code == 403
    signed_in = stranger.post(
        "/sign-in",
        data={"csrf_token": token, "email": "bob@example.org", "password": PASSWORD},
        environ_overrides=THERE,
    )
    assert stranger.get("/rooms", environ_overrides=THERE).status_code in (303, 403)
    assert signed_in.status_code in (303, 403)
    cast.mia.post(f"/moderation/sanctions/{the_sanction(cast)}/lift", reason="over")
    assert cast.alice.client.get("/rooms", environ_overrides=THERE).status_code == 200


def test_from_a_muted_range_one_reads_but_does_not_write(cast: Cast):
    impose(cast, "2001:db8::/48", "mute")
    there = {"REMOTE_ADDR": "2001:db8::17"}
    assert cast.bob.client.get(f"/rooms/{cast.room}", environ_overrides=there).status_code == 200
    data = {"csrf_token": cast.bob.token, "body": "Hello", "client_id": "from-a-muted-range"}
    assert cast.bob.client.post(f"/rooms/{cast.room}/messages", data=data, environ_overrides=there).status_code == 403
    assert cast.bob.client.post(f"/rooms/{cast.room}/messages", data=data).status_code == 303


@pytest.mark.parametrize(
    ("network", "sentence"),
    [
        ("203.0.113", "is no range"),
        ("10.0.0.0/7", "too wide"),
        ("2001::/16", "too wide"),
        ("127.0.0.0/8", "Your own address"),
        ("", "is no range"),
    ],
)
def test_what_is_no_range_is_refused_in_words(cast: Cast, network: str, sentence: str):
    response = impose(cast, network)
    assert response.status_code == 422
    assert sentence in response.get_data(as_text=True)


def test_ranges_are_not_for_members(cast: Cast):
    fields = {"network": "203.0.113.0/24", "kind": "ban", "duration": "none", "reason": "mine"}
    for member in (cast.bob, cast.alice, cast.mallory):
        assert member.post("/moderation/sanctions", **fields).status_code == 404


def test_who_is_signed_in_from_there_is_cut_off_in_every_process(pair: tuple[Site, Site]):
    first, second = pair
    ada = Person(first.url, "Ada").set_up(first.setup_link)
    bob = Person(second.url, "Bob").sign_up()
    room = ada.make_room()
    ada.add(room, bob)
    stream = bob.listen(room)
    # Everybody here comes from 127.0.0.1, which Ada, from the same address, may not ban: Bob's address is changed in the table.
    statement = f"UPDATE login_sessions SET address = '203.0.113.7' WHERE user_id = '{bob.id}'"
    moved = second.python(
        "from app import create_app; from chat.core.database import db; from sqlalchemy import text\n"
        f"app = create_app()\nwith app.app_context(): db.session.execute(text({statement!r})); db.session.commit()"
    )
    assert moved.returncode == 0, moved.stderr
    ada.post("/moderation/sanctions", network="203.0.113.0/24", kind="ban", duration="none", reason="a flood")
    stream.wait_end(3)
    ada.say(room, "canary")
    assert b"canary" not in stream.raw
    assert bob.get("/rooms").headers["Location"].startswith("/sign-in")
