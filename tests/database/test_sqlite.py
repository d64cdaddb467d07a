"""SQLite: writers take turns, in order, whatever happens to them."""

from __future__ import annotations

import sqlite3
import threading
import time
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from chat.core.bus import transaction
from chat.core.database import db, sqlite
from chat.core.database.sqlite import FairLock


def test_a_lock_serves_in_order():
    lock, order, threads = FairLock(), [], []
    assert lock.acquire(1)

    def wait(number: int) -> None:
        assert lock.acquire(5)
        order.append(number)
        lock.release()

    for number in range(10):
        threads.append(threading.Thread(target=wait, args=(number,)))
        threads[-1].start()
        while len(lock._queue) <= number:
            time.sleep(0.001)
    lock.release()
    for thread in threads:
        thread.join()
    assert order == list(range(10))


def test_a_lock_gives_up_in_time_and_stays_usable():
    lock = FairLock()
    assert lock.acquire(1)
    assert not lock.acquire(0.01)
    lock.release()
    assert lock.acquire(0.01)


def test_it_keeps_acknowledged_messages_through_a_power_cut(app: Flask):
    with app.app_context():
        assert db.session.execute(text("PRAGMA journal_mode")).scalar() == "wal"
        assert db.session.execute(text("PRAGMA synchronous")).scalar() == 2, "FULL"
        assert db.session.execute(text("PRAGMA foreign_keys")).scalar() == 1


def test_many_writers_lose_nothing(app: Flask):
    with app.app_context(), transaction():
        db.session.execute(text("CREATE TABLE counter (n INTEGER)"))
        db.session.execute(text("INSERT INTO counter VALUES (0)"))

    def count() -> None:
        for _ in range(10):
            with app.app_context(), transaction():
                n = db.session.execute(text("SELECT n FROM counter")).scalar_one()
                time.sleep(0.0005)
                db.session.execute(text("UPDATE counter SET n = :n"), {"n": n + 1})

    threads = [threading.Thread(target=count) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with app.app_context():
        assert db.session.execute(text("SELECT n FROM counter")).scalar() == 100


def test_another_process_that_writes_is_waited_for(app: Flask, tmp_path: Path):
    other = sqlite3.connect(tmp_path / "confab.sqlite3", isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    threading.Timer(0.2, lambda: other.execute("COMMIT")).start()
    with app.app_context(), transaction():
        db.session.execute(text("CREATE TABLE waited (n INTEGER)"))
    other.close()


def test_a_file_that_stays_locked_is_said_to_be(app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sqlite, "PATIENCE", 0.1)
    other = sqlite3.connect(tmp_path / "confab.sqlite3", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with app.app_context(), pytest.raises(OperationalError, match="locked"), transaction():
        pass
    other.execute("ROLLBACK")
    other.close()
    with app.app_context(), transaction():
        db.session.execute(text("CREATE TABLE free_again (n INTEGER)"))


def test_an_error_frees_the_turn(app: Flask):
    with app.app_context():
        for _ in range(3):
            with pytest.raises(ZeroDivisionError), transaction():
                raise ZeroDivisionError
        with transaction():
            db.session.execute(text("CREATE TABLE after_all (n INTEGER)"))
