"""Links to a message open around it and show which one is meant."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.conftest import Windows, fill, says, until
from tests.conftest import Town

Open = Callable[..., Page]


def test_it_opens_around_the_message_and_flashes_it_once(town: Town, room_of: Open):
    before = fill(town, 60)
    said = town.bob.say(town.room, "this one")
    fill(town, 200)
    page = room_of(town.alice, f"/messages/{said.id}")
    target = page.locator(f"#message_{said.id}")
    expect(target).to_be_in_viewport()
    expect(target).to_be_focused()
    until(page, f"!document.querySelector('#message_{said.id}').hasAttribute('data-flash')")
    assert before[-1] in says(page)
    expect(page.locator("[data-jump]")).to_be_visible()
    expect(page.locator(".target-actions")).to_be_hidden()


def test_it_copies_a_link_that_leads_back(town: Town, room_of: Open):
    fill(town, 3)
    page = room_of(town.alice)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    message = page.locator("#timeline .message").nth(1)
    message.hover()
    message.get_by_title("Copy link").click()
    expect(page.locator(".toast")).to_have_text("Link copied")
    link = page.evaluate("navigator.clipboard.readText()")
    assert link.startswith(f"{town.site.url}/rooms/{town.room}/messages/")
    page.goto(link)
    expect(page.locator("#timeline .message:focus .message__text")).to_have_text("number 1")


def test_it_shows_the_place_of_a_message_that_was_deleted(town: Town, room_of: Open):
    said = town.bob.say(town.room, "not for long")
    town.bob.post(f"/messages/{said.id}/delete")
    page = room_of(town.alice, f"/messages/{said.id}")
    expect(page.locator(f"#message_{said.id} .tombstone")).to_be_in_viewport()
    expect(page.locator("#timeline")).not_to_contain_text("not for long")


def test_it_survives_the_way_over_the_sign_in(town: Town, windows: Windows):
    said = town.bob.say(town.room, "come in")
    page = windows.context().new_page()
    page.goto(f"{town.site.url}/rooms/{town.room}/messages/{said.id}")
    page.get_by_label("E-mail").fill(town.alice.email)
    page.get_by_label("Password", exact=True).fill("a quiet lamp over the bay")
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator(f"#message_{said.id}")).to_be_focused()


def test_it_shows_nothing_to_an_outsider(town: Town, windows: Windows):
    windows.allow("404")
    said = town.bob.say(town.room, "among us")
    page = windows.context(town.mallory).new_page()
    answer = page.goto(f"{town.site.url}/rooms/{town.room}/messages/{said.id}")
    assert answer is not None
    assert answer.status == 404
    expect(page.locator("body")).not_to_contain_text("among us")
