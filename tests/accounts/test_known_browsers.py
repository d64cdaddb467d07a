"""Wrong passwords of somebody else keep nobody out of a browser that knows them, and slow everybody else down."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from chat.accounts import browsers, service
from chat.web import guesses
from tests.conftest import Cast, make_cast
from tests.people import PASSWORD, Person
from tests.services import Redis, Site

EMAIL = "alice@example.org"


@pytest.fixture
def limited(make_app: Callable[..., tuple[Flask, dict[str, str]]]) -> Cast:
    app, ids = make_app(RATE_LIMITS=True)
    return make_cast(app, ids)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that waits are counted in, from now on moved by the test."""
    now = [10_000.0]
    monkeypatch.setattr(guesses.time, "monotonic", lambda: now[0])
    return now


def sign_in(client: FlaskClient, email: str = EMAIL, password: str = PASSWORD, address: str = "203.0.113.9") -> Any:
    client.get("/sign-in")
    page = client.get("/sign-up").get_data(as_text=True)
    token = page.split('name="csrf_token" value="')[1].split('"')[0]
    data = {"csrf_token": token, "email": email, "password": password}
    return client.post("/sign-in", data=data, environ_base={"REMOTE_ADDR": address})


def guess(cast: Cast, times: int, email: str = EMAIL, password: str = "not the password", first: int = 0) -> list[int]:
    """Try as strangers do, each from a network of their own."""
    return [
        sign_in(cast.app.test_client(), email, f"{password} {n}", f"192.0.{n}.1").status_code
        for n in range(first, first + times)
    ]


def known_browser(cast: Cast) -> FlaskClient:
    """Return a browser in which alice signed in, and out again."""
    client = cast.app.test_client()
    assert sign_in(client).status_code == 303
    page = client.get("/profile").get_data(as_text=True)
    client.post("/sign-out", data={"csrf_token": page.split('name="csrf-token" content="')[1].split('"')[0]})
    assert client.get("/rooms").status_code == 303
    return client


@pytest.mark.parametrize("address", ["203.0.113.9", "192.0.1.7"], ids=["at home", "beside whoever guesses"])
def test_a_browser_that_knows_a_person_is_never_locked_out(limited: Cast, address: str):
    client = known_browser(limited)
    guess(limited, 12)
    for _ in range(25):  # and whoever shares the network has used it up
        sign_in(limited.app.test_client(), "nobody@example.org", "x", address)
    assert sign_in(client, address=address).status_code == 303


def test_it_has_a_count_of_its_own(limited: Cast):
    client = known_browser(limited)
    answers = [sign_in(client, password=f"guess {n}").status_code for n in range(7)]
    assert answers == [422] * 5 + [429] * 2
    assert sign_in(client).status_code == 429


def test_it_knows_one_account_and_no_other(limited: Cast, clock: list[float]):
    client = known_browser(limited)
    guess(limited, 6, "bob@example.org")
    assert sign_in(client, "bob@example.org").status_code == 429


def test_two_people_may_share_a_browser(limited: Cast):
    client = known_browser(limited)
    assert sign_in(client, "bob@example.org").status_code == 303
    guess(limited, 6)
    guess(limited, 6, "bob@example.org", first=20)
    assert sign_in(client).status_code == 303
    assert sign_in(client, "bob@example.org").status_code == 303


def test_a_cookie_of_ones_own_make_changes_nothing(limited: Cast, clock: list[float]):
    mark = known_browser(limited).get_cookie("confab-browser")
    assert mark is not None
    browser, made, seal = mark.value.split(".")
    for forged in (f"{browser}.{made}.{seal[:-2]}AA", f"{browser}.{int(made) + 9}.{seal}", f"{'a' * 16}.{made}.{seal}"):
        client = limited.app.test_client()
        client.set_cookie("confab-browser", forged)
        guess(limited, 6)
        assert sign_in(client).status_code == 429


def test_the_cookie_tells_nobody_whose_it_is(limited: Cast):
    client = limited.app.test_client()
    answer = sign_in(client)
    (line,) = [each for each in answer.headers.getlist("Set-Cookie") if each.startswith("confab-browser=")]
    assert "HttpOnly" in line
    assert "Max-Age=34560000" in line
    assert limited.alice.id not in line
    assert "alice" not in line


