"""The main walks in Firefox and WebKit. What only one engine can do is tried in Chromium, in ``tests/browser``."""

from __future__ import annotations

from pathlib import Path

from tests.engines.conftest import Walk
from tests.engines.driver import ENTER, ESCAPE, SHIFT, UP
from tests.people import Person

SCROLLER = "document.querySelector('.scroller')"


def test_a_room_is_made_by_the_enter_key_and_who_joins_is_there(walk: Walk):
    page = walk.open("/rooms/new")
    page.point("[name=name]", click=True)
    page.write("harbour")
    page.point("label:has([value=open])", click=True)
    page.point("[name=name]", click=True)
    page.press(ENTER)
    page.until("location.pathname.match(/^[/]rooms[/][a-z0-9]{16}$/)")
    room = str(page.ask("location.pathname")).rsplit("/", 1)[1]
    page.until("document.documentElement.dataset.stream === 'up'")
    carl = Person(walk.town.site.url, "Carl Moss").sign_up()
    carl.listen().next("hello")
    assert carl.post(f"/rooms/{room}/join").status_code == 303
    page.until(f"document.querySelector('[data-live=\"presence:{carl.id}\"]')?.dataset.state === 'online'")
    page.until("document.querySelector('.crowd').textContent.includes('2 of 2 here')")


def test_what_is_written_arrives_once_and_the_focus_stays(walk: Walk):
    heard = walk.town.bob.listen(walk.town.room)
    page = walk.open()
    page.until("document.activeElement?.id === 'body'")
    for n in range(5):
        page.write(f"number {n}")
        page.press(ENTER)
    heard.next("message.posted", containing="number 4")
    page.until("!document.querySelector('#outbox').children.length")
    assert walk.says() == [f"number {n}" for n in range(5)]
    assert page.ask("document.activeElement.id") == "body"
    walk.town.bob.say(walk.town.room, "and bob's")
    page.shows("#timeline .message", "and bob's")


def test_the_box_grows_with_its_lines_and_shrinks_again(walk: Walk):
    page = walk.open()
    height = "document.querySelector('#body').offsetHeight"
    small = page.ask(height)
    page.point("#body", click=True)
    for n in range(4):
        page.write(f"line {n}")
        page.press(SHIFT + ENTER)
    assert page.ask(height) > small + 40
    page.write("the last")
    page.press(ENTER)
    page.shows("#timeline .message", "line 3")
    page.until(f"{height} === arguments[0]", small)


def test_a_message_is_edited_and_deleted_and_comes_back(walk: Walk):
    page = walk.open()
    walk.type("lift at tow")
    page.until("!document.querySelector('#outbox').children.length")
    page.press(UP)
    page.until("document.activeElement?.id === 'edit-body'")
    page.write(" two")
    page.press(ENTER)
    page.shows("#timeline .message__text", "lift at tow two")
    page.point("#timeline .message")
    page.point("#timeline .message [title=Delete]", click=True)
    page.shows("#timeline .tombstone")
    page.point(".toast button", click=True)
    page.shows("#timeline .message__text", "lift at tow two")


def test_a_picture_is_sent_and_looked_at(walk: Walk, picture: Path):
    page = walk.open()
    page.choose("input[type=file]", picture)
    page.until("document.querySelector('#composer img, .composer__pictures img, .composer img') !== null")
    page.point("#body", click=True)
    page.press(ENTER)
    page.until("document.querySelector('#timeline .picture__image')?.naturalWidth > 0")
    page.point("#timeline .picture__link", click=True)
    page.shows("dialog.viewer")
    page.press(ESCAPE)
    page.until("!document.querySelector('dialog.viewer')?.open")
    assert page.ask("document.activeElement.matches('.picture__link')")


