"""``docs/pictures/logbook.webp``: the example theme, by day and by night.

Run ``.venv/bin/python -m tests.themes.picture`` to take it again.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from tests.browser.conftest import FLAGS, Windows
from tests.conftest import populate
from tests.services import ROOT, Site

PICTURE = ROOT / "docs/pictures/logbook.webp"
SAID = (
    ("alice", "Cast off from Stornoway. Wind **NW 4**, glass 1012 and steady."),
    ("bob", "Tidied the foredeck, stowed the long lines."),
    ("alice", "Butt of Lewis abeam at two miles. Set the staysail."),
    ("bob", "Glass falling: 1009. Swell from the west."),
    ("alice", "Reefed the main. Hot soup for everybody who can hold a spoon."),
    ("bob", "Light in sight, bearing 048°. [Tide tables](https://tides.example/wick) say slack water at 17:20."),
)


def take(folder: Path) -> None:
    """Take the picture, two halves of one window."""
    site = Site(folder, THEME_DIR=str(ROOT / "examples/logbook"))
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    try:
        town = populate(site)
        room = town.alice.make_room("middle watch")
        town.alice.add(room, town.bob)
        for who, text in SAID:
            getattr(town, who).say(room, text)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
            windows = Windows(browser)
            shots = []
            for scheme in ("light", "dark"):
                options = {"viewport": {"width": 1180, "height": 520}, "color_scheme": scheme}
                page = windows.open(town.alice, f"/rooms/{room}", **options)
                page.mouse.move(0, 0)
                shots.append(Image.open(BytesIO(page.screenshot())))
            windows.close()
            browser.close()
    finally:
        site.stop()
    whole = Image.new("RGB", (shots[0].width, 2 * shots[0].height))
    for number, shot in enumerate(shots):
        whole.paste(shot, (0, number * shot.height))
    whole.save(PICTURE, quality=82, method=6)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        take(Path(made))
