"""Every accent can be read: text 4.5, controls 3, in both looks."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chat.look import accent

COLOURS = ["#000000", "#ffffff", "#ffcc00", "#ff0000", "#00ff00", "#0000ff", "#00ffff", "#808080", "#0a6b68", "#7a3cc2"]


def readable(chosen: str) -> None:
    for ratio in accent.ratios(chosen):
        assert ratio.light >= ratio.floor, (chosen, ratio)
        assert ratio.dark >= ratio.floor, (chosen, ratio)


@pytest.mark.parametrize("chosen", COLOURS)
def test_an_accent_can_be_read(chosen: str):
    readable(chosen)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 0xFFFFFF))
def test_any_accent_can_be_read(number: int):
    readable(f"#{number:06x}")


def test_what_can_be_read_stays_as_it_was_chosen():
    assert accent.derived("#0a6b68").light["accent"] == "#0a6b68"
    assert accent.derived("#ffcc00").dark["accent"] == "#ffcc00"


def test_what_cannot_moves_no_further_than_it_has_to():
    light = accent.derived("#ffcc00").light
    least = min(each.light - each.floor for each in accent.ratios("#ffcc00") if "uttons" in each.words)
    assert light["accent"] != "#ffcc00"
    assert least < 0.15


def test_the_figures_are_those_of_others():
    """Black on white is 21, and the accent that we ship has what the design says of it."""
    assert accent._contrast("#000000", "#ffffff") == pytest.approx(21)
    assert accent._contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)
    by_words = {each.words: (each.light, each.dark) for each in accent.ratios("")}
    assert by_words["Links, on the sheet"] == (7.2, 9.5)
    assert by_words["Text on filled buttons"] == (6.2, 8.6)


def test_every_token_of_the_accent_is_among_them():
    said = accent.declarations("#7a3cc2")
    for name in ("accent", "accent-hover", "accent-soft", "accent-line", "accent-text", "on-accent", "toast-accent"):
        assert f"--{name}:light-dark(#" in said
