"""What was typed, in a browser: read in the timeline, copied from it, changed in the editor, without script too."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from app import create_app
from chat.accounts.queries import get_user
from chat.core import ids
from chat.core.database import db
from chat.core.names import is_blank
from chat.messages import service
from chat.messages.body import to_line, to_shown
from tests.browser.conftest import settled, shows, write
from tests.conftest import Town, configured
from tests.messages.corpus import PASTED, TEXTS

Open = Callable[..., Page]

#: What a form leaves out: what nobody sees, and what turns text around.
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff]")
TYPED = [each for text in TEXTS if not is_blank(each := _UNSEEN.sub("", text).strip("\n\t "))]
#: Puts all messages of a room on its page, which itself shows the latest.
_GATHER = """async (room) => {
  const all = document.createElement("ol");
  document.querySelector("#timeline").after(all);
  for (let before = 1e15, page = true; page; ) {
    const html = await (await fetch(`/rooms/${room}/messages?before=${before}`)).text();
    const found = [...new DOMParser().parseFromString(html, "text/html").querySelectorAll("[data-seq]")];
    page = found.length > 0;
    before = Math.min(...found.map((each) => Number(each.dataset.seq)));
    all.prepend(...found);
  }
  document.querySelector("#timeline").remove();
  return [...all.querySelectorAll(".message")].map((each) => [each.id, each.querySelector(".message__text").innerText]);
}"""
#: Selects each of these messages' texts, and returns what a copy puts on the clipboard.
_COPY = """(ids) => ids.map((id) => {
  const text = document.querySelector(`#${id} .message__text`);
  getSelection().selectAllChildren(text);
  const event = new ClipboardEvent("copy", { bubbles: true, cancelable: true, clipboardData: new DataTransfer() });
  text.dispatchEvent(event);
  return event.clipboardData.getData("text/plain");
})"""
#: Selects from the beginning of one element to the end of another.
_SELECT = """([from, to]) => {
  const [start, end] = [from, to].map((each) => document.querySelectorAll(each));
  const inside = (node, side) => { while (node[side]) node = node[side]; return node; };
  const [first, last] = [inside(start[0], "firstChild"), inside(end[end.length - 1], "lastChild")];
  getSelection().setBaseAndExtent(first, 0, last, last.length);
}"""


def say(town: Town, texts: list[str]) -> list[str]:
    """Have bob say many things, as they are: through the service, for each request takes milliseconds. Return the ids."""
    app = create_app(configured(town.site.folder))
    with app.app_context():
        bob = get_user(town.bob.id).context
        said = [service.post_message(town.room, bob, text, ids.new()).message_id for text in texts]
        db.session.remove()
        db.engine.dispose()
    return said


def squeezed(text: str) -> str:
    return "".join(text.split())


def test_every_text_is_read_and_copied_as_it_was_typed(town: Town, room_of: Open):
    said = say(town, TYPED)
    page = room_of(town.alice)
    shown = page.evaluate(_GATHER, town.room)
    assert [each for each, _ in shown] == [f"message_{each}" for each in said]
    for (_, seen), text in zip(shown, TYPED, strict=True):
        assert squeezed(seen) == squeezed(to_shown(text))
        if "\n" not in text and to_shown(text) == text and "\u2028" not in text:
            assert seen == text, "with its spaces"
    copied = page.evaluate(_COPY, [each for each, _ in shown])
    assert copied == TYPED


def test_without_script_every_text_is_read(town: Town, room_of: Open):
    said = say(town, PASTED[:40])
    page = room_of(town.alice, "?after=0", java_script_enabled=False)
    for each, text in zip(said, PASTED, strict=False):
        assert squeezed(page.locator(f"#message_{each} .message__text").inner_text()) == squeezed(to_shown(text))


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_white_space_is_kept_from_the_box_to_the_editor(town: Town, room_of: Open, script: bool):
    art = "   /\\_/\\\n  ( o.o )\n\tx    =    2"
    page = room_of(town.alice, java_script_enabled=script)
    page.locator("#body").fill(art)
    page.get_by_title("Send").click()
    if script:
        settled(page)
    text = page.locator("#timeline .message__text")
    assert text.inner_text() == art
    page.goto(f"{town.alice.url}/messages/{page.locator('#timeline .message').get_attribute('id')[8:]}/edit")
    expect(page.locator("[name=body]")).to_have_value(art)


@pytest.mark.parametrize(
    ("start", "end", "copied"),
    [
        (".message__text p", ".message__text p", "Say **this** and\n`that`"),
        (".message__text strong", ".message__text strong", "this"),
        (".message__text strong", ".message__text p code", "**this** and\n`that`"),
        (".message__text pre code", ".message__text pre code", "x = 1"),
        (".message__text li", ".message__text li", "- one\n- *two*"),
        (
            "#timeline .message__head",
            ".message__text li",
            "Bob TIME\nSay **this** and\n`that`\n\n```py\nx = 1\n```\n\n- one\n- *two*",
        ),
    ],
)
def test_a_selection_is_copied_as_it_was_typed(town: Town, room_of: Open, start: str, end: str, copied: str):
    for text in ("Say **this** and\n`that`", "```py\nx = 1\n```", "- one\n- *two*"):
        town.bob.say(town.room, text)
    page = room_of(town.alice)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.evaluate(_SELECT, [start, end])
    page.keyboard.press("Control+C")
    name, at = (
        page.locator(".message__author").first.inner_text(),
        page.locator(".message__head time").first.inner_text(),
    )
    assert page.evaluate("navigator.clipboard.readText()") == copied.replace("Bob TIME", f"{name} {at}")


def test_the_bar_copies_what_was_typed(town: Town, room_of: Open):
    town.bob.say(town.room, "Say **this**")
    page = room_of(town.alice)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.locator("#timeline .message").hover()
    page.locator("[data-copy=text]").dispatch_event("click")  # shown where there is a finger
    expect(page.get_by_text("Text copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == "Say **this**"


def test_a_list_of_rooms_shows_every_word(town: Town, room_of: Open):
    page = room_of(town.alice)
    for text in (PASTED[0], PASTED[7], "2*3*4 = 24", "__init__"):
        town.bob.say(town.room, text)
        expect(page.locator(f"#row_{town.room} .row__text")).to_have_text(to_line(text))


@pytest.mark.parametrize("width", [390, 1440])
def test_piled_up_marks_stay_in_their_message(town: Town, room_of: Open, width: int):
    piles = ["Z" + "\u0300" * 200, "A" + "\u0489" * 100, "ก" + "\u0e49" * 200]
    for text in [
        *piles,
        "`" + piles[1] + "`",
        "> " + piles[2],
        "```\n" + piles[1] + "\n```",
        "[" + piles[1] + "](https://e.org)",
    ]:
        town.bob.say(town.room, text)
    page = room_of(town.alice, viewport={"width": width, "height": 800})
    wide = page.evaluate(
        "[...document.querySelectorAll('.scroller, html')].filter((e) => e.scrollWidth > e.clientWidth).length"
    )
    assert wide == 0
    assert page.evaluate(
        "[...document.querySelectorAll('.message__text, .row__text')].every((e) => getComputedStyle(e).overflowY !== 'visible')"
    )
    write(page, "still here")
    shows(page, "still here")
