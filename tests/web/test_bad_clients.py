"""Clients that are slow, many, or say two things at once hold up nobody else."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest
import requests

from chat.server.places import MAX_FROM_ONE
from chat.web.security import MOST_LARGE
from tests.conftest import Town, calm
from tests.people import Person
from tests.services import Site, wait_for

HEAD = b"POST /sign-in HTTP/1.1\r\nHost: 127.0.0.1\r\n"


_open: list[socket.socket] = []


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One site for all of them: whatever clients do, it goes on."""
    made = Site(tmp_path_factory.mktemp("slow") / "site")
    yield made
    made.stop()
    calm(made.output())


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    while _open:
        _open.pop().close()


def connect(site: Site, said: bytes, source: str = "127.0.0.1") -> socket.socket:
    _open.append(sock := socket.create_connection(("127.0.0.1", site.port), timeout=20, source_address=(source, 0)))
    sock.sendall(said)
    return sock


def answer(sock: socket.socket) -> bytes:
    """Return all that comes until the other side closes."""
    data = b""
    while piece := sock.recv(65536):
        data += piece
    return data


@pytest.mark.parametrize(
    "fields",
    [b"Content-Length: 0\r\nContent-Length: 5", b"Content-Length: 5_0", b"Content-Length: +5", b"Content-Length: -1",
     b"Transfer-Encoding: xchunked", b"Transfer-Encoding: gzip, chunked", b"Transfer-Encoding: chunked\r\nContent-Length: 5",
     b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", b"Content-Length: 5, 5"],
)  # fmt: skip
def test_a_body_has_one_length_or_there_is_no_answer(site: Site, fields: bytes):
    sock = connect(site, HEAD + fields + b"\r\n\r\nGET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    found = answer(sock)
    assert found.startswith(b"HTTP/1.1 400 ")
    assert found.count(b"HTTP/1.1") == 1, "what follows is not taken for another request"


def test_too_many_headers_are_no_fault_of_ours(site: Site):
    sock = connect(site, HEAD + b"".join(b"X-%d: y\r\n" % n for n in range(200)) + b"\r\n")
    assert answer(sock).startswith(b"HTTP/1.1 431 ")
    assert "Traceback" not in site.output()


def test_a_wish_for_another_protocol_is_not_heard(site: Site):
    said = b"Content-Length: 3\r\nUpgrade: websocket\r\nConnection: close\r\n\r\na=b"
    start = time.monotonic()
    assert answer(connect(site, HEAD + said)).startswith(b"HTTP/1.1 403 ")
    assert time.monotonic() - start < 10


def test_a_byte_now_and_then_is_not_enough(site: Site):
    going_on = {
        said: connect(site, said)
        for said in (b"GET /healthz HT", HEAD + b"X-Slow: ", HEAD + b"Content-Length: 300\r\n\r\n")
    }
    for sock in going_on.values():
        sock.settimeout(0.3)
    end = time.monotonic() + 40
    while going_on and time.monotonic() < end:
        going_on = {said: sock for said, sock in going_on.items() if not ended(sock)}
    assert not going_on, "it went on for 40 seconds"


def ended(sock: socket.socket) -> bool:
    """Wait a moment, say one byte more, and tell whether the other side has had enough."""
    try:
        return not sock.recv(1000)
    except TimeoutError:
        pass
    except OSError:
        return True
    try:
        sock.send(b"x")
    except OSError:
        return True
    return False


def test_connections_that_wait_make_room(site: Site):
    waiting = [
        connect(site, b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", f"127.0.0.{2 + n % 4}") for n in range(1100)
    ]
    for sock in waiting[::100]:
        assert sock.recv(1000) != b"x"
    start = time.monotonic()
    assert requests.get(f"{site.url}/healthz", timeout=20).ok
    assert time.monotonic() - start < 10


def test_one_address_cannot_have_them_all(site: Site):
    """What it has more than it may waits for its own, and is served when one of those ends."""
    held = [connect(site, HEAD, "127.0.0.2") for _ in range(MAX_FROM_ONE)]
    late = connect(site, b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", "127.0.0.2")
    assert requests.get(f"{site.url}/healthz", timeout=20).ok
    late.setblocking(False)
    with pytest.raises(BlockingIOError):
        late.recv(1)
    held[0].close()
    late.settimeout(60)
    assert late.recv(100).startswith(b"HTTP/1.1 200 ")


def test_a_form_has_no_more_fields_than_anybody_fills_in(site: Site):
    for count, status in ((1000, b"403"), (1001, b"413"), (120_000, b"413")):
        body = b"&".join([b"a"] * count)
        kind = b"Content-Type: application/x-www-form-urlencoded\r\nConnection: close\r\n"
        sock = connect(site, HEAD + kind + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        assert answer(sock).startswith(b"HTTP/1.1 " + status)


def test_one_person_cannot_send_many_large_things_at_once(town: Town):
    """Each is written to the disk while it comes. Others, and what is small, are not kept waiting."""
    first = [upload(town, town.bob) for _ in range(MOST_LARGE)]
    wait_for(lambda: answer(upload(town, town.bob)).startswith(b"HTTP/1.1 429 "), what="the limit")
    assert town.bob.say(town.room, "small").id
    other = upload(town, town.alice)
    other.settimeout(2)
    with pytest.raises(TimeoutError):
        other.recv(1)
    for sock in first:
        sock.close()
    again = wait_for(lambda: not_refused(upload(town, town.bob)), what="room for the next")
    assert again


def upload(town: Town, person: Person) -> socket.socket:
    """Begin to send five megabytes."""
    cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in person.http.cookies)
    head = (
        f"POST /rooms/{town.room}/messages HTTP/1.1\r\nHost: 127.0.0.1:{town.site.port}\r\nCookie: {cookies}\r\n"
        f"X-CSRFToken: {person.token}\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 5000000\r\n"
        "Connection: close\r\n\r\n"
    )
    start = b'--b\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n\r\n'
    return connect(town.site, head.encode() + start)


def not_refused(sock: socket.socket) -> bool:
    sock.settimeout(1)
    try:
        return not sock.recv(1000)
    except TimeoutError:
        return True
