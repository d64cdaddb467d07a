"""What one can do with a message: by pointer, by keyboard, by a long press; undone, or refused with a reason."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Windows, says, shows, until
from tests.conftest import Town

Open = Callable[..., Page]


def names(page: Page, text: str) -> list[str]:
    """Return what is offered on a message, by name."""
    message = page.locator("#timeline .message", has_text=text)
    message.hover()
    actions = message.locator(".action")
    return [each.get_attribute("title") for each in actions.all() if each.is_visible()]


def test_it_offers_what_one_may_do(town: Town, room_of: Open):
    town.alice.say(town.room, "by the administrator")
    mine = town.bob.say(town.room, "by a member")
    page = room_of(town.bob)
    assert names(page, "by a member") == ["Edit", "Copy link", "Delete"]
    assert names(page, "by the administrator") == ["Copy link", "Report"]
    admin = room_of(town.alice)
    assert names(admin, "by a member") == ["Copy link", "Report", "Remove"]
    town.bob.post(f"/messages/{mine.id}/delete")
    until(admin, "document.querySelector('.tombstone') !== null")
    assert names(admin, "deleted by its author") == ["Copy link", "Show", "Restore"]
    assert names(page, "deleted by its author") == ["Copy link"]


def test_it_undoes_a_deletion_within_ten_seconds_that_stand_still_under_the_pointer(town: Town, room_of: Open):
    said = town.alice.say(town.room, "a slip of the pen")
    page = room_of(town.alice)
    page.clock.install()
    assert "Delete" in names(page, "slip")
    page.get_by_title("Delete").click()
    toast = page.locator(".toast")
    expect(toast).to_contain_text("Message deleted")
    until(page, "document.querySelector('.tombstone') !== null")
    page.clock.run_for(4_000)
    expect(toast.locator(".toast__count")).to_have_text("6")
    toast.hover()
    page.clock.run_for(20_000)
    expect(toast.locator(".toast__count")).to_have_text("6")
    toast.get_by_role("button", name="Undo").click()
    shows(page, "a slip of the pen")
    expect(page.locator(f"#message_{said.id}")).to_be_focused()
    expect(toast).to_have_count(0)
    assert "Delete" in names(page, "slip")
    page.get_by_title("Delete").click()
    expect(toast).to_be_visible()
    page.mouse.move(0, 0)
    page.locator("#body").focus()
    page.clock.run_for(10_100)
    expect(toast).to_have_count(0)


def test_it_deletes_by_keyboard_alone_and_keeps_the_focus(town: Town, room_of: Open):
    said = town.alice.say(town.room, "by keyboard")
    page = room_of(town.alice)
    page.locator(".scroller").focus()
    page.keyboard.press("ArrowUp")
    expect(page.locator(f"#message_{said.id}")).to_be_focused()
    page.keyboard.press("Tab")
    while page.evaluate("document.activeElement.title") != "Delete":
        page.keyboard.press("ArrowRight" if "action" in page.evaluate("document.activeElement.className") else "Tab")
    page.keyboard.press("Enter")
    until(page, "document.querySelector('.tombstone') !== null")
    expect(page.locator(f"#message_{said.id}")).to_be_focused()


def test_it_asks_a_moderator_for_a_reason(town: Town, room_of: Open, windows: Windows):
    windows.allow("422")
    town.bob.say(town.room, "out of line")
    page, bob = room_of(town.alice), room_of(town.bob)
    assert "Remove" in names(page, "out of line")
    page.get_by_title("Remove").click()
    dialog = page.locator("#dialog dialog")
    expect(dialog).to_be_visible()
    expect(page.get_by_label("Reason")).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    assert says(page) == ["out of line"]
    assert "Remove" in names(page, "out of line")
    page.get_by_title("Remove").click()
    page.get_by_label("Reason").evaluate("(field) => field.removeAttribute('required')")
    page.get_by_role("button", name="Remove").click()
    expect(dialog.locator("[aria-invalid]")).to_be_focused()
    page.get_by_label("Reason").fill("private details")
    page.get_by_role("button", name="Remove").click()
    expect(dialog).to_have_count(0)
    for each in (page, bob):
        expect(each.locator(".tombstone")).to_contain_text("Removed by a moderator: private details")


@pytest.mark.parametrize("leave", ["Escape", "pointer"])
@pytest.mark.parametrize("action", ["Remove", "Report"])
def test_the_focus_comes_back_from_a_dialog_that_the_pointer_opened(action: str, leave: str, town: Town, room_of: Open):
    """The bar that it was opened from has gone with the pointer by then."""
    said = town.bob.say(town.room, "out of line")
    page = room_of(town.alice)
    assert action in names(page, "out of line")
    page.get_by_title(action).click()
    dialog = page.locator("#dialog dialog")
    expect(dialog).to_be_visible()
    expect(page.locator(".message .actions")).to_have_count(0)
    if leave == "Escape":
        page.keyboard.press("Escape")
    else:
        dialog.locator("[data-cancel]").click()
    expect(dialog).to_have_count(0)
    expect(page.locator(f"#message_{said.id}")).to_be_focused()


def test_it_says_at_the_message_why_something_was_refused(town: Town, room_of: Open, windows: Windows):
    windows.allow("409|ERR_FAILED|htmx:(sendError|afterRequest)")
    town.alice.say(town.room, "mine")
    page = room_of(town.alice)
    page.route("**/delete", lambda route: route.abort())
    assert "Delete" in names(page, "mine")
    page.get_by_title("Delete").click()
    problem = page.locator("#timeline .message [role=alert]")
    expect(problem).to_have_text("No connection. Nothing was changed; try again.")
    page.unroute("**/delete")
    refusal = '<p class="error" role="alert">This message is deleted already.</p>'
    page.route("**/delete", lambda route: route.fulfill(status=409, body=refusal))
    page.get_by_title("Delete").click()
    expect(problem).to_have_text("This message is deleted already.")
    expect(page.locator(".toast")).to_have_count(0)


def press(page: Page) -> Locator:
    """Hold a finger on the message until its sheet is there."""
    box = page.locator("#timeline .message__text").bounding_box()
    assert box is not None
    touch = page.context.new_cdp_session(page)
    point = {"x": box["x"] + 5, "y": box["y"] + 5}
    touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [point]})
    sheet = page.locator("dialog.sheet")
    expect(sheet).to_be_visible()
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    return sheet


def test_it_opens_a_sheet_on_a_long_press(town: Town, windows: Windows):
    town.alice.say(town.room, "press me")
    context = windows.context(town.alice, has_touch=True, is_mobile=True, viewport={"width": 390, "height": 844})
    page = windows.open(town.alice, f"/rooms/{town.room}", context)
    sheet = press(page)
    assert [each.inner_text() for each in sheet.locator(".action").all() if each.is_visible()] == [
        "Edit",
        "Copy text",
        "Copy link",
        "Delete",
    ]
    expect(sheet.locator(".sheet__quote")).to_have_text(f"{town.alice.name}: press me")
    sheet.get_by_text("Edit").tap()
    expect(sheet).to_have_count(0)
    expect(page.locator("#edit-body")).to_have_value("press me")


def test_it_copies_the_text_from_the_sheet(town: Town, windows: Windows):
    town.alice.say(town.room, "one\n\ntwo *three*")
    context = windows.context(town.alice, has_touch=True, is_mobile=True, viewport={"width": 390, "height": 844})
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = windows.open(town.alice, f"/rooms/{town.room}", context)
    press(page)
    page.get_by_role("button", name="Copy text").tap()
    expect(page.locator(".toast")).to_have_text("Text copied")
    assert page.evaluate("navigator.clipboard.readText()") == "one\n\ntwo *three*"


def test_a_tap_opens_nothing(town: Town, windows: Windows):
    town.alice.say(town.room, "just a tap")
    context = windows.context(town.alice, has_touch=True, is_mobile=True, viewport={"width": 390, "height": 844})
    page = windows.open(town.alice, f"/rooms/{town.room}", context)
    page.locator("#timeline .message__text").tap()
    expect(page.locator("#timeline .message")).to_be_focused()
    expect(page.locator(".actions")).to_have_count(0)


def test_the_tab_key_passes_messages_by_until_the_arrows_choose_one(town: Town, room_of: Open):
    said = [town.alice.say(town.room, f"number {n}") for n in range(3)]
    page = room_of(town.alice)
    page.locator(".scroller").focus()
    page.keyboard.press("Tab")
    expect(page.locator("#body, .composer__files")).to_have_count(2)
    assert page.evaluate("document.activeElement.closest('#composer') !== null"), "no stop at a message"
    page.locator(".scroller").focus()
    for message in reversed(said):
        page.keyboard.press("ArrowUp")
        expect(page.locator(f"#message_{message.id}")).to_be_focused()
        expect(page.locator(".actions")).to_have_count(1)
    page.keyboard.press("Tab")
    expect(page.locator(f"#message_{said[0].id} .action[title=Edit]")).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(page.locator(f"#message_{said[0].id} .action[title='Copy link']")).to_be_focused()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('#composer') !== null"), "one stop for all actions"


def test_a_link_leads_past_everything_to_writing(town: Town, room_of: Open):
    page = room_of(town.alice)
    page.get_by_role("link", name="Write a message").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#body")).to_be_focused()


def test_it_offers_no_edit_that_would_be_refused(town: Town, room_of: Open):
    town.bob.say(town.room, "written long ago")
    page = room_of(town.bob)
    page.evaluate(
        "document.querySelector('#timeline time').dateTime = new Date(Date.now() - 16 * 60_000).toISOString()"
    )
    assert names(page, "long ago") == ["Copy link", "Delete"]


@pytest.mark.parametrize("text", ["mine", "theirs"])
def test_the_bar_of_a_conversation_stands_beside_its_own_words(text: str, town: Town, windows: Windows):
    room = town.alice.post("/rooms/direct", person=town.bob.id).headers["Location"].rsplit("/", 1)[1]
    town.bob.say(room, "theirs")
    town.alice.say(room, "mine")
    page = windows.open(town.alice, f"/rooms/{room}", viewport={"width": 1440, "height": 900})
    words = page.locator("#timeline .message", has_text=text).last.locator(".message__text")
    words.hover()
    bar, bubble = page.locator(".actions").bounding_box(), words.bounding_box()
    assert bar
    assert bubble
    gap = bar["x"] - bubble["x"] - bubble["width"] if text == "theirs" else bubble["x"] - bar["x"] - bar["width"]
    assert 0 <= gap < 80
    assert bar["y"] + bar["height"] == pytest.approx(bubble["y"] + bubble["height"], abs=4)


def test_it_opens_no_sheet_when_one_scrolls(town: Town, windows: Windows):
    town.alice.say(town.room, "scroll me")
    context = windows.context(town.alice, has_touch=True, is_mobile=True, viewport={"width": 390, "height": 844})
    page = windows.open(town.alice, f"/rooms/{town.room}", context)
    page.clock.install()
    box = page.locator("#timeline .message__text").bounding_box()
    assert box is not None
    touch = context.new_cdp_session(page)
    for step, kind in enumerate(("touchStart", "touchMove", "touchMove")):
        point = {"x": box["x"] + 5, "y": box["y"] + 5 + 20 * step}
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [point]})
    page.clock.run_for(600)
    expect(page.locator("dialog.sheet")).to_have_count(0)
