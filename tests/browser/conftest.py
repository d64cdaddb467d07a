"""Chromium with people in it. One site for all browser tests, a new room for each, and no error in any console."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from app import create_app
from chat.accounts.queries import get_user
from chat.core import ids
from chat.core.database import db
from chat.messages import service
from tests.browser.places import Village, furnish
from tests.conftest import Town, _expect_calm, configured, populate
from tests.people import Person
from tests.services import Site, wait_for

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
#: Milliseconds that a page may take to become what a test expects.
PATIENCE = 15_000
expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


class Windows:
    """Opens pages as people who are signed in, and listens to what goes wrong on them."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._contexts: list[BrowserContext] = []
        self._allowed: list[str] = []
        self.problems: list[str] = []

    def allow(self, pattern: str) -> None:
        """Expect a line in the console: the browser itself writes one for every request that is refused."""
        self._allowed.append(pattern)

    def context(self, person: Person | None = None, **options: Any) -> BrowserContext:
        """Return a browser of its own in which somebody is signed in."""
        context = self._browser.new_context(**({"timezone_id": "Europe/Berlin"} | options))
        context.set_default_timeout(PATIENCE)
        context.on("console", self._hear)
        context.on("weberror", lambda error: self.problems.append(f"{error.page.url}: {error.error}"))
        if person is not None:
            context.add_cookies(
                [{"name": each.name, "value": each.value, "url": person.url} for each in person.http.cookies]
            )
        self._contexts.append(context)
        return context

    def open(self, person: Person, path: str, context: BrowserContext | None = None, **options: Any) -> Page:
        """Open a page; once its stream is up, unless ``java_script_enabled`` is off."""
        page = (context or self.context(person, **options)).new_page()
        page.goto(person.url + path)
        if options.get("java_script_enabled", True):
            connected(page)
        return page

    def close(self) -> list[str]:
        for context in self._contexts:
            context.close()
        return [each for each in self.problems if not any(re.search(pattern, each) for pattern in self._allowed)]

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.problems.append(f"{message.location.get('url')}: {message.text}")


@pytest.fixture
def windows(chromium: Browser) -> Iterator[Windows]:
    """Pages of this test. At its end no console may hold an error that was not allowed: a violated policy is one too."""
    made = Windows(chromium)
    yield made
    assert made.close() == []


@pytest.fixture(scope="session")
def shared_town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    site = Site(tmp_path_factory.mktemp("site"))
    yield populate(site)
    site.stop()
    _expect_calm(site)


@pytest.fixture
def town(shared_town: Town) -> Town:
    """The people of the shared site with a room that only this test knows."""
    return with_new_room(shared_town)


@pytest.fixture(scope="session")
def village(shared_town: Town) -> Village:
    """Something of everything on the shared site, for tests that look at pages."""
    return furnish(shared_town)


def with_new_room(town: Town, name: str = "lamp-room") -> Town:
    room = town.alice.make_room(name)
    town.alice.add(room, town.bob)
    return Town(town.site, town.alice, town.bob, town.mallory, room)


def fill(town: Town, count: int, *authors: Person) -> list[str]:
    """Have bob, or some people in turn, say so many things; return the texts.

    Through the service and not by requests, of which each would take milliseconds; the site learns of it by its sweep.
    """
    texts = [f"number {n}" for n in range(count)]
    app = create_app(configured(town.site.folder))
    with app.app_context():
        people = [get_user(each.id).context for each in authors or (town.bob,)]
        for n, text in enumerate(texts):
            service.post_message(town.room, people[n % len(people)], text, ids.new())
        db.session.remove()
        db.engine.dispose()
    return texts


@pytest.fixture
def room_of(windows: Windows, town: Town) -> Callable[..., Page]:
    """Open the room of this test as somebody: ``room_of(town.bob)``."""

    def open_room(person: Person, path: str = "", **options: Any) -> Page:
        return windows.open(person, f"/rooms/{town.room}{path}", **options)

    return open_room


# -- what tests wait for


def stop_the_clock(page: Page) -> None:
    """From here on time passes on this page only by ``page.clock.run_for``, however slow the machine is."""
    page.clock.install()
    page.clock.pause_at(datetime.now(UTC) + timedelta(seconds=5))


def until(page: Page, expression: str, argument: Any = None, what: str = "") -> Any:
    """Wait until an expression is true in the page, and return it. Asks from outside: the page allows no ``eval``."""
    return wait_for(lambda: page.evaluate(expression, argument), PATIENCE / 1000, what or expression)


def connected(page: Page) -> None:
    """Wait until the page hears its stream."""
    until(page, "document.documentElement.dataset.stream === 'up'")


def says(page: Page) -> list[str]:
    """Return the texts of the timeline, in order; deleted messages as their tombstones."""
    return page.evaluate(
        "[...document.querySelectorAll('#timeline .message')].map((each) =>"
        " (each.querySelector('.message__text > p, .tombstone > span') ?? each).textContent.trim())"
    )


def seqs(page: Page) -> list[int]:
    return page.evaluate("[...document.querySelectorAll('#timeline .message')].map((each) => Number(each.dataset.seq))")


def shows(page: Page, text: str) -> None:
    """Wait until a message with this text is in the timeline."""
    page.locator("#timeline .message", has_text=text).first.wait_for(state="attached")


def press(page: Page, key: str) -> None:
    """Press a key as somebody does who sees the page: once it is there whole, its scripts too, and not only its address."""
    page.wait_for_load_state()
    page.keyboard.press(key)


def write(page: Page, text: str) -> None:
    """Write a message and send it, as somebody at a desk does."""
    page.locator("#body").click()
    page.keyboard.type(text)
    page.keyboard.press("Enter")


def settled(page: Page) -> None:
    """Wait until nothing is being sent."""
    until(page, "!document.querySelector('#outbox').children.length")
