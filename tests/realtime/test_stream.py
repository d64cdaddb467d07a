"""The event stream over real sockets: it resumes by cursor, misses nothing and repeats nothing."""

from __future__ import annotations

import socket

import pytest

from tests.conftest import Town, populate
from tests.people import Event, Stream
from tests.services import Site, wait_for


@pytest.fixture
def town(quarter: Town) -> Town:
    return quarter


def seqs(events: list[Event]) -> list[int]:
    return [event.seq for event in events]


def test_it_shows_what_happens_in_order(town: Town):
    stream = town.bob.listen(town.room)
    said = [town.alice.say(town.room, f"number {n}") for n in range(20)]
    events = stream.until(said[-1].seq)
    assert seqs(events) == [each.seq for each in said]
    assert [event.name for event in events] == ["message.posted"] * 20
    assert all(f"message_{each.id}" in event.data for each, event in zip(said, events, strict=True))


def test_it_greets_with_a_time_to_come_back(town: Town):
    stream = town.bob.listen(town.room)
    stream.next("hello")
    first = stream.raw.split(b"\n\n")[0].decode()
    retry = int(first.split("retry: ")[1].split("\n")[0])
    assert 1000 <= retry <= 4000


@pytest.mark.parametrize("way", ["door", "flask"])
def test_it_goes_on_after_a_cut_from_the_cursor(town: Town, way: str):
    stream = town.bob.listen(town.room)
    first = town.alice.say(town.room, "before")
    stream.until(first.seq)
    cursor = stream.last_id
    stream.close()
    second = town.alice.say(town.room, "while away")
    town.alice.post(f"/messages/{first.id}/edit", body="changed meanwhile")
    town.alice.post(f"/messages/{second.id}/delete")
    if way == "flask":  # without its ticket a request goes the long way
        del town.bob.http.cookies["confab-ticket"]
    resumed = town.bob.listen(town.room, after={town.room: cursor})
    events = resumed.until(first.seq + 3)
    assert [(event.seq, event.name) for event in events] == [
        (first.seq + 1, "message.posted"),
        (first.seq + 2, "message.edited"),
        (first.seq + 3, "message.deleted"),
    ]
    assert "changed meanwhile" in events[1].data
    assert b"while away" not in resumed.raw, "a deleted text came back"


def test_it_opens_on_a_connection_that_served_a_page(site: Site):
    """As browsers come, which keep connections; it must not cost them a way through the application."""
    town = populate(site)
    cursor = town.bob.cursor(town.room)
    said = town.alice.say(town.room, "on a kept connection")
    cookies = "; ".join(f"{each.name}={each.value}" for each in town.bob.http.cookies)
    with socket.create_connection(("127.0.0.1", town.site.port), timeout=10) as sock:
        for path in ("/healthz", "/healthz", f"/events?room={town.room}&after={cursor}"):
            sock.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookies}\r\n\r\n".encode())
            data = b""
            while (said.id.encode() if path.startswith("/events") else b"\r\n\r\n") not in data:
                piece = sock.recv(65536)
                assert piece, data
                data += piece
    assert b"HTTP/1.1 200" in data
    assert b"text/event-stream" in data
    assert '"GET /healthz" status=200' in town.site.output()
    assert "GET /events" not in town.site.output()


def test_the_cursor_in_the_address_beats_the_one_in_the_header(town: Town):
    old = town.bob.cursor(town.room)
    for n in range(3):
        town.alice.say(town.room, str(n))
    new = town.bob.cursor(town.room)
    by_header = Stream(town.bob, f"/events?room={town.room}", {"Last-Event-ID": old})
    assert len(by_header.until(int(new.rsplit(".", 1)[1]))) == 3
    by_address = Stream(town.bob, f"/events?room={town.room}&after={new}", {"Last-Event-ID": old})
    last = town.alice.say(town.room, "last")
    assert seqs(by_address.until(last.seq)) == [last.seq]


def test_two_rooms_come_on_one_stream(town: Town):
    other = town.alice.make_room("night sky")
    town.alice.add(other, town.bob)
    stream = town.bob.listen(town.room, other)
    here = town.alice.say(town.room, "in one")
    there = town.alice.say(other, "in the other")
    stream.wait(lambda events: len(stream.logged) == 2)
    assert {event.id.split(".")[0]: event.seq for event in stream.logged} == {town.room: here.seq, other: there.seq}


@pytest.mark.parametrize(
    "cursor",
    [
        "nonsense",
        "{room}.wrong.1",
        "{room}.{epoch}.999999",
        "{room}.{epoch}.-1",
        "{other}.{epoch}.1",
        "..",
        "%0d%0aid:%201",
    ],
)
def test_a_cursor_that_says_nothing_is_reset(town: Town, cursor: str):
    epoch = town.bob.cursor(town.room).split(".")[1]
    asked = cursor.format(room=town.room, epoch=epoch, other="a" * 16)
    stream = Stream(town.bob, f"/events?room={town.room}&after={asked}")
    assert stream.status == 200
    assert stream.next("reset").data == f'{{"room": "{town.room}"}}'
    town.alice.say(town.room, "not for a stream that was reset")
    assert not stream.logged


