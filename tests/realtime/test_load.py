"""A room's feed is loaded once, however many ask for it at once and whatever fails meanwhile."""

from __future__ import annotations

import threading

from chat import realtime
from tests.conftest import Cast


def test_a_load_that_fails_leaves_one_feed_to_the_others(cast: Cast):
    """Two feeds of a room would mean that the readers of one hear nothing any more."""
    with cast.app.app_context():
        pump = realtime.here().pump
    answer = pump.audience
    gates = [(threading.Event(), threading.Event()) for _ in range(3)]
    waiting = iter(gates)

    def audience(room_id: str):
        entered, go = next(waiting)
        entered.set()
        go.wait(5)
        if go is gates[0][1]:
            raise ConnectionError
        return answer(room_id)

    pump.audience = audience
    found: list[object] = []

    def load() -> None:
        with cast.app.app_context():
            try:
                found.append(pump.load(cast.room, None))
            except ConnectionError:
                found.append(None)

    threads = [threading.Thread(target=load) for _ in range(3)]
    threads[0].start()
    gates[0][0].wait(5)
    threads[1].start()  # waits for the first
    gates[0][1].set()
    gates[1][0].wait(5)
    threads[2].start()  # comes while the second is at it
    gates[2][1].set()
    threads[2].join(0.3)
    gates[1][1].set()
    for thread in threads:
        thread.join(5)
    assert [each for each in found if each is not None] == [pump.feeds[cast.room]] * 2
