"""Readers that are slow, or that never read, lose nothing of their own and disturb nobody."""

from __future__ import annotations

import socket
import time

import psutil
import pytest

from tests.conftest import Town
from tests.services import wait_for

BODY = "x" * 8000


def test_a_reader_that_never_reads_disturbs_nobody(town: Town):
    deaf = [_deaf(town) for _ in range(20)]
    good = town.bob.listen(town.room)
    before = psutil.Process(town.site.process.pid).memory_info().rss
    said = [town.alice.say(town.room, BODY) for _ in range(100)]
    events = good.until(said[-1].seq, seconds=10)
    assert [event.seq for event in events] == [each.seq for each in said]
    grown = psutil.Process(town.site.process.pid).memory_info().rss - before
    assert grown < 20 * 1024 * 1024, "what they owe is in the ring, once, and not in twenty queues"
    for each in deaf:
        each.close()


def test_a_slow_reader_gets_everything_in_order(town: Town):
    slow = _deaf(town)
    said = [town.alice.say(town.room, f"{n} {BODY}") for n in range(60)]
    received = b""
    slow.settimeout(10)
    while received.count(b"event: message.posted") < 60 or not received.endswith(b"\n\n"):
        piece = slow.recv(4096)
        assert piece, "the stream ended"
        received += piece
    seqs = [int(line.rsplit(b".", 1)[1]) for line in received.split(b"\n") if line.startswith(b"id: ")]
    assert seqs == list(range(said[0].seq, said[-1].seq + 1))
    assert received.count(BODY.encode()) == 60, "no frame is torn"
    slow.close()


def test_a_reader_that_fell_out_of_the_ring_is_reset(town: Town):
    slow = _deaf(town)
    for _ in range(560):
        last = town.alice.say(town.room, BODY)
    received = b""
    slow.settimeout(10)
    while b"event: reset" not in received:
        piece = slow.recv(65536)
        assert piece, "the stream ended"
        received += piece
    seqs = [int(line.rsplit(b".", 1)[1]) for line in received.split(b"\n") if line.startswith(b"id: ")]
    assert seqs == list(range(seqs[0], seqs[0] + len(seqs))), "what came before the reset has no hole"
    assert seqs[-1] < last.seq
    slow.close()


@pytest.mark.alone
def test_two_thousand_idle_streams_cost_little(town: Town):
    process = psutil.Process(town.site.process.pid)
    cursor = town.bob.cursor(town.room)
    cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in town.bob.http.cookies)
    request = (
        f"GET /events?room={town.room}&after={cursor} HTTP/1.1\r\nHost: 127.0.0.1:{town.site.port}\r\n"
        f"Cookie: {cookies}\r\n\r\n"
    ).encode()
    warm = [_connect(town.site.port, request) for _ in range(200)]
    time.sleep(1.5)
    before, threads = process.memory_info().rss, process.num_threads()
    streams = [_connect(town.site.port, request) for _ in range(2000)]
    each = (process.memory_info().rss - before) / 2000
    assert each <= 1536, f"{each:.0f} bytes per idle stream"
    assert process.num_threads() == threads
    said = town.alice.say(town.room, "heard by all")
    for sock in streams[::100]:
        received = b""
        while f"message_{said.id}".encode() not in received:
            received += sock.recv(65536)
    for sock in warm + streams:
        sock.close()
    wait_for(lambda: process.num_fds() < 200, what="the sockets to be given back")


def _connect(port: int, request: bytes) -> socket.socket:
    sock = socket.create_connection(("127.0.0.1", port), timeout=20)
    sock.sendall(request)
    received = b""
    while b"event: hello" not in received:
        received += sock.recv(4096)
    return sock


def _deaf(town: Town) -> socket.socket:
    """Open a stream with a small buffer and read nothing of it but its greeting."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.connect(("127.0.0.1", town.site.port))
    cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in town.bob.http.cookies)
    path = f"/events?room={town.room}&after={town.bob.cursor(town.room)}"
    sock.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{town.site.port}\r\nCookie: {cookies}\r\n\r\n".encode())
    received = b""
    while b"event: hello" not in received:
        received += sock.recv(256)
    return sock
