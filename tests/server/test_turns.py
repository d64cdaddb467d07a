"""Requests are worked on in turns: whoever has many waiting makes nobody else wait behind all of them."""

from __future__ import annotations

import pytest
from gevent import sleep, spawn

from chat.server import turns as module
from chat.server.turns import Turns


def test_whoever_had_least_is_next(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "turn", sleep)  # the tests' own process waits as others do
    turns, order = Turns(), []

    def ask(network: str) -> None:
        turns.wait(network)
        order.append(network)
        if len(order) == 5:
            asked.extend(spawn(ask, "late") for _ in range(2))

    asked = [spawn(ask, name) for name in ["many"] * 20 + ["few"] * 2]
    while len(order) < 24:
        sleep(0.001)
    assert "few" in order[1:3]
    assert order[:4].count("few") == 2
    assert order[5:8].count("late") == 2, "who comes when others had many is before them"
    assert not turns._had
