"""Whatever a theme may want to change is a token, and ``docs/tokens.md`` says what each of them is for."""

from __future__ import annotations

import re

import pytest
import tinycss2
from tinycss2.color5 import parse_color

from tests.house import tokens_page
from tests.house.test_css import SHEETS
from tests.house.tokens_page import PAGE, tokens

COLOURS = {"rgb", "rgba", "hsl", "hsla", "hwb", "lab", "lch", "oklab", "oklch", "color"}
#: Words that are colours everywhere, and take theirs from elsewhere.
BORROWED = {"currentcolor", "transparent"}


def test_the_page_about_tokens_is_what_the_sheets_say():
    assert PAGE.read_text() == tokens_page.page(), "run .venv/bin/python -m tests.house.tokens_page"


def test_every_token_says_what_it_is_for():
    for each in tokens():
        assert each.what, f"{each.name}: say it in a comment beside it"
        assert each.section, f"{each.name}: nothing above it says what it belongs to"
    names = [each.name for each in tokens()]
    assert len(names) == len(set(names))


def test_every_token_is_used():
    everything = "\n".join(SHEETS.values())
    for each in tokens():
        assert f"var({each.name}" in everything, each.name


@pytest.mark.parametrize("name", sorted(set(SHEETS) - set(tokens_page.SHEETS)))
def test_no_other_sheet_says_a_colour(name: str):
    said = list(_values(tinycss2.parse_component_value_list(SHEETS[name], skip_comments=True)))
    assert not said


def _values(nodes: list, value: bool = False):
    """Yield literal colours in the values of declarations: selectors may have a `#id`, and names of classes are words."""
    for node in nodes:
        if node.type == "literal":
            value = node.value == ":" if node.value in ":;" else value
        elif node.type == "function" and node.lower_name in COLOURS:
            yield tinycss2.serialize([node])
        elif node.type == "function":
            yield from _values(node.arguments, value)
        elif node.type == "{} block":
            yield from _values(node.content)
            value = False
        elif value and node.type in ("hash", "ident") and node.value.lower() not in BORROWED and parse_color(node):
            yield tinycss2.serialize([node])


@pytest.mark.parametrize("name", sorted(set(SHEETS) - set(tokens_page.SHEETS)))
def test_no_other_sheet_says_a_time_a_radius_or_how_letters_are_set(name: str):
    for value in re.findall(r"(?:transition|animation)[\w-]*:([^;}]*)", SHEETS[name]):
        assert not re.findall(r"(?<![\w.-])(?:[1-9]\d*|0?\.\d+)m?s\b", value), value
    for value in re.findall(r"border-(?:[\w-]+-)?radius:([^;}]*)", SHEETS[name]):
        assert not re.search(r"\d", re.sub(r"var\([^)]*\)|(?<![\w.])0(?![\w.])", "", value)), value
    assert not re.findall(r"letter-spacing:\s*-?[\d.]", SHEETS[name])
    for value in re.findall(r"z-index:([^;}]*)", SHEETS[name]):
        assert re.fullmatch(r"\s*(?:var\(--z-\w+\)|-?[01])\s*", value), value


@pytest.mark.parametrize("name", sorted(set(SHEETS) - set(tokens_page.SHEETS)))
def test_every_space_is_made_of_the_step(name: str):
    """So that one token sets everything apart, or together."""
    assert re.findall(r"(?<![\w-])(?:padding|margin|gap)[a-z-]*:[^;}]*?\drem[^;}]*", SHEETS[name]) == []
