"""The processes of a run, in both forms, with proxies between them.

Embedded: one process on SQLite. Scaled: three hosts, each a gunicorn with one worker, on one PostgreSQL and one Redis,
behind nginx. Clients reach either through the proxy ``edge``; each host has proxies of its own to PostgreSQL and Redis.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import psycopg
import requests

from tests.chaos.proxy import Proxy
from tests.services import GUNICORN, NGINX, ROOT, SECRET, Postgres, Process, Redis, free_port, wait_for

_SEED = """
import base64, json, sys
from argon2 import PasswordHasher
from app import create_app
from chat.accounts import passwords, service
from chat.core.database import db
from chat.rooms import service as rooms
from chat.web import security
passwords._hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
plan = json.load(sys.stdin)
app = create_app()
with app.app_context():
    from flask_migrate import upgrade
    upgrade(directory="migrations")
    people, made = {}, {}
    for name in plan["people"]:
        user = service.add_user(name, f"{name}@example.org", "a quiet lamp over the bay", "member")
        secret = service.start_session(user, "Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Firefox/153.0", "127.0.0.1")
        mask = bytes(12)
        token = base64.urlsafe_b64encode(mask + security._masked(security._csrf_seal(secret), mask)).decode().rstrip("=")
        people[name] = {"id": user, "secret": secret, "token": token}
    for room in plan["rooms"]:
        owner = people[room["owner"]]["id"]
        made[room["name"]] = rooms.create_room(room["name"], room["kind"], "", owner)
        for name in room["members"]:
            rooms.grant(made[room["name"]], people[name]["id"], owner)