def test_another_password_ends_it(limited: Cast, clock: list[float]):
    client = known_browser(limited)
    with limited.app.app_context():
        service.change_password(limited.alice.id, "another quiet lamp")
    guess(limited, 6)
    assert sign_in(client, password="another quiet lamp").status_code == 429


def test_it_ends_after_a_year(limited: Cast, clock: list[float], monkeypatch: pytest.MonkeyPatch):
    client = known_browser(limited)
    later = browsers.time.time() + browsers.LIFE + 60
    monkeypatch.setattr(browsers.time, "time", lambda: later)
    guess(limited, 6)
    assert sign_in(client).status_code == 429


@pytest.mark.parametrize("email", [EMAIL, "nobody@example.org"])
def test_for_everybody_else_the_wait_grows(limited: Cast, clock: list[float], email: str):
    assert guess(limited, 7, email) == [422] * 5 + [429] * 2
    for n, wait in enumerate((1, 2, 4, 8)):
        early = sign_in(limited.app.test_client(), email, "guess", f"198.51.{n}.1")
        assert (early.status_code, early.headers["Retry-After"]) == (429, str(wait))
        assert f"You can try again in {wait} second" in early.get_data(as_text=True)
        clock[0] += wait
        assert guess(limited, 1, email, first=100 + n) == [422]


def test_and_it_ends(limited: Cast, clock: list[float]):
    guess(limited, 6)
    assert sign_in(limited.app.test_client()).status_code == 429
    clock[0] += 1
    assert sign_in(limited.app.test_client()).status_code == 303
    assert guess(limited, 4, first=50) == [422] * 4


def test_one_password_over_many_accounts_slows_down_who_is_new(limited: Cast):
    client = known_browser(limited)
    answers = [
        sign_in(limited.app.test_client(), f"user{n}.{network}@example.org", "Summer2026!", f"192.0.{network}.1")
        for n in range(4)
        for network in range(26)
    ]
    refused = [answer.status_code for answer in answers].count(429)
    assert refused >= 26, "two a minute from each network, once there were thirty"
    with limited.app.app_context():
        guesses.measure()
    shown = limited.nobody.get("/metrics").get_data(as_text=True)
    assert "confab_sign_in_alarm 1.0" in shown
    assert sign_in(client, address="192.0.3.1").status_code == 303


@pytest.fixture(params=["embedded", "scaled"])
def two(request: pytest.FixtureRequest, tmp_path) -> Any:
    """Two processes on PostgreSQL and Redis, or one twice."""
    if request.param == "embedded":
        site = Site(tmp_path, RATE_LIMITS="on")
        yield site, site
        site.stop()
        return
    postgres, redis = request.getfixturevalue("postgres"), request.getfixturevalue("redis_server")
    name = f"browsers_{id(tmp_path)}"
    shared = {"DATABASE_URL": postgres.create(name), "REDIS_URL": redis.url, "RATE_LIMITS": "on"}
    sites = Site(tmp_path / "one", **shared), Site(tmp_path / "two", **shared)
    yield sites
    for site in sites:
        site.stop()
    postgres.drop(name)


def _try(url: str, email: str, password: str, browser: Person | None = None) -> int:
    person = browser or Person(url)
    person.url = url
    person.get("/sign-in")
    return person.post("/sign-in", email=email, password=password).status_code


def test_it_is_so_in_both_forms(two: tuple[Site, Site]):
    first, second = two
    alice = Person(first.url, email=EMAIL).set_up(first.setup_link)
    assert alice.post("/sign-out").status_code == 303
    answers = [_try((first, second)[n % 2].url, EMAIL, f"guess {n}") for n in range(8)]
    assert answers == [422] * 5 + [429] * 3
    assert _try(second.url, EMAIL, PASSWORD, alice) == 303


def test_and_when_redis_is_away(tmp_path):
    redis = Redis()
    site = Site(tmp_path, REDIS_URL=redis.url, RATE_LIMITS="on")
    alice = Person(site.url, email=EMAIL).set_up(site.setup_link)
    assert alice.post("/sign-out").status_code == 303
    redis.stop()
    answers = [_try(site.url, EMAIL, f"guess {n}") for n in range(8)]
    assert answers == [422] * 5 + [429] * 3
    assert _try(site.url, EMAIL, PASSWORD, alice) == 303
    site.stop()
