"""A rule, what it holds, and what is decided, with a moderator, an author, a bystander and an outsider looking on."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.conftest import Windows, press, says, until
from tests.conftest import Town
from tests.people import Person, Stream

TEXT = "cheap lenses at the harbour"


def rule(town: Town, **fields: str) -> None:
    form = {"kind": "words", "name": "Lenses", "action": "hold", "words": "lenses", "room": town.room} | fields
    assert town.alice.post("/moderation/rules", **form).status_code == 303


def empty_queue(town: Town) -> None:
    """Refuse what other tests, on the same site, have left waiting."""
    for line in town.alice.page("/moderation/held").select("li[id^=held_]"):
        town.alice.post(f"/moderation/held/{line['data-case']}/refuse", reason="left over")
    town.alice.post("/moderation/held/alerts", until="9" * 12)


def type_in(page: Page, text: str) -> None:
    page.locator("#body").fill(text)
    page.locator("#body").press("Enter")


def test_what_a_rule_holds_is_approved_with_four_people(town: Town, windows: Windows):
    carol = Person(town.site.url, "Carol Finch").sign_up()
    town.alice.add(town.room, carol)
    town.bob.say(town.room, "lenses were dear last year")
    moderator = windows.open(town.alice, "/moderation/rules")
    moderator.get_by_role("link", name="New rule").click()
    moderator.get_by_role("link", name="Words and beginnings").click()
    moderator.get_by_label("Words", exact=True).fill("lenses")
    moderator.get_by_label("Name").fill("Lenses")
    moderator.get_by_label("Where").select_option(town.room)
    moderator.get_by_label("Try it on a text").fill("l e n s e s?")
    moderator.get_by_role("button", name="See what it would have done").click()
    trial = moderator.locator("#trial")
    expect(trial).to_contain_text("This text is what it looks for.")
    expect(trial.get_by_role("heading")).to_have_text("1 message of 1 person in 30 days")
    expect(trial.locator("mark")).to_have_text(["l e n s e s", "lenses"])
    expect(moderator.get_by_label("Name")).to_have_value("Lenses")
    moderator.get_by_role("button", name="Make it hold").click()
    expect(moderator.get_by_role("link", name="Lenses").first).to_be_visible()

    author, bystander = (windows.open(each, f"/rooms/{town.room}") for each in (carol, town.bob))
    moderator.goto(f"{town.site.url}/rooms/{town.room}")
    until(moderator, "document.documentElement.dataset.stream === 'up'")
    quiet = Stream(town.bob, f"/events?room={town.room}")
    type_in(author, TEXT)
    expect(author.locator("#held")).to_contain_text(TEXT)
    expect(author.locator("#held")).to_contain_text("A moderator looks at it before anybody else does.")
    expect(author.locator("#outbox .message")).to_have_count(0)
    expect(author.locator("#body")).to_have_value("")
    waiting = moderator.locator("#held .message")
    expect(waiting).to_contain_text("Waits for review: Lenses")
    assert TEXT not in says(moderator)
    author.reload()
    expect(author.locator("#held")).to_contain_text(TEXT)
    windows.allow("status of 404")
    outsider = windows.open(town.mallory, "/rooms")
    for path in (f"/rooms/{town.room}/held", "/moderation/held", "/moderation/rules"):
        assert town.mallory.get(path).status_code == 404
    town.alice.say(town.room, "said meanwhile")
    for page in (author, bystander, moderator):
        expect(page.locator("#timeline")).to_contain_text("said meanwhile")
    assert b"harbour" not in quiet.raw
    assert b"event: held" not in quiet.raw
    assert TEXT not in says(bystander)
    bystander.reload()
    assert TEXT not in bystander.content()

    waiting.get_by_role("link", name="Show").click()
    expect(waiting).to_contain_text("You are reading hidden text. This look is in the audit log.")
    expect(waiting.locator(".prose")).to_have_text(TEXT)
    waiting.get_by_role("button", name="Approve").click()
    for page in (author, bystander, moderator):
        expect(page.locator("#timeline .message").last).to_contain_text(TEXT)
        expect(page.locator("#held .message")).to_have_count(0)
    expect(author.get_by_text("Moderators wrote to you")).to_be_visible()
    outsider.goto(f"{town.site.url}/rooms/{town.room}")
    assert TEXT not in outsider.content()


def test_what_waits_is_taken_back_or_refused_in_the_room(town: Town, windows: Windows):
    rule(town)
    author, moderator = (windows.open(each, f"/rooms/{town.room}") for each in (town.bob, town.alice))
    type_in(author, "lenses, one")
    expect(moderator.locator("#held .message")).to_have_count(1)
    author.locator("#held").get_by_role("button", name="Take it back").click()
    for page in (author, moderator):
        expect(page.locator("#held .message")).to_have_count(0)
    type_in(author, "lenses, two")
    waiting = moderator.locator("#held .message")
    waiting.get_by_role("link", name="Show").click()
    waiting.get_by_label("Why not? Its author reads it").fill("an advertisement")
    waiting.get_by_role("button", name="Refuse").click()
    for page in (author, moderator):
        expect(page.locator("#held .message")).to_have_count(0)
    assert "an advertisement" in town.bob.get("/standing").text


def test_what_is_read_and_typed_stays_when_something_else_begins_to_wait(town: Town, windows: Windows):
    empty_queue(town)
    rule(town)
    author, moderator = (windows.open(each, f"/rooms/{town.room}") for each in (town.bob, town.alice))
    type_in(author, "lenses, one")
    moderator.locator("#held").get_by_role("link", name="Show").click()
    reason = moderator.get_by_label("Why not? Its author reads it")
    reason.press_sequentially("an adv")
    type_in(author, "lenses, two")
    expect(moderator.locator("#held .message")).to_have_count(2)
    expect(reason).to_have_value("an adv")
    expect(reason).to_be_focused()
    reason.press_sequentially("ertisement")
    moderator.get_by_role("button", name="Refuse").click()
    expect(moderator.locator("#held .message")).to_have_count(1)
    assert "let through: an advertisement" in town.bob.get("/standing").text


def test_a_key_is_for_the_chosen_line_and_for_no_other(town: Town, windows: Windows):
    empty_queue(town)
    rule(town)
    rule(town, action="alert", words="mirrors")
    for text in ("lenses", "mirrors"):
        town.bob.post(f"/rooms/{town.room}/messages", body=text, client_id=f"client-{text}")
    page = windows.open(town.alice, "/moderation/held")
    told = page.locator("[data-case]", has_text="Seen")
    told.get_by_role("link").first.focus()
    press(page, "a")
    press(page, "r")
    expect(told.get_by_role("link").first).to_be_focused()
    expect(page.locator("[data-case]")).to_have_count(2)
    press(page, "e")
    expect(told).to_have_count(0)
    expect(page.locator("[data-case]")).to_have_count(1)


def test_the_queue_is_worked_through_by_keyboard_alone(town: Town, windows: Windows):
    empty_queue(town)
    rule(town)
    for text in ("lenses, one", "lenses, two", "lenses, three"):
        town.bob.post(f"/rooms/{town.room}/messages", body=text, client_id=f"client-{text[8:]}-{text[8:]}")
    page = windows.open(town.alice, "/moderation/held")
    press(page, "j")
    press(page, "a")
    expect(page.get_by_role("status").filter(has_text="Posted what Bob")).to_be_visible()
    until(page, "document.activeElement.closest('[data-case]') !== null")
    press(page, "r")
    expect(page.get_by_label("Why not? Its author reads it").first).to_be_focused()
    page.keyboard.type("raja")
    press(page, "Enter")
    expect(page.get_by_role("status").filter(has_text="Refused what Bob")).to_be_visible()
    expect(page.locator("[data-case]")).to_have_count(1)
    expect(page.locator("[data-case]")).to_contain_text("lenses, three")
    press(page, "z")
    expect(page.locator("[data-case]")).to_have_count(2)
    press(page, "?")
    keys = page.get_by_role("dialog", name="Keys of this page")
    expect(keys).to_contain_text("Approve")
    expect(keys).to_contain_text("Refuse")


def test_what_is_blocked_stays_in_its_bubble_with_the_reason(town: Town, windows: Windows):
    rule(town, action="block", sentence="No lenses here.")
    windows.allow("status of 422")
    page = windows.open(town.bob, f"/rooms/{town.room}")
    type_in(page, TEXT)
    bubble = page.locator("#outbox .message")
    expect(bubble).to_contain_text("No lenses here.")
    expect(bubble).to_contain_text(TEXT)
    type_in(page, "a fine day")
    expect(page.locator("#timeline")).to_contain_text("a fine day")


def test_without_a_script_a_rule_is_made_and_what_it_holds_decided(town: Town, windows: Windows):
    moderator = windows.open(town.alice, "/moderation/rules/new?kind=words", java_script_enabled=False)
    moderator.get_by_label("Words", exact=True).fill("lenses")
    moderator.get_by_label("Name").fill("Mine")
    moderator.get_by_label("Where").select_option(town.room)
    moderator.get_by_role("button", name="See what it would have done").click()
    expect(moderator.locator("#trial")).to_contain_text("Nothing in 30 days")
    expect(moderator.get_by_label("Words", exact=True)).to_have_value("lenses")
    moderator.get_by_role("button", name="Make it hold").click()
    moderator.get_by_role("switch", name="Mine").click()
    expect(moderator.get_by_role("switch", name="Mine")).to_have_attribute("aria-checked", "false")
    moderator.get_by_role("switch", name="Mine").click()
    author = windows.open(town.bob, f"/rooms/{town.room}", java_script_enabled=False)
    author.locator("#body").fill(TEXT)
    author.get_by_role("button", name="Send").click()
    expect(author.locator("#held")).to_contain_text(TEXT)
    moderator.goto(f"{town.site.url}/rooms/{town.room}")
    moderator.locator("#held").get_by_role("link", name="Show").click()
    expect(moderator.get_by_role("heading", name="Held for review")).to_be_visible()
    moderator.locator("[data-case]", has_text=TEXT).get_by_role("button", name="Approve").click()
    moderator.get_by_role("link", name="See it").click()
    expect(moderator.locator("#timeline")).to_contain_text(TEXT)
