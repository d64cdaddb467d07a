"""The console in a browser: a tombstone opened in its place, the keyboard path, and the same without script."""

from __future__ import annotations

from playwright.sync_api import Route, expect

from tests.browser.conftest import Windows, press, says, until
from tests.conftest import Town
from tests.people import Person


def _removed(town: Town, author: Person, *bodies: str) -> list[str]:
    said = [author.say(town.room, body).id for body in bodies]
    for each in said:
        assert town.alice.post(f"/messages/{each}/delete", reason="Scam").status_code == 303
    return said


def test_a_tombstone_is_opened_in_its_place_with_four_people(town: Town, windows: Windows):
    """Alice moderates, carol is the author, erin looks on, mallory is outside."""
    carol, erin = (Person(town.site.url, name).sign_up() for name in ("Carol Finch", "Erin Moss"))
    for each in (carol, erin):
        town.alice.add(town.room, each)
    said = carol.say(town.room, "Two tickets at the harbour")
    assert carol.post(f"/messages/{said.id}/edit", body="Two tickets at the station").status_code == 303
    later = town.bob.say(town.room, "Lift at two")
    moderator, author, bystander = (windows.open(each, f"/rooms/{town.room}") for each in (town.alice, carol, erin))
    windows.allow("status of 404")
    message = moderator.locator(f"#message_{said.id}")
    message.hover()
    message.get_by_role("link", name="Remove").click()
    moderator.get_by_label("Reason").fill("Scam")
    moderator.get_by_role("button", name="Remove").click()
    for page in (moderator, author, bystander):
        expect(page.locator(f"#message_{said.id} .tombstone")).to_contain_text("Removed by a moderator: Scam")

    message.hover()
    message.get_by_role("link", name="Show").click()
    opened = message.get_by_text("You are reading hidden text. This look is in the audit log.")
    expect(opened).to_be_visible()
    expect(message.locator("del")).to_have_text("harbour")
    expect(message.locator("ins")).to_have_text("station")
    opened.click()
    expect(message.locator("del")).to_be_hidden()
    opened.click()
    for page in (author, bystander):
        page.locator(f"#message_{said.id}").hover()
        expect(page.locator(f"#message_{said.id} [title=Show]")).to_be_hidden()
        assert "harbour" not in says(page)
    outsider = windows.open(town.mallory, "/rooms")
    outsider.goto(f"{town.site.url}/moderation/removed/{said.id}")
    expect(outsider.get_by_role("heading", name="Not here")).to_be_visible()

    order = "() => [...document.querySelectorAll('#timeline .message')].map((each) => each.id).slice(-2)"
    message.hover()
    message.get_by_role("button", name="Restore").or_(message.get_by_role("link", name="Restore")).first.click()
    for page in (moderator, author, bystander):
        expect(page.locator(f"#message_{said.id} .message__text")).to_contain_text("Two tickets at the station")
        assert page.evaluate(order) == [f"message_{said.id}", f"message_{later.id}"], "at its old place"
        expect(page.locator(".pill")).to_be_hidden()
    expect(moderator.get_by_text("You are reading hidden text.")).to_have_count(0)
    expect(author.get_by_text("Moderators wrote to you")).to_be_visible()
    expect(bystander.get_by_text("Moderators wrote to you")).to_have_count(0)


def test_cases_are_worked_through_by_keyboard_alone(town: Town, windows: Windows):
    """List, open, restore, undo, keep, back: without a mouse, and each step says what was done."""
    author = Person(town.site.url).sign_up()
    town.alice.add(town.room, author)
    first, second, third = _removed(town, author, "number one", "number two", "number three")
    page = windows.open(town.alice, f"/moderation/removed?room={town.room}")
    press(page, "j")
    expect(page.locator(f"[data-case='{third}'] a")).to_be_focused()
    press(page, "j")
    expect(page.locator(f"[data-case='{second}'] a")).to_be_focused()
    press(page, "k")
    press(page, "Enter")
    expect(page).to_have_url(f"{town.site.url}/moderation/removed/{third}?room={town.room}")
    press(page, "r")
    expect(page.get_by_role("status").filter(has_text=f"Put back what {author.name} wrote")).to_be_visible()
    expect(page).to_have_url(f"{town.site.url}/moderation/removed/{second}?room={town.room}&restored={third}")
    until(page, "(id) => document.activeElement.closest('[data-case]')?.dataset.case === id", second)
    press(page, "z")
    expect(page).to_have_url(f"{town.site.url}/moderation/removed/{third}")
    page.goto(f"{town.site.url}/moderation/removed/{third}?room={town.room}")
    press(page, "n")
    expect(page).to_have_url(f"{town.site.url}/moderation/removed/{second}?room={town.room}")
    press(page, "j")
    expect(page).to_have_url(f"{town.site.url}/moderation/removed/{first}?room={town.room}")
    press(page, "k")
    expect(page).to_have_url(f"{town.site.url}/moderation/removed/{second}?room={town.room}")
    press(page, "?")
    keys = page.get_by_role("dialog", name="Keys of this page")
    expect(keys).to_contain_text("Restore")
    expect(keys).to_contain_text("Purge…")
    press(page, "Escape")
    expect(keys).to_have_count(0)
    press(page, "p")
    expect(page.get_by_role("heading", name="Purge this message for good?")).to_be_visible()
    expect(page.get_by_label("Reason")).to_be_focused()
    page.keyboard.type("rpn")
    expect(page.get_by_label("Reason")).to_have_value("rpn")


