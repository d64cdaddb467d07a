"""Nothing that was typed gets lost or changed: words in, words out, in the HTML and in the list."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from bs4 import BeautifulSoup
from hypothesis import given, settings
from hypothesis import strategies as st

from chat.core.names import is_blank
from chat.messages import body
from chat.messages.body import to_html, to_line, to_shown
from tests.conftest import Cast
from tests.messages.corpus import TEXTS

#: All that may be hidden where it means something, besides an address that stands in a link's brackets.
_MARKS = re.compile(r"(?:[*_~`>\[\] \t-])+")
_HIDDEN = re.compile(r"<i hidden>([^<]*)</i>")
_NO_WORD = re.compile(r"[\W_]+")
_PIECES = [
    *"*_~`[]()<>\n- >1.&\\!:/#|\"'", "\n\n", "```", "```js\n", "\n```\n", "\n> ", "> > ", "\n- ", "\n  - ", "\n1. ", "**",
    "~~", "__", "https://x.org/a", "www.x.org", "a@b.org", "[a](https://e.org/p)", "![", "&amp;", "<b>", "word", "日本",
    "「", "، ", "é", "👍🏽", "\t",
]  # fmt: skip


class Reader(HTMLParser):
    """Gathers what stands between tags."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.text = ""
        self.feed(html)
        self.close()

    def handle_data(self, data: str) -> None:
        self.text += data


def hold(text: str) -> None:
    """Check what holds for every text."""
    html = str(to_html(text))
    assert Reader(html).text == text, "its text content is what was typed"
    shown = to_shown(text)
    labels = body._LABELLED.findall(text)
    for mark in _HIDDEN.findall(html):
        known = mark.replace("&gt;", ">").replace("&amp;", "&")
        assert _MARKS.fullmatch(known) or any(known in (scheme, rest) for _, scheme, _, rest in labels), mark
    if not labels:
        assert _NO_WORD.sub("", shown) == _NO_WORD.sub("", text), "every letter is shown, in its place"
    assert is_blank(shown) == is_blank(text), (
        "something is shown where something was said, and nothing where nothing was"
    )
    if len(text) < 140 and not labels:
        assert to_line(text) == " ".join(shown.split())


def test_of_what_people_paste_every_word_is_shown():
    for text in TEXTS:
        hold(text)


@given(
    st.lists(st.sampled_from(_PIECES) | st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8)).map(
        "".join
    )
)
@settings(max_examples=500, deadline=None)
def test_of_whatever_is_typed_every_word_is_shown(text: str):
    hold(text)


def test_the_page_and_the_editor_have_all_of_it(cast: Cast):
    texts = [text for text in TEXTS if not is_blank(text)][5::40]
    typed = {}
    for text in texts:
        answer = cast.alice.post(f"/rooms/{cast.room}/messages", htmx=True, body=text)
        typed[answer.headers["Location"].rsplit("/", 1)[1]] = text
    page = BeautifulSoup(cast.alice.get(f"/rooms/{cast.room}").get_data(as_text=True), "html.parser")
    for message_id, text in typed.items():
        assert page.select_one(f"#message_{message_id} .message__text").get_text() == seen(text)
    last = next(reversed(typed))
    form = BeautifulSoup(cast.alice.get(f"/messages/{last}/edit").get_data(as_text=True), "html.parser")
    assert form.select_one("textarea[name=body]").get_text() == seen(typed[last])


def seen(text: str) -> str:
    """Return a text as a form takes it: what nobody sees and turns text around is left out."""
    return re.sub("[\x00-\x08\x0b-\x1f\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069\ufeff]", "", text).strip("\n\t ")
