"""The clock of a browser is never believed, and what is said in relation to today stays true on an open page."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Windows, connected, settled, shows, write
from tests.conftest import Town

Open = Callable[..., Page]
#: Makes the browser's clock wrong by so many milliseconds; ``jump`` sets it while the page is open.
WRONG = """
{
  const Real = Date;
  let off = %d;
  window.jump = (by) => (off += by);
  window.Date = class extends Real {
    constructor(...given) { given.length ? super(...given) : super(Real.now() + off); }
    static now() { return Real.now() + off; }
  };
}
"""
MINUTE, DAY = 60_000, 86_400_000


def with_clock_off(windows: Windows, town: Town, by: int, path: str = "") -> Page:
    context = windows.context(town.alice)
    context.add_init_script(WRONG % by)
    return windows.open(town.alice, path or f"/rooms/{town.room}", context=context)


def tells_the_time(page: Page) -> None:
    """Somebody writes, is shown when, under today's line, and may change it."""
    write(page, "just now")
    shows(page, "just now")
    settled(page)
    expect(page.locator(".day")).to_have_text("Today")
    shown = page.locator("#timeline .message").last.locator("time").first
    local = datetime.fromisoformat(str(shown.get_attribute("datetime"))).astimezone(ZoneInfo("Europe/Berlin"))
    expect(shown).to_have_text(local.strftime("%H:%M"))
    page.locator("#timeline .message").last.hover()
    expect(page.get_by_role("link", name="Edit")).to_be_visible()
    page.mouse.move(5, 5)
    page.locator("#body").press("ArrowUp")
    expect(page.locator("#edit-body")).to_have_value("just now")
    page.keyboard.press("Escape")


@pytest.mark.parametrize("by", [20 * MINUTE, -20 * MINUTE, DAY, -DAY])
def test_a_wrong_clock_changes_nothing(by: int, town: Town, windows: Windows):
    page = with_clock_off(windows, town, by)
    expect(page.locator(f'#room-list [data-room="{town.room}"] time')).to_have_text(re.compile(r"\d\d:\d\d"))
    tells_the_time(page)


@pytest.mark.parametrize("by", [DAY, -DAY])
def test_a_clock_that_is_set_while_the_page_is_open_changes_nothing(by: int, town: Town, windows: Windows):
    page = with_clock_off(windows, town, 0)
    page.evaluate("(by) => { jump(by); document.dispatchEvent(new Event('visibilitychange')) }", by)
    tells_the_time(page)


def midnight_after(zone: str) -> datetime:
    local = datetime.now(ZoneInfo(zone))
    return (local + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)


def shown_at(page: Page, moment: datetime) -> None:
    """Have the pages of a browser be told another time by the server, and no other after."""

    def told(route):
        answer = route.fetch()
        page_then = re.sub(r'(name="now" content=)"\d+"', rf'\1"{int(moment.timestamp() * 1000)}"', answer.text())
        route.fulfill(response=answer, body=page_then)

    page.route(
        re.compile(r"/rooms(/\w{16})?$"),
        lambda route: told(route) if route.request.method == "GET" else route.continue_(),
    )
    page.route(re.compile("/(presence|read)$"), lambda route: route.fulfill(status=204))


@pytest.mark.parametrize("zone", ["Europe/Moscow", "Pacific/Chatham", "America/St_Johns"])
def test_midnight_puts_the_days_right_on_an_open_page(zone: str, town: Town, windows: Windows):
    town.bob.say(town.room, "in the evening")
    page = windows.context(town.alice, timezone_id=zone).new_page()
    page.clock.install()
    shown_at(page, midnight_after(zone).astimezone(UTC) - timedelta(minutes=6))
    page.goto(f"{town.site.url}/rooms/{town.room}")
    connected(page)
    row = page.locator(f'#room-list [data-room="{town.room}"] time')
    expect(page.locator(".day")).to_have_text("Today")
    page.clock.fast_forward(3 * MINUTE)
    expect(page.locator(".day")).to_have_text("Today")
    page.clock.fast_forward(4 * MINUTE)
    expect(page.locator(".day")).to_have_text("Yesterday")
    expect(row).to_have_text("Yesterday")


def test_midnight_that_was_slept_through(town: Town, windows: Windows):
    """The machine slept: what passes is not counted meanwhile, and the server is asked what time it is."""
    town.bob.say(town.room, "before going to sleep")
    page = windows.context(town.alice).new_page()
    page.add_init_script(WRONG % 0)
    shown_at(page, datetime.now(UTC))
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    date = tomorrow.strftime("%a, %d %b %Y %H:%M:%S GMT")
    page.route("**/healthz", lambda route: route.fulfill(status=200, headers={"Date": date}))
    page.goto(f"{town.site.url}/rooms/{town.room}")
    connected(page)
    expect(page.locator(".day")).to_have_text("Today")
    page.evaluate("(by) => { jump(by); document.dispatchEvent(new Event('visibilitychange')) }", DAY)
    expect(page.locator(".day")).to_have_text("Yesterday")
    page.goto(f"{town.site.url}/rooms")
    expect(page.locator(f'#room-list [data-room="{town.room}"] time')).to_have_text(re.compile(r"\d\d:\d\d"))
    page.evaluate("(by) => { jump(by); document.dispatchEvent(new Event('visibilitychange')) }", DAY)
    expect(page.locator(f'#room-list [data-room="{town.room}"] time')).to_have_text("Yesterday")


#: The moments around days of 23 and of 25 hours, and what the page says of the first at the second.
DAYS = [
    ("Europe/Berlin", "2026-03-28T23:30:00+01:00", "2026-03-29T23:30:00+02:00", "Yesterday"),
    ("Europe/Berlin", "2026-03-29T00:10:00+01:00", "2026-03-29T23:50:00+02:00", "Today"),
    ("Europe/Berlin", "2026-03-29T00:10:00+01:00", "2026-03-30T00:05:00+02:00", "Yesterday"),
    ("Europe/Berlin", "2026-10-25T00:10:00+02:00", "2026-10-25T23:50:00+01:00", "Today"),
    ("Europe/Berlin", "2026-10-25T00:10:00+02:00", "2026-10-26T00:05:00+01:00", "Yesterday"),
    ("Europe/Berlin", "2026-10-24T00:10:00+02:00", "2026-10-26T00:05:00+01:00", "Saturday 24 October"),
    ("America/Santiago", "2026-09-05T23:30:00-04:00", "2026-09-06T01:10:00-03:00", "Yesterday"),
]


@pytest.mark.parametrize(("zone", "then", "at", "says"), DAYS)
def test_days_of_23_and_25_hours(zone: str, then: str, at: str, says: str, town: Town, windows: Windows):
    page = windows.context(town.alice, timezone_id=zone).new_page()
    shown_at(page, datetime.fromisoformat(at))
    page.goto(f"{town.site.url}/rooms")
    said = page.evaluate(
        """async (then) => {
          const module = document.querySelector("script[type=module]").src.replace("app.js", "lib/times.js");
          return (await import(module)).day(new Date(then));
        }""",
        then,
    )
    assert said == says
