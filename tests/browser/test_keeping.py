"""A removed message is destroyed for good when two moderators agree, and nothing of it is left on any open page."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Windows
from tests.browser.test_pages import faults
from tests.conftest import Town
from tests.people import Person

TEXT = "the number is 4111 1111"
#: Everything that a page holds or keeps: what it shows, both storages, and whatever is in caches and databases by name.
KEPT = """
async () => [
  document.documentElement.outerHTML,
  JSON.stringify(localStorage), JSON.stringify(sessionStorage),
  (await indexedDB.databases()).map((each) => each.name).join(),
  (await caches.keys()).join(),
].join("\\n")
"""


@pytest.fixture
def second(town: Town) -> Iterator[Person]:
    """Another moderator of the site."""
    dan = Person(town.site.url, "Dan Whitlock").sign_up()
    role = {"role": "moderator", "reason": "helps"}
    assert town.alice.post(f"/moderation/people/{dan.id}/role", **role).status_code == 303
    town.alice.add(town.room, dan)
    yield dan
    town.alice.post("/moderation/keeping/approval", two="no")


def holds_nothing(*pages: Page) -> None:
    for page in pages:
        assert "4111" not in page.evaluate(KEPT)


def test_two_moderators_purge_it_with_four_people(town: Town, windows: Windows, second: Person):
    carol = Person(town.site.url, "Carol Finch").sign_up()
    town.alice.add(town.room, carol)
    said = carol.say(town.room, TEXT)
    carol.post(f"/messages/{said.id}/edit", body=f"{TEXT}, twice")
    author, bystander, other = (windows.open(each, f"/rooms/{town.room}") for each in (carol, town.bob, second))
    moderator = windows.open(town.alice, "/moderation/keeping")
    windows.allow("status of 404")
    moderator.get_by_role("button", name="Ask for two moderators to purge").click()
    town.alice.post(f"/messages/{said.id}/delete", reason="private details")
    for page in (author, bystander, other):
        expect(page.locator(f"#message_{said.id} .tombstone")).to_contain_text("private details")
    moderator.goto(f"{town.site.url}/moderation/removed/{said.id}")
    expect(moderator.locator("#hidden")).to_contain_text("4111")
    moderator.keyboard.press("p")
    expect(moderator.get_by_text("Another moderator has to agree")).to_be_visible()
    moderator.get_by_label("Reason").fill("A card number")
    moderator.get_by_role("button", name="Ask for it").click()
    moderator.goto(f"{town.site.url}/moderation/keeping")
    expect(moderator.get_by_role("link", name="Agree…")).to_have_count(0)

    other.goto(f"{town.site.url}/moderation/keeping")
    case = other.locator("[data-case]", has_text="A card number")
    case.get_by_role("link", name="Agree…").click()
    assert faults(other) == []
    other.get_by_label("Type “destroy” to agree").fill("destroy")
    other.get_by_role("button", name="Destroy it").click()
    expect(other.locator("[data-case]", has_text="A card number")).to_have_count(0)
    for page in (author, bystander):
        expect(page.locator(f"#message_{said.id}")).to_contain_text("Purged by a moderator: private details")
    moderator.goto(f"{town.site.url}/rooms/{town.room}")
    holds_nothing(author, bystander, moderator, other)
    outsider = windows.open(town.mallory, "/rooms")
    outsider.goto(f"{town.site.url}/moderation/removed/{said.id}/receipt")
    expect(outsider.get_by_role("heading", name="Not here")).to_be_visible()
    author.goto(f"{town.site.url}/standing")
    author.locator("li", has_text="destroyed for good").get_by_role("link", name="Show").click()
    expect(author.locator("body")).to_contain_text("A card number")
    holds_nothing(author)
    author.goto(f"{town.site.url}/rooms/{town.room}")
    holds_nothing(author)
