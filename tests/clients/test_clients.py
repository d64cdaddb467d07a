"""Public clients of event streams, and the three browsers' own ``EventSource``: none knows a thing of Confab.

All of them hear the same at the same time, while they are cut off, the server is killed and stopped, and one id is all that
they bring back. Each has two streams: of two rooms, and of one with ``after`` in an address that it cannot change.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.clients.edge import Edge
from tests.clients.listen import CLIENTS
from tests.conftest import populate
from tests.people import Said
from tests.services import Site, wait_for

HERE = Path(__file__).parent
NPM = ("eventsource", "launchdarkly-eventsource", "eventsource-parser", "fetch-event-source")
BROWSERS = ("chromium", "firefox", "webkit")
STREAMS = ("both", "address")

pytestmark = pytest.mark.timeout(300)


@dataclass
class Run:
    """What happened, and what each client heard of it."""

    edge: Edge
    rooms: tuple[str, str]
    said: dict[str, list[Said]] = field(default_factory=dict)
    #: Why a client could not be started.
    missing: dict[str, str] = field(default_factory=dict)

    def heard(self, client: str, stream: str, *names: str) -> list[str]:
        return [each["data"] for each in self.edge.heard[client, stream] if each["event"] in names]

    def has(self, client: str, stream: str, said: Said) -> bool:
        return any(f'id="message_{said.id}"' in data for data in self.heard(client, stream, "message.posted"))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("clients")
    site = Site(folder / "site")
    town = populate(site)
    second = town.alice.make_room("night sky")
    town.alice.add(second, town.bob)
    run = Run(Edge(town.bob, site.port), (town.room, second), {town.room: [], second: []})
    paths = [f"/events?room={town.room}&room={second}", f"/events?room={town.room}&after={town.bob.cursor(town.room)}"]
    processes = _start(run, folder, [f"{stream}={path}" for stream, path in zip(STREAMS, paths, strict=True)])

    def say(*rooms: str) -> None:
        for room in rooms:
            run.said[room].append(town.alice.say(room, f"number {len(run.said[room])} 😀 世界\nand a second line"))

    def everybody(has: Callable[[str, str], bool], what: str) -> None:
        """Wait for something of every stream; whoever lacks it is left out from here on, and their test says so."""
        streams = {(client, stream) for client in _all() if client not in run.missing for stream in STREAMS}
        try:
            wait_for(lambda: all(has(*each) for each in streams), 40, what)
        except AssertionError:
            run.missing |= {
                client: f"{client} did not hear {what}" for client, stream in streams if not has(client, stream)
            }

    def settled() -> None:
        for room in run.rooms[::-1]:
            if run.said[room]:
                last, streams = run.said[room][-1], STREAMS if room == town.room else STREAMS[:1]
                everybody(
                    lambda each, stream, last=last, some=streams: stream not in some or run.has(each, stream, last),
                    last.body,
                )

    first, other = run.rooms
    try:
        everybody(lambda each, stream: bool(run.heard(each, stream, "hello")), "a greeting")
        run.edge.cut()  # before the first message
        say(first)
        run.edge.let_in()
        say(other, first, first)
        settled()
        run.edge.cut()
        say(other, other, first)
        town.alice.post(f"/messages/{run.said[first][0].id}/edit", body="changed")
        run.edge.let_in()
        settled()
        run.edge.cut()  # so that they wait where they are
        site.kill()
        site.start()
        say(first, other)
        run.edge.let_in()
        settled()
        site.stop()  # a polite one
        run.edge.cut()
        site.start()
        say(other, first)
        run.edge.let_in()
        settled()
        town.alice.page(f"/rooms/{other}/members")
        town.alice.post(f"/rooms/{other}/members/{town.bob.id}/remove")
        everybody(lambda each, stream: stream != "both" or bool(run.heard(each, stream, "reset")), "a reset")
    finally:
        for process in processes:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        run.edge.close()
        site.stop()
    assert "Traceback" not in site.output(), site.output()[-6000:]
    return run


def _all() -> list[str]:
    return [*CLIENTS, *NPM, *BROWSERS]


def _start(run: Run, folder: Path, streams: list[str]) -> list[subprocess.Popen[bytes]]:
    commands: dict[str, list[str]] = {
        each: [sys.executable, str(HERE / "listen.py"), each, run.edge.url, *streams] for each in CLIENTS
    }
    commands |= _npm(run, folder, streams) | _browsers(run, folder, streams)
    started = []
    with (folder / "clients.log").open("wb") as log:
        for client, command in commands.items():
            home = folder / f"home-{client}"
            home.mkdir()
            env = os.environ | {"HOME": str(home), "XDG_RUNTIME_DIR": str(home), "PYTHONPATH": ""}
            started.append(subprocess.Popen(command, cwd=home, env=env, stdout=log, stderr=log, start_new_session=True))
    return started


def _npm(run: Run, folder: Path, streams: list[str]) -> dict[str, list[str]]:
    """Install npm's clients outside the repository, as the lock file has them."""
    where = folder / "npm"
    where.mkdir()
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, where)
    try:
        install = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--cache", str(folder / "npm-cache")]
        subprocess.run(install, cwd=where, check=True, capture_output=True, text=True, timeout=120)
    except FileNotFoundError:
        run.missing |= dict.fromkeys(NPM, "npm is not installed: apt-get install nodejs npm")
        return {}
    except subprocess.SubprocessError as problem:
        run.missing |= dict.fromkeys(NPM, f"npm could not install: {getattr(problem, 'stderr', problem)}")
        return {}
    return {each: ["node", str(HERE / "listen.mjs"), str(where), each, run.edge.url, *streams] for each in NPM}


