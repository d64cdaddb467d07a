"""Reading: where a room opens, the line that is read never moves, the way back to the end, what counts as read."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.conftest import Windows, connected, fill, says, seqs, shows, until, write
from tests.conftest import Town

Open = Callable[..., Page]
SCROLLER = "document.querySelector('.scroller')"


def top_of(page: Page, text: str) -> float:
    """Return where a message stands below the top of the scroller, in pixels."""
    return page.evaluate(
        f"(text) => [...document.querySelectorAll('#timeline .message')].find((each) => each.innerText.includes(text))"
        f".getBoundingClientRect().top - {SCROLLER}.getBoundingClientRect().top",
        text,
    )


def scroll(page: Page, distance: float) -> None:
    """Go so many pixels above the end, and wait until the page has noticed."""
    page.evaluate(f"(distance) => {{ {SCROLLER}.scrollTop = -distance }}", distance)
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def unread(page: Page, room: str) -> int:
    return int(page.locator(f'[data-live="unread:{room}"]').get_attribute("data-count") or 0)


def test_it_opens_at_the_end_and_follows_it(town: Town, room_of: Open):
    texts = fill(town, 60)
    town.alice.post(f"/rooms/{town.room}/read", htmx=True, seq="100000")
    page = room_of(town.alice)
    assert says(page) == texts[-40:]
    assert page.evaluate(f"{SCROLLER}.scrollTop") == 0
    for n in range(5):
        town.bob.say(town.room, f"new {n}")
    shows(page, "new 4")
    assert page.evaluate(f"{SCROLLER}.scrollTop") == 0
    expect(page.locator("[data-jump]")).to_be_hidden()


def test_it_opens_at_the_first_unread_message_under_a_line_that_stays(town: Town, room_of: Open):
    first = town.alice.say(town.room, "I was here")
    fill(town, 70)
    page = room_of(town.alice, "#new-since")
    line = page.locator("#new-since")
    expect(line).to_contain_text("New since")
    expect(line).to_be_in_viewport()
    assert line.evaluate("(line) => line.nextElementSibling.innerText.includes('number 0')")
    shown = line.inner_text()
    page.evaluate("window.dispatchEvent(new Event('focus'))")
    town.bob.say(town.room, "later")
    town.bob.post(f"/messages/{first.id}/edit")
    expect(page.locator("[data-jump]")).to_contain_text("new")
    assert line.inner_text() == shown
    assert "later" not in says(page)


def test_it_keeps_the_line_that_is_read_in_its_place(town: Town, room_of: Open):
    texts = fill(town, 120, town.alice, town.bob)
    town.alice.post(f"/rooms/{town.room}/read", htmx=True, seq="100000")
    page = room_of(town.alice)
    scroll(page, 300)
    read = texts[-16]
    before = top_of(page, read)
    for n in range(6):
        town.bob.say(town.room, f"below {n}")
    shows(page, "below 5")
    assert abs(top_of(page, read) - before) <= 1, "what came below moved it"

    before = top_of(page, read)
    page.evaluate("htmx.trigger('#older a', 'reached')")
    shows(page, texts[-80])
    assert abs(top_of(page, read) - before) <= 1, "what came above moved it"

    page.evaluate(f"{SCROLLER}.scrollTop = -100000")
    until(page, "document.querySelector('#older') === null")
    assert says(page)[: len(texts)] == texts


def test_it_does_not_move_when_history_is_put_in_at_the_very_top(town: Town, room_of: Open):
    texts = fill(town, 200)
    town.alice.post(f"/rooms/{town.room}/read", htmx=True, seq="100000")
    page = room_of(town.alice)
    page.route("**/messages?before=*", lambda route: held.append(route))
    held: list = []
    page.evaluate(f"{SCROLLER}.scrollTop = -100000")
    until(page, "true")
    page.wait_for_timeout(50)
    before = top_of(page, texts[-39])
    while not held:
        page.wait_for_timeout(10)
    for route in held:
        route.continue_()
    page.unroute("**/messages?before=*")
    shows(page, texts[-79])
    assert abs(top_of(page, texts[-39]) - before) <= 1


def test_it_counts_what_came_while_one_reads_further_up(town: Town, room_of: Open):
    fill(town, 60)
    town.alice.post(f"/rooms/{town.room}/read", htmx=True, seq="100000")
    page = room_of(town.alice)
    pill = page.locator("[data-jump]")
    scroll(page, 30)
    expect(pill).to_be_hidden()
    scroll(page, 400)
    expect(pill).to_have_text("Latest")
    for n in range(3):
        town.bob.say(town.room, f"new {n}")
    expect(pill).to_have_text("3 new")
    town.alice.say(town.room, "mine, from elsewhere")
    shows(page, "mine, from elsewhere")
    expect(pill).to_have_text("3 new")
    pill.click()
    expect(pill).to_be_hidden()
    assert page.evaluate(f"{SCROLLER}.scrollTop") == 0
    expect(page.locator(".scroller")).to_be_focused()


def test_it_pages_both_ways_without_loss_or_repeat(town: Town, room_of: Open):
    texts = fill(town, 200)
    said = town.bob.say(town.room, "between")
    texts = [*texts, "between", *fill(town, 200)]
    page = room_of(town.alice, f"/messages/{said.id}")
    while page.locator("#older").count():
        page.evaluate(f"{SCROLLER}.scrollTop = -1000000")
        page.wait_for_timeout(20)
    assert seqs(page) == sorted(set(seqs(page)))
    assert says(page) == texts[: len(says(page))]
    while page.locator("#newer").count():
        page.evaluate(f"{SCROLLER}.scrollTop = 0")
        page.wait_for_timeout(20)
    assert says(page) == texts[-len(says(page)) :]
    assert page.locator("#timeline").get_attribute("data-newer") == "no"


def test_it_keeps_320_messages_and_ways_back_to_the_others(town: Town, room_of: Open):
    texts = fill(town, 400)
    town.alice.post(f"/rooms/{town.room}/read", htmx=True, seq="100000")
    page = room_of(town.alice)
    while texts[0] not in says(page):
        page.evaluate(f"{SCROLLER}.scrollTop = -1000000")
        page.wait_for_timeout(20)
    assert says(page) == texts[:320]
    expect(page.locator("#newer")).to_have_count(1)
    assert page.locator("#timeline").get_attribute("data-newer") == "yes"
    town.bob.say(town.room, "held")
    expect(page.locator("[data-jump]")).to_have_text("1 new")
    assert "held" not in says(page)
    while "held" not in says(page):
        page.evaluate(f"{SCROLLER}.scrollTop = 0")
        page.wait_for_timeout(20)
    assert says(page) == [*texts, "held"][-320:]
    expect(page.locator("#older")).to_have_count(1)
    assert "before=" in page.locator("#older a").get_attribute("href")


def test_it_stays_small_while_it_follows_the_end(town: Town, room_of: Open):
    fill(town, 300)
    town.alice.post(f"/rooms/{town.room}/read", htmx=True, seq="100000")
    page = room_of(town.alice)
    while page.locator("#older").count():
        page.evaluate(f"{SCROLLER}.scrollTop = -1000000")
        page.wait_for_timeout(20)
    page.evaluate(f"{SCROLLER}.scrollTop = 0")
    until(page, "document.querySelector('[data-jump]').hidden")
    said = fill(town, 60)
    shows(page, said[-1])
    until(page, f"[...document.querySelectorAll('#timeline .message')].at(-1).innerText.includes('{said[-1]}')")
    assert len(says(page)) == 320
    assert page.evaluate(f"{SCROLLER}.scrollTop") == 0
    expect(page.locator("#older")).to_have_count(1)


def test_it_holds_what_comes_while_the_end_is_not_in_the_page(town: Town, room_of: Open):
    said = town.bob.say(town.room, "the first")
    texts = ["the first", *fill(town, 250)]
    page = room_of(town.alice, f"/messages/{said.id}")
    late = [town.bob.say(town.room, f"late {n}") for n in range(3)]
    expect(page.locator("[data-jump]")).to_have_text("3 new")
    town.bob.post(f"/messages/{late[0].id}/edit", body="late 0, changed")
    town.bob.post(f"/messages/{late[1].id}/delete")
    town.bob.post(f"/messages/{said.id}/edit", body="the first, changed")
    shows(page, "the first, changed")
    assert not [text for text in says(page) if text.startswith("late")]
    while page.locator("#newer").count():
        page.evaluate(f"{SCROLLER}.scrollTop = 0")
        page.wait_for_timeout(20)
    shown = says(page)
    assert shown[-3] == "late 0, changed"
    assert shown[-2].startswith("Message deleted by its author")
    assert shown[-1] == "late 2"
    assert shown[:-3] == ["the first, changed", *texts[1:]]


def test_it_applies_what_comes_while_a_page_of_history_is_on_its_way(town: Town, room_of: Open):
    fill(town, 20)
    old = town.bob.say(town.room, "old")
    texts = fill(town, 60)
    town.alice.post(f"/rooms/{town.room}/read", htmx=True, seq="100000")
    page = room_of(town.alice)
    held: list = []
    page.route("**/messages?before=*", lambda route: held.append((route, route.fetch())))
    page.evaluate(f"{SCROLLER}.scrollTop = -100000")
    while not held:
        page.wait_for_timeout(10)
    town.bob.post(f"/messages/{old.id}/delete")
    town.bob.say(town.room, "meanwhile")
    shows(page, "meanwhile")
    route, answer = held[0]
    assert ">old</p>" in answer.text()
    route.fulfill(response=answer)
    until(page, "document.querySelector('.message--deleted') !== null")
    assert "old" not in says(page)
    assert says(page)[-1] == "meanwhile"
    assert texts[0] in says(page)


def test_it_tells_what_was_really_in_view(town: Town, windows: Windows):
    fill(town, 60)
    other = town.alice.make_room("elsewhere")
    page = windows.open(town.alice, f"/rooms/{town.room}")
    watch = windows.open(town.alice, f"/rooms/{other}", page.context)
    shown = seqs(page)
    assert len(shown) < 60 or page.evaluate(f"{SCROLLER}.scrollTop") < 0
    until(watch, f"Number(document.querySelector('[data-live=\"unread:{town.room}\"]').dataset.count) < 60")
    assert 0 < unread(watch, town.room) < 60
    assert watch.title().startswith("(")
    page.locator("[data-jump]").click()
    until(watch, f"document.querySelector('[data-live=\"unread:{town.room}\"]').dataset.count === '0'")


def test_what_was_seen_is_not_new_after_a_quick_reload(town: Town, room_of: Open):
    fill(town, 3)
    page = room_of(town.alice)
    page.reload()
    connected(page)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(f"{request.method} {request.url.rpartition('/')[2]}"))
    for n in range(3):
        town.bob.say(town.room, f"seen {n}")
        shows(page, f"seen {n}")
    page.reload()
    shows(page, "seen 2")
    assert page.locator(".new-since").count() == 0
    assert "POST read" in asked[: asked.index(f"GET {town.room}")], "told before the next page was asked for"


def test_what_was_seen_is_not_new_though_the_server_has_not_heard_of_it(town: Town, room_of: Open):
    fill(town, 3)
    page = room_of(town.alice)
    page.route("**/read", lambda route: route.fulfill(status=204))
    for n in range(2):
        town.bob.say(town.room, f"seen {n}")
        shows(page, f"seen {n}")
    page.evaluate("new Promise(requestAnimationFrame)")
    page.reload()
    connected(page)
    assert page.locator(".new-since").count() == 0
    page.goto("about:blank")
    later = town.bob.say(town.room, "not seen yet")
    page.goto(f"{town.site.url}/rooms/{town.room}")
    connected(page)
    expect(page.locator(".new-since + .message")).to_have_attribute("id", f"message_{later.id}")


def test_what_comes_right_after_one_scrolled_up_does_not_lead_back_to_the_end(town: Town, room_of: Open):
    """Before the browser has told of the scrolling, which it does with the next frame: late, under load."""
    fill(town, 60)
    page = room_of(town.alice)
    at = page.evaluate(
        """() => {
          const scroller = document.querySelector(".scroller");
          const list = document.querySelector("#timeline");
          const message = list.querySelector(".message:last-child").cloneNode(true);
          message.id = "message_" + "a".repeat(16);
          message.dataset.seq = Number(message.dataset.seq) + 1;
          const fragment = document.createDocumentFragment();
          fragment.append(message);
          scroller.scrollTop = -600;
          document.querySelector("message-list").take(list, fragment);
          return scroller.scrollTop;
        }"""
    )
    assert at <= -600


def test_it_does_not_count_as_read_what_comes_to_a_hidden_page(town: Town, windows: Windows):
    context = windows.context(town.alice)
    context.add_init_script(
        "Object.defineProperty(document, 'hidden', { get: () => sessionStorage.hidden === 'yes' });"
        "Object.defineProperty(document, 'visibilityState', { get: () => document.hidden ? 'hidden' : 'visible' });"
    )
    page = windows.open(town.alice, f"/rooms/{town.room}", context)
    reports: list[str] = []
    page.on("request", lambda request: reports.append(request.url) if request.url.endswith("/read") else None)
    page.evaluate("sessionStorage.hidden = 'yes'; document.dispatchEvent(new Event('visibilitychange'))")
    town.bob.say(town.room, "nobody looks")
    shows(page, "nobody looks")
    page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done, 50)))")
    assert reports == []
    with page.expect_request(lambda request: request.url.endswith("/read")):
        page.evaluate("sessionStorage.hidden = ''; document.dispatchEvent(new Event('visibilitychange'))")


def test_it_groups_what_one_person_says_and_breaks_at_another(town: Town, room_of: Open):
    page = room_of(town.alice)
    for person, text in ((town.bob, "ant"), (town.bob, "bee"), (town.alice, "cat"), (town.bob, "dog")):
        town_said = person.say(town.room, text)
    shows(page, "dog")
    grouped = "[...document.querySelectorAll('#timeline .message')].map((each) => each.matches('.message--continues'))"
    assert page.evaluate(grouped) == [False, True, False, False]
    assert page.locator(".day").all_inner_texts() == ["Today"]
    live = page.locator("#timeline").inner_text()
    town.alice.post(f"/rooms/{town.room}/read", htmx=True, seq="100000")
    page.reload()
    assert page.evaluate(grouped) == [False, True, False, False]
    assert page.locator("#timeline").inner_text() == live
    town.bob.post(f"/messages/{town_said.id}/delete")
    until(page, "document.querySelector('.message--deleted') !== null")
    write(page, "eel")
    write(page, "fox")
    shows(page, "fox")
    assert page.evaluate(grouped) == [False, True, False, False, False, True]


def test_it_announces_only_what_is_new(town: Town, room_of: Open):
    said = town.bob.say(town.room, "before")
    page = room_of(town.alice)
    page.evaluate(
        "window.log = []; new MutationObserver(() => log.push(document.querySelector('#live').ariaLive))"
        ".observe(document.querySelector('#timeline'), { childList: true })"
    )
    town.bob.say(town.room, "new")
    shows(page, "new")
    assert page.evaluate("log") == [None]
    town.bob.post(f"/messages/{said.id}/edit", body="changed")
    shows(page, "changed")
    assert page.evaluate("log").pop() == "off"
    until(page, "!document.querySelector('#live').hasAttribute('aria-live')")
    assert page.locator("#live").get_attribute("role") == "log"


def test_it_moves_by_message_with_the_arrow_keys(town: Town, room_of: Open):
    fill(town, 5)
    page = room_of(town.alice)
    focused = "document.activeElement.querySelector('.message__text')?.innerText"
    page.locator(".scroller").focus()
    page.keyboard.press("ArrowUp")
    assert page.evaluate(focused) == "number 4"
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowDown")
    assert page.evaluate(focused) == "number 3"
    expect(page.locator(".message:focus-within .actions")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#body")).to_be_focused()
