"""Styles of one's own stay in their layer and lead nowhere, whatever was typed."""

from __future__ import annotations

import pytest
import tinycss2
from hypothesis import given, settings
from hypothesis import strategies as st

from chat.core.errors import Invalid
from chat.look.styles import LIMIT, compiled
from tests.browser.payloads import PAYLOADS

TAKEN = [
    ".brand { color: red }",
    ":root { --accent: light-dark(#fff, #000); --radius-4: 0 }",
    "@media (width < 40rem) { .side { gap: 1rem; &:hover { gap: 2rem } } }",
    "@supports (display: grid) { a { b: c } }",
    "@keyframes turn { from { rotate: 0deg } to { rotate: 1turn } }",
    "a::before { content: '} @import url(x)' }",
    "a { background: linear-gradient(red, blue) }",
    "/* url(x) @import */ a { b: c }",
]
REFUSED = [
    "} a { b: c }",
    "a { b: c } }",
    "@import 'x';",
    "@IMPORT url(x);",
    "@\\69mport 'x';",
    "a { @import 'x'; }",
    "@media print { @import 'x'; }",
    "@layer theme { a { b: c } }",
    "@layer reset, theme;",
    "@charset 'utf-8';",
    "@namespace x url(y);",
    "@font-face { font-family: x; src: url(y) }",
    "@property --x { syntax: '*' }",
    "a { b: url(https://canary.example/x) }",
    "a { b: url('/static/x') }",
    "a { b: URL(x) }",
    "a { b: u\\72l(x) }",
    "a { b: u\\72 l('x') }",
    "a { b: url(x",
    "a { b: image-set('https://canary.example/x' 1x) }",
    "a { b: -webkit-image-set('x' 1x) }",
    "a { b: src('x') }",
    "a { --x: { c: url(x) } }",
    "a { --x: url(x) }",
    "a:has([x='url(']) { b: url(x) }",
    "@supports (b: url(x)) { a { b: c } }",
    "@container style(--x: url(x)) { a { b: c } }",
    "a { b: 'x\n}",
    "a { b: 'x",
    "a { b: c; nonsense }",
    "a { b: calc(1px }",
    "no braces",
    "a" + "{a" * 4000 + "}" * 4000,
]


@pytest.mark.parametrize("typed", TAKEN)
def test_it_takes(typed: str):
    assert inside(compiled(typed))


@pytest.mark.parametrize("typed", REFUSED)
def test_it_refuses(typed: str):
    with pytest.raises(Invalid) as refused:
        compiled(typed)
    assert refused.value.fields["css"]


def test_nothing_is_nothing():
    assert compiled("") == compiled(" \n") == compiled("/* later */") == compiled("/* open") == ""


def test_it_says_in_which_line():
    with pytest.raises(Invalid, match="Line 3 has @import"):
        compiled("a { b: c }\n\n@import 'x';")


def test_it_has_a_limit():
    compiled("a{b:c}".ljust(LIMIT))
    with pytest.raises(Invalid, match="16,384 characters"):
        compiled("a{b:c}".ljust(LIMIT + 1))


def test_what_is_left_open_is_closed():
    assert inside(compiled("a { b: c"))
    assert inside(compiled("@media print { a { b: c"))


@pytest.mark.parametrize(
    "typed", ["a{" * 200 + "b:c;" * 3900, "(" * 8000, "a{--b:" + "(" * 8000, "a{" * 14 + "}" * 14, "a{b:c" + "f(" * 500]
)
def test_blocks_inside_of_each_other_are_counted_before_they_are_read(typed: str):
    with pytest.raises(Invalid, match="more than 12 blocks inside of each other"):
        compiled(typed)


def test_a_few_blocks_inside_of_each_other_are_fine():
    assert inside(compiled("@media print { .a { & b { &:hover { color: color-mix(in oklab, red, var(--x)) } } } }"))


@pytest.mark.parametrize(
    "typed", [".a { & b { background: url(x) } }", ".a { & b { & c { --x: image-set('x' 1x) } } }"]
)
def test_an_address_deep_inside_is_found(typed: str):
    with pytest.raises(Invalid, match="leads to an address"):
        compiled(typed)


_PIECES = st.sampled_from(
    ["a", "{", "}", "(", ")", "[", "]", "'", '"', ";", ":", ",", "\\", "\n", " ", "/*", "*/", "<!--", "-->", "@media",
     "@import", "@layer", "url(", "u\\72l(", "image-set(", "#x", "--y", "!important", "\0", "\f", "é", "1px", "</style>", "\\}"]
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.lists(_PIECES, max_size=25).map("".join))
def test_nothing_leaves_the_layer(typed: str):
    try:
        made = compiled(typed)
    except Invalid:
        return
    assert not made or inside(made)


@pytest.mark.parametrize("payload", range(0, len(PAYLOADS), 3))
def test_no_attack_leaves_it(payload: int):
    test_nothing_leaves_the_layer.hypothesis.inner_test(PAYLOADS[payload])  # type: ignore[attr-defined]


def inside(made: str) -> bool:
    """Tell whether a sheet is one block of our layer and nothing else, and leads nowhere."""
    rules = tinycss2.parse_stylesheet(made)
    (only,) = rules
    names = {each.lower_value for each in tinycss2.parse_component_value_list(made) if each.type == "at-keyword"}
    assert "url" not in {each.type for each in only.content}
    return only.type == "at-rule" and only.lower_at_keyword == "layer" and names == {"layer"}
