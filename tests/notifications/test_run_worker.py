"""``flask worker``: does what processes with JOBS=off have promised, for as long as it runs."""

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.conftest import _expect_calm
from tests.emulators.running import Emulators
from tests.notifications.mailbox import outbox
from tests.people import Person
from tests.services import ROOT, Postgres, Process, Redis, Site, wait_for


@contextmanager
def worker(site: Site, name: str = "worker") -> Iterator[Process]:
    env = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME"}} | site.settings
    command = [sys.executable, "-m", "flask", "--app", "app", "worker"]
    process = Process(command, env=env | {"PORT": str(site.port)}, cwd=ROOT, log=site.folder / f"{name}.log")
    try:
        yield process
    finally:
        process.kill()
    assert "Traceback" not in (site.folder / f"{name}.log").read_text()


def _greeted(site: Site) -> set[str]:
    return {str(mail["To"]) for mail in outbox(site.folder)}


def test_it_does_what_the_site_leaves_to_it(tmp_path: Path):
    site = Site(tmp_path / "site", JOBS="off")
    first = Person(site.url).set_up(site.setup_link)
    time.sleep(1.5)
    assert _greeted(site) == set(), "JOBS is off"
    with worker(site) as process:
        wait_for(lambda: _greeted(site) == {first.email}, 10, "the first welcome")
        second = Person(site.url).sign_up()
        wait_for(lambda: _greeted(site) == {first.email, second.email}, 5, "a welcome promised while it runs")
        process.process.send_signal(signal.SIGTERM)
        assert process.process.wait(5) == 0
    site.stop()
    _expect_calm(site)


def test_two_of_them_share_the_work(tmp_path: Path, postgres: Postgres, redis_server: Redis, emulators: Emulators):
    settings = {"DATABASE_URL": postgres.create("workers"), "REDIS_URL": redis_server.url, "JOBS": "off"}
    site = Site(tmp_path / "site", **settings, **emulators.resend)
    people = [Person(site.url).set_up(site.setup_link), *(Person(site.url).sign_up() for _ in range(7))]
    with worker(site, "one"), worker(site, "two"):
        wait_for(lambda: len(emulators.outbox()) == len(people), 15, "every welcome")
        time.sleep(1.5)
    asked = [request["key"] for request in emulators.requests("resend")]
    assert len(asked) == len(set(asked)) == len(people), "each was sent by one of them, once"
    assert {sent["mail"]["to"][0] for sent in emulators.outbox()} == {person.email for person in people}
    site.stop()
    _expect_calm(site)
    postgres.drop("workers")