def test_the_line_that_is_read_stays_where_it_is(walk: Walk):
    for n in range(90):
        walk.town.bob.say(walk.town.room, f"number {n}")
    walk.town.alice.post(f"/rooms/{walk.town.room}/read", htmx=True, seq="100000")
    page = walk.open()
    page.ask(f"{SCROLLER}.scrollTo(0, -{SCROLLER}.scrollHeight)")
    page.until("document.querySelectorAll('#timeline .message').length > 60")
    page.ask(f"{SCROLLER}.scrollBy(0, 200)")
    page.ask("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    line = page.ask(
        "[...document.querySelectorAll('#timeline .message')].find((each) => each.getBoundingClientRect().top > 100).id"
    )
    top = "document.getElementById(arguments[0]).getBoundingClientRect().top"
    before = page.ask(top, line)
    said = [walk.town.bob.say(walk.town.room, f"new {n}") for n in range(5)]
    page.shows("[data-jump]", "5 new")
    first = page.ask("document.querySelector('#timeline .message').id").removeprefix("message_")
    walk.town.bob.post(f"/messages/{first}/edit", body="longer\n\nthan\n\nit was")
    page.until("document.querySelector(`#message_${arguments[0]} .message__edited`) !== null", first)
    walk.town.bob.post(f"/messages/{said[0].id}/delete")
    assert abs(page.ask(top, line) - before) < 1
    page.point("[data-jump]", click=True)
    page.until(f"{SCROLLER}.scrollTop > -2")


def test_a_list_of_rooms_is_in_order_as_soon_as_the_pointer_has_left(walk: Walk):
    """Firefox says ``:hover`` of what the pointer is leaving."""
    alice, other = walk.town.alice, walk.town.alice.make_room("other")
    alice.add(other, walk.town.bob)
    page = walk.open("/rooms")
    first = "document.querySelector('#room-list [data-room]').dataset.room"
    walk.town.bob.say(walk.town.room, "now here")
    page.until(f"{first} === arguments[0]", walk.town.room)
    page.point("#room-list .row")
    walk.town.bob.say(other, "now there")
    page.shows(f'#room-list [data-room="{other}"] .row__preview', "now there")
    assert page.ask(first) == walk.town.room, "nothing moves under the pointer"
    page.move(900, 500)
    page.until(f"{first} === arguments[0]", other)


def test_what_was_seen_is_not_new_after_a_quick_reload(walk: Walk):
    walk.town.bob.say(walk.town.room, "before")
    page = walk.open()
    page.reload()
    page.until("document.documentElement.dataset.stream === 'up'")
    for n in range(3):
        walk.town.bob.say(walk.town.room, f"seen {n}")
        page.shows("#timeline .message", f"seen {n}")
    page.ask("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    page.reload()
    page.shows("#timeline .message", "seen 2")
    assert page.ask("document.querySelectorAll('.new-since').length") == 0


def test_what_came_elsewhere_is_counted_in_the_title(walk: Walk):
    page = walk.open("/rooms")
    walk.town.bob.say(walk.town.room, "one")
    walk.town.bob.say(walk.town.room, "two")
    page.until("document.title.startsWith('(2) ')")
    page.point(f'#room-list [data-room="{walk.town.room}"] .row', click=True)
    page.shows(".new-since")
    page.until("!document.title.startsWith('(')")


def test_no_page_scrolls_sideways_on_a_phone(walk: Walk):
    walk.town.bob.say(walk.town.room, "a line " * 40)
    page = walk.browser
    page.resize(390, 800)
    for path in ("", "/rooms", "/profile", f"/rooms/{walk.town.room}/members", "/devices"):
        walk.open(path)
        assert page.ask("document.documentElement.scrollWidth <= innerWidth"), path


def test_it_goes_on_after_its_person_signed_in_again(walk: Walk):
    page = walk.open()
    page.point("#body", click=True)
    page.write("half a thought")
    walk.person.post("/sign-out")
    page.until("document.querySelector('[data-connection]').dataset.state === 'out'")
    page.press(ENTER)
    page.shows("#outbox .message", "half a thought")
    again = walk.person.elsewhere()
    for each in again.http.cookies:
        page.tell("WebDriver:AddCookie", "POST cookie", cookie={"name": each.name, "value": each.value, "path": "/"})
    walk.open()
    page.shows("#timeline .message, #outbox .message, #body", "")
    assert "half a thought" in page.ask(
        "document.querySelector('.pane--room').textContent + document.querySelector('#body').value"
    )
