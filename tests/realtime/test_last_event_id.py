"""Whoever comes back with the last id they heard, and with nothing else, loses nothing and hears nothing twice.

That is all an ``EventSource`` knows: its address, which it cannot change, and one id for all rooms of the stream.
"""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest

from tests.conftest import Town, populate
from tests.people import Event, Person, Said, Stream
from tests.services import Site


class Simple:
    """A client that keeps an address and the last id, as the standard says (WHATWG HTML, 9.2)."""

    def __init__(self, person: Person, path: str, last_id: str = "") -> None:
        self.person, self.path, self.last_id = person, path, last_id
        self.heard: list[Event] = []
        self.open()

    def open(self) -> None:
        self.stream = Stream(self.person, self.path, {"Last-Event-ID": self.last_id} if self.last_id else None)
        assert self.stream.status == 200
        self.stream.next("hello")

    def hears(self, *said: Said) -> None:
        for each in said:
            self.stream.next("message.posted", containing=f"message_{each.id}")

    def cut(self) -> None:
        self.stream.close()
        for event in self.stream.events:
            self.last_id = event.id or self.last_id
        self.heard += self.stream.events

    def again(self) -> None:
        self.cut()
        self.open()

    def posted(self) -> list[str]:
        """The messages heard, each as often as it was."""
        events = [event for event in self.heard + self.stream.events if event.name == "message.posted"]
        return [event.data.split('id="message_')[1].split('"')[0] for event in events]

    def resets(self) -> list[str]:
        return [event.data for event in self.heard + self.stream.events if event.name == "reset"]


@pytest.fixture
def town(quarter: Town) -> Town:
    return quarter


def other_room(town: Town) -> str:
    room = town.alice.make_room("night sky")
    town.alice.add(room, town.bob)
    return room


@pytest.mark.parametrize("way", ["door", "flask"])
def test_one_id_stands_for_every_room(town: Town, way: str):
    other = other_room(town)
    if way == "flask":
        del town.bob.http.cookies["confab-ticket"]
    client = Simple(town.bob, f"/events?room={town.room}&room={other}")
    said = [town.alice.say(room, f"heard {n}") for n, room in enumerate([town.room, other, town.room])]
    client.hears(*said)
    client.cut()
    missed = [town.alice.say(room, f"missed {n}") for n, room in enumerate([town.room, other, other])]
    client.open()
    client.hears(*missed)
    client.again()
    last = [town.alice.say(room, "last") for room in (town.room, other)]
    client.hears(*last)
    assert sorted(client.posted()) == sorted(each.id for each in said + missed + last)
    assert client.resets() == []


def test_the_id_of_any_frame_will_do(town: Town):
    """A cut may come after each of them, also in the middle of what is handed over at once."""
    rooms = [town.room, other_room(town), other_room(town)]
    client = Simple(town.bob, "/events?" + "&".join(f"room={room}" for room in rooms))
    client.cut()
    begin = client.last_id
    said = [town.alice.say(rooms[n % 3], f"number {n}") for n in range(9)]
    client.open()
    client.hears(*said)
    events = client.stream.logged
    assert len(events) == 9
    for heard, event in enumerate(events, start=1):
        room, _, seq = event.id.split(".")
        assert f'data-seq="{seq}"' in event.data
        assert any(each.id in event.data for each in said if each.seq == int(seq)), room
        resumed = Simple(town.bob, client.path, event.id)
        rest = {event.data for event in events[heard:]}
        resumed.stream.wait(lambda _, stream=resumed.stream, rest=rest: rest <= {each.data for each in stream.logged})
        assert len(resumed.stream.logged) == len(rest), "nothing twice"
        assert resumed.resets() == []
        resumed.cut()
    again = Simple(town.bob, client.path, begin)
    again.hears(*said)


