"""A backup is restored: what came after it never happened, and no page goes on from there."""

import shutil
import sqlite3
from contextlib import closing

from tests.conftest import Town
from tests.people import Stream


def test_pages_of_the_lost_history_load_again(town: Town):
    site = town.site
    town.alice.say(town.room, "before the backup")
    backup = site.folder / "backup.sqlite3"
    with closing(sqlite3.connect(site.folder / "confab.sqlite3")) as source, closing(sqlite3.connect(backup)) as target:
        source.backup(target)
    lost = town.alice.say(town.room, "lost with the disk")
    old = town.bob.cursor(town.room)
    site.stop()
    for name in ("confab.sqlite3-wal", "confab.sqlite3-shm"):
        (site.folder / name).unlink(missing_ok=True)
    shutil.copy(backup, site.folder / "confab.sqlite3")
    assert "The history is now called" in site.flask("log", "rotate-epoch").stdout
    site.start()
    again = town.alice.say(town.room, "said instead, under the same number")
    assert again.seq == lost.seq
    stream = Stream(town.bob, f"/events?room={town.room}&after={old}")
    assert town.room in stream.next("reset").data
    assert "said instead" in town.bob.get(f"/rooms/{town.room}").text


def test_readers_who_stand_by_are_told_within_seconds(town: Town):
    stream = town.bob.listen(town.room)
    assert town.site.flask("log", "rotate-epoch").returncode == 0
    assert town.room in stream.next("reset").data
