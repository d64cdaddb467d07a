"""Signed out in another tab, and in again: nothing that was written is lost, nothing is sent as somebody else."""

from __future__ import annotations

import re

from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import Windows, connected, says, settled, shows, until, with_new_room, write
from tests.conftest import Town
from tests.people import PASSWORD, Person

REFUSED = "40[13]|ERR_(INCOMPLETE|NETWORK)"


def sign_out(page: Page) -> None:
    page.goto(page.url.split("/rooms")[0] + "/profile")
    page.locator("form[action$='/sign-out'] button").click()
    page.wait_for_url("**/sign-in")


def sign_in(page: Page, person: Person) -> None:
    page.get_by_label("E-mail").fill(person.email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(re.compile("/rooms|/profile"))


def two_tabs(windows: Windows, town: Town, path: str) -> tuple[BrowserContext, Page, Page]:
    context = windows.context(town.alice.elsewhere())
    first, second = (windows.open(town.alice, path, context=context) for _ in range(2))
    return context, first, second


def test_signing_in_in_two_tabs_goes_on_in_both(town: Town, windows: Windows):
    context = windows.context()
    tabs = [context.new_page() for _ in range(2)]
    for tab in tabs:
        tab.goto(f"{town.site.url}/sign-in?next=/rooms/{town.room}")
    for tab in tabs:
        sign_in(tab, town.alice)
    for tab in tabs:
        connected(tab)
        write(tab, "here")
        settled(tab)
    assert says(tabs[1]) == ["here", "here"]


def test_a_tab_goes_on_when_its_person_signs_in_again_in_another(town: Town, windows: Windows):
    windows.allow(REFUSED)
    _, first, second = two_tabs(windows, town, f"/rooms/{town.room}")
    first.locator("#body").fill("half a thought")
    sign_out(second)
    expect(first.locator("[data-connection]")).to_have_attribute("data-state", "out")
    first.locator("#body").press("Enter")
    write(first, "and another")
    expect(first.locator("#outbox .sending__word")).to_have_text(["Waiting until you sign in"] * 2)
    sign_in(second, town.alice)
    shows(first, "and another")
    settled(first)
    assert says(first) == ["half a thought", "and another"]
    expect(first.locator("[data-connection]")).to_be_hidden()
    connected(first)
    town.bob.say(town.room, "heard")
    shows(first, "heard")
    first.locator("#timeline .message").first.hover()
    first.locator("#timeline .message").first.get_by_role("link", name="Delete").click()
    expect(first.locator("#timeline .message").first).to_contain_text("deleted")


def test_a_tab_goes_on_when_the_password_is_changed_in_another(town: Town, windows: Windows):
    windows.allow(REFUSED)
    carol = Person(town.site.url).sign_up()
    town.alice.add(town.room, carol)
    context = windows.context(carol)
    first, second = (windows.open(carol, f"/rooms/{town.room}", context=context) for _ in range(2))
    second.goto(f"{town.site.url}/profile/password")
    second.locator("[name=current_password]").fill(PASSWORD)
    second.locator("[name=password]").fill("another quiet lamp")
    second.locator("[name=password]").press("Enter")
    second.wait_for_url("**/profile?changed=password")
    town.bob.say(town.room, "heard")
    shows(first, "heard")
    write(first, "and said")
    settled(first)
    assert says(first) == ["heard", "and said"]


def test_nothing_is_sent_as_somebody_else(town: Town, windows: Windows):
    windows.allow(REFUSED)
    _, first, second = two_tabs(windows, town, f"/rooms/{town.room}")
    sign_out(second)
    expect(first.locator("[data-connection]")).to_have_attribute("data-state", "out")
    write(first, "of alice")
    sign_in(second, town.bob)
    expect(first.locator("[data-connection]")).to_contain_text("Somebody else")
    write(first, "and this")
    expect(first.locator("#outbox .sending__word")).to_have_text(["Waiting until you sign in"] * 2)
    second.goto(f"{town.site.url}/rooms/{town.room}")
    connected(second)
    assert says(second) == []
    expect(second.locator("#outbox .message")).to_have_count(0)
    expect(second.locator("#body")).to_have_value("")
    sign_out(second)
    sign_in(second, town.alice)
    shows(first, "and this")
    assert says(first) == ["of alice", "and this"]
    author = first.locator("#timeline .message").first.get_attribute("data-author-id")
    assert author == town.alice.id


def test_a_form_has_its_text_again_after_signing_in(town: Town, windows: Windows):
    windows.allow(REFUSED)
    room = with_new_room(town).room
    _, first, second = two_tabs(windows, town, f"/rooms/{room}/settings")
    sign_out(second)
    first.get_by_label("What it is for").or_(first.locator("[name=purpose]")).first.fill("A purpose of several words")
    first.locator("form:has([name=purpose]) button").last.click()
    first.wait_for_url("**/sign-in?**")
    sign_in(first, town.alice)
    first.wait_for_url(f"**/rooms/{room}/settings")
    expect(first.locator("[name=purpose]")).to_have_value("A purpose of several words")
    first.locator("form:has([name=purpose]) button").last.click()
    first.wait_for_url(f"**/rooms/{room}")
    expect(first.locator(".bar__purpose")).to_have_text("A purpose of several words")
    first.goto(f"{town.site.url}/rooms/{room}/settings")
    until(first, "document.readyState === 'complete'")
    expect(first.locator("[name=purpose]")).to_have_value("A purpose of several words")
