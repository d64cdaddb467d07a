"""Where benches play: Confab on one core; the database, Redis and whoever makes the load on the other.

People, sessions, rooms and messages are written straight into the database, in the shape the services give them, because
ten thousand sign-ups would take longer than what is measured. From there on everything is real: a cookie that names a
session row, a ticket sealed with the key, memberships.
"""

from __future__ import annotations

import base64
import os
import resource
import sys
import tempfile
import time
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Any

from flask import Flask
from sqlalchemy import insert, select

from app import create_app
from chat.accounts.models import LoginSession, User
from chat.core import clock, ids, keys
from chat.core.bus import transaction
from chat.core.database import db
from chat.core.log import LogRow, epoch
from chat.messages.models import Message
from chat.realtime import tickets
from chat.rooms.models import Membership, Room
from chat.web import security
from config import Config
from tests.services import SECRET, Postgres, Redis, Site, free_port

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
#: The core of whatever is measured, and that of everything else.
SERVER, OTHERS = 0, 1


def take_sides() -> None:
    """Keep this process, and what it starts, off the core of the server; allow as many sockets as possible."""
    os.sched_setaffinity(0, {OTHERS})
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def on_server_core(*command: str) -> list[str]:
    """Return a command that runs on the core of what is measured."""
    return ["taskset", "-c", str(SERVER), *command]


def cpu(pid: int) -> float:
    """Return the seconds of processor time that a process and its threads have used, by the kernel's accounting."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory(pid: int) -> int:
    """Return the bytes of memory that are a process's own."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith(("Private_Dirty", "Private_Clean")))


class SlowPostgres(Postgres):
    """PostgreSQL as one would run it: with fsync, unlike that of the tests."""

    def start(self, *options: str) -> None:
        settings = ("fsync=on", "full_page_writes=on", "shared_buffers=256MB", "synchronous_commit=on")
        super().start(*(each for setting in settings for each in ("-c", setting)), *options)


@dataclass
class Guest:
    """Somebody with a browser that is signed in."""

    id: str
    name: str
    secret: str
    csrf: str
    ticket: str


@dataclass
class Place:
    """A room and who is in it."""

    id: str
    members: list[Guest]
    #: The cursor of its end when it was made.
    cursor: str


