"""Whoever comes into a room is shown as what they are, to those inside and to themselves, however long they were online."""

from __future__ import annotations

import time

import pytest

from tests.conftest import Town, populate
from tests.people import Person, Stream
from tests.services import Site


def newcomer(town: Town, url: str = "") -> Person:
    """Somebody who has signed up and looks at the list of rooms."""
    person = Person(url or town.bob.url).sign_up()
    person.listen().next("hello")
    return person


def seen(stream: Stream, person: Person, state: str, here: str = "") -> None:
    """Wait until a line of this person stands in the list, and is said to be in a state afterwards, and how many are here."""

    def follows(events) -> bool:
        lines = [n for n, each in enumerate(events) if f'id="member_{person.id}"' in each.data]
        said = [
            n for n, each in enumerate(events) if f'data-live="presence:{person.id}" data-state="{state}"' in each.data
        ]
        said = [n for n in said if events[n].name == "presence" and here in events[n].data]
        return bool(lines and said) and said[-1] > lines[-1]

    stream.wait(follows, 5, f"{person.name} as {state}, {here}")


@pytest.mark.parametrize("delay", [0, 1.5])
def test_who_joins_is_here(town: Town, delay: float):
    room = town.alice.make_room("harbour", "open")
    inside = town.alice.listen(room)
    inside.next("presence", containing="1 of 1 here")
    carl = newcomer(town)
    time.sleep(delay)
    assert carl.post(f"/rooms/{room}/join").status_code == 303
    seen(inside, carl, "online", "2 of 2 here")
    page = carl.page(f"/rooms/{room}")
    assert page.select_one(f"#member_{carl.id} .presence")["data-state"] == "online"
    assert page.select_one(f"#member_{town.alice.id} .presence")["data-state"] == "online"
    assert page.select_one(".crowd").text == "2 of 2 here"
    own = carl.listen(room)
    own.next("presence", containing=f'presence:{carl.id}" data-state="online"')
    assert "2 of 2 here" in own.next("presence", containing="crowd:").data


def test_who_was_online_for_long_is_here_at_another_process(pair: tuple[Site, Site]):
    """More than the seconds after which everything is read and every sign renewed: nothing changes by itself any more."""
    town = populate(*pair)
    room = town.alice.make_room("harbour", "open")
    inside = town.alice.listen(room)
    first, second, third = (newcomer(town) for _ in range(3))
    first.post(f"/rooms/{room}/join")
    seen(inside, first, "online", "2 of 2 here")
    time.sleep(1.5)
    second.post(f"/rooms/{room}/join")
    seen(inside, second, "online", "3 of 3 here")
    time.sleep(18.5)
    third.post(f"/rooms/{room}/join")
    seen(inside, third, "online", "4 of 4 here")


def test_whoever_comes_in_another_way_is_shown_as_what_they_are(town: Town):
    inside = town.alice.listen(town.room)
    inside.next("hello")
    away = Person(town.bob.url).sign_up()
    town.alice.add(town.room, away)
    seen(inside, away, "offline", "1 of 3 here")
    here = newcomer(town)
    here.listen()  # a second tab
    town.alice.add(town.room, here)
    seen(inside, here, "online", "2 of 4 here")
    here.post(f"/rooms/{town.room}/leave")
    inside.next("presence", containing="1 of 3 here")
    town.alice.add(town.room, here)
    seen(inside, here, "online", "2 of 4 here")
    town.alice.get("/rooms")
    made = town.alice.post(f"/moderation/people/{here.id}/office", office=f"appoint:{town.room}", why="Nights")
    assert made.status_code == 303, made.text
    inside.next("member.changed")
    seen(inside, here, "online", "2 of 4 here")


def test_without_script_one_sees_oneself_here(town: Town):
    room = town.alice.make_room("harbour", "open")
    carl = Person(town.bob.url).sign_up()
    carl.post(f"/rooms/{room}/join")
    page = carl.page(f"/rooms/{room}")
    assert page.select_one(f"#member_{carl.id} .presence")["data-state"] == "online"
    assert page.select_one(".crowd").text == "1 of 2 here"