print(json.dumps({"people": people, "rooms": made}))
"""

_NGINX = """
worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
worker_shutdown_timeout 2s;
{user}
events {{ worker_connections 4096; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/f;
    uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
    client_max_body_size 64m;
    upstream confab {{
        {servers}
        keepalive 16;
    }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://confab;
            proxy_http_version 1.1;
            proxy_set_header Host $http_host;
            proxy_set_header Connection "";
            proxy_connect_timeout 2s;
            proxy_read_timeout 30s;
            proxy_next_upstream error timeout;
        }}
        location = /events {{
            proxy_pass http://confab;
            proxy_http_version 1.1;
            proxy_set_header Host $http_host;
            proxy_set_header Connection "";
            proxy_buffering off;
            proxy_read_timeout 60s;
            proxy_connect_timeout 2s;
        }}
    }}
}}
"""


@dataclass
class Seeded:
    """Somebody of a run."""

    id: str
    secret: str
    token: str


@dataclass
class Plan:
    """Who and which rooms are there at the beginning. ``rooms``: name, kind, owner, members."""

    people: list[str]
    rooms: list[dict[str, object]]


@dataclass
class Host:
    """One machine that runs the application."""

    name: str
    folder: Path
    tree: Path
    settings: dict[str, str]
    command: list[str]
    port: int = field(default_factory=free_port)
    #: Its own ways to the others.
    postgres: Proxy | None = None
    redis: Proxy | None = None
    process: Process | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        self.process = Process(self.command, self.env, self.tree, self.folder / "log")
        self.wait()

    @property
    def env(self) -> dict[str, str]:
        clean = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG", "TMPDIR", "TZ"}}
        return clean | {"PORT": str(self.port), "PYTHONUNBUFFERED": "1"} | self.settings

    def wait(self) -> None:
        wait_for(self.answers, 60, what=f"{self.name}:\n{self.output()[-2000:]}")

    def answers(self) -> bool:
        assert self.process is not None
        if self.process.process.poll() is not None:
            raise AssertionError(f"{self.name} ended with {self.process.process.returncode}: {self.output()[-3000:]}")
        try:
            return requests.get(f"{self.url}/healthz", timeout=1).ok
        except requests.RequestException:
            return False

    def kill(self) -> None:
        """End all of it as a power cut would."""
        if self.process is not None:
            self.process.kill()

    def kill_worker(self) -> bool:
        """Kill the process that serves and leave its manager; False when there is no manager."""
        children = self.workers()
        if not children:
            return False
        for child in children:
            with contextlib.suppress(psutil.NoSuchProcess):
                child.kill()
        return True

    def workers(self) -> list[psutil.Process]:
        """Return the processes that a manager keeps."""
        if self.process is None or "gunicorn" not in self.command:
            return []
        try:
            return psutil.Process(self.process.pid).children()
        except psutil.NoSuchProcess:
            return []

    def serving(self) -> psutil.Process | None:
        """Return the process that serves."""
        try:
            return (self.workers() or [psutil.Process(self.process.pid)])[-1] if self.process else None
        except psutil.NoSuchProcess:
            return None

    def stop(self) -> int:
        """Stop it politely."""
        return self.process.stop(25) if self.process is not None else 0

    def output(self) -> str:
        path = self.folder / "log"
        return path.read_text(errors="replace") if path.exists() else ""


class Database(Postgres):
    """PostgreSQL that can be stopped in every way."""

    def restart(self, mode: signal.Signals, pause: float = 0.0, *options: str) -> None:
        """Stop it: SIGINT is fast, SIGQUIT immediate, SIGKILL a crash. Then start it again."""
        master = psutil.Process(int((self._data / "postmaster.pid").read_text().split()[0]))
        children = master.children()
        master.send_signal(mode)
        psutil.wait_procs([master, *children], 20)
        with contextlib.suppress(AssertionError):
            self.process.stop(5)
        time.sleep(pause)
        (self._data / "postmaster.pid").unlink(missing_ok=True)
        self.start(*options)


class Stack:
    """What both forms have in common."""

    form = ""

    def __init__(self, folder: Path, tree: Path = ROOT) -> None:
        self.folder = folder
        self.tree = tree
        self.edge = Proxy(0, "edge")
        self.hosts: list[Host] = []
        #: Settings of every host, beside its own.
        self.settings: dict[str, str] = {}
        self.people: dict[str, Seeded] = {}
        self.rooms: dict[str, str] = {}

    def _host(self, name: str, command: list[str], **settings: str) -> Host:
        folder = self.folder / name
        folder.mkdir(parents=True, exist_ok=True)
        base = {"SECRET_KEY": SECRET, "RATE_LIMITS": "off", "INSTANCE_PATH": str(folder)}
        host = Host(name, folder, self.tree, base | self.settings | settings, command)
        self.hosts.append(host)
        return host

    def _seed(self, plan: Plan) -> None:
        told = json.dumps({"people": plan.people, "rooms": plan.rooms})
        done = subprocess.run(
            [sys.executable, "-c", _SEED], input=told, text=True, capture_output=True, cwd=self.tree,
            env=self.hosts[0].env | {"PYTHONPATH": str(self.tree)}, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-3000:]
        made = json.loads(done.stdout.splitlines()[-1])
        self.people = {name: Seeded(**each) for name, each in made["people"].items()}
        self.rooms = made["rooms"]

    async def start_hosts(self) -> None:
        """Start every process of the application."""
        await asyncio.gather(*(asyncio.to_thread(host.start) for host in self.hosts))

    async def stop(self) -> None:
        """End everything, whatever state it is in."""
        for host in self.hosts:
            with contextlib.suppress(Exception):
                await asyncio.to_thread(host.kill)
        await self.edge.stop()


class Embedded(Stack):
    """One process on SQLite, as ``bin/run`` starts it."""

    form = "embedded"

    async def start(self, plan: Plan) -> None:
        """Start it with people and rooms in it."""
        host = self._host("embedded", [sys.executable, "wsgi.py"])
        self.edge.target = host.port
        await self.edge.start()
        host.settings["BASE_URL"] = f"http://127.0.0.1:{self.edge.port}"
        await asyncio.to_thread(self._seed, plan)
        await self.start_hosts()

    @property
    def database(self) -> Path:
        """The file."""
        return self.hosts[0].folder / "confab.sqlite3"


class Scaled(Stack):
    """Three hosts on PostgreSQL and Redis behind nginx."""

    form = "scaled"

    def __init__(self, folder: Path, tree: Path = ROOT, size: int = 3, nginx: bool = True) -> None:
        super().__init__(folder, tree)
        self.size = size
        self._with_nginx = nginx
        self.nginx: Process | None = None
        self.postgres: Database
        self.redis: Redis
        #: One that works on PostgreSQL or Redis from outside at a time.
        self.busy = threading.Lock()

    async def start(self, plan: Plan) -> None:
        """Start all of it with people and rooms in it."""
        self.postgres = await asyncio.to_thread(Database)
        self.redis = await asyncio.to_thread(Redis)
        self.url = await asyncio.to_thread(self.postgres.create, "chaos")
        for number in range(self.size):
            postgres, redis = Proxy(self.postgres.port, "postgres"), Proxy(self.redis.port, "redis")
            await postgres.start()
            await redis.start()
            host = self._host(
                f"host{number}",
                GUNICORN,
                DATABASE_URL=f"postgresql://confab@127.0.0.1:{postgres.port}/chaos",
                REDIS_URL=f"redis://127.0.0.1:{redis.port}/0",
            )
            host.postgres, host.redis = postgres, redis
        self.edge.target = free_port() if self._with_nginx else self.hosts[0].port
        await self.edge.start()
        for host in self.hosts:
            host.settings["BASE_URL"] = f"http://127.0.0.1:{self.edge.port}"
        await asyncio.to_thread(self._seed, plan)
        await self.start_hosts()
        if self._with_nginx:
            await asyncio.to_thread(self._start_nginx)

    def _start_nginx(self) -> None:
        folder = self.folder / "nginx"
        folder.mkdir(exist_ok=True)
        folder.chmod(0o777)  # its worker may run as somebody else
        servers = "\n".join(f"server 127.0.0.1:{host.port} max_fails=1 fail_timeout=1s;" for host in self.hosts)
        conf = folder / "nginx.conf"
        conf.write_text(
            _NGINX.format(
                user="user root;" if os.geteuid() == 0 else "", folder=folder, port=self.edge.target, servers=servers
            )
        )
        self.nginx = Process([NGINX, "-p", str(folder), "-c", str(conf)], log=folder / "log")
        wait_for(lambda: _listening(self.edge.target), what="nginx")

    async def stop(self) -> None:
        """End everything, whatever state it is in."""
        await super().stop()
        if self.nginx is not None:
            await asyncio.to_thread(self.nginx.kill)
        for host in self.hosts:
            for proxy in (host.postgres, host.redis):
                if proxy is not None:
                    await proxy.stop()
        with contextlib.suppress(Exception):
            self.redis.remove()
        with contextlib.suppress(Exception):
            await asyncio.to_thread(self.postgres.remove)

    def connect(self) -> psycopg.Connection:
        """Return a connection past the proxies."""
        return psycopg.connect(self.url, autocommit=True, connect_timeout=5)


def _listening(port: int) -> bool:
    try:
        requests.get(f"http://127.0.0.1:{port}/healthz", timeout=2)
    except requests.ConnectionError:
        return False
    except requests.RequestException:
        return True
    return True
