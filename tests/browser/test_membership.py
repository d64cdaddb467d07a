"""Who is in a room: shown at once to those inside, and to the one who is taken out."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.conftest import Windows, says, settled, shows, write
from tests.conftest import Town

Open = Callable[..., Page]


def test_it_tells_somebody_who_was_removed_and_shows_nothing_after_it(town: Town, room_of: Open, windows: Windows):
    windows.allow("404")
    page, alice = room_of(town.bob), room_of(town.alice)
    write(page, "still here")
    settled(page)
    expect(alice.locator(f"#member_{town.bob.id}")).to_be_visible()
    page.locator("#body").fill("a draft")
    town.alice.post(f"/rooms/{town.room}/members/{town.bob.id}/remove")
    banner = page.locator("[data-connection]")
    expect(banner).to_have_attribute("data-state", "removed")
    expect(banner).to_contain_text("You were removed from this room at")
    expect(page.locator("#body")).to_have_value("a draft")
    expect(alice.locator(f"#member_{town.bob.id}")).to_have_count(0)
    expect(page.locator(f'#room-list [data-room="{town.room}"]')).to_have_count(0)
    write(alice, "he has gone")
    settled(alice)
    expect(page.locator("#body")).to_be_hidden()
    expect(page.locator(".crowd, .bar__actions, .people").locator("visible=true")).to_have_count(0)
    page.evaluate("document.querySelector('#composer').requestSubmit()")
    expect(page.locator("#outbox [role=alert]")).to_contain_text("This room is gone, or you are not in it.")
    assert says(page) == ["still here"]


def test_it_shows_who_joins_in_the_list_and_the_room_in_theirs(town: Town, room_of: Open, windows: Windows):
    alice = room_of(town.alice)
    mallory = windows.open(town.mallory, "/rooms")
    row = mallory.locator(f'#room-list [data-room="{town.room}"]')
    expect(row).to_have_count(0)
    town.alice.add(town.room, town.mallory)
    expect(alice.locator(f"#member_{town.mallory.id}")).to_have_count(1)
    expect(row).to_be_visible()
    town.bob.say(town.room, "welcome")
    expect(row.locator(".row__preview")).to_contain_text("welcome")
    expect(row.locator(".badge")).to_have_attribute("data-count", "1")


def test_it_shows_who_joins_as_here(town: Town, windows: Windows):
    room = town.alice.make_room("harbour", "open")
    alice, mallory = windows.open(town.alice, f"/rooms/{room}"), windows.open(town.mallory, "/rooms")
    for page in (alice, mallory):
        expect(page.locator("html")).to_have_attribute("data-stream", "up")
    expect(alice.locator(".crowd")).to_have_text("1 of 1 here")
    mallory.wait_for_timeout(1500)  # joining is no change of presence any more
    mallory.goto(f"{town.site.url}/rooms/{room}")
    mallory.get_by_role("button", name="Join the room").click()
    for page in (alice, mallory):
        expect(page.locator(f"#member_{town.mallory.id} .presence")).to_have_attribute("data-state", "online")
        expect(page.locator(".crowd")).to_have_text("2 of 2 here")
    mallory.reload()
    expect(mallory.locator(".crowd")).to_have_text("2 of 2 here")


def test_it_shows_a_new_name_of_the_room_at_once(town: Town, room_of: Open):
    page = room_of(town.bob)
    town.alice.post(f"/rooms/{town.room}/settings", name="night sky", purpose="Stars")
    expect(page.get_by_role("heading", name="night sky")).to_be_visible()
    expect(page.locator(".bar__purpose")).to_have_text("Stars")
    expect(page.locator(f'#room-list [data-room="{town.room}"] .row__name')).to_have_text("night sky")


def test_it_sends_nothing_of_a_room_to_an_outsider(town: Town, windows: Windows):
    page = windows.open(town.mallory, "/rooms")
    page.evaluate(
        "window.heard = []; for (const name of ['confab:message', 'confab:mirror'])"
        " document.addEventListener(name, (event) => heard.push(name))"
    )
    bob = windows.open(town.bob, f"/rooms/{town.room}")
    write(bob, "among us")
    shows(bob, "among us")
    settled(bob)
    assert page.locator("body").inner_text().count("among us") == 0


def test_a_removal_is_said_and_can_be_undone(town: Town, windows: Windows):
    page = windows.open(town.alice, f"/rooms/{town.room}/members")
    page.get_by_role("button", name=f"Remove {town.bob.name}").click()
    notice = page.get_by_role("status").filter(has_text="was removed")
    expect(notice).to_have_text(f"{town.bob.name} was removed.")
    expect(page.get_by_role("button", name=f"Remove {town.bob.name}")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".notice")).to_have_text(f"{town.bob.name} was added.")
    expect(page.get_by_role("button", name=f"Remove {town.bob.name}")).to_be_visible()


def test_a_notice_says_only_what_is_true(town: Town, windows: Windows):
    for made_up in (f"removed={town.bob.id}", f"added={town.mallory.id}", "removed=nobody", "added=%00"):
        page = windows.open(town.alice, f"/rooms/{town.room}/members?{made_up}")
        expect(page.locator(".notice")).to_have_count(0)
