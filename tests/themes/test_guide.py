"""docs/extending.md does what it says: its files are written, its commands run, their output compared, in its order."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.people import Person
from tests.services import ROOT, SECRET, Process, free_port, wait_for

GUIDE = (ROOT / "docs/extending.md").read_text()
#: A fence with its language, and the file that the sentence before it names.
FENCE = re.compile(r"(?:`~/(\S+)`[^`]*:\n\n)?^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Reader:
    """Somebody who follows the guide."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.said = ""
        self.site: Process | None = None
        self.url = f"http://127.0.0.1:{free_port()}"
        kept = {name: value for name, value in os.environ.items() if name in {"PATH", "LANG", "TMPDIR"}}
        self.env = kept | {
            "HOME": str(home), "PORT": self.url.rpartition(":")[2], "INSTANCE_PATH": str(home / "instance"),
            "SECRET_KEY": SECRET, "RATE_LIMITS": "off", "PYTHONUNBUFFERED": "1",
        }  # fmt: skip

    def follow(self, file: str, language: str, text: str) -> None:
        if file:
            path = self.home / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        elif language == "text":
            assert self.said == text
        elif text.rstrip().endswith("bin/run"):
            self.site = Process(["bash", "-c", f"exec env {text}"], env=self.env, cwd=ROOT, log=self.home / "log")
            wait_for(self._answers, 60, "bin/run")
        else:
            assert language == "sh", f"nothing is done with {language}"
            ran = subprocess.run(["bash", "-e", "-c", text], env=self.env, cwd=ROOT, capture_output=True, text=True)
            assert ran.returncode == 0, ran.stdout + ran.stderr
            self.said = ran.stdout

    def _answers(self) -> bool:
        try:
            return requests.get(f"{self.url}/healthz", timeout=1).ok
        except requests.RequestException:
            return False


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    made = Reader(tmp_path)
    yield made
    if made.site:
        made.site.stop()


@pytest.mark.timeout(600)  # a dozen commands, each a process
def test_the_guide_leads_to_a_theme(reader: Reader):
    steps = FENCE.findall(GUIDE)
    assert len(steps) == len(re.findall(r"^```\w", GUIDE, re.MULTILINE)) > 10
    for step in steps:
        reader.follow(*step)
    setup = re.search(r"http\S+/setup\?token=\S+", (reader.home / "log").read_text())
    assert setup
    alice = Person(reader.url, "Alice Okafor").set_up(setup[0])
    bob = Person(reader.url, "Bob de Vos").sign_up()
    room = alice.make_room("lamp-room")
    alice.say(room, "Signed, me")
    page = alice.http.get(f"{reader.url}/rooms/{room}").text
    assert "Welcome to <bdi>lamp-room</bdi>" in page
    assert 'class="message letter"' in page
    assert "<!-- rooms/show.html of the theme, of rooms/show-" in page
    direct = alice.post("/rooms/direct", person=bob.id).headers["Location"].rsplit("/", 1)[1]
    alice.say(direct, "As shipped")
    assert 'class="message letter"' not in alice.http.get(f"{reader.url}/rooms/{direct}").text
    assert requests.get(f"{reader.url}/-/patterns").status_code == 200
    sheet = re.search(r'href="(/static/\w+/theme.css)"', page)
    assert sheet
    assert ".letter" in requests.get(reader.url + sheet[1]).text


def test_it_names_every_template_that_a_room_may_have():
    code = "\n".join(path.read_text() for path in [*ROOT.glob("chat/**/*.py"), *ROOT.glob("templates/**/*.html")])
    found = set(re.findall(r'for_room\(\s*"([\w/.]+)"', code))
    found |= set(re.findall(r'render_page\("([\w/.]+)", [^\n]*, room_id\)', code))
    section = GUIDE.partition("## One room, one kind of room")[2].partition("## After")[0]
    listed = set(re.findall(r"`((?:rooms|messages|presence)/\w+\.html)`", section))
    assert listed == found
