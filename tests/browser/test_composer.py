"""The composer: what the keys do, what is counted, what is kept."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Windows, connected, says, settled, shows, stop_the_clock, until, write
from tests.conftest import Town

Open = Callable[..., Page]


def test_it_sends_on_enter_and_breaks_on_shift_enter(town: Town, room_of: Open):
    page = room_of(town.alice)
    expect(page.locator("#body")).to_be_focused()
    page.keyboard.type("one")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("two")
    page.keyboard.press("Enter")
    settled(page)
    assert page.locator("#timeline .message__text").inner_text() == "one\ntwo"
    expect(page.locator("#body")).to_be_focused()
    expect(page.locator("#body")).to_have_value("")


def test_it_sends_nothing_when_there_is_nothing(town: Town, room_of: Open):
    page = room_of(town.alice)
    page.locator("#body").fill("  \n ")
    page.keyboard.press("Enter")
    page.get_by_title("Send").click()
    expect(page.locator("#outbox")).to_be_empty()
    write(page, "something")
    settled(page)
    assert says(page) == ["something"]


def test_it_leaves_enter_to_an_input_method(town: Town, room_of: Open):
    page = room_of(town.alice)
    keyboard = page.context.new_cdp_session(page)
    for text in ("に", "にほ", "にほん"):
        keyboard.send("Input.imeSetComposition", {"text": text, "selectionStart": len(text), "selectionEnd": len(text)})
    page.evaluate(
        """() => {
          const key = { key: "Enter", bubbles: true, cancelable: true };
          const body = document.querySelector("#body");
          body.dispatchEvent(new KeyboardEvent("keydown", { ...key, isComposing: true }));
          body.dispatchEvent(new KeyboardEvent("keydown", { ...key, keyCode: 229 }));
        }"""
    )
    expect(page.locator("#outbox")).to_be_empty()
    keyboard.send("Input.insertText", {"text": "日本"})
    expect(page.locator("#body")).to_have_value("日本")
    page.keyboard.press("Enter")
    settled(page)
    assert says(page) == ["日本"]


def test_it_is_not_disturbed_by_messages_that_come_while_one_composes(town: Town, room_of: Open):
    page = room_of(town.alice)
    keyboard = page.context.new_cdp_session(page)
    keyboard.send("Input.imeSetComposition", {"text": "に", "selectionStart": 1, "selectionEnd": 1})
    said = [town.bob.say(town.room, f"number {n}") for n in range(10)]
    shows(page, said[-1].body)
    keyboard.send("Input.imeSetComposition", {"text": "にほ", "selectionStart": 2, "selectionEnd": 2})
    keyboard.send("Input.insertText", {"text": "日本"})
    expect(page.locator("#body")).to_have_value("日本")
    expect(page.locator("#body")).to_be_focused()


def test_it_breaks_the_line_on_the_enter_of_a_phone(town: Town, windows: Windows):
    context = windows.context(town.alice, has_touch=True, is_mobile=True, viewport={"width": 390, "height": 844})
    page = windows.open(town.alice, f"/rooms/{town.room}", context)
    page.locator("#body").tap()
    page.keyboard.type("one")
    page.keyboard.press("Enter")
    page.keyboard.type("two")
    expect(page.locator("#outbox")).to_be_empty()
    page.get_by_title("Send").tap()
    settled(page)
    assert page.locator("#timeline .message__text").inner_text() == "one\ntwo"
    page.keyboard.type("three")
    page.keyboard.press("Control+Enter")
    shows(page, "three")


def test_it_counts_from_four_fifths_and_refuses_what_is_too_long(town: Town, room_of: Open):
    page = room_of(town.alice)
    count = page.locator(".composer__count")
    page.locator("#body").fill("x" * 7_999)
    expect(count).to_be_hidden()
    page.locator("#body").fill("x" * 7_999 + "😀")
    expect(count).to_have_text("8,000 of 10,000")
    page.locator("#body").fill("x" * 10_412)
    expect(count).to_have_attribute("data-state", "over")
    page.keyboard.press("Enter")
    expect(page.locator(".composer__error")).to_have_text(
        "A message holds 10,000 characters; this one has 10,412. Shorten it or send it in parts."
    )
    expect(page.locator("#body")).to_have_value("x" * 10_412)
    page.locator("#body").fill("short")
    expect(page.locator(".composer__error")).to_have_count(0)
    page.keyboard.press("Enter")
    shows(page, "short")


def test_it_reads_the_count_out_at_tenths_and_not_at_keys(town: Town, room_of: Open):
    page = room_of(town.alice)
    page.locator("#body").fill("x" * 7_990)
    page.evaluate(
        """() => {
          window.spoken = [];
          for (const region of document.querySelectorAll("message-composer :is([role=status], output, [aria-live])")) {
            if (region.ariaLive === "off") continue;
            new MutationObserver(() => spoken.push(region.textContent)).observe(region, { childList: true, subtree: true });
          }
        }"""
    )
    page.locator("#body").press("End")
    page.locator("#body").press_sequentially("y" * 40)
    expect(page.locator(".composer__count")).to_have_text("8,030 of 10,000")
    assert page.evaluate("spoken") == ["2,000 characters left"]
    page.locator("#body").fill("x" * 10_003)
    assert page.evaluate("spoken").pop() == "3 characters too many"


def test_it_grows_with_the_text_up_to_two_fifths_of_the_window(town: Town, room_of: Open):
    page = room_of(town.alice, viewport={"width": 1200, "height": 800})
    height = "document.querySelector('#body').offsetHeight"
    one = page.evaluate(height)
    page.locator("#body").fill("\n".join("abc"))
    three = page.evaluate(height)
    page.locator("#body").fill("\n".join("x" * 60))
    most = page.evaluate(height)
    page.locator("#body").fill("")
    assert one < three < most <= 0.42 * 800
    assert page.evaluate(height) == one


def test_it_keeps_a_draft_over_a_reload_and_forgets_it_when_sent(town: Town, room_of: Open):
    page = room_of(town.alice)
    page.keyboard.type("half a thou")
    page.reload()
    connected(page)
    expect(page.locator("#body")).to_have_value("half a thou")
    page.keyboard.type("ght")
    page.keyboard.press("Enter")
    settled(page)
    page.reload()
    connected(page)
    expect(page.locator("#body")).to_have_value("")
    assert says(page) == ["half a thought"]


def test_it_keeps_a_draft_per_room_and_per_person(town: Town, windows: Windows):
    other = town.alice.make_room("other-room")
    town.alice.add(other, town.bob)
    page = windows.open(town.alice, f"/rooms/{town.room}")
    page.keyboard.type("for this room")
    page.goto(f"{town.alice.url}/rooms/{other}")
    expect(page.locator("#body")).to_have_value("")
    page.context.add_cookies([{"name": c.name, "value": c.value, "url": town.bob.url} for c in town.bob.http.cookies])
    page.goto(f"{town.alice.url}/rooms/{town.room}")
    expect(page.locator("#body")).to_have_value("")


def test_it_edits_ones_last_message_by_arrow_up(town: Town, room_of: Open):
    town.alice.say(town.room, "first")
    town.alice.say(town.room, "mine")
    town.bob.say(town.room, "not mine")
    page = room_of(town.alice)
    shows(page, "not mine")
    page.keyboard.press("ArrowUp")
    box = page.locator("#edit-body")
    expect(box).to_be_focused()
    expect(box).to_have_value("mine")
    expect(page.locator("#composer")).to_be_hidden()
    page.keyboard.press("Escape")
    expect(page.locator("#composer")).to_be_visible()
    expect(page.locator("#body")).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(box).to_be_focused()
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("and more")
    page.keyboard.press("Enter")
    shows(page, "and more")
    expect(page.locator("#body")).to_be_focused()
    page.keyboard.type("x")
    page.keyboard.press("ArrowUp")
    expect(box).to_have_count(0)


@pytest.mark.parametrize("text", ["", "x" * 10_001])
def test_it_keeps_the_text_of_an_edit_that_is_refused(text: str, town: Town, room_of: Open, windows: Windows):
    windows.allow("422")
    town.alice.say(town.room, "mine")
    page = room_of(town.alice)
    page.keyboard.press("ArrowUp")
    page.locator("#edit-body").fill(text)
    page.keyboard.press("Enter")
    expect(page.locator("#editor [role=alert]")).to_be_visible()
    expect(page.locator("#edit-body")).to_have_value(text)
    expect(page.locator("#edit-body")).to_be_focused()
    page.get_by_role("link", name="Cancel").click()
    expect(page.locator("#body")).to_be_focused()
    assert says(page) == ["mine"]


def test_it_says_in_the_editor_that_the_message_is_gone_meanwhile(town: Town, room_of: Open, windows: Windows):
    windows.allow("409")
    said = town.alice.say(town.room, "mine")
    page = room_of(town.alice)
    page.keyboard.press("ArrowUp")
    page.locator("#edit-body").fill("changed")
    town.alice.post(f"/messages/{said.id}/delete")
    until(page, "document.querySelector('.message--deleted') !== null")
    page.keyboard.press("Enter")
    expect(page.locator("#editor [role=alert]")).to_contain_text("This message is deleted")
    expect(page.locator("#edit-body")).to_have_value("changed")


def test_it_says_that_one_writes_at_most_every_two_seconds(town: Town, room_of: Open):
    page = room_of(town.bob)
    reports: list[str] = []
    page.on("request", lambda request: reports.append(request.url) if request.url.endswith("/typing") else None)
    page.clock.install()
    for _ in range(3):
        page.keyboard.type("some words")
        page.clock.run_for(2_100)
    page.keyboard.press("Enter")
    settled(page)
    assert len(reports) == 3


def test_it_shows_up_to_three_names_for_six_seconds_and_never_ones_own(town: Town, room_of: Open):
    page = room_of(town.alice)
    line = page.locator("typing-line")
    stop_the_clock(page)
    names = ("Bo", "Cy", "Di", "Ed")
    frames = [
        f'<bdi class="typing__name" data-room="{town.room}" data-person-id="{name}">{name}</bdi>' for name in names
    ]
    own = f'<bdi class="typing__name" data-room="{town.room}" data-person-id="{town.alice.id}">Alice</bdi>'
    elsewhere = '<bdi class="typing__name" data-room="another" data-person-id="Flo">Flo</bdi>'
    show = "(html) => { const t = document.createElement('template'); t.innerHTML = html;"
    show += (
        " const line = document.querySelector('typing-line'); for (const name of t.content.children) line.show(name); }"
    )
    page.evaluate(show, own + elsewhere)
    expect(line).to_be_empty()
    for seen, words in (
        (1, "Bo is writing"),
        (2, "Bo and Cy are writing"),
        (3, "Bo, Cy and Di are writing"),
        (4, "Several people are writing"),
    ):
        page.evaluate(show, frames[seen - 1])
        expect(line).to_have_text(words)
    page.clock.run_for(5_900)
    expect(line).to_have_text("Several people are writing")
    page.clock.run_for(200)
    expect(line).to_be_empty()
