"""Measures the harm of small attacks on a server that is reached directly: what others notice, and what memory they take.

While each attack goes on, somebody at another address asks for ``/healthz`` on a new connection ten times a second; a
try that is not answered in ten seconds counts as ten. The memory is that of the server's process, before, at most, and four
seconds after the attacker has gone. ``--tree PATH`` measures the server of another checkout with the same attacks.
"""

from __future__ import annotations

import io
import multiprocessing
import os
import selectors
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from statistics import median
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from bench.stage import PAGE, on_server_core, take_sides
from tests.people import Person
from tests.services import ROOT, Site

SECONDS = 10.0
#: Where the others come from; attackers are 127.1.*.
ELSEWHERE = "127.9.9.9"
LONGEST = 10.0
#: Seconds until the memory is looked at again.
AFTER = 4.0
HOST = b"Host: 127.0.0.1\r\n"

tree = ROOT


def run() -> str:
    """Return the table of all attacks: answers to others, memory, connections."""
    take_sides()
    rows = [
        f"| attack, {SECONDS:g} s; {commit()} | /healthz from elsewhere: p50 | p99 | worst, ms | MB before, most, after | |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name, attack in CONNECTIONS.items():
        with started() as site:
            rows.append(measured(name, site, attack))
            print(rows[-1], file=sys.stderr, flush=True)
    for name, by_people in PEOPLE.items():
        with started() as site:
            rows.append(by_people(name, site))
            print(rows[-1], file=sys.stderr, flush=True)
    return "\n".join(rows) + "\n"


def commit() -> str:
    """Return which state of the code is measured."""
    done = subprocess.run(["git", "-C", str(tree), "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    return done.stdout.strip() or "unknown"


@contextmanager
def started() -> Iterator[Site]:
    """Start a server for one attack, for memory that was taken may be kept."""
    with tempfile.TemporaryDirectory(prefix="confab-attacks-") as folder:
        command = on_server_core(sys.executable, "wsgi.py")
        site = Site(Path(folder), command=command, tree=tree, RATE_LIMITS="on")
        try:
            yield site
        finally:
            site.kill()


# -- measuring


class Watch:
    """Asks for ``/healthz`` from elsewhere, and looks at the memory of the server, until told to stop."""

    def __init__(self, site: Site) -> None:
        self.taken: list[float] = []
        self._site = site
        for _ in range(10):
            asked(site.port)
        self.before = self.most = resident(site)
        self._over = threading.Event()
        self._threads = [threading.Thread(target=each) for each in (self._ask, self._look)]
        for each in self._threads:
            each.start()

    def _ask(self) -> None:
        while not self._over.is_set():
            self.taken.append(asked(self._site.port))
            time.sleep(0.1)

    def _look(self) -> None:
        while not self._over.is_set():
            self.most = max(self.most, resident(self._site))
            time.sleep(0.05)

    def stop(self) -> None:
        """End the watching."""
        self._over.set()
        for each in self._threads:
            each.join()

    def row(self, name: str, note: str) -> str:
        """Return the figures of one attack; to be called when it is over."""
        self.stop()
        time.sleep(AFTER)
        after = resident(self._site)
        taken = sorted(self.taken)
        worst, p99 = taken[-1], taken[min(len(taken) - 1, int(len(taken) * 0.99))]
        memory = f"{self.before / 1e6:.0f}, {self.most / 1e6:.0f}, {after / 1e6:.0f}"
        figures = " | ".join(f"{1000 * each:.0f}" for each in (median(taken), p99, worst))
        return f"| {name} | {figures} | {memory} | {note} |"


def asked(port: int) -> float:
    """Return the seconds until ``/healthz`` is answered on a new connection; LONGEST when it is not."""
    start = time.monotonic()
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=LONGEST, source_address=(ELSEWHERE, 0)) as sock:
            sock.sendall(b"GET /healthz HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n")
            sock.settimeout(LONGEST)
            good = sock.recv(1000).startswith(b"HTTP/1.1 200")
    except OSError:
        good = False
    return min(LONGEST, time.monotonic() - start) if good else LONGEST


def resident(site: Site) -> int:
    """Return the memory of the server's process."""
    return int(Path(f"/proc/{site.process.pid}/statm").read_text().split()[1]) * PAGE


Attack = Callable[[int, Any], None]


def measured(name: str, site: Site, attack: Attack) -> str:
    """Run an attack in a process of its own, and return the figures of it."""
    watch = Watch(site)
    seen = multiprocessing.Manager().dict()
    attacker = multiprocessing.get_context("fork").Process(target=_attack, args=(attack, site.port, seen))
    attacker.start()
    time.sleep(SECONDS)
    attacker.kill()
    attacker.join()
    return watch.row(name, str(seen.get("note", "")))


def _attack(attack: Attack, port: int, seen: Any) -> None:
    os.nice(10)  # or whoever looks on would wait for the attacker, on the core that they share
    with suppress(KeyboardInterrupt):
        attack(port, seen)


# -- attackers without an account


class Client:
    """One connection of an attacker that says things again and again, or once, and reads or does not."""

    def __init__(self, port: int, source: str, said: bytes, again: bytes = b"", reads: bool = False) -> None:
        self.sock = socket.socket()
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if not reads:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.sock.bind((source, 0))
        self.sock.setblocking(False)
        self.sock.connect_ex(("127.0.0.1", port))
        self.rest, self.again, self.reads = memoryview(said), again, reads

    def go_on(self, events: int) -> bool:
        """Say what can be said; return whether the connection still is."""
        try:
            if events & selectors.EVENT_READ and not self.sock.recv(65536):
                return False
            if events & selectors.EVENT_WRITE:
                if not self.rest and self.again:
                    self.rest = memoryview(self.again)
                self.rest = self.rest[self.sock.send(self.rest[:262144]) :]
        except BlockingIOError:
            return True
        except OSError:
            return False
        return True

    @property
    def wants(self) -> int:
        """Return the selector events of this connection."""
        talks = selectors.EVENT_WRITE if self.rest or self.again else 0
        return talks | (selectors.EVENT_READ if self.reads or not talks else 0)


def crowd(make: Callable[[int], Client], count: int, seen: Any, reopen: bool = True) -> None:
    """Keep so many connections open, each as ``make`` says; what is ended is opened anew."""
    selector = selectors.DefaultSelector()
    ended = 0

    def add(number: int) -> None:
        with suppress(OSError):
            client = make(number)
            selector.register(client.sock, client.wants or selectors.EVENT_READ, (number, client))

    for number in range(count):
        add(number)
    told = time.monotonic()
    while True:
        for key, events in selector.select(0.2):
            number, client = key.data
            if not client.reads and not client.rest and not client.again and not events & selectors.EVENT_READ:
                selector.unregister(client.sock)  # it never reads; its end is noticed by nobody
                selector.register(client.sock, selectors.EVENT_READ, key.data)
                continue
            if not client.reads and not client.again and events & selectors.EVENT_READ and not client.rest:
                # Bytes that are never taken, or the end: look without taking.
                try:
                    gone = not client.sock.recv(1, socket.MSG_PEEK)
                except OSError:
                    gone = True
                selector.unregister(client.sock)
                if not gone:
                    _kept.append(client)
                    continue
            elif client.go_on(events):
                if client.wants and client.wants != key.events:
                    selector.modify(client.sock, client.wants, key.data)
                continue
            else:
                selector.unregister(client.sock)
            client.sock.close()
            ended += 1
            if reopen:
                add(number)
        if time.monotonic() - told > 0.5:
            told = time.monotonic()
            seen["note"] = f"{ended} connections ended"


_kept: list[Client] = []


def large_heads(port: int, seen: Any) -> None:
    """S4: heads of six megabytes."""
    said = b"GET / HTTP/1.1\r\n" + HOST + b"".join(b"X-%d: %s\r\n" % (n, b"y" * 65_000) for n in range(96))
    crowd(lambda n: Client(port, "127.1.0.1", said), 300, seen, reopen=False)


def _script() -> bytes:
    largest = max((tree / "static").rglob("*.js"), key=lambda each: each.stat().st_size)
    return b"GET /static/x/%s HTTP/1.1\r\n" % str(largest.relative_to(tree / "static")).encode() + HOST + b"\r\n"


def deaf(networks: int) -> Attack:
    """S5: a thousand connections ask for the largest script twelve times each and never read."""

    def attack(port: int, seen: Any) -> None:
        said = _script() * 12
        sources = ["127.1.0.2", "127.1.0.3"] if networks == 1 else [f"127.1.{n}.2" for n in range(networks)]
        crowd(lambda n: Client(port, sources[n % len(sources)], said), 1000, seen)

    return attack


def slow(said: bytes, count: int, networks: int = 1) -> Attack:
    """Say the beginning of something and nothing more; who is ended comes again."""

    def attack(port: int, seen: Any) -> None:
        sources = [f"127.1.{n % networks}.{2 + n % 2}" for n in range(2 * networks)]
        crowd(lambda n: Client(port, sources[n % len(sources)], said), count, seen)

    return attack


def flood(said: bytes, count: int) -> Attack:
    """Ask again as fast as answers come, many requests in one piece."""

    def attack(port: int, seen: Any) -> None:
        crowd(lambda n: Client(port, "127.1.0.2", said, again=said, reads=True), count, seen)

    return attack


_POST = b"POST /sign-in HTTP/1.1\r\n" + HOST + b"Content-Type: application/x-www-form-urlencoded\r\n"
_FIELDS = b"&".join([b"a"] * 120_000)

CONNECTIONS: dict[str, Attack] = {
    "S4: heads of 6 MB, 300 connections, one address": large_heads,
    "S5: 1,000 never read, two addresses": deaf(1),
    "S5: 1,000 never read, ten networks": deaf(10),
    "3,000 that say nothing, two addresses": slow(b"", 3000),
    "1,000 slow heads, ten networks": slow(b"GET / HTTP/1.1\r\nHost: ", 1000, 10),
    "1,000 slow bodies, ten networks": slow(_POST + b"Content-Length: 200000\r\n\r\na=b", 1000, 10),
    "bodies without an end, 50 connections": flood(
        _POST + b"Content-Length: 1000000000000\r\n\r\n" + b"x" * 500_000, 50
    ),
    "forms of 120,000 fields, 16 connections": flood(
        _POST + b"Content-Length: %d\r\n\r\n" % len(_FIELDS) + _FIELDS, 16
    ),
    "/sign-in as fast as it goes, 200 connections": flood((b"GET /sign-in HTTP/1.1\r\n" + HOST + b"\r\n") * 20, 200),
}


# -- attackers with an account


class From(HTTPAdapter):
    """Connects from one address."""

    def __init__(self, source: str) -> None:
        self._source = source
        super().__init__()

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        """Make every new connection come from the address."""
        super().init_poolmanager(*arguments, source_address=(self._source, 0), **options)


def person(site: Site, number: int) -> Person:
    """Return somebody who has just signed up, from a network of their own."""
    found = Person(site.url, f"Somebody {number}")
    found.http.mount("http://", From(f"127.1.{number}.5"))
    return found.sign_up()


def many_streams(name: str, site: Site) -> str:
    """One person opens six hundred streams."""
    attacker = person(site, 1)
    cookies = "; ".join(f"{each.name}={each.value}" for each in attacker.http.cookies)
    said = b"GET /events HTTP/1.1\r\n" + HOST + f"Cookie: {cookies}\r\n\r\n".encode()
    return measured(name, site, slow(said, 600))


def expensive_texts(name: str, site: Site) -> str:
    """S11: three accounts send texts that take long to render, within their limits, in a room of their own."""
    attackers = [person(site, number) for number in (1, 2, 3)]
    room = attackers[0].make_room("A room", "open")
    for each in attackers[1:]:
        each.post(f"/rooms/{room}/join")
    bodies = [("\n\n&" * 3400)[:10_000], ("\na@" * 3400)[:10_000], ("\n\n(" * 3400)[:10_000], "\\" * 10_000]
    stream = attackers[0].listen(room)  # or nothing would be rendered before the page is
    watch = Watch(site)
    over = time.monotonic() + SECONDS
    sent = [0]

    def send(who: Person) -> None:
        number = 0
        while time.monotonic() < over:
            answer = who.post(
                f"/rooms/{room}/messages", htmx=True, body="x" + bodies[number % 4][1:-1] + f"{number:02}"[-1],
                client_id=f"{who.id}-{number:06}",
            )  # fmt: skip
            number += 1
            sent[0] += answer.status_code == 201
            time.sleep(0.5 if answer.status_code == 201 else 1)

    together([lambda who=each: send(who) for each in attackers])
    stream.close()
    start = time.monotonic()
    attackers[0].get(f"/rooms/{room}")
    return watch.row(name, f"{sent[0]} sent; the room's page then takes {1000 * (time.monotonic() - start):.0f} ms")


def moving_picture() -> bytes:
    """Return 190 frames of 700 × 700 in a few kilobytes."""
    from PIL import Image

    frames = []
    for number in range(190):
        frame = Image.new("RGB", (700, 700), "white")
        frame.putpixel((number, number), (0, 0, 0))
        frames.append(frame)
    file = io.BytesIO()
    frames[0].save(file, "WEBP", save_all=True, append_images=frames[1:], duration=40, lossless=True, method=0)
    return file.getvalue()


def small_picture() -> bytes:
    """Return a picture that takes no time."""
    from PIL import Image

    file = io.BytesIO()
    Image.new("RGB", (40, 40), "teal").save(file, "PNG")
    return file.getvalue()


def heavy_pictures(name: str, site: Site) -> str:
    """S12: one account sends 24 moving pictures at once; somebody else sends a small one."""
    attacker, other = person(site, 1), person(site, 2)
    rooms = [each.make_room("A room") for each in (attacker, other)]
    heavy, light = moving_picture(), small_picture()
    watch = Watch(site)
    outcome: list[str] = []

    def send(number: int) -> None:
        fields = {"csrf_token": attacker.token, "body": "", "client_id": f"heavy-{number:06}"}
        with suppress(requests.RequestException), requests.Session() as session:
            session.cookies.update(attacker.http.cookies)
            session.mount("http://", From("127.1.1.5"))
            session.post(
                f"{site.url}/rooms/{rooms[0]}/messages", data=fields, files={"image": ("a.webp", heavy, "image/webp")},
                timeout=60, allow_redirects=False,
            )  # fmt: skip

    def look_on() -> None:
        time.sleep(2)
        start = time.monotonic()
        answer = other.http.post(
            f"{site.url}/rooms/{rooms[1]}/messages", timeout=60, allow_redirects=False,
            data={"csrf_token": other.token, "body": "", "client_id": "light-000001"},
            files={"image": ("a.png", light, "image/png")},
        )  # fmt: skip
        outcome.append(f"another's small picture: {answer.status_code} after {time.monotonic() - start:.1f} s")

    threads = [threading.Thread(target=send, args=(number,), daemon=True) for number in range(24)]
    for each in threads:
        each.start()
    look_on()
    return watch.row(name, f"{len(heavy) // 1024} KB each; {outcome[0]}")


def together(works: list[Callable[[], None]]) -> None:
    """Do several things at the same time."""
    threads = [threading.Thread(target=work) for work in works]
    for each in threads:
        each.start()
    for each in threads:
        each.join()


PEOPLE: dict[str, Callable[[str, Site], str]] = {
    "600 streams of one person": many_streams,
    "S11: texts that are slow to render, three accounts": expensive_texts,
    "S12: 24 moving pictures at once, one account": heavy_pictures,
}