def test_a_cut_before_the_first_message_loses_nothing(town: Town):
    for path in (f"/events?room={town.room}", f"/events?room={town.room}&room={other_room(town)}"):
        client = Simple(town.bob, path)
        client.cut()
        said = town.alice.say(town.room, "while away")
        client.open()
        client.hears(said)
        client.again()
        after = town.alice.say(town.room, "after")
        client.hears(after)
        assert client.posted() == [said.id, after.id]


def test_what_follows_the_cursor_in_the_address_comes_once(town: Town):
    other = other_room(town)
    for rooms in ([town.room], [town.room, other]):
        pairs = "&".join(f"room={room}&after={town.bob.cursor(room)}" for room in rooms)
        said = [town.alice.say(room, "t-1") for room in rooms]
        client = Simple(town.bob, f"/events?{pairs}")
        client.hears(*said)
        for n in (2, 3):
            client.again()
            more = [town.alice.say(room, f"t-{n}") for room in rooms]
            client.hears(*more)
            said += more
        assert sorted(client.posted()) == sorted(each.id for each in said)


def test_the_later_of_two_cursors_counts(town: Town):
    first = town.bob.cursor(town.room)
    said = [town.alice.say(town.room, str(n)) for n in range(3)]
    last = town.bob.cursor(town.room)
    room, epoch, _ = last.split(".")
    for address, header, expected in [
        (first, last, []),
        (last, first, []),
        (first, f"{room}.{epoch}.{said[1].seq}", [said[2].seq]),
        (first, f"{room}.elsewhere.{said[1].seq}", [each.seq for each in said]),
        (first, "nonsense", [each.seq for each in said]),
        (first, f"{'a' * 16}.{epoch}_{room}-{said[0].seq}.7", [said[1].seq, said[2].seq]),
    ]:
        stream = Stream(town.bob, f"/events?room={town.room}&after={address}", {"Last-Event-ID": header})
        stream.next("hello")
        marker = town.alice.say(town.room, "marker")
        seqs = [event.seq for event in stream.until(marker.seq) if event.seq <= said[2].seq]
        assert seqs == expected, (address, header)
        stream.close()


def test_what_cannot_be_continued_is_reset(town: Town):
    other = other_room(town)
    of_one = town.bob.cursor(town.room)
    room, epoch, seq = of_one.split(".")
    both = f"/events?room={town.room}&room={other}"
    for path, header, expected in [
        (both, of_one, {other}),
        (both, "nonsense", {town.room, other}),
        (both, f"{room}.elsewhere_{other}-1.{seq}", {town.room, other}),
        (both, f"{room}.{epoch}_{other}-999999.{seq}", {other}),
        (f"/events?room={town.room}", "nonsense", {town.room}),
        (f"/events?room={town.room}", f"{'a' * 16}.{epoch}.1", {town.room}),
        (f"{both}&after=nonsense", f"{room}.{epoch}_{other}-1.{seq}", {other}),
    ]:
        client = Simple(town.bob, path, header)
        marker = town.alice.say(town.room, "marker")
        if town.room not in expected:
            client.hears(marker)
        for each in expected:
            client.stream.next("reset", containing=each)
        assert len(client.resets()) == len(expected), (path, header)
        client.cut()


def test_a_room_that_was_reset_is_said_so_until_somebody_looks(town: Town):
    """The other one goes on meanwhile, and its ids never stand for more than was heard."""
    other = other_room(town)
    client = Simple(town.bob, f"/events?room={town.room}&after=nonsense&room={other}")
    for n in range(3):
        said = town.alice.say(other, f"number {n}")
        client.hears(said)
        client.again()
    client.stream.wait(lambda _: len(client.resets()) == 4)


