"""gunicorn is told to reload: its workers are replaced by ones of what is on disk now, and nobody is turned away."""

import signal
import threading
from pathlib import Path

import pytest
import requests

from tests.chaos.mutants import copy_tree
from tests.conftest import populate
from tests.services import GUNICORN, Postgres, Redis, Site, wait_for


def become_newer(tree: Path) -> None:
    """Make it a new release: a setting that the old one did not know, and code that needs it."""
    config, health = tree / "config.py", tree / "chat/web/health.py"
    config.write_text(
        config.read_text().replace("    @property\n", '    NEWER: str = _setting("yes")\n\n    @property\n', 1)
    )
    realtime, worker = tree / "chat/realtime/__init__.py", tree / "chat/server/worker.py"
    realtime.write_text(
        realtime.read_text().replace("def start(self, patience", "def start(self, newer: bool, patience")
    )
    worker.write_text(worker.read_text().replace(".start(patience", ".start(True, patience"))
    gunicorn = tree / "gunicorn.conf.py"
    gunicorn.write_text(gunicorn.read_text() + "assert _settings.NEWER\n")
    health.write_text(health.read_text().replace('Response("ok\\n"', 'Response(current_app.config["NEWER"]'))


@pytest.mark.parametrize("scaled", [False, True], ids=["alone", "with Redis"])
def test_a_new_release_is_served_after_it(tmp_path: Path, postgres: Postgres, redis_server: Redis, scaled: bool):
    shared = {"DATABASE_URL": postgres.create("reload"), "REDIS_URL": redis_server.url} if scaled else {}
    first = Site(tmp_path / "site", **shared)
    town = populate(first)
    first.stop()
    tree = tmp_path / "tree"
    tree.mkdir()
    site = Site(tmp_path / "site", GUNICORN, copy_tree(tree), PORT=str(first.port), **shared)
    stream = town.bob.listen(town.room)
    become_newer(tree)
    failed: list[object] = []
    said = []
    over = threading.Event()

    def talk() -> None:
        while not over.wait(0.02):
            try:
                said.append(town.alice.say(town.room, f"{len(said)} meanwhile"))
            except Exception as problem:
                failed.append(problem)

    talking = threading.Thread(target=talk)
    talking.start()
    site.process.process.send_signal(signal.SIGHUP)
    assert stream.next("bye")
    wait_for(lambda: requests.get(f"{site.url}/healthz", timeout=20).text == "yes", 20, "the new release to answer")
    over.set()
    talking.join()
    assert not failed
    assert said
    site.stop()
    assert "Traceback" not in site.output()
