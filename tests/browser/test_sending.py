"""What one sends is on the page at once, and ends as a message or as a reason; never twice, and not lost by a reload."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Windows, connected, fill, says, settled, shows, until, write
from tests.conftest import Town

Open = Callable[..., Page]
ERROR = '<p class="error" role="alert">{}</p>'


class Answers:
    """Stands between a page and the server for the messages it posts: holds the answer back, or gives another."""

    def __init__(self, page: Page, room: str) -> None:
        self.held: list[Route] = []
        self.asked: list[str] = []
        self.hold = False
        self.status = 0
        self.body = ""
        self.headers: dict[str, str] = {}
        self.abort = False
        page.route(f"**/rooms/{room}/messages", self._answer)

    def refuse(self, status: int, sentence: str = "", **headers: str) -> None:
        self.status, self.body, self.headers = status, ERROR.format(sentence), headers

    def _answer(self, route: Route) -> None:
        if route.request.method != "POST":
            route.continue_()
            return
        self.asked.append(route.request.post_data or "")
        if self.abort:
            route.abort()
        elif self.status:
            route.fulfill(status=self.status, body=self.body, content_type="text/html", headers=self.headers)
        elif self.hold:
            self.held.append(route)
        else:
            route.continue_()


def test_it_shows_a_bubble_at_once_that_its_frame_settles(town: Town, room_of: Open):
    page = room_of(town.alice)
    answers = Answers(page, town.room)
    answers.hold = True
    write(page, "on its way")
    bubble = page.locator("#outbox .message")
    expect(bubble).to_have_attribute("data-state", "pending")
    expect(bubble.locator(".message__text")).to_have_text("on its way")
    expect(bubble.locator(".sending__word")).to_have_text("Sending")
    assert says(page) == []
    answers.held.pop().continue_()
    settled(page)
    assert says(page) == ["on its way"]


def test_it_is_one_message_when_the_frame_comes_before_the_answer(town: Town, room_of: Open):
    page = room_of(town.alice)
    answers = Answers(page, town.room)
    answers.hold = True
    write(page, "overtaken")
    until(page, "document.querySelector('#outbox .message') !== null")
    route = answers.held.pop()
    answer = route.fetch()
    settled(page)
    assert says(page) == ["overtaken"]
    route.fulfill(response=answer)
    write(page, "another")
    until(page, "document.querySelector('#outbox .message') !== null")
    answers.held.pop().continue_()
    settled(page)
    assert says(page) == ["overtaken", "another"]


def test_it_sends_several_quick_messages_in_the_order_they_were_written(town: Town, room_of: Open):
    page = room_of(town.alice)
    answers = Answers(page, town.room)
    answers.hold = True
    for n in range(5):
        write(page, f"number {n}")
    for n in range(5):
        while not answers.held:
            page.wait_for_timeout(10)
        assert len(answers.held) == 1, "one at a time"
        answers.held.pop().continue_()
        shows(page, f"number {n}")
    settled(page)
    assert says(page) == [f"number {n}" for n in range(5)]


def test_it_posts_once_however_often_one_presses(town: Town, room_of: Open):
    page = room_of(town.alice)
    page.locator("#body").fill("only once")
    page.get_by_title("Send").dblclick()
    settled(page)
    write(page, "after it")
    settled(page)
    assert says(page) == ["only once", "after it"]


def test_it_says_why_it_was_refused_with_a_way_to_try_again(town: Town, room_of: Open, windows: Windows):
    windows.allow("422")
    page = room_of(town.alice)
    answers = Answers(page, town.room)
    answers.refuse(422, "The lamp is out.")
    write(page, "refused")
    bubble = page.locator("#outbox .message")
    expect(bubble).to_have_attribute("data-state", "failed")
    expect(bubble.get_by_role("alert")).to_have_text("The lamp is out.")
    expect(page.locator("#body")).to_be_focused()
    answers.status = 0
    bubble.get_by_role("button", name="Try again").click()
    settled(page)
    assert says(page) == ["refused"]
    first, second = (dict(part.split("=") for part in asked.split("&")) for asked in answers.asked)
    assert first["client_id"] == second["client_id"]


def test_it_lets_the_next_message_pass_one_that_was_refused(town: Town, room_of: Open, windows: Windows):
    windows.allow("422")
    page = room_of(town.alice)
    answers = Answers(page, town.room)
    answers.refuse(422, "The lamp is out.")
    write(page, "refused")
    expect(page.locator("#outbox [role=alert]")).to_be_visible()
    answers.status = 0
    write(page, "passes")
    shows(page, "passes")
    page.locator("#outbox").get_by_role("button", name="Discard").click()
    expect(page.locator("#outbox")).to_be_empty()
    page.reload()
    connected(page)
    expect(page.locator("#outbox")).to_be_empty()
    assert says(page) == ["passes"]


def test_it_keeps_a_refused_message_over_a_reload(town: Town, room_of: Open, windows: Windows):
    windows.allow("429")
    page = room_of(town.alice)
    answers = Answers(page, town.room)
    answers.refuse(429, "You are writing very fast. Your message is kept; send it in 5 seconds.")
    write(page, "kept")
    expect(page.locator("#outbox [role=alert]")).to_contain_text("Your message is kept")
    page.reload()
    connected(page)
    expect(page.locator("#outbox .message__text")).to_have_text("kept")
    expect(page.locator("#outbox [role=alert]")).to_contain_text("Your message is kept")
    answers.status = 0
    page.locator("#outbox").get_by_role("button", name="Try again").click()
    settled(page)
    assert says(page) == ["kept"]


def test_it_sends_what_was_under_way_when_the_page_was_left(town: Town, room_of: Open):
    page = room_of(town.alice)
    answers = Answers(page, town.room)
    answers.hold = True
    write(page, "first")
    write(page, "second")
    until(page, "document.querySelectorAll('#outbox .message').length === 2")
    answers.held.pop().fetch()  # it arrived, and nobody heard the answer
    answers.hold = False
    page.reload()
    connected(page)
    settled(page)
    assert says(page) == ["first", "second"]
    page.reload()
    assert says(page) == ["first", "second"]


def test_it_sends_what_was_left_behind_from_another_page(town: Town, room_of: Open):
    page = room_of(town.alice)
    answers = Answers(page, town.room)
    answers.hold = True
    write(page, "left behind")
    expect(page.locator("#outbox .message")).to_have_count(1)
    answers.hold = False  # the one that is held goes with its page; taking the route away would let it through first
    with page.expect_response(lambda response: response.request.method == "POST" and "/messages" in response.url):
        page.goto(f"{town.alice.url}/rooms")
    stored = page.evaluate("JSON.stringify(Object.entries(sessionStorage))")
    assert "left behind" not in json.dumps(stored)
    page.goto(f"{town.alice.url}/rooms/{town.room}")
    assert says(page) == ["left behind"]


def test_it_waits_for_a_connection_and_then_sends_once(town: Town, room_of: Open, windows: Windows):
    windows.allow("ERR_FAILED|htmx:(sendError|afterRequest)")
    page = room_of(town.alice)
    answers = Answers(page, town.room)
    answers.abort = True
    write(page, "patient")
    write(page, "in line")
    bubbles = page.locator("#outbox .message")
    expect(bubbles.locator(".sending__word")).to_have_text(["Waiting for a connection"] * 2)
    write(page, "and one more")
    expect(bubbles.locator(".sending__word")).to_have_text(["Waiting for a connection"] * 3)
    answers.abort = False
    page.evaluate("dispatchEvent(new Event('online'))")
    settled(page)
    assert says(page) == ["patient", "in line", "and one more"]


def test_it_tries_again_by_itself_when_the_server_is_away(town: Town, room_of: Open, windows: Windows):
    windows.allow("503")
    page = room_of(town.alice)
    answers = Answers(page, town.room)
    answers.refuse(503, "One moment.", **{"Retry-After": "1"})
    write(page, "later")
    expect(page.locator("#outbox .message")).to_have_attribute("data-state", "waiting")
    answers.status = 0
    settled(page)
    assert says(page) == ["later"]


def test_it_goes_to_the_end_when_one_sends_from_further_up(town: Town, room_of: Open):
    said = town.bob.say(town.room, "the first")
    texts = fill(town, 250)
    page = room_of(town.alice, f"/messages/{said.id}")
    assert page.locator("#timeline").get_attribute("data-newer") == "yes"
    write(page, "from up here")
    shows(page, "from up here")
    settled(page)
    assert says(page)[-2:] == [texts[-1], "from up here"]
    until(page, "document.querySelector('.scroller').scrollTop > -1")


def test_it_offers_the_sign_in_when_the_session_has_ended(town: Town, windows: Windows):
    windows.allow("401|ERR_INCOMPLETE|ERR_NETWORK")
    elsewhere = town.alice.elsewhere()
    page = windows.open(elsewhere, f"/rooms/{town.room}")
    elsewhere.post("/sign-out")
    banner = page.locator("[data-connection]")
    expect(banner).to_have_attribute("data-state", "out")
    write(page, "too late")
    expect(page.locator("#outbox .sending__word")).to_have_text("Waiting until you sign in")
    banner.get_by_role("link", name="Sign in").click()
    page.get_by_label("E-mail").fill(elsewhere.email)
    page.get_by_label("Password", exact=True).fill("a quiet lamp over the bay")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"**/rooms/{town.room}")
    shows(page, "too late")
    settled(page)
    assert says(page) == ["too late"]


#: Where the words of each message stand, sent or on its way, and what else of the page could move.
PLACES = """
() => [...document.querySelectorAll(".message__text, .day, .composer")].map((each) => {
  const { x, y, width, height } = each.getBoundingClientRect();
  return [each.textContent.trim(), ...[x, y, width, height].map(Math.round)];
})
"""


@pytest.mark.parametrize("said_before", ["nobody", "myself", "somebody else", "myself and somebody else"])
def test_nothing_moves_when_the_message_comes(said_before: str, town: Town, room_of: Open):
    if "myself" in said_before:
        town.alice.say(town.room, "said a moment ago")
    if "else" in said_before:
        town.bob.say(town.room, "said by somebody else")
    page = room_of(town.alice)
    answers = Answers(page, town.room)
    answers.hold = True
    write(page, "one")
    write(page, "two")
    bubbles = page.locator("#outbox .message")
    expect(bubbles).to_have_count(2)
    page.wait_for_timeout(700)  # by then it says that it is being sent
    expect(bubbles.first.locator(".sending__status")).to_have_css("opacity", "1")
    before = page.evaluate(PLACES)
    for left in (1, 0):
        while not answers.held:
            page.wait_for_timeout(10)
        answers.held.pop().continue_()
        expect(bubbles).to_have_count(left)
        assert page.evaluate(PLACES) == before


def test_a_bubble_gets_its_name_back_when_somebody_speaks_in_between(town: Town, room_of: Open):
    town.alice.say(town.room, "said a moment ago")
    page = room_of(town.alice)
    answers = Answers(page, town.room)
    answers.hold = True
    write(page, "on its way")
    bubble = page.locator("#outbox .message")
    expect(bubble).to_contain_class("message--continues")
    town.bob.say(town.room, "in between")
    shows(page, "in between")
    expect(bubble).not_to_contain_class("message--continues")
