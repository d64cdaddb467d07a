"""Requests that make no sense, each met by the fuzz run: an answer below 500, and a quiet log."""

from __future__ import annotations

import re
import socket
from typing import Any
from urllib.parse import quote

import pytest

from tests.conftest import Cast
from tests.services import Site


@pytest.mark.parametrize("origin", ["http://[::1", "null", "http://", "//", "http://]"])
def test_an_origin_that_is_no_address_is_another_site(cast: Cast, origin: str):
    answer = cast.alice.post(f"/rooms/{cast.room}/typing", headers={"Origin": origin})
    assert answer.status_code == 403


def status(site: Site, request: bytes) -> int:
    with socket.create_connection(("127.0.0.1", site.port), timeout=15) as sock:
        sock.sendall(request)
        return int(sock.recv(4096).split()[1])


def test_more_headers_than_are_read_are_refused(site: Site):
    many = b"".join(b"X-%d: y\r\n" % number for number in range(120))
    assert status(site, b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n" + many + b"\r\n") == 431
    assert status(site, b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"y" * 70_000 + b"\r\n\r\n") == 431


@pytest.mark.parametrize(
    "referrer", ["http://[", "http://[::1", "//", "http://]/", "\x01", "http://localhost/[", "x" * 5000]
)
def test_a_referrer_that_is_no_address_is_none(cast: Cast, referrer: str):
    assert cast.nobody.get("/nowhere", headers={"Referer": referrer}).status_code == 404


#: Numbers, days and places that no column, calendar or parser can hold.
NASTY = [
    "9" * 19, "9" * 4400, "-1", "9999-12-31", "0001-01-01", "9999-12-31T23:59", "a\x00b",
    "253402300799.999999.aaaaaaaaaaaaaaaa",
    "aaaaaaaaaaaaaaaa",
]  # fmt: skip
#: What addresses ask for, and what forms send that is a number, a day, a place or a name.
ASKED = (
    "before after around seq room page limit year since until days number invitation token undo restored next state theme "
    "direction kind person network reason span ban actor action by back decided saved v text minutes most seconds "
    "letters mute_minutes id name email body client_id picture line message sanction role office answer decision"
)
#: What would end the session that asks, or change whom it is of.
LEFT_OUT = {"accounts.sign_out", "accounts.end_device", "accounts.end_other_devices", "static"}


@pytest.mark.parametrize(
    ("app", "zone"), [("sqlite", "America/New_York"), ("postgresql", "Pacific/Kiritimati")], indirect=["app"]
)
def test_no_address_and_no_form_is_an_error_of_ours(cast: Cast, zone: str):
    """Every route, with every name that any asks for set to what it cannot be."""
    ada, wrong, fills = cast.ada, [], {"room_id": cast.room, "person_id": cast.bob.id}
    ada.client.set_cookie("tz", zone)
    for rule in cast.app.url_map.iter_rules():
        if rule.endpoint in LEFT_OUT:
            continue
        for nasty in NASTY:
            path = re.sub(
                r"<(?:(\w+)(?:\([^)]*\))?:)?(\w+)>", lambda part, nasty=nasty: _fill(part, nasty, fills), rule.rule
            )
            sent = {"duration": "until"}
            query = dict.fromkeys(ASKED.split(), nasty)
            if "GET" in rule.methods:
                wrong += _refused(ada.get(path, query_string=query), "GET", rule, nasty)
            if "POST" in rule.methods:
                wrong += _refused(
                    ada.client.post(path, data=query | sent, headers={"X-CSRFToken": ada.token}), "POST", rule, nasty
                )
    assert not wrong, "\n".join(wrong)


def _fill(part: re.Match[str], nasty: str, fills: dict[str, str]) -> str:
    kind, name = part[1], part[2]
    if kind == "id":
        return fills.get(name, "a" * 16)
    if kind == "any":
        return part[0].split("(")[1].split(")")[0].split(",")[0].strip()
    return quote(nasty, safe="")


def _refused(answer: Any, method: str, rule: Any, nasty: str) -> list[str]:
    answer.close()
    return (
        [f"{method} {rule.rule} {nasty[:30]!a}: {answer.status_code}"] if answer.status_code in {500, 501, 502} else []
    )
