"""Somebody is given a room to moderate, does so, is asked why they may, and every step is in the audit log."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.conftest import Windows
from tests.conftest import Town
from tests.people import Person


def test_a_member_becomes_the_moderator_of_one_room_with_four_people(town: Town, windows: Windows):
    """Alice administers, carol is appointed, bob writes, mallory is outside."""
    carol = Person(town.site.url).sign_up()
    town.alice.add(town.room, carol)
    said = town.bob.say(town.room, "buy my lenses")
    windows.allow("status of 404")
    member, author = (windows.open(each, f"/rooms/{town.room}") for each in (carol, town.bob))
    message = member.locator(f"#message_{said.id}")
    message.hover()
    expect(message.get_by_role("link", name="Report")).to_be_visible()
    expect(message.get_by_role("link", name="Remove")).to_be_hidden()

    admin = windows.open(town.alice, "/moderation/people")
    admin.get_by_label("Find people by name").fill(carol.name)
    admin.keyboard.press("Enter")
    admin.locator(f"a[href$='{carol.id}']").click()
    admin.get_by_label("What changes").select_option(f"appoint:{town.room}")
    group = admin.get_by_role("region", name="Moderation of single rooms")
    group.get_by_label("Reason").fill("Knows the lamp")
    group.get_by_role("button", name="Change").click()
    expect(admin.get_by_role("heading", name=carol.name)).to_be_visible()

    member.reload()
    message = member.locator(f"#message_{said.id}")
    message.hover()
    message.get_by_role("link", name="Remove").click()
    member.get_by_label("Reason").fill("An advertisement")
    member.get_by_role("button", name="Remove").click()
    for page in (member, author):
        expect(page.locator(f"#message_{said.id} .tombstone")).to_contain_text("An advertisement")
    member.goto(f"{town.site.url}/moderation/removed")
    expect(member.get_by_role("link", name="buy my lenses")).to_be_visible()
    member.goto(f"{town.site.url}/moderation/audit")
    expect(member.get_by_role("heading", name="Not here")).to_be_visible()
    outsider = windows.open(town.mallory, "/rooms")
    outsider.goto(f"{town.site.url}/moderation/why?person={carol.id}")
    expect(outsider.get_by_role("heading", name="Not here")).to_be_visible()

    admin.goto(f"{town.site.url}/moderation/why?person={carol.id}&permission=message.remove&room={town.room}")
    expect(admin.locator(".why__answer")).to_contain_text(f"{carol.name} may remove what others wrote")
    expect(admin.locator("main, body").first).to_contain_text("Moderator of the room")
    admin.goto(f"{town.site.url}/moderation/audit?person={town.bob.id}")
    row = admin.locator("tr", has_text="An advertisement").first
    expect(row).to_contain_text(carol.name)
    expect(row).to_contain_text("Removed a message")
    assert "buy my lenses" not in admin.content()
