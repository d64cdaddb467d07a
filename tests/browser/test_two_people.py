"""Two people in two browsers see at once what the other does, without loading a page again; also on two processes."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Windows, settled, shows, write
from tests.conftest import Town, populate
from tests.people import Person
from tests.pictures.samples import png


@pytest.fixture(params=["one process", "two processes"])
def both(request: pytest.FixtureRequest) -> Town:
    if request.param == "one process":
        town = request.getfixturevalue("town")
        bob = Person(town.site.url, "Bob Maes").sign_up()  # nobody has a page open as him, and nobody else has his name
        town.alice.add(room := town.alice.make_room(), bob)
        return Town(town.site, town.alice, bob, town.mallory, room)
    first, second = request.getfixturevalue("pair")
    (first.folder / "pictures").mkdir()
    (second.folder / "pictures").symlink_to(first.folder / "pictures", target_is_directory=True)
    return populate(first, second)


@pytest.mark.smoke
def test_it_shows_each_what_the_other_does(both: Town, windows: Windows, tmp_path: Path):
    windows.allow("401|ERR_INCOMPLETE_CHUNKED_ENCODING|ERR_NETWORK_CHANGED")
    alice = windows.open(both.alice, f"/rooms/{both.room}")
    bob = windows.open(both.bob, f"/rooms/{both.room}")
    loads: list[str] = []
    for page in (alice, bob):
        page.on("load", lambda page: loads.append(page.url))

    expect(alice.locator(f'#members [data-live="presence:{both.bob.id}"]')).to_have_attribute("data-state", "online")
    expect(alice.locator(".crowd")).to_have_text("2 of 2 here")

    bob.locator("#body").press_sequentially("The lift starts")
    expect(alice.locator("typing-line")).to_have_text(f"{both.bob.name} is writing")
    bob.keyboard.press("Enter")
    shows(alice, "The lift starts")
    expect(alice.locator("typing-line")).to_be_empty()
    settled(bob)

    picture = tmp_path / "harbour.png"
    picture.write_bytes(png(900, 600))
    bob.locator("input[type=file]").set_input_files(picture)
    write(bob, "Here it is")
    image = alice.locator("#timeline .picture__image")
    image.wait_for()
    assert image.evaluate("(image) => image.decode().then(() => image.naturalWidth)") > 0

    said = alice.locator("#timeline .message", has_text="The lift starts")
    bob.locator("#body").fill("")
    own = bob.locator("#timeline .message", has_text="The lift starts")
    own.hover()
    own.get_by_title("Edit").click()
    bob.locator("#edit-body").fill("The lift stops")
    bob.keyboard.press("Enter")
    shows(alice, "The lift stops")
    expect(alice.locator("#timeline .message", has_text="The lift stops")).to_contain_text("edited")
    expect(said).to_have_count(0)
    expect(bob.locator("#body")).to_be_focused()

    own = bob.locator("#timeline .message", has_text="The lift stops")
    own.hover()
    own.get_by_title("Delete").click()
    expect(alice.locator(".tombstone")).to_contain_text("Message deleted by its author")
    bob.get_by_role("button", name="Undo").click()
    shows(alice, "The lift stops")
    expect(alice.locator(".tombstone")).to_have_count(0)

    said = alice.locator("#timeline .message", has_text="The lift stops")
    said.hover()
    said.get_by_title("Remove").click()
    alice.get_by_label("Reason").fill("private details")
    alice.get_by_role("button", name="Remove").click()
    expect(bob.locator(".tombstone")).to_contain_text("Removed by a moderator: private details")
    gone = alice.locator("#timeline .message--deleted")
    gone.hover()
    gone.get_by_title("Restore").click()
    shows(bob, "The lift stops")

    both.bob.post("/sign-out")
    expect(alice.locator(f'#members [data-live="presence:{both.bob.id}"]')).to_have_attribute("data-state", "offline")
    expect(bob.locator("[data-connection]")).to_contain_text("You are signed out. What you write is kept.")
    assert loads == []
