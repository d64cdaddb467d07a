"""Requests that make no sense, each met by the fuzz run: an answer below 500, and a quiet log."""

from __future__ import annotations

import socket

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
    assert status(site, b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n" + many + b"\r\n") == 400
    assert status(site, b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"y" * 70_000 + b"\r\n\r\n") == 400
