"""Every page, visited once: axe finds no fault, nothing sticks out at any width, everything can be hit with a thumb."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser.conftest import Windows, until
from tests.browser.places import EVERYWHERE, PAGES, Village, page_templates

EVERYTHING = {"rules": {"target-size": {"enabled": True}}, "resultTypes": ["violations"]}
#: What depends on the theme.
COLOURS = {"runOnly": ["color-contrast"], "resultTypes": ["violations"]}
DESK = {"viewport": {"width": 1440, "height": 900}}
WIDTHS = (390, 320, 820, 1440)

#: What is wider than the place it has, or stands outside the window: nothing may, but code that scrolls by itself.
STICKING_OUT = """
() => {
  const seen = (each) => each.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true }) && !each.closest("pre, .skip");
  const cut = (each) => each && (getComputedStyle(each).textOverflow === "ellipsis" || cut(each.parentElement));
  const clipped = (each) => each.closest(".visually-hidden, svg") || getComputedStyle(each).clipPath !== "none";
  const hidden = (each) => clipped(each) || cut(each.parentElement);
  const name = (each) => `${each.tagName}.${each.getAttribute("class")}`;
  const out = [];
  for (const each of document.querySelectorAll("body *")) {
    if (!seen(each) || hidden(each)) continue;
    const { left, right, width } = each.getBoundingClientRect();
    if (width && (left < -0.5 || right > innerWidth + 0.5)) out.push(`${name(each)} ${left}..${right}`);
    if (/auto|scroll/.test(getComputedStyle(each).overflowX) && each.scrollWidth > each.clientWidth)
      out.push(`${name(each)} scrolls sideways`);
  }
  if (document.documentElement.scrollWidth > innerWidth) out.push("the page scrolls sideways");
  return out;
}
"""

#: What can be pressed and is smaller than 44 × 44, links within sentences excepted (WCAG 2.2, 2.5.5). `::after` may
#: enlarge it.
TOO_SMALL = """
() => [...document.querySelectorAll("a, button, select, input:not([type=hidden], [type=radio]), textarea, .option, .choice")]
  .filter((each) => each.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true }) && !each.matches(".skip"))
  .filter((each) => getComputedStyle(each).pointerEvents !== "none")
  .filter((each) => !each.matches(".link, :is(.message__text, .prose) a, .composer__files, .option > input"))
  .map((each) => {
    const { width, height } = each.getBoundingClientRect(), after = getComputedStyle(each, "::after");
    const larger = after.content !== "none" && after.position === "absolute";
    const [wide, high] = larger ? [parseFloat(after.width), parseFloat(after.height)] : [width, height];
    return [`${each.tagName}.${each.getAttribute("class")}`, Math.max(width, wide), Math.max(height, high)];
  })
  .filter(([, width, height]) => Math.min(width, height) < 43.5)
"""


def test_every_page_template_is_looked_at():
    assert set(PAGES) == page_templates()


@pytest.mark.parametrize("place", EVERYWHERE)
def test_a_page_has_no_fault_and_fits_every_width_and_every_thumb(place: str, village: Village, windows: Windows):
    windows.allow("404")
    person, path = EVERYWHERE[place](village)
    page = windows.context(person, **DESK, reduced_motion="reduce").new_page()
    page.goto(village.ines.url + path)
    assert faults(page) == []
    page.set_viewport_size({"width": 390, "height": 844})
    assert faults(page, "light") == [], "on a phone"
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate(STICKING_OUT) == [], width
    page.set_viewport_size({"width": 390, "height": 844})
    with_fingers(page)
    assert page.evaluate(TOO_SMALL) == []
    assert page.evaluate(STICKING_OUT) == [], "what is larger for thumbs"


def with_fingers(page: Page) -> None:
    """Have a page that is open believe that it is touched, as a tablet does whose keyboard is taken off."""
    page.context.new_cdp_session(page).send("Emulation.setTouchEmulationEnabled", {"enabled": True})
    until(page, "matchMedia('(pointer: coarse)').matches")


def faults(page: Page, *themes: str) -> list[str]:
    """Return what axe finds, light and dark."""
    page.evaluate("() => 'axe' in window") or page.evaluate(Axe().axe_script)
    found = []
    for theme in themes or ("dark", "light"):
        options = EVERYTHING if theme == "light" else COLOURS
        page.emulate_media(color_scheme=theme)
        page.evaluate("Promise.all(document.getAnimations().map((each) => each.finished))")
        violations = page.evaluate("async (options) => (await axe.run(options)).violations", options)
        found += [
            f"{theme}: {violation['id']}: {node['html'][:200]}: {node['failureSummary'][:300]}"
            for violation in violations
            for node in violation["nodes"]
        ]
    return found
