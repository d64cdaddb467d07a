"""Everything that matters works by forms and links, in a browser that runs no script."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Windows
from tests.conftest import Town
from tests.people import PASSWORD, Person
from tests.pictures.samples import png

#: How to see what is new. By its place, because Playwright does not look for roles inside <noscript>.
HINT = "noscript .banner"


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """A picture in a file."""
    file = tmp_path / "lens.png"
    file.write_bytes(png(300, 200))
    return file


def arrive(windows: Windows, url: str, name: str, email: str) -> Page:
    """Make an account by the form, in a browser without script."""
    page = windows.context(java_script_enabled=False).new_page()
    page.goto(f"{url}/sign-up")
    page.get_by_label("Name").fill(name)
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Create the account").click()
    expect(page.get_by_role("heading", name="Find rooms and people")).to_be_visible()
    return page


def make_room(page: Page, name: str, who: str) -> None:
    page.get_by_role("link", name="New room").first.click()
    page.get_by_label("Name").fill(name)
    page.get_by_label(who).check()
    page.get_by_role("button", name="Make the room").click()
    expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible()


def write(page: Page, text: str, *pictures: Path) -> None:
    page.get_by_role("textbox", name="Message").fill(text)
    if pictures:
        page.get_by_label("Add pictures").set_input_files(list(pictures))
    page.get_by_role("button", name="Send").click()
    if text:
        expect(page.locator("#timeline .message").last).to_contain_text(text.replace("*", ""), use_inner_text=True)


def row(page: Page, name: str):
    return page.locator("#room-list .row", has_text=name)


def two(windows: Windows, town: Town) -> tuple[Page, Page, Person, Person]:
    """Let two new people arrive; return their pages, and their names and addresses."""
    some = Person(town.site.url), Person(town.site.url)
    ada, ben = (arrive(windows, town.site.url, each.name, each.email) for each in some)
    return ada, ben, *some


def test_two_people_talk_in_a_room(town: Town, windows: Windows, picture: Path):
    ada, ben, _, ben_is = two(windows, town)
    make_room(ada, "tide tables of two", "Everybody")
    assert "New messages come when you load the page again." in ada.locator(HINT).inner_text()
    expect(ada.locator(".crowd")).to_be_hidden()
    ben.reload()
    ben.get_by_role("button", name="Join tide tables of two").click()
    write(ben, "The tide is *out*.")
    write(ben, "", picture)
    expect(ben.locator("#timeline .picture__image")).to_have_count(1)
    # What is new comes with the page, is counted until it is marked, and stays where one was.
    ada.locator(f"{HINT} a").click()
    expect(ada.locator("#timeline em")).to_have_text("out")
    expect(row(ada, "tide tables of two").locator(".badge")).to_contain_text("2")
    assert ada.locator("#timeline .picture__image").evaluate("(image) => image.decode().then(() => image.naturalWidth)")
    ada.locator(f"{HINT} button").click()
    expect(row(ada, "tide tables of two").locator(".badge")).to_have_attribute("data-count", "0")
    # By invitation: one is added, and added again when the removal is undone.
    make_room(ada, "boat rota of two", "By invitation")
    ada.get_by_role("link", name="People", exact=True).first.click()
    ada.get_by_label("Somebody who has an account").select_option(ben_is.name)
    ada.get_by_role("button", name="Add", exact=True).click()
    expect(ada.get_by_role("status").filter(has_text="was added")).to_have_text(f"{ben_is.name} was added.")
    ada.get_by_role("button", name=f"Remove {ben_is.name}").click()
    ada.get_by_role("button", name="Undo").click()
    ben.goto(f"{town.site.url}/rooms")
    row(ben, "boat rota of two").click()
    write(ben, "Friday is mine.")


def test_somebody_changes_their_mind_about_a_message(town: Town, windows: Windows):
    ada, ben, _, ben_is = two(windows, town)
    make_room(ada, "slips of the pen", "Everybody")
    write(ada, "Lift at 13:00.")
    ben.goto(f"{town.site.url}/rooms")
    ben.get_by_role("button", name="Join slips of the pen").click()
    # Every message leads to its own page, which has what one may do with it.
    ada.locator("#timeline .message__time").click()
    ada.get_by_role("link", name="Edit").click()
    ada.get_by_label("Your message").fill("Lift at 14:00.")
    ada.get_by_role("button", name="Save").click()
    expect(ada.locator("#timeline .message__text")).to_have_text("Lift at 14:00.edited")
    ada.locator("#timeline .message__time").click()
    ada.get_by_role("link", name="Delete").click()
    ada.get_by_role("button", name="Delete").click()
    expect(ada.locator(".tombstone")).to_be_visible()
    ben.locator(f"{HINT} a").click()
    expect(ben.locator(".tombstone")).to_contain_text("Message deleted by its author")
    ada.get_by_role("button", name="Undo").click()
    expect(ada.locator("#timeline .message__text")).to_contain_text("Lift at 14:00.")
    ben.locator(f"{HINT} a").click()
    expect(ben.locator("#timeline .message__text")).to_contain_text("Lift at 14:00.")
    ben.locator("#timeline .message__time").click()
    expect(ben.locator(".target-actions a")).to_have_text(["Report", "Latest messages"])
    # Between the two of them.
    ada.goto(f"{town.site.url}/rooms")
    ada.get_by_role("button", name=f"Message {ben_is.name}", exact=True).click()
    write(ada, "Only the two of us read this.")
    ben.goto(f"{town.site.url}/rooms")
    row(ben, "Only the two of us").click()
    write(ben, "So we do.")


def test_somebody_looks_after_their_account(town: Town, windows: Windows, picture: Path):
    ada, ben, ada_is, _ = two(windows, town)
    ada.get_by_role("link", name="Settings").click()
    ada.get_by_label("Status").fill("On the scaffold until 4")
    ada.get_by_label("Picture", exact=True).set_input_files(picture)
    ada.get_by_label("Dark").check(force=True)
    ada.get_by_role("button", name="Save").click()
    expect(ada.get_by_role("status").filter(has_text="Saved")).to_be_visible()
    assert ada.locator("html").get_attribute("data-theme") == "dark"
    ben.goto(f"{town.site.url}/rooms?search={ada_is.name}")
    line = ben.locator("#find .line", has_text=ada_is.name).first
    expect(line).to_contain_text("On the scaffold until 4")
    expect(line.locator("img")).to_have_count(1)
    # On another device, which is then signed out from here.
    phone = windows.context(java_script_enabled=False).new_page()
    phone.goto(f"{town.site.url}/sign-in")
    phone.get_by_label("E-mail").fill(ada_is.email)
    phone.get_by_label("Password").fill(PASSWORD)
    phone.get_by_role("button", name="Sign in").click()
    expect(phone.get_by_role("heading", name="Find rooms and people")).to_be_visible()
    ada.get_by_role("link", name="Devices").first.click()
    signed_in = ada.get_by_role("region", name="Where you are signed in").get_by_role("listitem")
    expect(signed_in).to_have_count(2)
    signed_in.get_by_role("button", name="Sign out").click()
    expect(signed_in).to_have_count(1)
    phone.reload()
    expect(phone.get_by_role("heading", name="Welcome back")).to_be_visible()
    ada.get_by_role("link", name="Profile").first.click()
    ada.get_by_role("button", name="Sign out").click()
    expect(ada.get_by_role("heading", name="Welcome back")).to_be_visible()
    ada.goto(f"{town.site.url}/rooms")
    expect(ada.get_by_role("heading", name="Welcome back")).to_be_visible()
