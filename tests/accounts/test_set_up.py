"""The first account: by the link on the console, once."""

from __future__ import annotations

import threading

import pytest

from tests.people import PASSWORD, Person
from tests.services import Site


def test_it_makes_an_administrator_and_a_first_room(site: Site):
    alice = Person(site.url, "Alice").set_up(site.setup_link)
    page = alice.page("/rooms")
    assert "everyone" in page.select_one(".room-list").text
    assert alice.get("/devices").status_code == 200
    assert alice.get("/moderation/audit").status_code == 200


def test_it_works_once(site: Site):
    link = site.setup_link
    Person(site.url).set_up(link)
    late = Person(site.url)
    assert late.get(link.removeprefix(site.url)).status_code == 404
    late.get("/sign-up")
    answer = late.post("/setup", name="Eve", email="eve@example.org", password=PASSWORD, token=link.partition("=")[2])
    assert answer.status_code == 404


@pytest.mark.parametrize("token", ["", "guessed", "é"])
def test_it_needs_the_token(site: Site, token: str):
    eve = Person(site.url)
    assert eve.http.get(f"{site.url}/setup", params={"token": token}).status_code == 404
    eve.get("/sign-up")
    answer = eve.post("/setup", name="Eve", email="eve@example.org", password=PASSWORD, token=token)
    assert answer.status_code == 404


def test_fifty_at_once_make_one_account(site: Site):
    link = site.setup_link
    token = link.partition("=")[2]
    people = [Person(site.url) for _ in range(50)]
    for person in people:
        person.get(link.removeprefix(site.url))
    answers: list[int] = []

    def race(person: Person) -> None:
        answer = person.post("/setup", name=person.name, email=person.email, password=PASSWORD, token=token)
        answers.append(answer.status_code)

    threads = [threading.Thread(target=race, args=(person,)) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers.count(303) == 1
    assert set(answers) <= {303, 404, 409}
    done = site.python("from app import create_app\nfrom chat.accounts import queries\n"
                       "app = create_app()\nwith app.app_context(): print(len(queries.directory('')))")  # fmt: skip
    assert done.stdout.strip() == "1", done.stderr


def test_a_refused_form_keeps_what_was_typed(site: Site):
    alice = Person(site.url)
    alice.get(site.setup_link.removeprefix(site.url))
    token = site.setup_link.partition("=")[2]
    answer = alice.post("/setup", name="Alice", email="alice@example.org", password="short", token=token)
    assert answer.status_code == 422
    assert 'value="alice@example.org"' in answer.text
    assert f'value="{token}"' in answer.text
    assert "this one has 5" in answer.text
    assert "short" not in answer.text.replace("Short", "")
