"""From what was typed to HTML: what formats, what is left as it is, and nothing that could act."""

from __future__ import annotations

import time
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chat.messages import body
from chat.messages.body import to_html, to_line, to_shown

ALLOWED = {"p", "strong", "em", "s", "code", "pre", "a", "ul", "ol", "li", "blockquote", "i", "small", "span"}


def bare(typed: str) -> str:
    """Return the HTML of a text without the marks that are hidden in it."""
    return body._HIDDEN.sub("", to_html(typed))


@pytest.mark.parametrize(
    ("typed", "html"),
    [
        ("hello", "<p>hello</p>"),
        ("**bold** and *slanted* and _so_", "<p><strong>bold</strong> and <em>slanted</em> and <em>so</em></p>"),
        ("***both*** ~~gone~~", "<p><strong><em>both</em></strong> <s>gone</s></p>"),
        ("**a *b* `c`**", "<p><strong>a <em>b</em> <code>c</code></strong></p>"),
        ("*two\nlines*", "<p><em>two\nlines</em></p>"),
        ("`x < y`", "<p><code>x &lt; y</code></p>"),
        ("`` a`b ``", "<p><code>a`b</code></p>"),
        ("`` `x` ``", "<p><code>`x`</code></p>"),
        ("one\ntwo\n\n\nfive", "<p>one\ntwo\n\n\nfive</p>"),
        ("- a\n- b", "<ul><li>a\n</li><li>b</li></ul>"),
        ("text\n- a\n  - b\n- c", "<p>text</p>\n<ul><li>a\n<ul><li>b\n</li></ul></li><li>c</li></ul>"),
        ("3. c\n3. d", "<ol><li><span>3.</span> c\n</li><li><span>3.</span> d</li></ol>"),
        ("1) c", "<ol><li><span>1)</span> c</li></ol>"),
        ("> said\nanswer", "<blockquote><p>said</p></blockquote>\n<p>answer</p>"),
        (">> a\n> b", "<blockquote><blockquote><p>a</p></blockquote>\n<p>b</p></blockquote>"),
        ("```\n<b>\n```", '\n<pre tabindex="0"><code>&lt;b&gt;</code></pre>\n'),
        ("```py\n  x\n```", '<pre tabindex="0"><small>py</small>\n<code>  x</code></pre>\n'),
        ("```SELECT 1\nFROM t```", '<pre tabindex="0"><code>SELECT 1\nFROM t</code></pre>'),
        ("``` first line\nsecond\n```", '<pre tabindex="0"><code> first line\nsecond</code></pre>\n'),
        ("```x = 1```", '<pre tabindex="0"><code>x = 1</code></pre>'),
        ("a ```x``` b", "<p>a <code>x</code> b</p>"),
        ("**重要：**です", "<p><strong>重要：</strong>です</p>"),
        ("これは**「重要」**です", "<p>これは<strong>「重要」</strong>です</p>"),
        ("これは*重要*です", "<p>これは<em>重要</em>です</p>"),
        ("**중요**합니다", "<p><strong>중요</strong>합니다</p>"),
        ("a & b < c", "<p>a &amp; b &lt; c</p>"),
        ("[**b**](https://e.org/x)", '<strong>b</strong></a><small>(e.org)</small></p>'),
    ],
)  # fmt: skip
def test_it_knows_a_small_markdown(typed: str, html: str):
    assert bare(typed).endswith(html)


@pytest.mark.parametrize(
    "typed",
    [
        "# no heading", "![no](picture.png)", "snake_case_name", "2 * 3 * 4", "2*3*4 = 24", "__init__", "_", "* * *",
        "---", "***", r"¯\_(ツ)_/¯", "¯_(ツ)_/¯", r"\\server\share\_new", r"C:\_temp\*.log", r"\*a\* \`b\`",
        "f(*args, **kwargs)", "*.*", "/*comment*/", "del *.py, foo.*", "src/**/a/**/b", "(*) one (*) two",
        "self._a and b_", "資料_最終_版", "```not closed", "- " * 10 + "text", ">_<", ">:(", ">= 5", "   > ^ <", "- ", "> ",
        "```\n```", "` `", "**\u200b**", "a\n===\nb", "| a | b |\n| --- | --- |", "&amp; &nbsp;", "<!-- x -->",
        "[a]: https", "[call](tel:+4912345)", "ftp://example.com/file", "[x](javascript:alert(1))", "see README.md",
        "I did it.So now", "example.org", "https://bank.example@evil.example/", "[x](https://a.example@evil.example/)",
        "*a\n\nb*", "git@github.com:a/b.git", "1985 was. 2024. is", "def f():\n    return 1", "x    =    2",
        "   /\\_/\\\n  ( o.o )",
    ],
)  # fmt: skip
def test_what_is_not_meant_stays_as_it_was_typed(typed: str):
    assert to_html(typed) == f"<p>{body._escape(typed)}</p>"


@pytest.mark.parametrize("depth", [6, 10, 20, 30])
def test_what_is_nested_too_deep_is_flattened(depth: int):
    assert to_shown(">" * depth + " look here") == ">" * (depth - 5) + " " * (depth > 5) + "look here"
    deep = "\n".join("  " * level + f"- item {level}" for level in range(depth))
    assert to_shown(deep).split("\n") == [f"item {level}" for level in range(depth)]
    assert to_html(deep).count("<ul>") == 5


