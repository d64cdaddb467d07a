"""From what was typed to HTML: a small Markdown, and nothing that could act."""

from __future__ import annotations

import time
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chat.messages import body
from chat.messages.body import to_html, to_line

ALLOWED = {"p", "br", "strong", "em", "code", "pre", "a", "ul", "ol", "li", "blockquote"}


@pytest.mark.parametrize(
    ("typed", "html"),
    [
        ("hello", "<p>hello</p>"),
        ("**bold** and *slanted*", "<p><strong>bold</strong> and <em>slanted</em></p>"),
        ("`x < y`", "<p><code>x &lt; y</code></p>"),
        ("one\ntwo", "<p>one<br>\ntwo</p>"),
        ("- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>"),
        ("3. c", '<ol start="3">\n<li>c</li>\n</ol>'),
        ("> said", "<blockquote>\n<p>said</p>\n</blockquote>"),
        ("```\n<b>\n```", '<pre tabindex="0"><code>&lt;b&gt;\n</code></pre>'),
        ("# no heading", "<p># no heading</p>"),
        ("![no](picture.png)", "<p>!"),
        ("snake_case_name", "<p>snake_case_name</p>"),
        ("2 * 3 * 4", "<p>2 * 3 * 4</p>"),
        ("a & b < c", "<p>a &amp; b &lt; c</p>"),
        ('"quoted"', '<p>"quoted"</p>'),
    ],
)
def test_it_knows_a_small_markdown(typed: str, html: str):
    assert to_html(typed).startswith(html)


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("see https://example.org/a?b=c&d=e.", "https://example.org/a?b=c&amp;d=e"),
        ("see example.org", "http://example.org"),
        ("[here](https://example.org)", "https://example.org"),
        ("<https://example.org>", "https://example.org"),
        ("write to ines@example.org", "mailto:ines@example.org"),
    ],
)
def test_links_lead_out_safely(typed: str, address: str):
    html = to_html(typed)
    assert f'href="{address}"' in html
    assert 'rel="noopener noreferrer nofollow"' in html
    assert 'target="_blank"' in html


HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](jav&#x09;ascript:alert(1))",
    "[x](data:text/html,<script>alert(1)</script>)",
    "[x](vbscript:x)",
    "<a href='javascript:alert(1)'>x</a>",
    "<javascript:alert(1)>",
    '<div hx-get="/rooms/x/leave" hx-trigger="load">x</div>',
    '<div data-hx-post="/x">x</div>',
    '<hx-partial hx-target="#timeline">gone</hx-partial>',
    '<template><div hx-swap-oob="true" id="timeline"></div></template>',
    '<li id="message_x" hx-swap-oob="true">forged</li>',
    '<div sse-connect="https://evil.example">x</div>',
    '<meta name="htmx-config" content="{}">',
    "<base href=//evil.example>",
    '<form action="//evil.example" id="composer"><button>x</button></form>',
    "<style>*{display:none}</style>",
    '<p style="position:fixed">x</p>',
    '<p class="message" id="x">x</p>',
    "<iframe srcdoc=x>",
    "<!--><script>alert(1)</script>-->",
    "<math><mi//xlink:href='data:x,<script>'>",
    '`"><script>alert(1)</script>`',
    "```html\n</code></pre><script>alert(1)</script>\n```",
    '[x](https://e.org "onmouseover=alert(1)")',
    '[x](https://e.org/"onmouseover="alert(1))',
    "https://e.org/\"onmouseover='alert(1)'",
    "[<img src=x onerror=alert(1)>](https://e.org)",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
]


class Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))


def check(html: str) -> None:
    reader = Reader()
    reader.feed(html)
    for tag, attributes in reader.seen:
        assert tag in ALLOWED, html
        if tag == "a":
            assert set(attributes) <= {"href", "rel", "target"}, html
            assert attributes.get("href", "http:").split(":")[0].lower() in {"http", "https", "mailto"}, html
        elif tag == "ol":
            assert set(attributes) <= {"start"}
        elif tag == "pre":
            assert attributes == {"tabindex": "0"}
        else:
            assert not attributes, html


@pytest.mark.parametrize("typed", HOSTILE)
def test_nothing_that_could_act_gets_through(typed: str):
    check(to_html(typed))


@given(
    st.lists(st.sampled_from(HOSTILE) | st.text(max_size=20) | st.sampled_from(list("*_`[]()<>\n- >1."))).map("".join)
)
@settings(max_examples=300, deadline=None)
def test_whatever_is_typed_only_known_elements_come_out(typed: str):
    check(to_html(typed[:10_000]))


@given(st.text(st.characters(exclude_characters="\n\r", exclude_categories=["Cc", "Cs"]), max_size=60))
def test_the_short_way_for_plain_text_gives_the_same(typed: str):
    """Most messages take it; where it is taken, the long way must not have said anything else."""
    typed = typed.strip()
    if typed and body._PLAIN.fullmatch(typed) and not body._DOTTED.search(typed):
        long_way = body.nh3.clean(body._markdown.render(typed), tags=body._TAGS)
        assert str(to_html(typed)) == long_way


@pytest.mark.parametrize(
    "typed",
    ["[" * 10_000, "[a](" * 2_500, "*" * 10_000, "*a " * 3_333, "_a_" * 3_333, "`" * 9_999, "> " * 5_000, "- " * 5_000,
     "<" * 10_000, "a@" * 5_000, "http://" * 1_400, "![" * 5_000, "\\" * 10_000, "(" * 10_000, "**a *b " * 1_400, "a." * 5_000,
     "1. " * 3_000, "&" * 10_000, "| a " * 2_500, "a\n" * 5_000, "- item\n" * 1_428, "://" * 3_333,
     "(\":  ://x.co#ftp://[\")" * 450, "- a\n" * 400, "`" * 400 + "a " * 4_000,
     "1. a\n" * 400, "> - " * 100 + "a" * 9_000, "a" + "\n" * 9_998 + "b", "```\n" * 2_500, "```\na\n" * 1_400,
     " " * 9_999 + "b"],
)  # fmt: skip
def test_no_text_keeps_the_server_busy(typed: str):
    body._remembered.cache_clear()
    start = time.process_time()
    check(to_html(typed))
    to_line(typed)
    assert time.process_time() - start < 1, "far from what would stop everybody"


def test_a_long_piece_of_code_is_still_code():
    assert "<pre" in to_html("```\n" + "f(a[0], *b)\n" * 800 + "```")


@pytest.mark.parametrize(
    ("typed", "line"),
    [("**bold** `code`", "bold code"), ("> quote\nanswer", "quote answer"), ("- a\n- b", "a b"), ("1. one", "one"), ("", ""),
     ("3 * 0.8 * 2", "3 * 0.8 * 2"),
     ("`a * b_c`", "a * b_c"), ("snake_case", "snake_case"), ("a < b & c", "a < b & c"),
     ("x" * 200, "x" * 139 + "…"), ("a   b\n\nc", "a b c")],
)  # fmt: skip
def test_one_line_of_it(typed: str, line: str):
    assert to_line(typed) == line
