"""What was written and not sent is there again, for whoever wrote it and for nobody else."""

from __future__ import annotations

import json
from collections.abc import Callable

from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import Windows, says, settled, write
from tests.conftest import Town

Open = Callable[..., Page]


def room(windows: Windows, town: Town, context: BrowserContext) -> Page:
    return windows.open(town.alice, f"/rooms/{town.room}", context=context)


def kept(page: Page) -> str:
    return left(page) + page.evaluate("JSON.stringify(Object.entries(sessionStorage))")


def left(page: Page) -> str:
    return page.evaluate("JSON.stringify(Object.entries(localStorage))")


def close(page: Page) -> None:
    page.close(run_before_unload=True)
    page.wait_for_event("close") if not page.is_closed() else None


def test_it_is_there_after_the_tab_was_closed_and_gone_once_it_is_sent(town: Town, windows: Windows):
    context = windows.context(town.alice)
    first = room(windows, town, context)
    first.locator("#body").fill("half a thought\nand its second line")
    close(first)
    second = room(windows, town, context)
    expect(second.locator("#body")).to_have_value("half a thought\nand its second line")
    second.reload()
    expect(second.locator("#body")).to_have_value("half a thought\nand its second line")
    second.locator("#body").press("Enter")
    settled(second)
    close(second)
    third = room(windows, town, context)
    expect(third.locator("#body")).to_have_value("")
    assert "half a thought" not in left(third)


def test_two_tabs_do_not_take_each_others(town: Town, windows: Windows):
    context = windows.context(town.alice)
    first, second = room(windows, town, context), room(windows, town, context)
    first.locator("#body").fill("written here")
    second.locator("#body").fill("written there")
    for page, text in ((first, "written here"), (second, "written there")):
        page.reload()
        expect(page.locator("#body")).to_have_value(text)
    close(first)
    close(second)
    third = room(windows, town, context)
    expect(third.locator("#body")).to_have_value("written there")
    third.locator("#body").press("Enter")
    settled(third)
    fourth = room(windows, town, context)
    expect(fourth.locator("#body")).to_have_value("written here")


def test_a_message_that_was_not_sent_is_there_too(town: Town, windows: Windows):
    windows.allow("429|ERR_FAILED|htmx")
    context = windows.context(town.alice)
    first = room(windows, town, context)
    first.route("**/messages", lambda route: route.fulfill(status=429, body="<p role=alert>A little slower.</p>"))
    write(first, "refused")
    expect(first.locator("#outbox [role=alert]")).to_contain_text("A little slower")
    close(first)
    second = room(windows, town, context)
    expect(second.locator("#outbox .message__text")).to_have_text("refused")
    second.locator("#outbox").get_by_role("button", name="Try again").click()
    settled(second)
    assert says(second) == ["refused"]


def test_the_text_of_an_edit_is_there_again(town: Town, windows: Windows):
    context = windows.context(town.alice)
    page = room(windows, town, context)
    write(page, "as it was")
    settled(page)
    page.locator("#body").press("ArrowUp")
    page.locator("#edit-body").fill("as it shall be")
    close(page)
    page = room(windows, town, context)
    page.locator("#body").press("ArrowUp")
    expect(page.locator("#edit-body")).to_have_value("as it shall be")
    page.keyboard.press("Escape")
    page.locator("#body").press("ArrowUp")
    expect(page.locator("#edit-body")).to_have_value("as it was")


def test_signing_out_leaves_nothing_and_others_see_nothing(town: Town, windows: Windows):
    windows.allow("401|ERR_(INCOMPLETE|NETWORK)")
    alice = town.alice.elsewhere()
    context = windows.context(alice)
    page = room(windows, town, context)
    page.locator("#body").fill("a secret of alice")
    page.goto(f"{town.site.url}/devices")
    assert "a secret of alice" in kept(page)
    context.add_cookies(
        [{"name": each.name, "value": each.value, "url": town.bob.url} for each in town.bob.http.cookies]
    )
    other = windows.open(town.bob, f"/rooms/{town.room}", context=context)
    expect(other.locator("#body")).to_have_value("")
    context.add_cookies([{"name": each.name, "value": each.value, "url": alice.url} for each in alice.http.cookies])
    page.goto(f"{town.site.url}/profile")
    page.locator("form[action$='/sign-out'] button").click()
    page.wait_for_url("**/sign-in")
    assert "a secret of alice" not in kept(page)


def test_what_is_old_or_strange_is_forgotten(town: Town, windows: Windows):
    context = windows.context(town.alice)
    page = room(windows, town, context)
    old = json.dumps({"at": 0, "kept": {f"draft:{town.room}": "of last year"}})
    page.evaluate(
        "([old, id]) => { localStorage.setItem(`confab:${id}:left:x`, old);"
        " localStorage.setItem('confab:somebody:left:y', old); localStorage.setItem(`confab:${id}:left:z`, '{nonsense') }",
        [old, town.alice.id],
    )
    close(page)
    page = room(windows, town, context)
    expect(page.locator("#body")).to_have_value("")
    assert "of last year" not in left(page)
    assert "nonsense" not in left(page)