@pytest.mark.parametrize(
    ("typed", "addresses"),
    [
        ("see https://example.org/a?b=c&d=e.", ["https://example.org/a?b=c&amp;d=e"]),
        ("WWW.example.org!", ["http://WWW.example.org"]),
        ("<https://example.org>", ["https://example.org"]),
        ("(https://e.org/A_(b)) https://e.org/x_y_z", ["https://e.org/A_(b)", "https://e.org/x_y_z"]),
        ("**https://e.org** _https://e.org/_", ["https://e.org", "https://e.org/"]),
        ("write to ines@example.org, please", ["mailto:ines@example.org"]),
        ("详情见https://example.com/a，谢谢", ["https://example.com/a"]),
        ("（https://example.com/b）后", ["https://example.com/b"]),
        ("https://e.org/a、https://e.org/b", ["https://e.org/a", "https://e.org/b"]),
        ("https://e.org/a,https://e.org/b", ["https://e.org/a", "https://e.org/b"]),
        ("«https://e.org/x» “https://e.org/y” „https://e.org/z“", ["https://e.org/x", "https://e.org/y", "https://e.org/z"]),
        ("https://e.org/x… https://e.org/y。 https://e.org/z！", ["https://e.org/x", "https://e.org/y", "https://e.org/z"]),
        ("https://e.org/日本 https://müller.example/ü", ["https://e.org/日本", "https://müller.example/ü"]),
        ("https://e.org\u202e/a", ["https://e.org"]),
        ("https://e.org\\@evil.example", ["https://e.org"]),
        ("http://localhost:8000/ http://[::1]/", ["http://localhost:8000/", "http://[::1]/"]),
        ("[a](https://e.org/A_(b))", ["https://e.org/A_(b)"]),
        ("HTTPS://e.org/ [a](httpſ://e.org/) httpſ://e.org/", ["HTTPS://e.org/"]),
    ],
)  # fmt: skip
def test_links_lead_out_safely(typed: str, addresses: list[str]):
    reader = Reader()
    reader.feed(to_html(typed))
    links = [attributes for tag, attributes in reader.seen if tag == "a"]
    assert [each["href"].replace("&", "&amp;") for each in links] == addresses
    assert all(each["rel"] == "noopener noreferrer nofollow" and each["target"] == "_blank" for each in links)


def test_a_link_with_words_of_its_own_says_where_it_leads():
    assert to_shown("[https://bank.example](https://evil.example/x)") == "https://bank.example(evil.example)"
    assert 'title="https://evil.example/x"' in to_html("[https://bank.example](https://evil.example/x)")


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
            assert set(attributes) <= {"href", "rel", "target", "title"}, html
            assert attributes.get("href", "http:").split(":")[0].lower() in {"http", "https", "mailto"}, html
        elif tag == "pre":
            assert attributes == {"tabindex": "0"}
        elif tag == "i":
            assert attributes == {"hidden": None}
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


@pytest.mark.parametrize(
    "typed",
    [
        "[" * 10_000, "[a](" * 2_500, "*" * 10_000, "*a " * 3_333, "_a_" * 3_333, "`" * 9_999, "> " * 5_000, "- " * 5_000,
        "<" * 10_000, "a@" * 5_000, "http://" * 1_400, "![" * 5_000, "\\" * 10_000, "(" * 10_000, "**a *b " * 1_400,
        "a." * 5_000, "1. " * 3_000, "&" * 10_000, "| a " * 2_500, "a\n" * 5_000, "- item\n" * 1_428, "://" * 3_333,
        "(\":  ://x.co#ftp://[\")" * 450, "- a\n" * 400, "`" * 400 + "a " * 4_000, "1. a\n" * 400,
        "> - " * 100 + "a" * 9_000, "a" + "\n" * 9_998 + "b", "```\n" * 2_500, "```\na\n" * 1_400, " " * 9_999 + "b",
        "\n\n&" * 3_333, "\na@" * 3_333, "\n\n(" * 3_333, "a@" + "b." * 4_999, "https://x.org/" + ")" * 9_900,
        "> a\nb\n" * 1_666, "```a\nx```y\n" * 900, "www.a-" * 1_666, "[a](http://x" * 800, "`a ``b ```c " * 800,
        ">" * 10_000, "*(" * 5_000, "~~a~~ " * 1_600, "http://x " * 1_100, "x@y.zz " * 1_400, "[" + "a" * 9_999,
        "- a\n  - b\n" * 900,
    ],
)  # fmt: skip
def test_no_text_keeps_the_server_busy(typed: str):
    body._short.cache_clear()
    body._long.cache_clear()
    start = time.process_time()
    html = to_html(typed)
    to_line(typed)
    assert time.process_time() - start < 0.5, "far from what would stop everybody"
    check(html)


def test_a_long_piece_of_code_is_still_code():
    assert "<pre" in to_html("```\n" + "f(a[0], *b)\n" * 800 + "```")


@pytest.mark.parametrize(
    ("typed", "line"),
    [("**bold** `code`", "bold code"), ("> quote\nanswer", "quote answer"), ("- a\n- b", "a b"), ("1. one", "1. one"), ("", ""),
     ("3 * 0.8 * 2", "3 * 0.8 * 2"),
     ("`a * b_c`", "a * b_c"), ("snake_case", "snake_case"), ("a < b & c", "a < b & c"),
     ("x" * 200, "x" * 139 + "…"), ("a   b\n\nc", "a b c"), ("2*3*4 = 24", "2*3*4 = 24"), (">" * 7 + " a", ">> a"),
     ("```\n" + "x = 1\n" * 200 + "```", ("x = 1 " * 24)[:139] + "…"), ("- - - a", "- - - a"), ("3. a", "3. a")],
)  # fmt: skip
def test_one_line_of_it(typed: str, line: str):
    assert to_line(typed) == line
