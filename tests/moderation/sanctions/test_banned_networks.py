"""A banned range holds at every door, however the address is written, and for sessions that were made elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.accounts.test_sign_in import sign_in
from tests.conftest import Cast, Town, populate
from tests.moderation.sanctions.test_addresses import impose
from tests.people import PASSWORD
from tests.services import Site
from tests.web.test_addresses import SPELLINGS

NETWORK = "198.51.100.0/24"


@pytest.mark.parametrize("spelling", [each for each in SPELLINGS if each != "198.51.100.7"])
def test_however_the_address_is_written(cast: Cast, spelling: str):
    impose(cast, NETWORK)
    there = {"REMOTE_ADDR": spelling}
    assert cast.bob.client.get("/rooms", environ_overrides=there).status_code == 403
    assert cast.ada.client.get("/rooms", environ_overrides=there).status_code == 200


@pytest.mark.parametrize("network", ["::ffff:198.51.100.0/120", "[198.51.100.7]:4711", "64:ff9b::c633:6400/120"])
def test_however_the_range_is_written(cast: Cast, network: str):
    assert impose(cast, network).status_code == 303
    assert cast.bob.client.get("/rooms", environ_overrides={"REMOTE_ADDR": "198.51.100.7"}).status_code == 403


def test_ones_own_address_is_known_however_it_is_written(cast: Cast):
    data = {"csrf_token": cast.mia.token, "network": NETWORK, "kind": "ban", "duration": "none", "reason": "a flood"}
    for spelling in ("::ffff:198.51.100.7", "198.51.100.7:4711"):
        answer = cast.mia.client.post("/moderation/sanctions", data=data, environ_overrides={"REMOTE_ADDR": spelling})
        assert answer.status_code == 422
        assert "Your own address, 198.51.100.7" in answer.get_data(as_text=True)


@pytest.mark.parametrize("address", ["198.51.100.7", "::ffff:198.51.100.7"])
def test_nobody_signs_in_from_there_or_learns_a_password_but_staff(cast: Cast, address: str):
    impose(cast, NETWORK)
    guesses = [sign_in(cast.app, "bob@example.org", each, address=address)[1] for each in ("a wrong one", PASSWORD)]
    assert [each.status_code for each in guesses] == [403, 403]
    assert not any("session" in cookie for each in guesses for cookie in each.headers.getlist("Set-Cookie"))
    assert sign_in(cast.app, "nobody@example.org", PASSWORD, address=address)[1].status_code == 403
    assert sign_in(cast.app, "ada@example.org", "a wrong one", address=address)[1].status_code == 403
    client, answer = sign_in(cast.app, "ada@example.org", PASSWORD, address=address)
    assert answer.status_code == 303
    assert client.get("/rooms", environ_overrides={"REMOTE_ADDR": address}).status_code == 200


def test_from_a_muted_range_one_signs_in_and_reads_but_does_not_sign_up(cast: Cast):
    impose(cast, NETWORK, "mute")
    there = {"REMOTE_ADDR": "198.51.100.7"}
    assert sign_in(cast.app, "bob@example.org", "a wrong one", address="198.51.100.7")[1].status_code == 422
    client, answer = sign_in(cast.app, "bob@example.org", PASSWORD, address="198.51.100.7")
    assert answer.status_code == 303
    assert client.get("/rooms", environ_overrides=there).status_code == 200
    page = cast.nobody.get("/sign-up").get_data(as_text=True)
    token = page.split('name="csrf_token" value="')[1].split('"')[0]
    data = {"csrf_token": token, "name": "Eve", "email": "eve@example.org", "password": PASSWORD}
    assert cast.nobody.post("/sign-up", data=data, environ_overrides=there).status_code == 403


# -- streams


@pytest.fixture
def proxied(tmp_path: Path) -> Iterator[Town]:
    """A site behind a proxy that is believed, and people who come through it."""
    site = Site(tmp_path / "site", TRUSTED_PROXIES="1")
    yield populate(site)
    site.stop()


def test_a_stream_is_refused_at_the_door_and_cut_when_the_ban_comes(proxied: Town):
    """Alice is staff. Bob is signed in from elsewhere, with a ticket for the door."""
    town = proxied
    alice, bob = town.alice, town.bob
    there = {"X-Forwarded-For": "198.51.100.7"}
    before = bob.listen(town.room, headers=there)
    assert before.status == 200
    elsewhere = bob.listen(town.room)
    banned = alice.post("/moderation/sanctions", network=NETWORK, kind="ban", duration="none", reason="a flood")
    assert banned.status_code == 303
    before.wait_end(5)
    said = alice.say(town.room, "the first canary")
    elsewhere.until(said.seq)
    assert b"canary" not in before.raw

    own = alice.listen(town.room, headers=there)
    assert own.status == 200, "staff are let in"
    for spelling in ("198.51.100.7", "198.51.100.7:4711", "::ffff:198.51.100.7", "[::ffff:198.51.100.7]:4711"):
        town.mallory.get("/rooms")
        stream = town.mallory.listen(headers={"X-Forwarded-For": spelling})
        assert stream.status in (303, 401, 403), spelling
        town.mallory.sign_in()
    assert bob.listen(town.room, headers=there).status in (303, 401, 403)
    elsewhere.wait_end(5)
