"""People who use Confab over HTTP, as a browser without script would."""

from __future__ import annotations

import itertools
import re
import secrets
import socket
import threading
import time
from dataclasses import dataclass, field
from typing import Any, ClassVar
from urllib.parse import urlsplit

import requests
from bs4 import BeautifulSoup

PASSWORD = "a quiet lamp over the bay"
_numbers = itertools.count(1)


class Person:
    """Somebody with a browser: cookies, and the token of the last page."""

    def __init__(self, url: str, name: str = "", email: str = "") -> None:
        self.url = url
        self.name = name or f"Person {next(_numbers)}"
        self.email = email or f"{secrets.token_hex(4)}@example.org"
        self.http = requests.Session()
        self.token = ""
        self.id = ""

    # -- requests

    def get(self, path: str, **options: Any) -> requests.Response:
        options.setdefault("allow_redirects", False)
        response = self.http.get(self.url + path, timeout=20, **options)
        self._learn(response)
        return response

    def post(self, path: str, htmx: bool = False, csrf: str | None = None, **data: Any) -> requests.Response:
        """Send a form; ``files`` among the fields is passed on as such, ``csrf`` is sent instead of the right token."""
        files = data.pop("files", None)
        token = self.token if csrf is None else csrf
        headers = {"HX-Request": "true", "X-CSRFToken": token} if htmx else {}
        fields = {"csrf_token": token} | data
        response = self.http.post(
            self.url + path, data=fields, files=files, headers=headers, allow_redirects=False, timeout=20
        )
        self._learn(response)
        return response

    def page(self, path: str) -> BeautifulSoup:
        response = self.get(path)
        assert response.status_code == 200, (path, response.status_code, response.text[:500])
        return BeautifulSoup(response.text, "html.parser")

    def _learn(self, response: requests.Response) -> None:
        if response.headers.get("Content-Type", "").startswith("text/html"):
            found = re.search(r'name="csrf-token" content="([^"]+)"', response.text)
            if found:
                self.token = found[1]
            found = re.search(r'name="viewer" content="([^"]+)"', response.text)
            if found:
                self.id = found[1]

    # -- what people do

    def set_up(self, link: str) -> Person:
        parts = urlsplit(link)
        self.get(f"{parts.path}?{parts.query}")
        secret = parts.query.partition("=")[2]
        response = self.post("/setup", name=self.name, email=self.email, password=PASSWORD, token=secret)
        assert response.status_code == 303, response.text
        return self._arrive()

    def sign_up(self, **more: str) -> Person:
        self.get("/sign-up")
        response = self.post("/sign-up", name=self.name, email=self.email, password=PASSWORD, **more)
        assert response.status_code == 303, response.text
        return self._arrive()

    def sign_in(self, password: str = PASSWORD) -> Person:
        self.get("/sign-in")
        response = self.post("/sign-in", email=self.email, password=password)
        assert response.status_code == 303, response.text
        return self._arrive()

    def elsewhere(self, url: str = "") -> Person:
        """The same person in another browser, or at another process."""
        other = Person(url or self.url, self.name, self.email)
        return other.sign_in()

    def _arrive(self) -> Person:
        self.get("/rooms")
        return self

    def make_room(self, name: str = "lamp-room", kind: str = "group") -> str:
        response = self.post("/rooms", name=name, kind=kind)
        assert response.status_code == 303, response.text
        return response.headers["Location"].rsplit("/", 1)[1]

    def add(self, room: str, person: Person) -> None:
        assert self.post(f"/rooms/{room}/members", person=person.id).status_code == 303

    def say(self, room: str, body: str, client_id: str = "") -> Said:
        response = self.post(
            f"/rooms/{room}/messages", htmx=True, body=body, client_id=client_id or secrets.token_hex(8)
        )
        assert response.status_code == 201, (response.status_code, response.text)
        return Said(response.headers["Location"].rsplit("/", 1)[1], int(response.headers["Chat-Seq"]), body)

    def cursor(self, room: str) -> str:
        return str(self.page(f"/rooms/{room}").find(attrs={"data-cursor": True})["data-cursor"])

    def listen(self, *rooms: str, after: dict[str, str] | None = None, headers: dict[str, str] | None = None) -> Stream:
        """Open a stream; ``after`` gives cursors by room, otherwise the page's are taken."""
        pairs = [f"room={room}&after={(after or {}).get(room) or self.cursor(room)}" for room in rooms]
        return Stream(self, f"/events?{'&'.join(pairs)}", headers)


