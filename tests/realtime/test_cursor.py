"""Cursors: whatever a client sends is a cursor of ours or nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.realtime.cursor import Cursor, parse

ROOMS = st.text("abcdefghijklmnopqrstuvwxyz234567", min_size=16, max_size=16)
EPOCHS = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=24)


@given(ROOMS, EPOCHS, st.integers(0, 10**18 - 1))
def test_it_comes_back_as_it_was(room: str, epoch: str, seq: int):
    assert parse(str(Cursor(room, epoch, seq))) == Cursor(room, epoch, seq)


@given(st.text())
def test_other_texts_are_nothing(text: str):
    found = parse(text)
    assert found is None or str(found) == text or text.rsplit(".", 1)[1].startswith("0")


@pytest.mark.parametrize(
    "text",
    [None, "", ".", "..", "a.b.1", "abcdefghij234567.e.-1", "abcdefghij234567.e.1e3", "abcdefghij234567.e.9999999999999999999",
     "abcdefghij234567.e.1 ", "abcdefghij234567.e.١", "ABCDEFGHIJ234567.e.1", "abcdefghij234567..1", "abcdefghij234567.e.1\n"],
)  # fmt: skip
def test_these_are_nothing(text: str | None):
    assert parse(text) is None