def _browsers(run: Run, folder: Path, streams: list[str]) -> dict[str, list[str]]:
    query = "&".join(
        f"{name}={path.replace('&', '%26')}" for name, _, path in (each.partition("=") for each in streams)
    )
    profile = folder / "firefox"
    profile.mkdir()
    quiet = (
        "datareporting.policy.dataSubmissionEnabled",
        "network.captive-portal-service.enabled",
        "app.normandy.enabled",
    )
    (profile / "user.js").write_text(
        "".join(f'user_pref("{each}", false);\n' for each in quiet)
        + 'user_pref("browser.aboutwelcome.enabled", false);\n'
    )
    mini = next(iter(sorted(Path("/usr/lib").glob("*/webkit2gtk-4.*/MiniBrowser"))), None)
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    firefox = shutil.which("firefox-esr") or shutil.which("firefox")
    commands = {
        "chromium": [chromium, "--headless=new", "--no-sandbox", "--remote-debugging-port=0", f"--user-data-dir={folder}/c"],
        "firefox": [firefox, "--headless", "--no-remote", "--profile", str(profile)],
        "webkit": [shutil.which("xvfb-run"), "-a", str(mini) if mini else None],
    }  # fmt: skip
    packages = {"chromium": "chromium", "firefox": "firefox-esr", "webkit": "libwebkit2gtk-4.1-0 xvfb xauth"}
    found: dict[str, list[str]] = {}
    for name, command in commands.items():
        words = [each for each in command if each]
        if len(words) < len(command):
            run.missing[name] = f"{name} is not installed: apt-get install {packages[name]}"
        else:
            found[name] = [*words, f"{run.edge.url}/page/{name}?{query}"]
    return found


@pytest.mark.parametrize("client", _all())
def test_it_hears_each_message_once_and_in_order(run: Run, client: str):
    assert client not in run.missing, run.missing[client]
    for stream in STREAMS:
        for room in run.rooms if stream == "both" else run.rooms[:1]:
            heard = [_seq(data) for data in run.heard(client, stream, "message.posted") if _in(data, run.said[room])]
            assert heard == [each.seq for each in run.said[room]], (stream, room)
        assert len(run.heard(client, stream, "message.edited")) == 1
        first = run.edge.heard[client, stream][0]
        assert (first["event"], bool(first["id"])) == ("hello", True), "an id is there before the first message"


@pytest.mark.parametrize("client", _all())
def test_it_is_told_what_cannot_be_continued_and_nothing_else(run: Run, client: str):
    assert client not in run.missing, run.missing[client]
    resets = run.heard(client, "both", "reset")
    assert resets
    assert set(resets) == {f'{{"room": "{run.rooms[1]}"}}'}
    assert run.heard(client, "address", "reset") == []


def _seq(data: str) -> int:
    return int(data.split('data-seq="')[1].split('"')[0])


def _in(data: str, said: list[Said]) -> bool:
    return any(f'id="message_{each.id}"' in data for each in said)