def test_who_is_removed_hears_so_and_the_rest_goes_on(town: Town):
    other = other_room(town)
    client = Simple(town.bob, f"/events?room={town.room}&room={other}")
    before = [town.alice.say(room, "before") for room in (town.room, other)]
    client.hears(*before)
    town.alice.page(f"/rooms/{other}/members")
    assert town.alice.post(f"/rooms/{other}/members/{town.bob.id}/remove").status_code in (200, 303)
    client.stream.next("reset", containing=other)
    hidden = town.alice.say(other, "not for bob")
    client.again()
    client.stream.next("reset", containing=other)
    town.alice.add(other, town.bob)
    client.again()
    said = town.alice.say(town.room, "after")
    client.hears(said)
    assert hidden.id not in client.posted()[:3]
    assert client.posted().count(said.id) == 1


def test_a_cursor_of_several_rooms_is_one_in_the_address_too(town: Town):
    other = other_room(town)
    client = Simple(town.bob, f"/events?room={town.room}&room={other}")
    client.hears(town.alice.say(town.room, "a"), town.alice.say(other, "b"))
    client.cut()
    missed = town.alice.say(town.room, "c")
    last = client.last_id
    resumed = Simple(town.bob, f"/events?room={town.room}&after={last}&room={other}&after={last}")
    resumed.hears(missed)
    assert resumed.posted() == [missed.id]
    assert resumed.resets() == []


def test_a_slow_reader_of_many_rooms_gets_whole_frames(town: Town):
    """What a socket does not take at once is kept, and each id still says what was handed over before it."""
    rooms = [town.room, *(other_room(town) for _ in range(31))]
    path = "/events?" + "&".join(f"room={room}" for room in rooms)
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.connect(("127.0.0.1", town.site.port))
    cookies = "; ".join(f"{each.name}={each.value}" for each in town.bob.http.cookies)
    sock.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookies}\r\n\r\n".encode())
    received = sock.recv(256)
    said = [town.alice.say(rooms[n % 32], f"number {n} " + "x" * 3000) for n in range(96)]
    sock.settimeout(20)
    while received.count(b"event: message.posted") < 60 and (piece := sock.recv(65536)):
        received += piece
    sock.close()
    whole = received.rpartition(b"\n\n")[0]
    last = whole.rpartition(b"\nid: ")[2].split(b"\n")[0].decode()
    heard = [each for each in said if f'id="message_{each.id}"'.encode() in whole]
    assert len(last) < 1200
    client = Simple(town.bob, path, last)
    client.hears(*[each for each in said if each not in heard])
    assert sorted(client.posted()) == sorted(each.id for each in said if each not in heard)


def test_a_page_that_keeps_cursors_gets_no_more_than_before(town: Town):
    other = other_room(town)
    pairs = "&".join(f"room={room}&after={town.bob.cursor(room)}" for room in (town.room, other))
    stream = Stream(town.bob, f"/events?ids=frames&{pairs}")
    assert stream.next("hello").id == ""
    here, there = town.alice.say(town.room, "in one"), town.alice.say(other, "in the other")
    stream.wait(lambda _: len(stream.logged) == 2)
    epoch = town.bob.cursor(other).split(".")[1]
    assert {event.id for event in stream.logged} == {
        f"{town.room}.{epoch}.{here.seq}",
        f"{other}.{epoch}.{there.seq}",
    }


def test_the_flask_command_line_keeps_the_promise(tmp_path: Path):
    """``flask run`` has no hub of sockets: the same stream comes from a generator."""
    site = Site(tmp_path / "flask")
    try:
        town = populate(site)
        other = other_room(town)
        site.stop()
        site.command = [sys.executable, "-m", "flask", "--app", "app", "run", "--port", str(site.port)]
        site.start()
        client = Simple(town.bob, f"/events?room={town.room}&room={other}")
        client.cut()
        said = [town.alice.say(room, "while away") for room in (town.room, other)]
        client.open()
        client.hears(*said)
        client.again()
        last = town.alice.say(other, "last")
        client.hears(last)
        assert sorted(client.posted()) == sorted(each.id for each in [*said, last])
    finally:
        Stream.opened[-1].close()
        site.stop()
