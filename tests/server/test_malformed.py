"""A request that is not exactly one is refused, once, and its connection ends: nothing behind it is taken for another."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from chat.server import head
from chat.server.head import Refused
from tests.conftest import _expect_calm
from tests.server.malformed import HIDDEN, MALFORMED, Malformed
from tests.services import GUNICORN, Site


@pytest.fixture(scope="module", params=["alone", "gunicorn"])
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp(request.param)
    site = Site(folder)
    if request.param == "gunicorn":  # which does not migrate
        site.stop()
        site.command = GUNICORN
        site.start()
    yield site
    site.stop()
    _expect_calm(site)


def answer(port: int, said: bytes) -> bytes:
    """Return all that comes until the other side closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as sock:
        sock.sendall(said)
        data = b""
        while piece := sock.recv(65536):
            data += piece
    return data


def test_there_are_enough_of_them():
    assert len(MALFORMED) > 300
    assert len({each.data for each in MALFORMED}) == len(MALFORMED)


def test_each_is_refused_and_its_connection_ends(site: Site):
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda each: answer(site.port, each.data), MALFORMED))
    wrong = []
    for each, found in zip(MALFORMED, answers, strict=True):
        if found.count(b"HTTP/1.") != 1 or not found.startswith(f"HTTP/1.1 {each.status} ".encode()):
            wrong.append((each.name, each.status, found[:200]))
    assert not wrong
    assert requests.get(f"{site.url}/healthz", timeout=20).text == "ok\n"
    assert "hidden" not in site.output(), "what a body holds is no request"


@pytest.mark.parametrize(
    "each", [each for each in MALFORMED if not each.name.startswith("chunks")], ids=lambda each: each.name
)
def test_the_reader_of_heads_says_so_by_itself(each: Malformed):
    """Also of a whole head, as the door sees it."""
    with pytest.raises(Refused) as refused:
        read(each.data)
    assert refused.value.status == each.status


def read(data: bytes) -> None:
    head.hopeless(data)
    head.read(b"".join(data.partition(b"\r\n\r\n")[:2]))


RIGHT = {
    "a browser's": b"GET /rooms/a?q=[x]{y}|z\\^`'%&r=100% HTTP/1.1\r\nHost: 127.0.0.1:8000\r\n"
    b"User-Agent: M\xc3\xbcller/5.0 (X11)\r\n"
    b'Accept: */*\r\nCookie: a=b; c="d"\r\nAccept-Language: de,en;q=0.5\r\nConnection: keep-alive\r\n\r\n',
    "without spaces": b"GET / HTTP/1.1\r\nHost:x\r\nX:\r\n\r\n",
    "with tabs": b"GET / HTTP/1.1\r\nHost:\t x \t\r\nX: a\tb\r\n\r\n",
    "of HTTP/1.0 without a host": b"OPTIONS / HTTP/1.0\r\n\r\n",
    "for the server itself": b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
    "with the whole address": b"GET http://X.example:80?y HTTP/1.1\r\nHost: x.example:80\r\n\r\n",
    "to an IPv6 address": b"GET / HTTP/1.1\r\nHost: [::1]:8000\r\n\r\n",
    "with an odd method": b"M-SEARCH / HTTP/1.1\r\nHost: x\r\n\r\n",
    "in chunks": b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: Chunked\r\n\r\n",
    "with cookies in two fields": b"GET / HTTP/1.1\r\nHost: x\r\nCookie: a=b\r\nCookie: c=d\r\n\r\n",
}


@pytest.mark.parametrize("data", RIGHT.values(), ids=RIGHT)
def test_what_is_right_is_read(data: bytes):
    head.read(data)


def test_the_whole_address_comes_down_to_its_path():
    found = head.read(RIGHT["with the whole address"])
    assert (found.host, found.target) == ("X.example:80", "/?y")


# -- one answer for each request, also where the request is right


def test_a_head_alone_is_answered_without_a_body(site: Site):
    """A last chunk after the answer to a HEAD would be read as the answer to the next request."""
    for path in (b"/healthz", b"/sign-in", b"/events", b"/nowhere", b"/widget"):
        found = answer(site.port, b"HEAD %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n" % path)
        assert found.endswith(b"\r\n\r\n"), path
        assert found.count(b"\r\n\r\n") == 1, path


def test_who_was_never_told_to_go_on_is_not_waited_for(site: Site):
    """Refused before the body was asked for, a client may send it or not: so nothing after it can be a request."""
    said = b"POST /sign-in HTTP/1.1\r\nHost: evil.example\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n"
    found = answer(site.port, said % len(HIDDEN) + HIDDEN)
    assert found.count(b"HTTP/1.1 ") == 1
    assert b"Connection: close" in found


def test_who_waits_is_told_to_go_on(site: Site):
    with socket.create_connection(("127.0.0.1", site.port), timeout=20) as sock:
        sock.sendall(
            b"POST /sign-in HTTP/1.1\r\nHost: 127.0.0.1\r\nExpect: 100-Continue\r\nConnection: close\r\n"
            b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 3\r\n\r\n"
        )
        assert sock.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        sock.sendall(b"a=b")
        assert sock.recv(100).startswith(b"HTTP/1.1 403 ")


def test_empty_lines_after_a_request_are_answered_by_nothing(site: Site):
    said = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    assert answer(site.port, said + b"\r\n\r\n").count(b"HTTP/1.1 ") == 1


def test_requests_that_follow_each_other_are_answered_in_turn(site: Site):
    form = b"Content-Type: application/x-www-form-urlencoded\r\n"
    chunks = b'Transfer-Encoding: chunked\r\n\r\n2;a=b;c="d\\"e"\r\na=\r\n1\r\nb\r\n0\r\nX-Trailer: y\r\n\r\n'
    post = b"POST /sign-in HTTP/1.1\r\nHost: 127.0.0.1\r\n" + form
    get = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    found = answer(
        site.port,
        post + chunks + get + b"\r\n" + post + b"Content-Length: 3\r\n\r\na=b" + get + b"Connection: close\r\n\r\n",
    )
    assert re.findall(rb"HTTP/1\.1 (\d+) ", found) == [b"403", b"200"] * 2


def test_a_field_with_an_underscore_is_not_one_with_a_hyphen(site: Site):
    found = answer(
        site.port, b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nContent_Length: 9\r\nConnection: close\r\n\r\n"
    )
    assert found.startswith(b"HTTP/1.1 200 ")
