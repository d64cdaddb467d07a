"""Times are in the reader's zone and in the words of the server, whether they came with the page or by the stream."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime

from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Windows, shows
from tests.conftest import Town

Open = Callable[..., Page]
SHOWN = "[...document.querySelectorAll('#timeline .message__time time')].map((each) => each.textContent)"


def test_it_shows_the_readers_time_on_the_first_page_and_by_the_stream(town: Town, windows: Windows):
    town.bob.say(town.room, "before")
    page = windows.open(town.alice, f"/rooms/{town.room}", timezone_id="Australia/Eucla")
    town.bob.say(town.room, "after")
    shows(page, "after")
    live = page.evaluate(SHOWN)
    stamps = page.evaluate("[...document.querySelectorAll('#timeline .message__time time')].map((each) => each.title)")
    page.reload()
    assert page.evaluate(SHOWN) == live, "the server says the same once it knows the zone"
    minute = page.evaluate("new Date().getMinutes()")
    assert abs(int(live[1][-2:]) - minute) in {0, 1, 59}
    assert all(re.fullmatch(r"\w+ \d+ \w+ \d{4}, \d\d:\d\d", each) for each in stamps)
    cookies = {cookie["name"]: cookie["value"] for cookie in page.context.cookies()}
    assert cookies["tz"] == "Australia/Eucla"


def test_it_writes_days_and_ages_as_the_server_does(town: Town, room_of: Open):
    page = room_of(town.alice)
    now = int(datetime.fromisoformat("2026-11-21T12:00:00+01:00").timestamp() * 1000)

    def at_noon(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, body=re.sub(r'(name="now" content=)"\d+"', rf'\1"{now}"', answer.text()))

    page.route(f"**/rooms/{town.room}", at_noon)
    page.route("**/presence", lambda route: route.fulfill(status=204))
    page.goto(f"{town.site.url}/rooms/{town.room}")
    written = page.evaluate(
        """async (moments) => {
          const module = document.querySelector("script[type=module]").src.replace("app.js", "lib/times.js");
          const { localise, day } = await import(module);
          const box = document.createElement("div");
          for (const [style, moment] of moments) {
            const time = document.createElement("time");
            Object.assign(time, { dateTime: moment });
            time.dataset.style = style;
            box.append(time);
          }
          localise(box);
          return [...[...box.children].map((each) => each.textContent), day(new Date("2025-02-03T12:00:00Z"))];
        }""",
        [
            ["clock", "2026-11-21T08:05:00Z"],
            ["when", "2026-11-21T08:05:00Z"],
            ["when", "2026-11-20T08:05:00Z"],
            ["when", "2026-11-17T08:05:00Z"],
            ["when", "2026-09-03T08:05:00Z"],
            ["when", "2025-09-03T08:05:00Z"],
            ["ago", "2026-11-21T10:59:10Z"],
            ["ago", "2026-11-21T10:40:00Z"],
            ["ago", "2026-11-21T08:00:00Z"],
            ["ago", "2026-11-20T08:00:00Z"],
            ["since", "2026-11-21T08:05:00Z"],
            ["since", "2026-11-20T08:05:00Z"],
            ["since", "2026-11-17T08:05:00Z"],
            ["stamp", "2026-11-20T23:30:00Z"],
        ],
    )
    assert written == [
        "09:05",
        "09:05",
        "Yesterday",
        "Tuesday",
        "3 Sep",
        "3 Sep 2025",
        "now",
        "20 min ago",
        "3 h ago",
        "yesterday",
        "09:05",
        "yesterday, 09:05",
        "Tuesday, 09:05",
        "Saturday 21 November 2026, 00:30",
        "Monday 3 February 2025",
    ]


def test_it_moves_the_day_lines_to_the_readers_days(town: Town, windows: Windows):
    town.bob.say(town.room, "just now")
    for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago"):
        page = windows.open(town.alice, f"/rooms/{town.room}", timezone_id=zone)
        expect(page.locator(".day")).to_have_text("Today")
