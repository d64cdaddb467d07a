"""Cursors: whatever a client sends is a cursor of ours or nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.realtime.cursor import MAX_ROOMS, Cursor, others, parse

ROOMS = st.text("abcdefghijklmnopqrstuvwxyz234567", min_size=16, max_size=16)
EPOCHS = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=24)


@given(ROOMS, EPOCHS, st.integers(0, 10**18 - 1))
def test_it_comes_back_as_it_was(room: str, epoch: str, seq: int):
    assert parse(str(Cursor(room, epoch, seq))) == {room: Cursor(room, epoch, seq)}


@given(EPOCHS, st.dictionaries(ROOMS, st.integers(0, 10**18 - 1), min_size=1, max_size=MAX_ROOMS), st.data())
def test_one_says_it_of_every_room(epoch: str, places: dict[str, int], data: st.DataObject):
    room = data.draw(st.sampled_from(sorted(places)))
    text = str(Cursor(room, epoch + others(places, room), places[room]))
    assert parse(text) == {each: Cursor(each, epoch, seq) for each, seq in places.items()}
    assert text.split(".")[::2] == [room, str(places[room])]
    assert len(text) < 1200, "a header that comes back must stay small"


@given(st.text())
def test_other_texts_are_nothing(text: str):
    found = parse(text)
    assert not found or [str(each) for each in found.values()] == [text] or text.rsplit(".", 1)[1].startswith("0")


@pytest.mark.parametrize(
    "text",
    [None, "", ".", "..", "a.b.1", "abcdefghij234567.e.-1", "abcdefghij234567.e.1e3", "abcdefghij234567.e.9999999999999999999",
     "abcdefghij234567.e.1 ", "abcdefghij234567.e.١", "ABCDEFGHIJ234567.e.1", "abcdefghij234567..1", "abcdefghij234567.e.1\n"],
)  # fmt: skip
def test_these_are_nothing(text: str | None):
    assert parse(text) == {}
