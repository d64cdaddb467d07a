"""The page comes back by itself: after the server was killed, after sleep, after a gap; nothing missing, nothing twice."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Windows, fill, says, seqs, settled, shows, until, with_new_room, write
from tests.conftest import Town, populate
from tests.services import Site

Open = Callable[..., Page]
CUT = (
    "ERR_(INCOMPLETE_CHUNKED_ENCODING|CONTENT_LENGTH_MISMATCH|CONNECTION_(REFUSED|RESET)|EMPTY_RESPONSE)"
    "|htmx:(sendError|afterRequest)"
)
#: Milliseconds: the longest that a page waits before it tries to connect again, and some (``static/js/stream/link.js``).
PAUSE = 40_000


@pytest.fixture
def own_town(site: Site) -> Town:
    """A site of this test alone, which may be killed."""
    return populate(site)


def test_it_goes_on_after_the_server_was_killed(own_town: Town, windows: Windows):
    windows.allow(CUT)
    town, site = own_town, own_town.site
    page = windows.open(town.alice, f"/rooms/{town.room}")
    other = windows.open(town.bob, f"/rooms/{town.room}")
    write(page, "before")
    shows(other, "before")
    site.kill()
    until(page, "document.documentElement.dataset.stream === 'down'")
    write(page, "while it is away")
    expect(page.locator("#outbox .message")).to_have_attribute("data-state", "waiting")
    site.start()
    expect(page.locator("#outbox .message")).to_have_count(0, timeout=PAUSE)
    for n in range(5):
        town.bob.say(town.room, f"after {n}")
    for each in (page, other):
        expect(each.locator("#timeline .message", has_text="after 4")).to_be_attached(timeout=PAUSE)
        assert says(each) == ["before", "while it is away", *(f"after {n}" for n in range(5))]
        assert seqs(each) == sorted(set(seqs(each)))


def test_it_says_that_it_is_offline_and_how_far_it_has_caught_up(own_town: Town, windows: Windows):
    windows.allow(CUT)
    town, site = own_town, own_town.site
    page = windows.open(town.alice, f"/rooms/{town.room}")
    banner = page.locator("[data-connection]")
    site.kill()
    expect(banner).to_have_attribute("data-state", "offline")
    expect(banner).to_contain_text("What you write is kept and sent later.")
    texts = fill(town, 37)
    page.evaluate(
        "window.said = []; new MutationObserver(() => said.push(document.querySelector('[data-connection]').innerText))"
        ".observe(document.querySelector('[data-connection]'), { childList: true, subtree: true })"
    )
    site.start()
    # Pressed at once, if the page has not come back by itself.
    page.evaluate("document.querySelector('[data-connection] button')?.click()")
    shows(page, texts[-1])
    expect(banner).to_have_text("Up to date")
    assert says(page) == texts
    expect(banner).to_be_hidden()
    assert page.evaluate("said.some((each) => /^(Catching up, \\d+ of 37 messages|Up to date)$/.test(each))")


def test_it_fetches_the_page_again_when_it_is_too_far_behind(own_town: Town, windows: Windows):
    windows.allow(CUT)
    town, site = own_town, own_town.site
    page = windows.open(town.alice, f"/rooms/{town.room}")
    write(page, "before")
    settled(page)
    page.locator("#body").fill("half a thought")
    site.kill()
    until(page, "document.documentElement.dataset.stream === 'down'")
    texts = fill(town, 520)
    site.start()
    expect(page.locator("#timeline .message", has_text=texts[-1])).to_be_attached(timeout=PAUSE)
    assert says(page) == texts[-40:]
    expect(page.locator("#body")).to_have_value("half a thought")
    expect(page.locator("#body")).to_be_focused()
    town.bob.say(town.room, "and it goes on")
    shows(page, "and it goes on")
    assert len(page.query_selector_all("#live")) == 1


def test_it_keeps_the_place_of_somebody_who_reads_when_it_fetches_the_page_again(town: Town, room_of: Open):
    fill(town, 300)
    town.alice.post(f"/rooms/{town.room}/read", htmx=True, seq="100000")
    page = room_of(town.alice)
    page.evaluate("document.querySelector('.scroller').scrollTop = -900")
    until(page, "!document.querySelector('[data-jump]').hidden")
    place = """() => {
      const bottom = document.querySelector(".scroller").getBoundingClientRect().bottom;
      const lines = [...document.querySelectorAll("#timeline .message")];
      const line = lines.findLast((each) => each.getBoundingClientRect().bottom <= bottom);
      return [line.id, Math.round(line.getBoundingClientRect().top - bottom)];
    }"""
    before = page.evaluate(place)
    page.evaluate("document.querySelector('#live').mark = true; htmx.trigger('#live', 'sse:reset')")
    until(page, "document.querySelector('#live').mark !== true")
    line, offset = page.evaluate(place)
    assert line == before[0]
    assert abs(offset - before[1]) <= 1


def test_it_notices_a_frame_that_is_missing(town: Town, windows: Windows):
    context = windows.context(town.alice)
    context.add_init_script(
        """const plain = window.fetch;
        window.fetch = async (...asked) => {
          const answer = await plain(...asked);
          if (!String(asked[0]).startsWith("/events?")) return answer;
          window.streams = (window.streams ?? 0) + 1;
          const drop = new TransformStream({
            transform(chunk, out) {
              const text = new TextDecoder().decode(chunk);
              if (window.losing && text.includes("lost")) { window.losing = false; return; }
              out.enqueue(chunk);
            },
          });
          return new Response(answer.body.pipeThrough(drop), { status: answer.status, headers: answer.headers });
        };"""
    )
    page = windows.open(town.alice, f"/rooms/{town.room}", context)
    page.evaluate("window.losing = true")
    town.bob.say(town.room, "lost")
    until(page, "window.losing === false")
    town.bob.say(town.room, "next")
    shows(page, "next")
    assert says(page) == ["lost", "next"]
    assert page.evaluate("window.streams") == 2


def test_it_learns_what_happened_while_the_page_was_frozen(town: Town, room_of: Open):
    page = room_of(town.alice)
    said = town.bob.say(town.room, "first")
    shows(page, "first")
    page.evaluate("document.dispatchEvent(new Event('freeze'))")
    town.bob.say(town.room, "meanwhile")
    town.bob.post(f"/messages/{said.id}/delete")
    page.evaluate("document.dispatchEvent(new Event('resume'))")
    shows(page, "meanwhile")
    until(page, "document.querySelector('.tombstone') !== null")
    assert "first" not in says(page)


def test_it_fetches_the_list_of_rooms_when_it_comes_back(own_town: Town, windows: Windows):
    windows.allow(CUT)
    town, site = own_town, own_town.site
    page = windows.open(town.alice, "/rooms")
    site.kill()
    until(page, "document.documentElement.dataset.stream === 'down'")
    site.start()
    other = with_new_room(town, "made meanwhile")
    town.bob.say(other.room, "are you back?")
    expect(page.locator(".row__preview", has_text="are you back?")).to_be_visible(timeout=15_000)
    expect(page).to_have_title("(1) Confab")
