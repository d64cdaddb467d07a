"""Real servers for tests: PostgreSQL, Redis and Confab itself, each started on a free port and stopped again."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import requests

ROOT = Path(__file__).resolve().parent.parent
SECRET = "a secret of tests that is long enough 0123456789"


def free_port() -> int:
    """Return a port of the loopback address that nobody listens on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def wait_for(check, seconds: float = 20.0, what: str = "it"):
    """Call ``check`` until it returns something true, and return that."""
    end = time.monotonic() + seconds
    while True:
        found = check()
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds} s for {what}")
        time.sleep(0.02)


class Process:
    """A program that runs beside the tests."""

    def __init__(
        self, command: list[str], env: dict[str, str] | None = None, cwd: Path | None = None, log: Path | None = None
    ):
        self.log = log
        self._out = log.open("ab") if log else subprocess.DEVNULL
        self.process = subprocess.Popen(
            command, env=env, cwd=cwd, stdout=self._out, stderr=subprocess.STDOUT, start_new_session=True
        )

    @property
    def pid(self) -> int:
        return self.process.pid

    def send(self, number: int) -> None:
        os.killpg(self.process.pid, number)

    def kill(self) -> None:
        """End it as a power cut would."""
        if self.process.poll() is None:
            self.send(signal.SIGKILL)
        self.process.wait(10)
        self._close()

    def stop(self, seconds: float = 15.0) -> int:
        """End it politely and return its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.process.args} did not stop in {seconds} s") from None
        self._close()
        return code

    def _close(self) -> None:
        if self.log is not None:
            self._out.close()


class Postgres:
    """A PostgreSQL server with an empty cluster of its own."""

    def __init__(self) -> None:
        self.port = free_port()
        self._bin = _postgres_bin()
        # Not in a folder of pytest's, which every other run of pytest closes to all but its own user.
        self._folder = Path(tempfile.mkdtemp(prefix="confab-postgres-"))
        self._data = self._folder / "data"
        self._as: list[str] = []
        if os.geteuid() == 0:  # the server refuses to run as root
            shutil.chown(self._folder, "postgres")
            self._as = ["runuser", "-u", "postgres", "--"]
        initdb = [*self._as, str(self._bin / "initdb"), "-D", str(self._data), "-U", "confab", "-A", "trust", "-N"]
        subprocess.run([*initdb, "-E", "UTF8", "--locale=C"], check=True, capture_output=True, cwd="/")
        self.start()

    def start(self, *options: str) -> None:
        settings = [
            "-c",
            "fsync=off",
            "-c",
            "full_page_writes=off",
            "-c",
            "max_connections=200",
            "-c",
            "shared_buffers=64MB",
        ]
        self.process = Process(
            [*self._as, str(self._bin / "postgres"), "-D", str(self._data), "-p", str(self.port),
             "-k", str(self._data), "-c", "listen_addresses=127.0.0.1", *settings, *options],
            cwd=Path("/"), log=self._folder / "log",
        )  # fmt: skip
        wait_for(self._answers, 60, what="PostgreSQL")

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url("postgres"), connect_timeout=1).close()
        except psycopg.OperationalError:
            return False
        return True

    def url(self, name: str) -> str:
        return f"postgresql://confab@127.0.0.1:{self.port}/{name}"

    def create(self, name: str, template: str = "template1") -> str:
        """Make a database and return its address."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return self.url(name)

    def drop(self, name: str) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def stop(self) -> None:
        self.process.send(signal.SIGINT)  # a "fast" shutdown, for the server and not only for runuser
        self.process.stop(20)

    def remove(self) -> None:
        """Stop it for good."""
        self.stop()
        shutil.rmtree(self._folder)


class Redis:
    """A Redis server that keeps nothing, and writes what replication makes it write into a folder of its own."""

    def __init__(self) -> None:
        self.port = free_port()
        self._folder = Path(tempfile.mkdtemp(prefix="confab-redis-"))
        self.start()

    def start(self) -> None:
        self._folder.mkdir(exist_ok=True)
        self.process = Process(
            ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
             "--dir", str(self._folder)]
        )  # fmt: skip
        wait_for(self._answers, what="Redis")

    def _answers(self) -> bool:
        with socket.socket() as sock:
            return sock.connect_ex(("127.0.0.1", self.port)) == 0

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def stop(self) -> None:
        self.process.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def remove(self) -> None:
        """End it for good, as a power cut would."""
        self.process.kill()
        shutil.rmtree(self._folder, ignore_errors=True)


#: Confab under gunicorn.
GUNICORN = [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", "wsgi:app"]
NGINX = shutil.which("nginx") or "/usr/sbin/nginx"


class Site:
    """Confab as a process of its own, the way people run it."""

    def __init__(self, folder: Path, command: list[str] | None = None, tree: Path = ROOT, **settings: str) -> None:
        self.folder = folder
        self.tree = tree
        self.port = int(settings.pop("PORT", 0)) or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.command = command or [sys.executable, "wsgi.py"]
        self.settings = {"INSTANCE_PATH": str(folder), "SECRET_KEY": SECRET, "RATE_LIMITS": "off"} | settings
        self.start()

    def start(self) -> None:
        clean = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG", "TMPDIR", "TZ"}}
        env = clean | {"PORT": str(self.port), "PYTHONUNBUFFERED": "1"} | self.settings
        self.folder.mkdir(parents=True, exist_ok=True)
        self.process = Process(self.command, env=env, cwd=self.tree, log=self.folder / "site.log")
        try:
            wait_for(self._answers, 30, what=f"Confab on port {self.port}")
        except AssertionError as late:
            self.process.kill()
            raise AssertionError(f"{late}\n{self.output()}") from None

    def _answers(self) -> bool:
        if self.process.process.poll() is not None:
            raise AssertionError(f"Confab ended with {self.process.process.returncode}:\n{self.output()}")
        try:
            return requests.get(f"{self.url}/healthz", timeout=1).ok
        except requests.RequestException:
            return False

    def output(self) -> str:
        return (self.folder / "site.log").read_text(errors="replace")

    @property
    def setup_link(self) -> str:
        found = re.search(r"http\S+/setup\?token=\S+", self.output())
        assert found, self.output()
        return found[0]

    def flask(self, *arguments: str, input: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command of ``flask`` with the settings of this site."""
        return self._run("-m", "flask", "--app", "app", *arguments, input=input)

    def python(self, code: str) -> subprocess.CompletedProcess[str]:
        """Run some code in a process of its own, with the settings of this site."""
        return self._run("-c", code)

    def _run(self, *arguments: str, input: str = "") -> subprocess.CompletedProcess[str]:
        env = os.environ | {"PORT": str(self.port)} | self.settings
        command = [sys.executable, *arguments]
        return subprocess.run(command, cwd=ROOT, env=env, input=input, text=True, capture_output=True, check=False)

    def stop(self) -> int:
        return self.process.stop()

    def kill(self) -> None:
        self.process.kill()


def _postgres_bin() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    if found:
        return found[-1].parent
    binary = shutil.which("postgres")
    assert binary, "PostgreSQL's server is not installed: apt-get install postgresql"
    return Path(binary).parent


@contextmanager
def stopped(process: Process) -> Iterator[None]:
    """Freeze a process for a while."""
    process.send(signal.SIGSTOP)
    try:
        yield
    finally:
        process.send(signal.SIGCONT)