def test_a_key_is_never_for_a_page_that_is_being_left(town: Town, windows: Windows):
    """Whoever is faster than the site has seen the next message in the mind only: nothing is done to the one before."""
    author = Person(town.site.url).sign_up()
    town.alice.add(town.room, author)
    first, second = _removed(town, author, "number one", "number two")
    page = windows.open(town.alice, f"/moderation/removed/{second}?room={town.room}")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.method) if request.is_navigation_request() else None)
    on_its_way: list[Route] = []
    page.route(f"**/moderation/removed/{first}*", lambda route: on_its_way.append(route))
    with page.expect_request(f"**/moderation/removed/{first}*"):
        press(page, "j")
    for key in ("r", "z", "p"):
        page.keyboard.press(key)
    on_its_way.pop().continue_()
    expect(page).to_have_url(f"{town.site.url}/moderation/removed/{first}?room={town.room}")
    assert asked == ["GET"]
    page.unroute_all()
    page.go_back()
    press(page, "j")
    expect(page).to_have_url(f"{town.site.url}/moderation/removed/{first}?room={town.room}")
    press(page, "r")
    expect(page.get_by_role("status").filter(has_text=f"Put back what {author.name} wrote")).to_be_visible()


def test_on_a_phone_one_goes_from_the_list_to_the_message_and_back(town: Town, windows: Windows):
    author = Person(town.site.url).sign_up()
    town.alice.add(town.room, author)
    _removed(town, author, "number one", "number two")
    phone = windows.context(town.alice, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = windows.open(town.alice, f"/moderation/removed?room={town.room}", phone)
    page.get_by_role("link", name="number two").tap()
    expect(page.get_by_role("heading", name=f"Message by {author.name}")).to_be_visible()
    expect(page.get_by_role("link", name="number one")).to_be_hidden()
    expect(page.get_by_text("What happened", exact=True).filter(visible=True)).to_have_count(0)
    page.get_by_text(f"About {author.name}, and what happened").tap()
    expect(page.get_by_role("heading", name="What happened")).to_be_visible()
    expect(page.get_by_role("button", name="Restore")).to_be_in_viewport()
    page.get_by_role("link", name="Back to the list").tap()
    expect(page.get_by_role("link", name="number one")).to_be_visible()


def test_a_sweep_is_made_and_undone_with_others_looking_on(town: Town, windows: Windows):
    author = Person(town.site.url).sign_up()
    town.alice.add(town.room, author)
    said = [author.say(town.room, f"buy this {number}").id for number in range(5)]
    moderator = windows.open(town.alice, f"/moderation/people/{author.id}")
    bystander = windows.open(town.bob, f"/rooms/{town.room}")
    moderator.get_by_role("link", name="Remove what they wrote…").click()
    expect(moderator.get_by_text("5 messages would be removed.")).to_be_visible()
    moderator.get_by_label("Where", exact=True).select_option(label="In lamp-room")
    expect(moderator.get_by_text("5 messages would be removed.")).to_be_visible()
    moderator.get_by_label("Reason").fill("A flood")
    moderator.get_by_role("button", name="Remove them").click()
    expect(moderator.get_by_role("heading", name=f"Sweep of {author.name}")).to_be_visible()
    for each in said:
        expect(bystander.locator(f"#message_{each} .tombstone")).to_be_visible()
    assert "buy this" not in says(bystander)
    moderator.get_by_role("button", name="Put all 5 back").click()
    expect(moderator.get_by_text("Nothing of it is removed any more.")).to_be_visible()
    for number, each in enumerate(said):
        expect(bystander.locator(f"#message_{each} .message__text")).to_have_text(f"buy this {number}")


def test_an_author_sees_the_versions_of_their_own(town: Town, windows: Windows):
    said = town.bob.say(town.room, "at the harbour")
    assert town.bob.post(f"/messages/{said.id}/edit", body="at the station").status_code == 303
    plain = town.bob.say(town.room, "never changed")
    page = windows.open(town.bob, f"/rooms/{town.room}")
    page.locator(f"#message_{plain.id}").hover()
    expect(page.locator(f"#message_{plain.id} [title=Delete]")).to_be_visible()
    expect(page.locator(f"#message_{plain.id} [title='Earlier versions']")).to_have_count(0)
    page.locator(f"#message_{said.id}").hover()
    page.locator(f"#message_{said.id}").get_by_role("link", name="Earlier versions").click()
    expect(page.locator("del")).to_have_text("harbour")
    page.get_by_role("link", name="Back").click()
    expect(page.locator(f"#message_{said.id}")).to_be_visible()


def test_all_of_it_goes_without_script(town: Town, windows: Windows):
    author = Person(town.site.url).sign_up()
    town.alice.add(town.room, author)
    (said,) = _removed(town, author, "number one")
    page = windows.open(town.alice, f"/rooms/{town.room}/messages/{said}", java_script_enabled=False)
    page.get_by_role("link", name="Show").click()
    expect(page.get_by_role("heading", name=f"Message by {author.name}")).to_be_visible()
    page.get_by_text("Filter").click()
    page.get_by_label("Removed by").select_option(label="By its author")
    page.get_by_label("Room").select_option(value=town.room)
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.get_by_text("Nothing like this was removed.")).to_be_visible()
    page.goto(f"{town.site.url}/moderation/removed/{said}?room={town.room}")
    page.get_by_role("button", name="Restore").click()
    expect(page.get_by_text(f"Put back what {author.name} wrote")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("heading", name=f"Message by {author.name}")).to_be_visible()
