"""What an event becomes: also when its row is bad, and not when the database is away."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import OperationalError

from chat.core.log import LogEvent
from chat.realtime import frames


class Sneezed(LogEvent):
    name = "test.sneezed"


@pytest.fixture
def renders(monkeypatch: pytest.MonkeyPatch):
    def use(renderer) -> None:
        monkeypatch.setitem(frames._renderers, Sneezed.name, renderer)

    return use


def test_a_bad_row_becomes_an_empty_frame_and_stops_no_other(renders):
    def renderer(events):
        if any(event.ref_id == "bad" for event in events):
            raise KeyError("bad")
        return [event.ref_id for event in events]

    renders(renderer)
    made = frames.render([Sneezed("room", 1, "one"), Sneezed("room", 2, "bad"), Sneezed("room", 3, "three")])
    assert [frame.html for frame in made] == ["one", "", "three"]


def test_a_database_that_is_away_is_no_bad_row(renders):
    """An empty frame would be true for ever: readers would go on past a message that they never saw."""

    def renderer(events):
        raise OperationalError("SELECT", None, Exception("server closed the connection"))

    renders(renderer)
    with pytest.raises(OperationalError):
        frames.render([Sneezed("room", 1, "one"), Sneezed("room", 2, "two")])
