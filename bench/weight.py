"""What a first visit to a room with forty messages weighs on the wire, by the browser's own accounting, heads included."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from tests.browser.conftest import FLAGS, connected
from tests.conftest import populate
from tests.services import Site

TEXTS = [
    "The clockwork came back from the workshop.",
    "It turns with **one finger**, and `0.8 mm` brass is enough.",
    "Lift starts at 14:00 sharp: tide is out until 17:20.\n\n- torque wrench\n- cake",
    "> Three millimetres\n\nis inside the shim range, see https://example.org/shims",
]


class Scales:
    """Adds up what answers weighed, by kind of content."""

    def __init__(self) -> None:
        self.found: dict[str, list[int]] = {}
        self._kinds: dict[str, str] = {}

    def begun(self, event: dict[str, Any]) -> None:
        """Note the kind of an answer whose head has come."""
        self._kinds[event["requestId"]] = event["response"]["mimeType"]

    def finished(self, event: dict[str, Any]) -> None:
        """Note the weight of an answer, head and body as they came."""
        kind = self._kinds.get(event["requestId"], "")
        if event["encodedDataLength"]:
            self.found.setdefault(kind, []).append(round(event["encodedDataLength"]))


def run() -> str:
    """Return the weights as a table."""
    scales = Scales()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        site = Site(Path(folder))
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        try:
            town = populate(site)
            for number in range(40):
                (town.alice, town.bob)[number % 3 == 0].say(town.room, f"{number}: {TEXTS[number % 4]}")
            context = browser.new_context()
            cookies = [{"name": each.name, "value": each.value, "url": site.url} for each in town.bob.http.cookies]
            context.add_cookies(cookies)
            page = context.new_page()
            wire = context.new_cdp_session(page)
            wire.on("Network.responseReceived", scales.begun)
            wire.on("Network.loadingFinished", scales.finished)
            wire.send("Network.enable")
            page.goto(f"{site.url}/rooms/{town.room}")
            connected(page)
            page.wait_for_timeout(1500)
        finally:
            browser.close()
            site.stop()
    return table(scales.found)


def table(found: dict[str, list[int]]) -> str:
    """Return weights as a table, the heaviest kind first."""
    rows = [
        "| first visit to a room with 40 messages | requests | KB on the wire, heads included |",
        "| --- | --- | --- |",
    ]
    for kind, sizes in sorted(found.items(), key=lambda each: -sum(each[1])):
        rows.append(f"| {kind} | {len(sizes)} | {sum(sizes) / 1024:.1f} |")
    everything = [size for sizes in found.values() for size in sizes]
    rows.append(f"| **together** | {len(everything)} | **{sum(everything) / 1024:.1f}** |")
    return "\n".join(rows) + "\n"
