"""Many tabs of one browser share one stream, and none misses or repeats anything when the one that holds it goes."""

from __future__ import annotations

import threading
from urllib.parse import parse_qsl, urlsplit

from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import Windows, connected, says, seqs, settled, shows, until, write
from tests.conftest import Town
from tests.services import wait_for


class Streams:
    """The streams that the tabs of a browser have asked for."""

    def __init__(self, context: BrowserContext) -> None:
        self.by_page: list[Page] = []
        self.asked: list[list[tuple[str, str]]] = []
        context.on("request", self._hear)

    def _hear(self, request) -> None:
        url = urlsplit(request.url)
        if url.path == "/events":
            self.by_page.append(request.frame.page)
            self.asked.append(parse_qsl(url.query))


def test_it_holds_one_stream_for_eight_tabs_and_passes_it_on(town: Town, windows: Windows):
    context = windows.context(town.alice)
    streams = Streams(context)
    tabs = [windows.open(town.alice, f"/rooms/{town.room}", context) for _ in range(8)]
    assert len(streams.asked) == 1, "only the first tab asks"
    assert streams.by_page == [tabs[0]]

    texts = [f"number {n}" for n in range(40)]
    talking = threading.Thread(target=lambda: [town.bob.say(town.room, text) for text in texts])
    talking.start()
    for _ in range(3):
        leader = streams.by_page[-1]
        tabs.remove(leader)
        leader.close()
        wait_for(lambda leader=leader: tabs[0].wait_for_timeout(10) or streams.by_page[-1] is not leader)
    talking.join()
    for tab in tabs:
        shows(tab, texts[-1])
        assert says(tab) == texts
        assert seqs(tab) == sorted(set(seqs(tab)))
    assert len(streams.asked) <= 5


def test_it_sends_from_each_tab_at_once(town: Town, windows: Windows):
    context = windows.context(town.alice)
    tabs = [windows.open(town.alice, f"/rooms/{town.room}", context) for _ in range(4)]
    for n, tab in enumerate(tabs):
        write(tab, f"from tab {n}")
        settled(tab)
    for tab in tabs:
        shows(tab, "from tab 3")
        assert says(tab) == [f"from tab {n}" for n in range(4)]


def test_it_carries_several_rooms_on_one_stream(town: Town, windows: Windows):
    other = town.alice.make_room("other-room")
    town.alice.add(other, town.bob)
    context = windows.context(town.alice)
    streams = Streams(context)
    here = windows.open(town.alice, f"/rooms/{town.room}", context)
    there = windows.open(town.alice, f"/rooms/{other}", context)
    town.bob.say(other, "over there")
    town.bob.say(town.room, "over here")
    shows(here, "over here")
    shows(there, "over there")
    assert says(here) == ["over here"]
    assert says(there) == ["over there"]
    assert {value for name, value in streams.asked[-1] if name == "room"} == {town.room, other}


def test_it_takes_the_stream_from_a_tab_that_does_not_answer(town: Town, windows: Windows):
    context = windows.context(town.alice)
    streams = Streams(context)
    stuck = windows.open(town.alice, f"/rooms/{town.room}", context)
    page = windows.open(town.alice, f"/rooms/{town.room}", context)
    debugger = context.new_cdp_session(stuck)
    debugger.send("Debugger.enable")
    debugger.send("Debugger.pause")
    write(page, "is anybody there?")
    settled(page)
    assert says(page) == ["is anybody there?"]
    assert streams.by_page[-1] is page
    debugger.send("Debugger.resume")
    debugger.send("Debugger.disable")
    shows(stuck, "is anybody there?")
    assert says(stuck) == ["is anybody there?"]


def test_it_resets_only_the_tab_that_is_too_old(town: Town, windows: Windows):
    context = windows.context(town.alice)
    fresh = windows.open(town.alice, f"/rooms/{town.room}", context)
    write(fresh, "here")
    settled(fresh)
    fresh.evaluate("document.querySelector('#live').mark = true")

    def age(route) -> None:
        answer = route.fetch()
        text = answer.text()
        cursor = text.partition('data-cursor="')[2].partition('"')[0]
        room, _, seq = cursor.split(".")
        route.fulfill(response=answer, body=text.replace(cursor, f"{room}.another.{seq}"))

    context.route(f"**/rooms/{town.room}", age, times=1)
    old = windows.open(town.alice, f"/rooms/{town.room}", context)
    until(old, "!document.querySelector('#live').dataset.cursor.includes('another')")
    town.bob.say(town.room, "to both")
    for tab in (fresh, old):
        shows(tab, "to both")
        assert says(tab) == ["here", "to both"]
    assert fresh.evaluate("document.querySelector('#live').mark === true")


def test_it_has_a_stream_of_its_own_where_tabs_cannot_share(town: Town, windows: Windows):
    context = windows.context(town.alice)
    context.add_init_script("Object.defineProperty(navigator, 'locks', { value: undefined })")
    streams = Streams(context)
    tabs = [windows.open(town.alice, f"/rooms/{town.room}", context) for _ in range(2)]
    write(tabs[0], "alone")
    for tab in tabs:
        shows(tab, "alone")
    assert streams.by_page == tabs


def test_it_shares_nothing_between_two_people_in_one_browser(town: Town, windows: Windows):
    windows.allow("status of 401")  # the first page may be looking at its list while the cookies are neither's
    context = windows.context(town.alice)
    first = windows.open(town.alice, f"/rooms/{town.room}", context)
    key = first.locator("meta[name=stream-key]").get_attribute("content")
    context.clear_cookies()
    context.add_cookies([{"name": c.name, "value": c.value, "url": town.bob.url} for c in town.bob.http.cookies])
    second = context.new_page()
    second.goto(f"{town.site.url}/rooms/{town.room}")
    connected(second)
    assert second.locator("meta[name=stream-key]").get_attribute("content") != key
    town.mallory.get("/rooms")
    expect(second.locator(".self__name")).to_have_text("Bob de Vos")
