"""A message is reported, handled and removed, with who reported it, its author, a moderator and an outsider looking on."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.conftest import Windows, connected, says, until
from tests.conftest import Town
from tests.people import Person


def test_from_a_report_to_a_tombstone_with_four_people(town: Town, windows: Windows):
    """Alice moderates, bob reports, carol is the author, mallory is outside."""
    carol = Person(town.site.url).sign_up()
    town.alice.add(town.room, carol)
    said = carol.say(town.room, "Two tickets, half the price, write me")
    reporter = windows.open(town.bob, f"/rooms/{town.room}")
    author = windows.open(carol, f"/rooms/{town.room}")
    moderator = windows.open(town.alice, "/moderation/reports")
    outsider = windows.open(town.mallory, "/rooms")
    windows.allow("status of (404|422)")

    message = reporter.locator(f"#message_{said.id}")
    message.hover()
    message.get_by_role("link", name="Report").click()
    dialog = reporter.get_by_role("dialog", name="Report this message?")
    dialog.get_by_label("Something else").check()
    dialog.get_by_role("button", name="Report").click()
    expect(dialog.get_by_text("Say in a few words what it is.")).to_be_visible()
    expect(dialog.get_by_label("Something else")).to_be_checked()
    dialog.get_by_label("What else should moderators know?").fill("The third time today.")
    dialog.get_by_role("button", name="Report").click()
    expect(reporter.get_by_role("dialog", name="Reported")).to_contain_text(f"You reported a message by {carol.name}")
    reporter.get_by_role("link", name="Go back").click()
    expect(reporter.get_by_role("dialog")).to_have_count(0)
    expect(reporter.locator("#body")).to_be_editable()

    author.locator(f"#message_{said.id}").hover()
    expect(author.locator(f"#message_{said.id} [title=Delete]")).to_be_visible()
    expect(author.locator(f"#message_{said.id} [title=Report]")).to_be_hidden()

    moderator.reload()
    row = moderator.locator("[data-case]", has_text="Two tickets")
    expect(row).to_contain_text("in lamp-room")
    row.get_by_role("link").click()
    expect(moderator.get_by_text("The third time today.")).to_be_visible()
    case = moderator.url
    outsider.goto(case)
    expect(outsider.get_by_role("heading", name="Not here")).to_be_visible()
    moderator.get_by_role("link", name="Remove…").click()
    question = moderator.get_by_role("dialog", name="Remove this message?")
    expect(question.get_by_label("Reason")).to_be_focused()
    question.get_by_label("Reason").fill("Scam")
    question.get_by_label("Answer to those who reported it").fill("Thank you.")
    question.get_by_role("button", name="Remove").click()
    expect(moderator.get_by_text(f"Removed a message by {carol.name} in lamp-room.")).to_be_visible()
    expect(moderator.locator("[data-case]", has_text="Two tickets")).to_have_count(0)

    for page in (author, reporter):
        shows_tombstone(page, said.id)
        expect(page.get_by_text("Moderators wrote to you")).to_be_visible()
    author.goto(f"{town.site.url}/standing")
    expect(author.get_by_text("A moderator looked at it and removed it: Scam.")).to_be_visible()
    reporter.goto(f"{town.site.url}/standing")
    expect(reporter.get_by_text("You reported a message in lamp-room.")).to_contain_text("Thank you.")
    expect(outsider.get_by_text("Moderators wrote to you")).to_have_count(0)

    author.goto(f"{town.site.url}/rooms/{town.room}")
    connected(author)
    moderator.get_by_role("button", name="Undo").click()
    until(author, "(id) => document.querySelector(`#${id} .message__text`) !== null", f"message_{said.id}")
    expect(moderator.get_by_text("Handled by")).to_be_visible()


def shows_tombstone(page: Page, message_id: str) -> None:
    tombstone = page.locator(f"#message_{message_id} .tombstone")
    expect(tombstone).to_contain_text("Removed by a moderator: Scam")
    assert "Two tickets, half the price, write me" not in says(page)


def test_in_a_direct_room_one_sees_what_one_reveals(town: Town, windows: Windows):
    room = town.bob.post("/rooms/direct", person=town.mallory.id).headers["Location"].rsplit("/", 1)[1]
    town.bob.say(room, "I asked you to stop.")
    town.mallory.say(room, "Between us: my number is 555 0100.")
    said = town.mallory.say(room, "I know where you live.")
    page = windows.open(town.bob, f"/rooms/{room}")
    page.locator(f"#message_{said.id}").hover()
    page.locator(f"#message_{said.id}").get_by_role("link", name="Report").click()
    dialog = page.get_by_role("dialog", name="Report this message?")
    dialog.get_by_label("Violence or threats").check()
    expect(dialog.get_by_text("I asked you to stop.")).to_be_hidden()
    dialog.get_by_text("Show moderators more of this conversation").click()
    expect(dialog.get_by_role("checkbox")).to_have_count(2)
    expect(dialog.get_by_role("checkbox", checked=True)).to_have_count(0)
    dialog.get_by_label("I asked you to stop.").check()
    dialog.get_by_role("button", name="Report").click()
    expect(page.get_by_role("dialog", name="Reported")).to_be_visible()
    moderator = windows.open(town.alice, "/moderation/reports")
    moderator.locator("[data-case]", has_text="in a direct conversation").first.get_by_role("link").click()
    expect(moderator.get_by_text("I know where you live.")).to_be_visible()
    expect(moderator.get_by_text("I asked you to stop.")).to_be_visible()
    assert "555 0100" not in moderator.content()
    expect(page.get_by_text("Moderators wrote to you")).to_be_visible()


def test_it_goes_without_script(town: Town, windows: Windows, room_of: Callable[..., Page]):
    said = town.alice.say(town.room, "Two tickets, half the price")
    page = room_of(town.bob, f"/messages/{said.id}", java_script_enabled=False)
    page.get_by_role("link", name="Report").click()
    page.get_by_label("Spam or scam").check()
    page.get_by_role("button", name="Report").click()
    expect(page.get_by_role("heading", name="Reported")).to_be_visible()
    page.get_by_role("link", name="Go back").click()
    expect(page.locator(f"#message_{said.id}")).to_be_visible()
