"""A theme that was written against the contracts works as what is shipped does: the logbook of examples/, with people in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from playwright.sync_api import expect

from chat.themes.check import check
from tests.browser.conftest import Windows, says, settled, shows, until, write
from tests.browser.test_pages import DESK, STICKING_OUT, faults
from tests.conftest import Town, _expect_calm, populate
from tests.services import ROOT, Site

EXAMPLE = ROOT / "examples/logbook"
#: Where the columns of a line stand.
EDGES = """(line, edge) => [".message__time", ".message__author", ".message__text"].map(
  (column) => line.querySelector(column).getBoundingClientRect()[edge])"""


@pytest.fixture(scope="module")
def dressed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    site = Site(tmp_path_factory.mktemp("site"), THEME_DIR=str(EXAMPLE))
    yield populate(site)
    site.stop()
    _expect_calm(site)


def test_it_passes_the_check(app: Flask):
    with app.app_context():
        assert check(EXAMPLE, app) == []


def test_it_is_small():
    written = [path for path in EXAMPLE.rglob("*") if path.suffix in {".html", ".css"}]
    assert sum(len(path.read_text().splitlines()) for path in written) < 150


def test_messages_are_written_read_changed_and_taken_away(dressed: Town, windows: Windows):
    room = dressed.alice.make_room("watch")
    dressed.alice.add(room, dressed.bob)
    alice, bob = (windows.open(person, f"/rooms/{room}", **DESK) for person in (dressed.alice, dressed.bob))
    write(alice, "Wind NW 5, glass falling.")
    write(alice, "Reefed the main.")
    settled(alice)
    for page in (alice, bob):
        shows(page, "Reefed the main.")
        assert says(page) == ["Wind NW 5, glass falling.", "Reefed the main."]
        assert page.locator("#timeline .entry").count() == 2, "each in the theme's own layout"
    time, author, text = bob.locator("#timeline .entry").first.evaluate(EDGES, "left")
    assert time < author < text, "one line for each"
    last = alice.locator("#timeline .entry").last
    last.hover()
    alice.get_by_title("Edit", exact=True).click()
    alice.locator("#edit-body").fill("Reefed the main, 04:10.")
    alice.keyboard.press("Enter")
    expect(bob.locator("#timeline .entry").last).to_contain_text("04:10.edited")
    last.hover()
    alice.get_by_title("Delete", exact=True).click()
    until(bob, "document.querySelectorAll('#timeline .message--deleted').length === 1")
    alice.get_by_role("button", name="Undo").click()
    expect(bob.locator("#timeline .entry").last).to_contain_text("Reefed the main, 04:10.")


def test_a_conversation_of_two_stays_as_shipped(dressed: Town, windows: Windows):
    direct = dressed.alice.post("/rooms/direct", person=dressed.bob.id).headers["Location"].rsplit("/", 1)[1]
    alice, bob = (windows.open(person, f"/rooms/{direct}", **DESK) for person in (dressed.alice, dressed.bob))
    write(alice, "Coffee?")
    shows(bob, "Coffee?")
    settled(alice)
    for page in (alice, bob):
        assert page.locator("#timeline .entry").count() == 0
        assert page.locator("#timeline .message").count() == 1


@pytest.mark.parametrize("width", [1440, 390, 320])
def test_it_can_be_read_by_day_by_night_and_on_a_phone(width: int, dressed: Town, windows: Windows):
    for number in range(3):
        dressed.bob.say(dressed.room, f"{width} {number}: شكرا, and a_word_that_is_far_too_long_for_a_phone_{'x' * 60}")
    for path in (f"/rooms/{dressed.room}", "/rooms"):
        page = windows.open(dressed.alice, path, viewport={"width": width, "height": 800}, reduced_motion="reduce")
        assert page.evaluate(STICKING_OUT) == []
        assert faults(page) == []
    page = windows.context(viewport={"width": width, "height": 800}, reduced_motion="reduce").new_page()
    page.goto(f"{dressed.alice.url}/sign-in")
    expect(page.get_by_role("heading", level=1)).to_have_text("The logbook of Confab")
    assert page.evaluate(STICKING_OUT) == []
    assert faults(page) == []


def test_without_script_one_writes_and_reads(dressed: Town, windows: Windows):
    page = windows.open(dressed.bob, f"/rooms/{dressed.room}", java_script_enabled=False, **DESK)
    page.locator("#body").fill("By hand.")
    page.get_by_role("button", name="Send").click()
    expect(page.locator("#timeline .entry").last).to_contain_text("By hand.")


def test_it_can_be_read_from_right_to_left(dressed: Town, windows: Windows):
    dressed.bob.say(dressed.room, "أراك يوم الخميس")
    page = windows.open(dressed.alice, f"/rooms/{dressed.room}", **DESK)
    page.evaluate("document.documentElement.dir = 'rtl'")
    time, author, _ = page.locator("#timeline .entry").last.evaluate(EDGES, "right")
    assert time > author
    assert page.evaluate(STICKING_OUT) == []
