"""The pattern page: while somebody develops, every template in every state, which loads again when a file is saved."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from bs4 import BeautifulSoup
from playwright.sync_api import Page, expect

from chat.themes import headers
from tests.browser.conftest import Windows
from tests.browser.test_pages import DESK, faults
from tests.conftest import _expect_calm
from tests.services import ROOT, Site, wait_for

MESSAGE = "messages/_message.html"
SHOWN = [
    name
    for name, each in headers.read_all(ROOT / "templates").items()
    if (each.given or "/_" in name)
    and name.endswith(".html")
    and not name.startswith(("mail/", "patterns/"))
    and name not in {"shared/_macros.html", "layouts/_scripts.html", "messages/_more.html"}
]


#: Milliseconds: there are many frames, and each is a page.
PATIENT = 30_000


@pytest.fixture(scope="module")
def theme(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copytree(ROOT / "examples/logbook", tmp_path_factory.mktemp("themes") / "logbook"))


@pytest.fixture(scope="module")
def workshop(theme: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    site = Site(tmp_path_factory.mktemp("site"), THEME_DIR=str(theme), FLASK_DEBUG="1")
    yield site
    site.stop()
    _expect_calm(site)


def opened(workshop: Site, windows: Windows, path: str) -> Page:
    page = windows.context(**DESK, reduced_motion="reduce").new_page()
    page.goto(f"{workshop.url}/-/patterns{path}", wait_until="domcontentloaded")
    return page


def test_every_template_is_there(workshop: Site, windows: Windows):
    page = opened(workshop, windows, "")
    own = "messages/_message-direct.html"  # the theme's
    assert page.locator(".patterns__item h2 a").all_text_contents() == sorted([*SHOWN, own])


@pytest.mark.parametrize("name", SHOWN)
def test_every_template_is_shown_in_every_state(name: str, workshop: Site):
    page = requests.get(f"{workshop.url}/-/patterns/{name}")
    assert page.status_code == 200
    addresses = {each.split('"')[0] for each in page.text.split(' src="/-/')[1:]}
    for address in sorted(each for each in addresses if "theme=light" in each):
        shown = requests.get(f"{workshop.url}/-/{address}".replace("&amp;", "&"))
        assert shown.status_code == 200, address
        assert "<script" not in shown.text


def test_a_page_is_where_it_would_be(workshop: Site):
    """Its own entry is the current one of every list of places."""
    page = requests.get(f"{workshop.url}/-/patterns/preview/moderation/removed.html").text
    current = BeautifulSoup(page, "html.parser").select("nav [aria-current=page]")
    assert {each.get_text(strip=True) for each in current} == {"Removed", "Moderation"}


def test_the_picture_of_a_sample_is_one(workshop: Site, windows: Windows):
    page = opened(workshop, windows, "/messages/_tile.html")
    picture = page.frame_locator("iframe").first.locator("img")
    wait_for(lambda: picture.evaluate("(each) => each.naturalWidth") > 0, 30, "the picture to be there")


def test_one_template_light_and_dark_narrow_and_wide(workshop: Site, windows: Windows):
    page = opened(workshop, windows, f"/{MESSAGE}")
    first = page.locator(".patterns__state").first
    assert [each.get_attribute("width") for each in first.locator("iframe").all()] == ["390", "1440"] * 2
    light, dark = (first.frame_locator("iframe").nth(number) for number in (0, 2))
    for frame in (light, dark):
        expect(frame.locator(".entry .message__text")).to_contain_text("Lift starts at", timeout=PATIENT)
    ground = "(body) => getComputedStyle(body).backgroundColor"
    grounds = lambda: {frame.locator("body").evaluate(ground) for frame in (light, dark)}  # noqa: E731 - said in place
    wait_for(lambda: len(grounds()) == 2, 30, "one to be dark")
    wait_for(
        lambda: int(str(page.locator("iframe").nth(1).get_attribute("height"))) < 119,
        30,
        "the frame to fit the message",
    )
    expect(page.locator("#facts")).to_contain_text('.message[id^="message_"]')
    assert faults(page) == []


def test_the_source_is_copied(workshop: Site, windows: Windows):
    page = opened(workshop, windows, f"/{MESSAGE}")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.locator("summary").click()
    page.get_by_role("button", name="Copy").click()
    expect(page.locator("[data-copied]")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()").startswith("{# One message as a line of a logbook")


def test_what_is_saved_is_shown_and_nobody_loses_their_place(workshop: Site, theme: Path, windows: Windows):
    page = opened(workshop, windows, f"/{MESSAGE}")
    frame = page.frame_locator(".patterns__state:nth-of-type(4) iframe").first
    page.locator(".patterns__state").nth(3).scroll_into_view_if_needed()
    expect(frame.locator(".message")).to_be_visible(timeout=PATIENT)
    place = page.evaluate("scrollY")
    assert place > 100
    file = theme / "templates" / MESSAGE
    before = file.read_text()
    file.write_text(before.replace('class="message entry', 'class="message entry saved'))
    expect(frame.locator(".message.saved")).to_be_attached(timeout=PATIENT)
    expect(page.locator("#source")).to_contain_text("entry saved")
    assert page.evaluate("scrollY") == place
    file.write_text(before)


def test_it_is_shown_from_right_to_left_and_without_script(workshop: Site, windows: Windows):
    page = opened(workshop, windows, "/rooms/show.html?direction=rtl&script=off")
    frame = page.locator("iframe").first
    assert "allow-scripts" not in str(frame.get_attribute("sandbox"))
    inside = page.frame_locator("iframe").first
    expect(inside.locator("html")).to_have_attribute("dir", "rtl", timeout=PATIENT)
    expect(inside.locator("noscript form")).to_be_visible(timeout=PATIENT)


def test_nobody_else_frames_it(workshop: Site):
    page = requests.get(f"{workshop.url}/-/patterns").headers["Content-Security-Policy"]
    preview = requests.get(f"{workshop.url}/-/patterns/preview/{MESSAGE}").headers
    assert "frame-ancestors 'none'" in page
    assert "script-src 'self'" in page
    assert "frame-ancestors 'self'" in preview["Content-Security-Policy"]
    assert preview["X-Frame-Options"] == "SAMEORIGIN"


@pytest.mark.parametrize(
    "path", ["/nothing.html", "/layouts/base.html", "/mail/welcome.html", "/preview/messages/_message.html?state=x"]
)
def test_what_is_nothing_by_itself_is_not_there(path: str, workshop: Site):
    assert requests.get(f"{workshop.url}/-/patterns{path}").status_code == 404
