"""Somebody is muted, banned, and let back in, with a moderator, the person, a bystander and an outsider looking on."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.conftest import Windows, says
from tests.conftest import Town
from tests.people import Person


def impose(page: Page, what: str, reason: str, where: str = "") -> None:
    """From the page of a person."""
    page.get_by_role("link", name="Sanction…").click()
    page.get_by_role("radio", name=what).check()
    if where:
        page.get_by_label("Where").select_option(where)
    page.get_by_label("Reason").fill(reason)
    page.get_by_role("button", name="Impose it").click()
    expect(page.get_by_role("heading", name="Sanctions")).to_be_visible()


def type_in(page: Page, text: str) -> None:
    page.locator("#body").fill(text)
    page.locator("#body").press("Enter")


def test_a_mute_stops_writing_at_once_and_an_appeal_ends_it(town: Town, windows: Windows):
    carol = Person(town.site.url, "Carol Finch").sign_up()
    town.alice.add(town.room, carol)
    windows.allow("status of (403|404)")
    person, bystander = (windows.open(each, f"/rooms/{town.room}") for each in (carol, town.bob))
    moderator = windows.open(town.alice, f"/moderation/people/{carol.id}")
    impose(moderator, "Mute", "Shouting", town.room)
    type_in(person, "am I heard?")
    bubble = person.locator("#outbox .message")
    expect(bubble).to_contain_text("You are muted until")
    expect(bubble).to_contain_text("am I heard?")
    town.bob.say(town.room, "a calm word")
    expect(person.locator("#timeline")).to_contain_text("a calm word")
    assert "am I heard?" not in says(bystander)

    person.goto(f"{town.site.url}/standing")
    expect(person.get_by_role("heading", name="You are muted in lamp-room")).to_be_visible()
    expect(person.locator("main")).to_contain_text("Shouting")
    assert "Alice" not in person.locator("main").inner_text()
    person.get_by_text("Appeal against being muted").click()
    person.get_by_label("Why should this be looked at again?").fill("It was my little sister.")
    person.get_by_role("button", name="Send appeal").click()
    expect(person.get_by_text("You have appealed.")).to_be_visible()
    outsider = windows.open(town.mallory, "/rooms")
    for path in ("/moderation/appeals", "/moderation/sanctions", f"/moderation/people/{carol.id}"):
        assert town.mallory.get(path).status_code == 404
    assert "little sister" not in outsider.content()

    moderator.goto(f"{town.site.url}/moderation/appeals")
    case = moderator.locator("li", has_text="It was my little sister.")
    case.get_by_role("button", name="Grant").click()
    expect(case).to_have_count(0)
    person.goto(f"{town.site.url}/rooms/{town.room}")
    type_in(person, "thank you")
    expect(bystander.locator("#timeline")).to_contain_text("thank you")


def test_a_ban_ends_every_page_of_a_person_and_leaves_them_their_standing(town: Town, windows: Windows):
    carol = Person(town.site.url, "Carol Finch").sign_up()
    town.alice.add(town.room, carol)
    windows.allow("status of (401|403|404)")
    person, bystander = (windows.open(each, f"/rooms/{town.room}") for each in (carol, town.bob))
    moderator = windows.open(town.alice, f"/moderation/people/{carol.id}")
    reason = f"Selling tickets in {town.room}"  # the list that lifting leads to has what other tests imposed on this site, too
    impose(moderator, "Ban", reason)
    expect(moderator.locator("li", has_text=reason)).to_contain_text("Banned everywhere")
    expect(person.locator("[data-connection]")).to_be_visible()
    town.bob.say(town.room, "after the ban")
    expect(bystander.locator("#timeline")).to_contain_text("after the ban")
    assert "after the ban" not in says(person)
    carol.sign_in()
    again = windows.context(carol).new_page()
    again.goto(f"{town.site.url}/rooms/{town.room}")
    expect(again.get_by_role("heading", name="You are shut out for now")).to_be_visible()
    expect(again.locator("main, body").first).to_contain_text(reason)
    assert "after the ban" not in again.content()

    moderator.locator("li", has_text=reason).get_by_role("link", name="Lift…").click()
    moderator.get_by_label("Reason").fill("A mistake")
    moderator.get_by_role("button", name="Lift it").click()
    expect(moderator.get_by_role("heading", name="Sanctions")).to_be_visible()
    expect(moderator.locator("li", has_text=reason)).to_have_count(0)
    again.goto(f"{town.site.url}/rooms/{town.room}")
    expect(again.locator("#timeline")).to_contain_text("after the ban")
