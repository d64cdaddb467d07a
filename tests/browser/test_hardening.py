"""htmx does nothing that we did not mean, whatever a fragment may ask of it."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.conftest import Windows
from tests.conftest import Town

Open = Callable[..., Page]


def test_it_holds_the_hardened_configuration(town: Town, room_of: Open):
    config = room_of(town.alice).evaluate("JSON.parse(JSON.stringify(htmx.config))")
    closed = ("allowEval", "allowScriptTags", "allowNestedOobSwaps", "historyEnabled", "includeIndicatorStyles")
    assert {name: config[name] for name in closed} == dict.fromkeys(closed, False)
    assert config["selfRequestsOnly"] is True
    assert config["historyCacheSize"] == 0


def test_it_is_hardened_also_when_a_theme_forgets_the_configuration(town: Town, windows: Windows):
    windows.allow("htmx.config.* should be")
    context = windows.context(town.alice)

    def forget(route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, body=answer.text().replace('name="htmx-config"', 'name="forgotten"'))

    context.route(f"**/rooms/{town.room}", forget)
    page = windows.open(town.alice, f"/rooms/{town.room}", context)
    assert page.evaluate("[htmx.config.allowEval, htmx.config.allowNestedOobSwaps]") == [False, False]


def test_it_refuses_swaps_that_a_fragment_names_itself(town: Town, room_of: Open):
    page = room_of(town.alice)
    page.evaluate(
        """htmx.swap("#editor", `
          <hx-partial hx-target="#room-list" hx-swap="innerHTML"><p>owned</p></hx-partial>
          <p>kept<b hx-swap-oob="innerHTML:#room-list">owned</b></p>`, { swapStyle: "innerHTML" })"""
    )
    expect(page.locator("#editor")).to_contain_text("kept")
    expect(page.locator("#room-list")).not_to_contain_text("owned")


def test_it_runs_nothing_that_a_frame_brings(town: Town, room_of: Open, windows: Windows):
    windows.allow("Content Security Policy")
    page = room_of(town.alice)
    page.evaluate(
        """window.owned = 0;
        htmx.swap("#timeline", `<li class="message" id="message_x" data-seq="999999" data-author-id="x" data-client-id="x">
          <time datetime="2026-11-21T08:00:00Z"></time><div class="message__text"><p>hostile</p></div>
          <script>owned = 1</` + `script><img src="/favicon.ico" onload="owned = 2"><p style="color: red">x</p>
        </li>`, { swapStyle: "timeline" }, { contextElement: document.querySelector("#timeline") })"""
    )
    expect(page.locator("#message_x")).to_be_visible()
    page.locator("#message_x img").evaluate("(image) => image.decode().catch(() => {})")
    assert page.evaluate("owned") == 0


def test_it_keeps_the_timeline_when_a_fragment_breaks_the_swap(town: Town, room_of: Open, windows: Windows):
    windows.allow("TypeError")
    town.bob.say(town.room, "safe")
    page = room_of(town.alice)
    page.evaluate(
        """htmx.swap("#timeline", '<li class="message" id="message_y" data-seq="999999">no time in it</li>',
          { swapStyle: "timeline" }, { contextElement: document.querySelector("#timeline") })"""
    )
    expect(page.locator("#timeline")).to_contain_text("safe")
    expect(page.locator("#timeline")).to_contain_text("no time in it")
