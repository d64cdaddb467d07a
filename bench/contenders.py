"""Servers side by side: ours, the least a C program can do, and what people would otherwise pick.

Each is started on the server's core, is given the same HTML to bring to its readers, and is asked for what it costs.
Messages come to all of them from Redis, but for nchan, whose way in is an HTTP POST. To ours they come as another process
of Confab would send them, sealed, with their place in the room's log; ``fanout`` also has them come by its own POST.
Peers are installed from public packages into a scratch folder when first needed.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import requests
from markupsafe import Markup

from bench.native import packed, program
from bench.stage import Guest, Place, Stage, cpu, memory, on_server_core
from chat.accounts.contexts import PersonContext
from chat.core import clock, ids
from chat.messages.contexts import MessageContext, MessageItem
from chat.realtime import broker, channels, sse
from chat.web.templating import render_fragment
from tests.services import Process, Redis, free_port, wait_for

PEERS = Path(__file__).parent / "peers"
SCRATCH = Path(tempfile.gettempdir()) / "confab-bench-peers"
NODE_PACKAGES = ["socket.io@4.8", "@socket.io/redis-adapter@8", "ws@8", "redis@5"]
PYTHON_PACKAGES = [
    "flask",
    "flask-socketio",
    "gevent",
    "gevent-websocket",
    "starlette",
    "sse-starlette",
    "uvicorn",
    "redis",
]
NCHAN = Path("/usr/lib/nginx/modules/ngx_nchan_module.so")

#: What ``readers.c`` looks for in every message: when it was due, and its number.
MARK = "due TTTTTTTTTTTTTTTT NNNNNNNNNNNNNNNN"


class Missing(Exception):
    """A peer that cannot be had here, and why."""


class Contender:
    """A server and how its readers come in."""

    name = ""
    #: How its frames look: ``sse``, ``ws`` or ``sio``.
    kind = "sse"
    #: What a reader has seen when its stream is open.
    ready = "event: hello"
    rooms = 1

    def start(self, readers: int, rooms: int = 1) -> None:
        """Start the server for so many readers, spread evenly over so many rooms."""
        self.rooms = rooms
        self.port = free_port()
        self.redis = Redis()
        self._html = _html()
        self.process = Process(on_server_core(*self.command()), env=self.environment(), log=self._log())
        wait_for(self._answers, 30, self.name)

    def command(self) -> list[str]:
        """Return how it is started."""
        raise NotImplementedError

    def environment(self) -> dict[str, str]:
        """Return its environment."""
        return dict(os.environ)

    def stop(self) -> None:
        """Stop it."""
        self.process.kill()
        self.redis.stop()

    def pids(self) -> list[int]:
        """Return the processes whose time and memory are counted."""
        return [self.process.pid]

    def cpu(self) -> float:
        """Return the seconds of processor time it has used."""
        return sum(cpu(pid) for pid in self.pids())

    def memory(self) -> int:
        """Return the bytes of memory that are its own."""
        return sum(memory(pid) for pid in self.pids())

    def checkouts(self) -> float:
        """Return how often it has gone to its database; no number where it has none."""
        return float("nan")

    def publisher(self) -> int:
        """Return the port that messages are written to."""
        return self.redis.port

    def request(self, reader: int, resume: bool = False) -> bytes:
        """Return what a reader sends to open its stream.

        :param resume: from the last message that it has seen.
        """
        head = f"GET /events?room={reader % self.rooms} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        return f"{head}Accept: text/event-stream\r\n\r\n".encode()

    def piece(self, number: int, due: int) -> bytes:
        """Return the bytes that publish a message."""
        return _command(f"bench:{number % self.rooms}".encode(), self.text(number, due))

    def text(self, number: int, due: int) -> bytes:
        """Return the message as it is published."""
        return self.html(number, due).encode()

    def html(self, number: int, due: int) -> str:
        """Return the fragment."""
        return self._html.replace("T" * 16, f"{due:016}").replace("N" * 16, f"{number:016}")

    def _log(self) -> Path:
        SCRATCH.mkdir(exist_ok=True)
        return SCRATCH / f"{type(self).__name__}.log"

    def _answers(self) -> bool:
        try:
            return requests.get(f"http://127.0.0.1:{self.port}/", timeout=2).ok
        except requests.RequestException:
            return False


class RawC(Contender):
    """Nothing but ``send()``."""

    name = "C, send() only"
    joins = "0"

    def command(self) -> list[str]:
        return [program("send"), str(self.port), str(self.redis.port), self.joins]

    def piece(self, number: int, due: int) -> bytes:
        frame = sse.encode("message.posted", self.html(number, due), id=f"{'a' * 16}.e.{number}")
        return _command(b"bench", frame)

    def _answers(self) -> bool:
        time.sleep(0.3)
        return True


class RawJoining(RawC):
    """The same, joining what is there."""

    name = "C, send() of what came together"
    joins = "1"


class Confab(Contender):
    """Ours: sessions, tickets, memberships, the door, the hub, heartbeat, presence."""

    name = "Confab"
    #: Whether it is one of several processes, or alone, without Redis.
    shared = True

    def start(self, readers: int, rooms: int = 1) -> None:
        self.rooms = rooms
        self.stage = Stage(redis=self.shared).__enter__()
        self.guests = self.stage.invite(readers)
        self.places = [self.stage.open(self.guests[number::rooms], name=f"Room {number}") for number in range(rooms)]
        self.port = self.stage.port
        with self.stage.app.app_context():
            self._broker = self.stage.app.extensions["realtime"].broker
        self._html = _html()
        self._seq = [0] * rooms

    def stop(self) -> None:
        self.stage.__exit__(None, None, None)

    def pids(self) -> list[int]:
        return [self.stage.pid]

    def checkouts(self) -> float:
        figures = requests.get(f"http://127.0.0.1:{self.port}/metrics", timeout=10).text
        return float(figures.partition("\nconfab_database_checkouts_total ")[2].partition("\n")[0])

    def publisher(self) -> int:
        assert self.stage.redis_server
        return self.stage.redis_server.port

    def seat(self, reader: int) -> tuple[Guest, Place]:
        """Return who a reader is and where."""
        place = self.places[reader % self.rooms]
        return place.members[reader // self.rooms], place

    def request(self, reader: int, resume: bool = False) -> bytes:
        guest, place = self.seat(reader)
        cursor = f"{place.cursor.rpartition('.')[0]}.{self._seq[reader % self.rooms]}" if resume else ""
        return self.stage.stream(guest, place, cursor)

    def piece(self, number: int, due: int) -> bytes:
        room = number % self.rooms
        self._seq[room] += 1
        room_id, epoch, _ = self.places[room].cursor.split(".")
        frame = {
            "kind": "frame",
            "epoch": epoch,
            "room_id": room_id,
            "seq": self._seq[room],
            "name": "message.posted",
            "ref_id": ids.new(),
            "html": self.html(number, due),
        }
        return _command(*sealed(self._broker, channels.room(room_id), frame))


class ConfabAlone(Confab):
    """The embedded form: SQLite, one process, nothing else."""

    name = "Confab, one process"
    shared = False


class Nchan(Contender):
    """nginx with nchan."""

    name = "nginx + nchan"
    ready = "\r\n\r\n"

    def command(self) -> list[str]:
        if not shutil.which("nginx") or not NCHAN.exists():
            raise Missing("needs nginx with nchan: apt-get install nginx libnginx-mod-nchan")
        folder = SCRATCH / "nginx"
        folder.mkdir(parents=True, exist_ok=True)
        conf = (PEERS / "nchan.conf").read_text()
        for name, value in {"MODULE": NCHAN, "FOLDER": folder, "PORT": self.port}.items():
            conf = conf.replace(name, str(value))
        (folder / "nginx.conf").write_text(conf)
        return ["nginx", "-c", str(folder / "nginx.conf")]

    def pids(self) -> list[int]:
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(each) for each in children.split()]

    def publisher(self) -> int:
        return self.port

    def piece(self, number: int, due: int) -> bytes:
        html = self.html(number, due).encode()
        head = (
            f"POST /pub?room={number % self.rooms} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(html)}\r\n\r\n"
        )
        return head.encode() + html


class SocketIO(Contender):
    """Socket.IO 4 on Node."""

    name = "Socket.IO 4"
    kind = "sio"
    ready = '40{"sid"'
    adapter = ""

    def command(self) -> list[str]:
        return ["node", str(_node(self.script())), str(self.port), str(self.redis.port)]

    def script(self) -> str:
        """Return the name of its program."""
        return "socketio.js"

    def environment(self) -> dict[str, str]:
        return dict(os.environ) | {"ADAPTER": self.adapter, "NODE_ENV": "production"}

    def request(self, reader: int, resume: bool = False) -> bytes:
        path = f"/socket.io/?EIO=4&transport=websocket&room={reader % self.rooms}"
        return _upgrade(path)


class SocketIOAdapter(SocketIO):
    """The same with the adapter that several processes need."""

    name = "Socket.IO 4 + Redis adapter"
    adapter = "1"


class Ws(SocketIO):
    """ws, a loop over its clients."""

    name = "ws"
    kind = "ws"
    ready = "hello"

    def script(self) -> str:
        return "ws.js"

    def request(self, reader: int, resume: bool = False) -> bytes:
        return _upgrade("/")


class FlaskSocketIO(Contender):
    """Flask-SocketIO on gevent."""

    name = "Flask-SocketIO"
    kind = "sio"
    ready = '40{"sid"'

    def command(self) -> list[str]:
        return [_python(), str(PEERS / "flask_socketio_server.py"), str(self.port), str(self.redis.port)]

    def request(self, reader: int, resume: bool = False) -> bytes:
        return _upgrade(f"/socket.io/?EIO=4&transport=websocket&room={reader % self.rooms}")


class Starlette(Contender):
    """starlette with sse-starlette."""

    name = "starlette + sse-starlette"

    def command(self) -> list[str]:
        return [_python(), str(PEERS / "starlette_server.py"), str(self.port), str(self.redis.port)]


class Naive(Contender):
    """A generator per client in a Flask view."""

    name = "Flask view, a generator each"

    def command(self) -> list[str]:
        return [_python(), str(PEERS / "naive.py"), str(self.port), str(self.redis.port)]


EVERYBODY = [RawC, RawJoining, Confab, Nchan, SocketIO, SocketIOAdapter, Ws, FlaskSocketIO, Starlette, Naive]


class Readers:
    """The streams of one contender: a process of ``readers.c``."""

    def __init__(self, contender: Contender, requests: Sequence[bytes]) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="confab-readers-")
        file = Path(self._folder.name) / "requests"
        file.write_bytes(packed(requests))
        command = [program("readers"), str(contender.port), contender.kind, contender.ready, str(file)]
        self._contender = contender
        self.count = len(requests)
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def tell(self, command: str) -> dict[str, Any]:
        """Have a command done and return what is answered."""
        self.begin(command)
        return self.end()

    def begin(self, command: str) -> None:
        """Have a command done meanwhile."""
        assert self._process.stdin
        self._process.stdin.write(command + "\n")
        self._process.stdin.flush()

    def end(self) -> dict[str, Any]:
        """Wait for the answer to ``begin``."""
        assert self._process.stdout
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"the readers of {self._contender.name} ended")
        found: dict[str, Any] = json.loads(answer)
        return found

    def connect(self, count: int = 0, at_once: int = 64) -> dict[str, Any]:
        """Open streams, some at a time; all of them without a number."""
        count = count or self.count
        found = self.tell(f"connect {count} {at_once}")
        if found["open"] < count:
            raise RuntimeError(f"{self._contender.name}: {found['open']} of {count} streams opened")
        return found

    def publish(self, pieces: Sequence[bytes], start: int = 0, step: int = 0, window: int = 32) -> dict[str, Any]:
        """Publish messages, on a schedule or as fast as they are received; wait until everybody has them."""
        file = Path(self._folder.name) / "pieces"
        file.write_bytes(packed(pieces))
        each = self.count // self._contender.rooms
        return self.tell(f"publish {self._contender.publisher()} {file} {start} {step} {window} {each}")

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()
        self._folder.cleanup()


def sealed(link: Any, channel: str, message: dict[str, Any]) -> tuple[bytes, bytes]:
    """Return a message as another process of Confab publishes it."""
    assert isinstance(link, broker.RedisBroker)
    body = json.dumps(message, separators=(",", ":"), ensure_ascii=False).encode()
    return channel.encode(), link.sealed(channel, body)


def _html() -> str:
    """Return a message's fragment, as our own templates have it."""
    from app import create_app
    from config import Config
    from tests.services import SECRET

    with tempfile.TemporaryDirectory() as folder:
        app = create_app(Config(SECRET_KEY=SECRET, INSTANCE_PATH=folder))
        with app.app_context():
            author = PersonContext(ids.new(), "Ines Okafor")
            text = f"<p>{MARK}: tide is out until five, and the lift starts at two</p>"
            message = MessageContext(ids.new(), ids.new(), 12, "bench-client-id", author, Markup(text), clock.now())
            return render_fragment("messages/_message.html", MessageItem(message)).strip().replace("\n", " ")


def _command(channel: bytes, payload: bytes) -> bytes:
    return b"*3\r\n$7\r\nPUBLISH\r\n$%d\r\n%s\r\n$%d\r\n%s\r\n" % (len(channel), channel, len(payload), payload)


def _upgrade(path: str) -> bytes:
    return (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    ).encode()


def _node(script: str) -> Path:
    if not shutil.which("node") or not shutil.which("npm"):
        raise Missing("needs Node: apt-get install nodejs npm")
    folder = SCRATCH / "node"
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "node_modules" / "ws").exists():
        install = ["npm", "install", "--no-audit", "--no-fund", "--silent", "--prefix", str(folder), *NODE_PACKAGES]
        subprocess.run(install, check=True, capture_output=True)
    shutil.copy(PEERS / script, folder / script)
    return folder / script


def _python() -> str:
    folder = SCRATCH / "python"
    python = folder / "bin" / "python"
    if not (folder / "done").exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        subprocess.run(
            [str(python), "-m", "pip", "install", "--quiet", *PYTHON_PACKAGES], check=True, capture_output=True
        )
        (folder / "done").touch()
    return str(python)
