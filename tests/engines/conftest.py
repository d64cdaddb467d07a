"""A browser of each other engine for all walks, on one site."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Town
from tests.engines.driver import ENGINES, Browser


@pytest.fixture(scope="session", params=sorted(ENGINES))
def browser(request: pytest.FixtureRequest) -> Iterator[Browser]:
    """Firefox or WebKit."""
    made = ENGINES[request.param]()
    yield made
    made.stop()


class Walk:
    """Somebody at a browser, in a room with others."""

    def __init__(self, browser: Browser, town: Town) -> None:
        self.browser, self.town, self.person = browser, town, town.alice
        browser.resize(1300, 900)
        browser.sign_in(self.person)

    def open(self, path: str = "") -> Browser:
        """Open the room, or another page of the site; once it hears its stream."""
        self.browser.go(self.town.site.url + (path or f"/rooms/{self.town.room}"))
        self.browser.until("document.documentElement.dataset.stream === 'up'")
        return self.browser

    def says(self) -> list[str]:
        """Return the texts of the timeline, in order."""
        return list(
            self.browser.ask(
                "[...document.querySelectorAll('#timeline .message')].map((each) =>"
                " (each.querySelector('.message__text > p, .tombstone > span') ?? each).textContent.trim())"
            )
        )

    def type(self, text: str) -> None:
        """Write a message and send it, as somebody at a desk does."""
        self.browser.point("#body", click=True)
        self.browser.write(text)
        self.browser.press("\ue007")


@pytest.fixture
def walk(browser: Browser, quarter: Town) -> Walk:
    """Alice at the browser, bob beside her; nobody else is in their room."""
    return Walk(browser, quarter)


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    from tests.pictures.samples import png

    file = tmp_path / "lamp.png"
    file.write_bytes(png(600, 400))
    return file
