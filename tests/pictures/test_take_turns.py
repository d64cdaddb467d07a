"""Nobody's pictures keep those of others waiting: one of each person at a time, and first those who had the least."""

import threading
import time
from contextlib import ExitStack

import pytest

from chat import pictures
from chat.core.errors import TooFast, Unavailable
from chat.pictures import turns
from chat.pictures.turns import Turns
from tests.conftest import Cast
from tests.pictures.samples import png, send
from tests.services import wait_for


class Line:
    """People who wait for their turns in threads, and the order in which they came."""

    def __init__(self, places: int) -> None:
        self.turns = Turns(places)
        self.order: list[str] = []
        self._go = threading.Event()
        self._threads: list[threading.Thread] = []

    def join(self, person: str) -> None:
        def work() -> None:
            with self.turns.turn(person, 30):
                self.order.append(person)
                self._go.wait(30)

        before = len(self.turns._waiting) + len(self.order)
        self._threads.append(threading.Thread(target=work))
        self._threads[-1].start()
        wait_for(lambda: len(self.turns._waiting) + len(self.order) > before)

    def go(self) -> None:
        self._go.set()
        for thread in self._threads:
            thread.join()


def test_it_works_on_one_picture_of_each_person_at_a_time():
    line = Line(2)
    for person in ("mallory", "mallory", "mallory", "alice"):
        line.join(person)
    wait_for(lambda: len(line.order) == 2)
    assert sorted(line.order) == ["alice", "mallory"]
    line.go()
    assert len(line.order) == 4


def test_it_takes_first_who_had_the_least_work_done():
    line = Line(1)
    line.turns._note("mallory", 20)
    line.join("somebody")
    for person in ("mallory", "mallory", "alice", "bob"):
        line.join(person)
    line.go()
    assert line.order == ["somebody", "alice", "bob", "mallory", "mallory"]


def test_it_forgets_what_was_long_ago(monkeypatch):
    line = Turns(1)
    line._note("mallory", turns._ALLOWED + 20)
    with pytest.raises(TooFast, match="took very long"), line.turn("mallory", 1):
        pass
    later = time.monotonic() + turns._HALF_LIFE
    monkeypatch.setattr(turns.time, "monotonic", lambda: later)
    with line.turn("mallory", 1):
        pass


def test_it_lets_only_so_many_of_one_person_wait():
    line = Line(1)
    for _ in range(turns._WAITING + 1):
        line.join("mallory")
    with pytest.raises(TooFast, match="Many of your pictures"), line.turns.turn("mallory", 1):
        pass
    line.join("alice")
    line.go()
    assert line.order.count("alice") == 1


def test_it_gives_a_place_back_when_the_work_fails_or_nobody_comes():
    line = Turns(1)
    with pytest.raises(OSError, match="a fault"), line.turn("alice", 1):
        raise OSError("a fault")
    with line.turn("alice", 1), pytest.raises(Unavailable), line.turn("bob", 0.05):
        pass
    with line.turn("bob", 1):
        pass


def test_somebody_who_keeps_the_machine_busy_is_told_to_pause(cast: Cast):
    pictures._turns._note(cast.alice.id, turns._ALLOWED + 5)
    with ExitStack() as stack:
        stack.callback(pictures._turns._spent.clear)
        response = send(cast.alice, cast.room, png())
        assert (response.status_code, "took very long" in response.text) == (429, True)
        assert send(cast.bob, cast.room, png()).status_code == 201
