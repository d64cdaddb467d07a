"""What can be measured of how pages look: nothing jumps, nothing covers what is read, themes are there at once."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Windows, until
from tests.browser.places import Village
from tests.browser.test_pages import STICKING_OUT
from tests.people import Person

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
SHIFTS = """
window.shifts = [];
new PerformanceObserver((list) => window.shifts.push(...list.getEntries().map((each) => each.value)))
  .observe({ type: "layout-shift", buffered: true });
"""


def test_the_host_behind_a_link_stays_in_one_piece(village: Village, windows: Windows):
    room = village.ines.make_room("harbour links")
    for before in range(0, 40, 3):
        village.ines.say(room, f"{'x' * before} [see here](https://login.accounts.other-host.example/) today")
    page = windows.context(village.ines, **PHONE).new_page()
    page.goto(f"{village.ines.url}/rooms/{room}")
    hosts = page.locator(".message__text small")
    expect(hosts).to_have_count(14)
    heights = hosts.evaluate_all("(all) => all.map((each) => each.getBoundingClientRect().height)")
    assert max(heights) < 30, "on a line of its own, rather than broken in its middle"


def test_it_does_not_jump_when_a_picture_comes_late(village: Village, windows: Windows):
    context = windows.context(village.ines, **PHONE)
    waiting: list[Route] = []
    context.route("**/pictures/**", lambda route: waiting.append(route))
    context.add_init_script(SHIFTS)
    page = context.new_page()
    page.goto(f"{village.ines.url}/rooms/{village.room}", wait_until="domcontentloaded")
    page.locator(".scroller").evaluate("(scroller) => scroller.scrollTo(0, -scroller.scrollHeight)")
    page.locator(".picture__image").first.scroll_into_view_if_needed()
    until(page, "document.documentElement.dataset.stream === 'up'")
    page.wait_for_timeout(100)  # anything late of the page itself
    before = places(page)
    assert waiting
    page.evaluate("window.shifts.length = 0")
    for route in waiting:
        route.continue_()
    until(
        page, "[...document.images].filter((each) => each.src.includes('/pictures/')).some((each) => each.naturalWidth)"
    )
    page.wait_for_timeout(100)
    assert page.evaluate("window.shifts") == []
    assert places(page) == pytest.approx(before, abs=0.5)


def places(page: Page) -> list[float]:
    return page.evaluate(
        "[...document.querySelectorAll('#timeline > li')].map((each) => each.getBoundingClientRect().top)"
    )


@pytest.mark.parametrize("height", [844, 480], ids=["a phone", "a phone with its keyboard"])
def test_a_room_opens_with_its_last_message_over_the_composer(height: int, village: Village, windows: Windows):
    phone = PHONE | {"viewport": {"width": 390, "height": height}}
    village.ines.post(f"/rooms/{village.room}/read", seq=str(village.theirs.seq))
    page = windows.open(village.ines, f"/rooms/{village.room}", **phone)
    last = page.locator("#timeline .message").last.bounding_box()
    composer = page.locator("#composer").bounding_box()
    bar = page.locator(".bar").first.bounding_box()
    assert last
    assert composer
    assert bar
    assert bar["y"] == 0
    assert bar["height"] < last["y"]
    assert last["y"] + last["height"] <= composer["y"]
    assert composer["y"] + composer["height"] <= height


@pytest.mark.parametrize(
    ("theme", "device", "dark"), [("dark", "light", True), ("light", "dark", False), ("auto", "dark", True)]
)
def test_the_theme_is_there_before_any_script(theme: str, device: str, dark: bool, village: Village, windows: Windows):
    person = Person(village.ines.url).sign_up()
    person.post("/profile", name=person.name, status="", theme=theme)
    context = windows.context(person, color_scheme=device, java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{person.url}/rooms")
    corner = Image.open(BytesIO(page.screenshot())).convert("L").getpixel((2, 2))
    assert (corner < 80) is dark


def test_reduced_motion_moves_nothing(village: Village, windows: Windows):
    page = windows.open(village.ines, f"/rooms/{village.room}", reduced_motion="reduce")
    assert page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--rise')") == "0"
    assert page.evaluate("getComputedStyle(document.querySelector('.scroller')).scrollBehavior") == "auto"


def test_a_printed_room_is_its_words(village: Village, windows: Windows):
    page = windows.open(village.ines, f"/rooms/{village.room}", color_scheme="dark")
    page.emulate_media(media="print")
    assert page.locator(".side, .composer-area, .people, .bar__actions").evaluate_all(
        "(all) => all.every((each) => !each.checkVisibility())"
    )
    assert page.locator("#timeline .message").first.is_visible()
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "light"


def test_a_line_over_the_end_can_be_scrolled_out_from_under(village: Village, windows: Windows):
    page = windows.open(village.ines, f"/rooms/{village.room}", **PHONE)
    page.clock.install()
    page.evaluate("dispatchEvent(new Event('offline'))")
    page.clock.run_for(5_100)
    banner, last = page.locator("[data-connection]"), page.locator("#timeline .message").last
    expect(banner).to_be_visible()
    over, under = banner.bounding_box(), last.bounding_box()
    assert over
    assert under
    assert under["y"] + under["height"] <= over["y"]


def test_the_word_edited_stays_with_the_last_word(village: Village, windows: Windows):
    page = windows.open(village.ines, f"/rooms/{village.room}")
    apart = page.locator(f"#message_{village.own.id} .message__text").evaluate(
        """(text) => {
          const word = text.querySelector(".message__edited");
          const widths = [...Array(60)].map((_, n) => 130 + 4 * n);
          return widths.filter((width) => {
            text.style.inlineSize = `${width}px`;
            return word.getClientRects()[0].left <= text.getBoundingClientRect().left + 13;
          });
        }"""
    )
    assert apart == []


def test_the_mark_for_dropping_covers_the_room_alone(village: Village, windows: Windows):
    page = windows.open(village.ines, f"/rooms/{village.room}", viewport={"width": 1440, "height": 900})
    assert page.evaluate(
        """() => {
          const pane = document.querySelector(".pane--room");
          pane.dataset.dragging = "";
          return parseFloat(getComputedStyle(pane, "::after").inlineSize) < pane.offsetWidth;
        }"""
    )


def test_large_text_keeps_the_lines_of_the_bar_apart(village: Village, windows: Windows):
    page = windows.open(village.ines, f"/rooms/{village.room}", **PHONE)
    expect(page.locator("#body")).to_have_attribute("placeholder", "Message")
    page.evaluate("document.documentElement.style.fontSize = '150%'")
    title, detail = page.locator(".bar__title").first.bounding_box(), page.locator(".bar__detail").bounding_box()
    assert title
    assert detail
    assert title["y"] + title["height"] <= detail["y"] + 0.5
    assert page.evaluate(STICKING_OUT) == []


def test_what_is_chosen_can_be_told_in_forced_colours(village: Village, windows: Windows):
    context = windows.context(village.ines, forced_colors="active", viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.goto(f"{village.ines.url}/profile")
    for chosen in (".side__link[aria-current]", ".choice:has(:checked) .choice__swatch"):
        assert page.locator(chosen).evaluate("(each) => getComputedStyle(each).outlineStyle") == "solid"


def test_a_refusal_leads_back(village: Village, windows: Windows):
    windows.allow("403")
    page = windows.context(village.bob).new_page()
    page.goto(f"{village.ines.url}/rooms/{village.room}")
    page.evaluate("(path) => location.assign(path)", f"/messages/{village.own.id}/edit")
    page.get_by_role("link", name="Go back").click()
    expect(page).to_have_url(f"{village.ines.url}/rooms/{village.room}")


def test_the_bubble_fades_while_it_is_on_its_way(village: Village, windows: Windows):
    page = windows.open(village.ines, f"/rooms/{village.empty_room}")
    page.route("**/messages", lambda route: None)
    page.locator("#body").fill("on its way")
    page.keyboard.press("Enter")
    expect(page.locator("#outbox .message__text")).to_have_css("opacity", "0.72")
