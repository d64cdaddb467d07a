"""What comes through a proxy, from another site, or from another user of the machine."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from tests.conftest import Cast
from tests.services import Site

PASSED_ON = [
    "Forwarded",
    "X-Forwarded-For",
    "X-Forwarded-Proto",
    "X-Forwarded-Host",
    "Via",
    "X-Real-IP",
    "CF-Connecting-IP",
]


@pytest.mark.parametrize("header", PASSED_ON)
def test_what_a_proxy_passes_on_does_not_come_from_this_machine(cast: Cast, header: str):
    assert cast.nobody.get("/metrics").status_code == 200
    assert cast.nobody.get("/metrics", headers={header: "127.0.0.1"}).status_code == 403


def test_a_proxy_that_is_not_believed_is_told_of_once(cast: Cast, caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            cast.nobody.get("/sign-in", headers={"X-Forwarded-For": "198.51.100.7"})
    assert caplog.text.count("TRUSTED_PROXIES is 0") == 1


@pytest.mark.parametrize(
    ("origin", "status"),
    [("http://localhost", 303), ("https://localhost", 403), ("evil://localhost", 403), ("http://localhost:81", 403),
     ("null", 403)],
)  # fmt: skip
def test_the_whole_origin_is_compared(cast: Cast, origin: str, status: int):
    assert cast.alice.post("/rooms", name="Lamps", kind="open", headers={"Origin": origin}).status_code == status


def test_another_site_cannot_switch_safe_mode_on(cast: Cast):
    cast.ada.get("/-/safe-mode")
    assert "Leave safe mode" not in cast.ada.get("/rooms").text, "an address alone changes nothing"
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://elsewhere.example"}):
        answer = cast.ada.post("/-/safe-mode", headers=headers, on="1")
        assert answer.status_code == 403
    cast.ada.client.post("/-/safe-mode", data={"on": "1"})
    assert "Leave safe mode" not in cast.ada.get("/rooms").text, "without the token"
    cast.ada.post("/-/safe-mode", on="1")
    assert "Leave safe mode" in cast.ada.get("/rooms").text


def test_other_users_of_the_machine_read_nothing(tmp_path: Path):
    folder = tmp_path / "site"
    (folder / "outbox").mkdir(parents=True, mode=0o755)
    site = Site(folder)
    try:
        readable = [path.name for path in folder.iterdir() if path.name != "site.log" and path.stat().st_mode & 0o077]
    finally:
        site.stop()
    assert readable == []