@dataclass
class Stage:
    """A running Confab."""

    database: str = "sqlite"
    redis: bool = False
    processes: int = 1
    settings: dict[str, str] = field(default_factory=dict)

    def __enter__(self) -> Stage:
        self._folder = tempfile.TemporaryDirectory(prefix="confab-stage-")
        folder = Path(self._folder.name)
        self.postgres = SlowPostgres() if self.database == "postgresql" else None
        self.redis_server = Redis() if self.redis or self.processes > 1 else None
        chosen = {"PORT": str(free_port())} | self.settings
        if self.postgres:
            chosen["DATABASE_URL"] = self.postgres.create("confab")
        if self.redis_server:
            chosen["REDIS_URL"] = self.redis_server.url
        if self.processes > 1:
            chosen["WORKERS"] = str(self.processes)
        self.site = Site(folder, command=self.command(), **chosen)
        self.app = self._beside(folder, chosen)
        return self

    def command(self) -> list[str]:
        """Return how the server is started."""
        cores = [] if self.processes > 1 else ["taskset", "-c", str(SERVER)]
        cores = cores or ["taskset", "-c", f"{SERVER},{OTHERS}"]
        return [*cores, sys.executable, "wsgi.py"]

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.site.stop()
        with self.app.app_context():
            db.session.remove()
            db.engine.dispose()
        if self.redis_server:
            self.redis_server.stop()
        if self.postgres:
            self.postgres.remove()
        self._folder.cleanup()

    def _beside(self, folder: Path, chosen: dict[str, str]) -> Flask:
        """Make an application on the same database that serves nobody, to write into it."""
        wanted = {"SECRET_KEY": SECRET, "INSTANCE_PATH": str(folder)}
        names = {name: value for name, value in chosen.items() if name in {"DATABASE_URL", "REDIS_URL"}}
        return create_app(Config(**wanted, **names))

    @property
    def port(self) -> int:
        """Where it listens."""
        return self.site.port

    @property
    def pid(self) -> int:
        """The process that is measured."""
        return self.site.process.pid

    # -- filling it

    def invite(self, count: int, name: str = "Guest") -> list[Guest]:
        """Make people who are signed in."""
        now, week = clock.now(), clock.now() + timedelta(days=7)
        people, sessions, guests = [], [], []
        with self.app.app_context():
            for number in range(count):
                user_id, session_id, secret = ids.new(), ids.new(), ids.secret()
                guests.append(self._guest(user_id, f"{name} {number}", session_id, secret))
                people.append(
                    {
                        "id": user_id,
                        "name": f"{name} {number}",
                        "email": f"{user_id}@example.org",
                        "password_hash": "none",
                        "role": "member",
                        "status": "",
                        "theme": "auto",
                        "created_at": now,
                    }
                )
                sessions.append(
                    {
                        "id": session_id,
                        "secret_hash": keys.fingerprint(secret),
                        "user_id": user_id,
                        "created_at": now,
                        "last_seen_at": now,
                        "expires_at": week,
                        "user_agent": "bench",
                        "address": "127.0.0.1",
                    }
                )
            self._write(User, people)
            self._write(LoginSession, sessions)
        return guests

    def _guest(self, user_id: str, name: str, session_id: str, secret: str) -> Guest:
        key = self.app.extensions["realtime"].ticket_key
        mask = bytes(range(1, 13))
        masked = security._masked(security._csrf_seal(secret), mask)
        csrf = base64.urlsafe_b64encode(mask + masked).decode().rstrip("=")
        ends = str(int(time.time()) + 24 * 3600)  # a ticket lives for minutes, a bench may take longer
        ticket = f"{user_id}.{session_id}.{ends}.{keys.seal(key, user_id, session_id, ends)}"
        assert tickets.check(ticket, key)
        return Guest(user_id, name, secret, csrf, ticket)

    def open(self, members: list[Guest], messages: int = 0, name: str = "A room", kind: str = "group") -> Place:
        """Make a room with members and messages."""
        now, room_id = clock.now(), ids.new()
        room = {
            "id": room_id,
            "kind": kind,
            "name": name,
            "purpose": "What is said here is said for a bench",
            "direct_key": None,
            "created_by": members[0].id,
            "created_at": now,
            "head": messages,
            "posted": messages,
            "last_message_id": None,
            "active_at": now,
        }
        rows = [
            {
                "room_id": room_id,
                "user_id": each.id,
                "role": "member",
                "joined_at": now,
                "last_read_seq": messages,
                "last_read_number": messages,
            }
            for each in members
        ]
        with self.app.app_context():
            self._write(Room, [room])
            self._write(Membership, rows)
            for start in range(0, messages, 20_000):
                self._talk(room_id, members, range(start + 1, min(messages, start + 20_000) + 1))
            db.session.commit()
            if messages:
                last = select(Message.id).where(Message.room_id == room_id, Message.seq == messages)
                with transaction():
                    message_id = db.session.execute(last).scalar_one()
                    db.session.execute(
                        Room.__table__.update().where(Room.id == room_id).values(last_message_id=message_id)
                    )
            cursor = f"{room_id}.{epoch()}.{messages}"
            db.session.remove()
        return Place(room_id, members, cursor)

    def _talk(self, room_id: str, members: list[Guest], numbers: range) -> None:
        now = clock.now()
        messages, events = [], []
        for number in numbers:
            message_id, author = ids.new(), members[(number // 3) % len(members)]
            moment = now - timedelta(seconds=20 * (numbers.stop - number))
            body = TEXTS[number % len(TEXTS)]
            messages.append(
                {
                    "id": message_id,
                    "room_id": room_id,
                    "seq": number,
                    "number": number,
                    "author_id": author.id,
                    "client_id": f"{message_id}-{number}",
                    "body": f"{number}: {body}",
                    "digest": "none",
                    "pictures": 0,
                    "created_at": moment,
                    "delete_reason": "",
                }
            )
            events.append(
                {
                    "room_id": room_id,
                    "seq": number,
                    "name": "message.posted",
                    "ref_id": message_id,
                    "actor_id": author.id,
                    "created_at": moment,
                }
            )
        self._write(Message, messages)
        self._write(LogRow, events)

    def _write(self, model: Any, rows: list[dict[str, Any]]) -> None:
        with transaction():
            connection = db.session.connection()
            for start in range(0, len(rows), 5000):
                connection.execute(insert(model), rows[start : start + 5000])

    # -- requests as a browser sends them

    def get(self, guest: Guest, path: str) -> bytes:
        """Return a request for a page."""
        return self._head("GET", path, guest, "Accept-Encoding: gzip, deflate, br\r\nAccept: text/html\r\n") + b"\r\n"

    def post(self, guest: Guest, room_id: str, text: str) -> bytes:
        """Return a request that posts a message, as htmx does; each time it is sent it is another message."""
        body = f"body={text.replace(' ', '+')}&client_id=bench-NNNNNNNNNNNNNNNN".encode()
        more = (
            f"HX-Request: true\r\nX-CSRFToken: {guest.csrf}\r\nOrigin: http://127.0.0.1:{self.port}\r\n"
            "Sec-Fetch-Site: same-origin\r\nContent-Type: application/x-www-form-urlencoded\r\n"
            f"Content-Length: {len(body)}\r\n"
        )
        return self._head("POST", f"/rooms/{room_id}/messages", guest, more) + b"\r\n" + body

    def stream(self, guest: Guest, place: Place, cursor: str = "") -> bytes:
        """Return a request for an event stream."""
        path = f"/events?room={place.id}&after={cursor or place.cursor}"
        return self._head("GET", path, guest, "Accept: text/event-stream\r\nSec-Fetch-Site: same-origin\r\n") + b"\r\n"

    def _head(self, method: str, path: str, guest: Guest, more: str) -> bytes:
        cookies = f"confab-session={guest.secret}; confab-ticket={guest.ticket}; tz=Europe/Zurich"
        head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nUser-Agent: bench\r\nCookie: {cookies}\r\n"
        return (head + more).encode()


TEXTS = [
    "The clockwork came back from the workshop.",
    "It turns with **one finger**, and `0.8 mm` brass is enough.",
    "Lift starts at 14:00 sharp: tide is out until 17:20.\n\n- torque wrench\n- cake",
    "> Three millimetres\n\nis inside the shim range, see https://example.org/shims",
]
