"""From pressing Enter in one browser to the message on the screen of another, on loopback.

Both pages run in one Chromium, so they share a clock. The time begins with the key and ends in the animation frame after
the message entered the other page's timeline.
"""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.browser.conftest import FLAGS, connected
from tests.conftest import populate
from tests.people import Person
from tests.services import Site, wait_for

COUNT = 200

_WATCH = """() => {
  window.seen = {};
  new MutationObserver((changes) => {
    for (const change of changes) for (const node of change.addedNodes) {
      const id = node.dataset?.clientId;
      if (id) requestAnimationFrame(() => (window.seen[id] = performance.timeOrigin + performance.now()));
    }
  }).observe(document.querySelector("#timeline"), { childList: true });
}"""
_TIME = """() => {
  window.sent = [];
  document.querySelector("#body").addEventListener(
    "keydown", () => window.sent.push(performance.timeOrigin + performance.now()), { capture: true });
}"""
_ORDER = "[...document.querySelectorAll('#timeline .message')].map((each) => each.dataset.clientId)"


def run() -> str:
    """Return the figures as a table."""
    rows = ["| Enter to the other screen, loopback | p50 ms | p95 ms | worst ms |", "| --- | --- | --- | --- |"]
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        site = Site(Path(folder))
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        try:
            town = populate(site)
            writer, reader = (_open(browser, each, town.room) for each in (town.alice, town.bob))
            reader.evaluate(_WATCH)
            writer.evaluate(_TIME)
            for number in range(COUNT):
                writer.locator("#body").fill(f"number {number}")
                writer.keyboard.press("Enter")
                wait_for(lambda n=number: reader.evaluate("Object.keys(window.seen).length") > n, what="the message")
            sent = writer.evaluate("window.sent")
            seen = reader.evaluate("window.seen")
            order = [each for each in reader.evaluate(_ORDER) if each in seen]
            taken = [seen[client_id] - start for client_id, start in zip(order, sent[-len(order) :], strict=True)]
            taken = sorted(taken[10:])
            p95 = taken[int(len(taken) * 0.95)]
            rows.append(
                f"| {len(taken)} messages, SQLite | {statistics.median(taken):.0f} | {p95:.0f} | {taken[-1]:.0f} |"
            )
        finally:
            browser.close()
            site.stop()
    return "\n".join(rows) + "\n"


def _open(browser, person: Person, room: str) -> Page:
    context = browser.new_context()
    context.add_cookies([{"name": each.name, "value": each.value, "url": person.url} for each in person.http.cookies])
    page = context.new_page()
    page.goto(f"{person.url}/rooms/{room}")
    connected(page)
    return page