def test_a_reset_ends_one_room_only(town: Town):
    other = town.alice.make_room("night sky")
    town.alice.add(other, town.bob)
    stream = Stream(town.bob, f"/events?room={town.room}&after=nonsense&room={other}&after={town.bob.cursor(other)}")
    stream.next("reset", containing=town.room)
    said = town.alice.say(other, "still here")
    assert seqs(stream.until(said.seq)) == [said.seq]


def test_more_than_five_hundred_behind_is_reset(town: Town):
    cursor = town.bob.cursor(town.room)
    for n in range(501):
        town.alice.say(town.room, str(n))
    stream = Stream(town.bob, f"/events?room={town.room}&after={cursor}")
    stream.next("reset")
    near = cursor.rsplit(".", 1)[0] + f".{int(cursor.rsplit('.', 1)[1]) + 2}"
    close_enough = Stream(town.bob, f"/events?room={town.room}&after={near}")
    assert len(close_enough.until(int(near.rsplit(".", 1)[1]) + 499)) == 499


def test_a_head_request_is_answered_without_a_stream(town: Town):
    assert town.bob.http.head(f"{town.site.url}/events?room={town.room}", timeout=5).status_code == 200


def test_a_stream_is_never_kept_nor_buffered(town: Town):
    for cookies in ("with its ticket", "without"):
        if cookies == "without":
            del town.bob.http.cookies["confab-ticket"]
        stream = Stream(town.bob, f"/events?room={town.room}")
        assert stream.headers["Content-Type"] == "text/event-stream; charset=utf-8"
        assert "no-store" in stream.headers["Cache-Control"]
        assert stream.headers["X-Accel-Buffering"] == "no"
        assert stream.headers["X-Content-Type-Options"] == "nosniff"
        assert "Content-Encoding" not in stream.headers
        stream.close()


def test_the_server_says_bye_before_it_stops(site: Site):
    town = populate(site)
    stream = town.bob.listen(town.room)
    stream.next("hello")
    town.site.process.process.terminate()
    stream.next("bye")
    stream.wait_end()
    assert b"retry: " in stream.raw.rsplit(b"\n\n", 2)[1]
    assert town.site.process.process.wait(5) == 0


def test_a_killed_server_is_resumed_without_loss(site: Site):
    town = populate(site)
    stream = town.bob.listen(town.room)
    first = town.alice.say(town.room, "before the power cut")
    stream.until(first.seq)
    town.site.kill()
    stream.wait_end()
    town.site.start()
    second = town.alice.say(town.room, "after it")
    resumed = Stream(town.bob, f"/events?room={town.room}&after={stream.last_id}")
    assert seqs(resumed.until(second.seq)) == [second.seq]


def test_what_another_process_writes_is_found_by_the_sweep(site: Site):
    town = populate(site)
    stream = town.bob.listen(town.room)
    stream.next("hello")
    code = (
        "from app import create_app\n"
        "from chat.messages import service\nfrom chat.accounts import queries\n"
        "app = create_app()\n"
        "with app.app_context():\n"
        f"    alice = queries.get_user({town.alice.id!r}).context\n"
        f"    service.post_message({town.room!r}, alice, 'from the command line', 'from-a-shell')\n"
    )
    done = town.site.python(code)
    assert done.returncode == 0, done.stderr
    stream.next("message.posted", seconds=10, containing="from the command line")


def test_another_wsgi_server_streams_too(site: Site):
    """Under `flask run` there is no door and no hub socket: the same view yields."""
    town = populate(site)
    import os
    import sys

    from tests.people import Person
    from tests.services import ROOT, Process, free_port

    town.site.stop()
    port = free_port()
    env = os.environ | town.site.settings | {"PORT": str(port)}
    command = [sys.executable, "-m", "flask", "--app", "app", "run", "--port", str(port)]
    server = Process(command, env=env, cwd=ROOT, log=town.site.folder / "flask.log")
    try:
        person = Person(f"http://127.0.0.1:{port}", town.bob.name, town.bob.email)
        wait_for(lambda: _answers(person), what="flask run")
        person.sign_in()
        stream = person.listen(town.room)
        stream.next("hello")
        said = person.say(town.room, "one thread each")
        assert seqs(stream.until(said.seq)) == [said.seq]
        stream.close()
    finally:
        server.stop()


def _answers(person) -> bool:
    import requests

    try:
        return person.get("/healthz").ok
    except requests.RequestException:
        return False
