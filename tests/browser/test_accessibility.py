"""axe finds nothing to complain about in the states of a room and of forms, light and dark. test_pages asks it of each page."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Windows, settled, write
from tests.browser.places import Village
from tests.browser.test_pages import DESK, faults

STATES: dict[str, Callable[[Page, Village], None]] = {}


def state(show: Callable[[Page, Village], None]) -> Callable[[Page, Village], None]:
    STATES[show.__name__.replace("_", " ")] = show
    return show


@state
def the_bar_of_a_message(page: Page, village: Village) -> None:
    page.locator(f"#message_{village.own.id}").hover()
    page.locator(".actions").wait_for()


@state
def a_question_before_removing(page: Page, village: Village) -> None:
    page.locator(f"#message_{village.theirs.id}").hover()
    page.get_by_title("Remove", exact=True).click()
    page.locator("dialog.dialog").wait_for()


@state
def a_message_being_edited(page: Page, village: Village) -> None:
    page.locator(f"#message_{village.own.id}").hover()
    page.get_by_title("Edit", exact=True).click()
    page.locator("#edit-body").wait_for()


@state
def a_picture_by_itself(page: Page, village: Village) -> None:
    page.locator(".pictures[data-count='2'] .picture__link").first.click()
    page.locator("dialog.viewer").wait_for()


@state
def a_message_that_was_refused(page: Page, village: Village) -> None:
    page.route("**/messages", lambda route: route.fulfill(status=413, body="<p>The picture is over 10 MB.</p>"))
    write(page, "Can you bring the long ladder?")
    expect(page.locator("#outbox .message")).to_have_attribute("data-state", "failed")


@state
def something_to_undo(page: Page, village: Village) -> None:
    write(page, "Wrong room, sorry")
    settled(page)
    page.locator("#timeline .message", has_text="Wrong room").last.hover()
    page.get_by_title("Delete", exact=True).click()
    page.locator(".toast").wait_for()


@state
def a_text_that_is_too_long(page: Page, village: Village) -> None:
    page.locator("#body").fill("a" * 10_001)
    page.locator(".composer__count").wait_for()


@state
def somebody_writing(page: Page, village: Village) -> None:
    village.bob.post(f"/rooms/{village.room}/typing")
    page.locator(".typing__name").wait_for()


@pytest.mark.parametrize("name", STATES)
def test_a_room_has_no_fault_while_it_shows(name: str, village: Village, windows: Windows):
    windows.allow("413")
    page = windows.open(village.ines, f"/rooms/{village.room}", **DESK, reduced_motion="reduce")
    STATES[name](page, village)
    assert faults(page) == []


def test_forms_that_were_refused_have_no_fault(village: Village, windows: Windows):
    windows.allow("422")
    page = windows.context(**DESK, reduced_motion="reduce").new_page()
    page.goto(f"{village.ines.url}/sign-up")
    for field, value in (("Name", "Ines"), ("E-mail", "ines@example.org"), ("Password", "short")):
        page.get_by_label(field, exact=True).fill(value)
    page.get_by_role("button", name="Create the account").click()
    page.locator("[aria-invalid]").wait_for()
    assert faults(page) == []
    assert page.evaluate("document.activeElement.id") == "password", "the first field in error"


def test_the_answer_to_an_old_form_has_no_fault(village: Village, windows: Windows):
    windows.allow("403")
    page = windows.context(village.ines, **DESK, reduced_motion="reduce").new_page()
    page.goto(f"{village.ines.url}/profile")
    old = village.ines.elsewhere().token
    page.evaluate(
        """(token) => {
            const form = document.querySelector('form[action="/profile"]');
            form.elements.csrf_token.value = token;
            form.elements.status.value = "A status that somebody typed";
            HTMLFormElement.prototype.submit.call(form);
        }""",
        old,
    )
    expect(page.get_by_text("A status that somebody typed")).to_be_visible()
    assert faults(page) == []
    page.set_viewport_size({"width": 390, "height": 844})
    assert faults(page, "light") == [], "on a phone"