@dataclass
class Said:
    """A message that was posted."""

    id: str
    seq: int
    body: str


@dataclass
class Event:
    """One event of a stream."""

    name: str
    data: str
    id: str = ""
    at: float = field(default_factory=time.monotonic)

    @property
    def seq(self) -> int:
        return int(self.id.rsplit(".", 1)[1])


class Stream:
    """An open event stream, read by a thread into a list. Speaks HTTP itself, to see every byte."""

    #: Every stream of the current test, closed at its end.
    opened: ClassVar[list[Stream]] = []

    def __init__(self, person: Person, path: str, headers: dict[str, str] | None = None, small: bool = False) -> None:
        host = urlsplit(person.url)
        self.events: list[Event] = []
        self.raw = b""
        self.ended = False
        self.arrived = threading.Condition()
        Stream.opened.append(self)
        self.socket = socket.create_connection((host.hostname, host.port), timeout=30)
        if small:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in person.http.cookies)
        lines = [f"GET {path} HTTP/1.1", f"Host: {host.netloc}", f"Cookie: {cookies}", "Accept: text/event-stream"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        self.socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        head = b""
        while b"\r\n\r\n" not in head:
            piece = self.socket.recv(1)
            if not piece:
                break
            head += piece
        self.status = int(head.split(b" ", 2)[1]) if head else 0
        self.headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:] if ": " in line)
        self._rest = b""
        self.socket.settimeout(None)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        while True:
            try:
                piece = self.socket.recv(65536)
            except OSError:
                piece = b""
            with self.arrived:
                if not piece:
                    self.ended = True
                    self.arrived.notify_all()
                    return
                self.raw += piece
                *blocks, self._rest = (self._rest + piece).split(b"\n\n")
                self.events.extend(_event(block) for block in blocks if block)
                self.arrived.notify_all()

    def wait(self, check, seconds: float = 5.0, what: str = "an event") -> Any:
        """Wait until ``check(events)`` is true and return it."""
        end = time.monotonic() + seconds
        with self.arrived:
            while not (found := check(self.events)):
                rest = end - time.monotonic()
                if rest <= 0 or self.ended:
                    names = [(event.name, event.id, event.data[:80]) for event in self.events]
                    raise AssertionError(f"no {what} within {seconds} s (ended: {self.ended}); got {names}")
                self.arrived.wait(rest)
            return found

    def next(self, name: str, seconds: float = 5.0, containing: str = "") -> Event:
        """Wait for an event of a name whose data contains something."""
        return self.wait(
            lambda events: next((each for each in events if each.name == name and containing in each.data), None),
            seconds,
            f"{name} containing {containing!r}",
        )

    def until(self, seq: int, seconds: float = 5.0) -> list[Event]:
        """Wait until the log has come up to ``seq``; return its events."""
        self.wait(lambda events: any(each.seq >= seq for each in self.logged), seconds, f"seq {seq}")
        return self.logged

    def wait_end(self, seconds: float = 5.0) -> None:
        """Wait until the server has ended the stream."""
        end = time.monotonic() + seconds
        with self.arrived:
            while not self.ended:
                rest = end - time.monotonic()
                assert rest > 0, f"the stream did not end within {seconds} s"
                self.arrived.wait(rest)

    @property
    def logged(self) -> list[Event]:
        """What came of the rooms' logs; the greeting has an id, too, the one to begin with."""
        return [event for event in self.events if event.id and event.name != "hello"]

    @property
    def last_id(self) -> str:
        return self.logged[-1].id

    def close(self) -> None:
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.socket.close()
        self._reader.join(5)


def _event(block: bytes) -> Event:
    name, identity, data = "message", "", []
    for line in block.decode().split("\n"):
        label, _, value = line.partition(": ")
        if label == "event":
            name = value
        elif label == "id":
            identity = value
        elif label == "data":
            data.append(value)
    return Event(name, "\n".join(data), identity)
