"""Changing one's own password and e-mail address."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient

from chat.accounts import queries
from tests.accounts.test_known_browsers import sign_in
from tests.conftest import Cast, Town, make_cast
from tests.notifications.mailbox import outbox, parts, run
from tests.people import PASSWORD

NEW = "another quiet lamp"


@pytest.fixture(params=["sqlite", "postgresql"])
def app(request: pytest.FixtureRequest, make_app: Callable[..., tuple[Flask, dict[str, str]]]) -> Flask:
    app, ids = make_app(request.param)
    app.extensions["test_ids"] = ids
    return app


@pytest.fixture
def limited(make_app: Callable[..., tuple[Flask, dict[str, str]]]) -> Cast:
    app, ids = make_app(RATE_LIMITS=True)
    return make_cast(app, ids)


def phone(cast: Cast, email: str = "alice@example.org", password: str = PASSWORD) -> FlaskClient:
    client = cast.app.test_client()
    assert sign_in(client, email, password).status_code == 303
    return client


def email_of(cast: Cast, user_id: str) -> str:
    with cast.app.app_context():
        return queries.get_user(user_id).email


def change_password(cast: Cast, current: str = PASSWORD, password: str = NEW) -> Any:
    return cast.alice.post("/profile/password", current_password=current, password=password)


def change_email(cast: Cast, email: str = "okafor@example.org", current: str = PASSWORD) -> Any:
    return cast.alice.post("/profile/email", email=email, current_password=current)


def wrong(answer: Any) -> str:
    """Return what is said beside the fields."""
    page = BeautifulSoup(answer.get_data(as_text=True), "html.parser")
    return " ".join(each.get_text(" ", strip=True) for each in page.select(".field--wrong .field__hint, .error"))


def test_a_password_is_changed_and_others_are_signed_out(cast: Cast):
    other, bobs = phone(cast), phone(cast, "bob@example.org")
    answer = change_password(cast)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/profile?changed=password")
    assert "every other device is signed out" in cast.alice.get("/profile?changed=password").get_data(as_text=True)
    assert other.get("/rooms").status_code == 303
    assert bobs.get("/rooms").status_code == 200
    assert sign_in(cast.app.test_client()).status_code == 422
    assert sign_in(cast.app.test_client(), password=NEW).status_code == 303


def test_an_address_is_changed_and_others_are_signed_out(cast: Cast):
    other = phone(cast)
    answer = change_email(cast, " Okafor@EXAMPLE.org ")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/profile?changed=email")
    assert "okafor@example.org" in cast.alice.get("/profile").get_data(as_text=True)
    assert other.get("/rooms").status_code == 303
    assert sign_in(cast.app.test_client()).status_code == 422
    assert sign_in(cast.app.test_client(), "okafor@example.org").status_code == 303


@pytest.mark.parametrize("change", [change_password, change_email])
def test_the_address_before_is_told(cast: Cast, change: Callable[[Cast], Any], tmp_path):
    change(cast)
    change_email(cast, "a-third@example.org", current=NEW if change is change_password else PASSWORD)
    run(cast.app, "account_mail")
    what = "password" if change is change_password else "e-mail address"
    (mail,) = [mail for mail in outbox(tmp_path) if mail["Subject"] == f"Your {what} at Confab is another one now"
               and mail["To"] == "alice@example.org"]  # fmt: skip
    for text in parts(mail):
        assert "a-third" not in text, "whoever sets an address may have chosen its words"
        assert "If it was not you" in text


@pytest.mark.parametrize("change", [change_password, change_email])
def test_without_the_present_password_nothing_changes(cast: Cast, change: Callable[..., Any]):
    other = phone(cast)
    answer = change(cast, current="a guess of mine")
    assert answer.status_code == 422
    assert wrong(answer) == "That is not your present password."
    assert "a guess of mine" not in answer.get_data(as_text=True)
    assert NEW not in answer.get_data(as_text=True)
    assert other.get("/rooms").status_code == 200
    assert email_of(cast, cast.alice.id) == "alice@example.org"
    assert sign_in(cast.app.test_client()).status_code == 303


def test_each_field_that_is_wrong_is_named(cast: Cast):
    own, short = "That is not your present password.", "A password has 8 to 128 characters; this one has 5."
    assert wrong(change_password(cast, current="a guess", password="short")) == f"{own} {short}"
    no_address = "This is no e-mail address. One looks like ines@example.org."
    assert wrong(change_email(cast, email="alice@", current="a guess")) == f"{no_address} {own}"
    assert email_of(cast, cast.alice.id) == "alice@example.org"
    form = {"name": "\u200b", "status": "s" * 101, "theme": "auto"}
    said = wrong(cast.alice.post("/profile", **form))
    assert "Give a name" in said
    assert "100 characters at most" in said


@pytest.mark.parametrize(
    ("password", "sentence"),
    [("short", "8 to 128 characters"), ("password123", "one of the first"), (PASSWORD, "the password that you have")],
)
def test_a_bad_password_is_refused_in_words(cast: Cast, password: str, sentence: str):
    answer = change_password(cast, password=password)
    assert answer.status_code == 422
    assert sentence in wrong(answer)
    assert f'value="{password}"' not in answer.get_data(as_text=True)


@pytest.mark.parametrize(
    ("email", "sentence"),
    [("", "no e-mail address"), ("alice@", "no e-mail address"), ("al\u034fice@example.org", "no e-mail address"),
     ("Alice@Example.org", "your address already"), ("BOB@example.org", "cannot be used for your account")],
)  # fmt: skip
def test_a_bad_address_is_refused_in_words_and_kept(cast: Cast, email: str, sentence: str):
    answer = change_email(cast, email)
    assert answer.status_code == 422
    assert sentence in wrong(answer)
    page = BeautifulSoup(answer.get_data(as_text=True), "html.parser")
    assert page.select_one("#email")["value"] == email
    assert page.select_one("#current_password")["value"] == ""
    assert email_of(cast, cast.alice.id) == "alice@example.org"


def test_whose_an_address_is_is_not_told_without_the_password(cast: Cast):
    answers = [change_email(cast, email, "a guess of mine") for email in ("bob@example.org", "free@example.org")]
    assert [wrong(answer) for answer in answers] == ["That is not your present password."] * 2


def test_addresses_cannot_be_tried_one_after_the_other(limited: Cast):
    answers = [change_email(limited, "bob@example.org").status_code for _ in range(12)]
    assert answers == [422] * 10 + [429] * 2


def test_a_wrong_present_password_counts_like_one_at_the_door(limited: Cast):
    """Whoever found an open browser has the tries that they would have at the door, and not again in each form."""
    client = phone(limited)
    page = client.get("/profile/password").get_data(as_text=True)
    token = page.split('name="csrf_token" value="')[1].split('"')[0]
    for n in range(3):
        fields = {"csrf_token": token, "current_password": f"guess {n}", "password": NEW}
        assert client.post("/profile/password", data=fields).status_code == 422
    for n in range(2):
        fields = {"csrf_token": token, "current_password": f"guess {n}", "email": "free@example.org"}
        assert client.post("/profile/email", data=fields).status_code == 422
    for path in ("/profile/password", "/profile/email"):
        fields = {"csrf_token": token, "current_password": PASSWORD, "password": NEW, "email": "free@example.org"}
        answer = client.post(path, data=fields)
        assert answer.status_code == 429
        assert int(answer.headers["Retry-After"]) > 600
        assert "You can try again in 15 minutes" in wrong(answer)
    assert sign_in(client).status_code == 429
    assert sign_in(limited.app.test_client()).status_code == 303, "and keeps nobody else out"


def test_what_strangers_try_keeps_nobody_from_changing(limited: Cast):
    for n in range(8):
        sign_in(limited.app.test_client(), password=f"guess {n}", address=f"192.0.{n}.1")
    assert change_password(limited).status_code == 303


def test_a_form_of_another_site_changes_nothing(cast: Cast):
    for path in ("/profile/password", "/profile/email"):
        fields = {"current_password": PASSWORD, "password": NEW, "email": "free@example.org"}
        answer = cast.alice.client.post(path, data=fields)
        assert answer.status_code == 403
    assert sign_in(cast.app.test_client()).status_code == 303


def test_streams_of_before_are_cut_within_a_second_and_ones_own_comes_back(town: Town):
    other = town.bob.elsewhere()
    mine, theirs = town.bob.listen(town.room), other.listen(town.room)
    for stream in (mine, theirs):
        stream.next("hello")
    town.bob.get("/profile/password")
    answer = town.bob.post("/profile/password", current_password=PASSWORD, password=NEW)
    assert answer.status_code == 303
    for stream in (mine, theirs):  # a copy of the cookie may listen to either
        stream.wait_end()
    assert other.get("/rooms").status_code == 303
    town.alice.say(town.room, "still there?")
    mine = town.bob.listen(town.room, after={town.room: mine.events[0].id})
    mine.next("message.posted")


@pytest.mark.parametrize("change", [change_password, change_email])
def test_a_copy_of_the_cookie_is_worth_nothing_after_a_change(cast: Cast, change: Callable[[Cast], Any]):
    thief = cast.app.test_client()
    for client in (cast.alice, thief):
        assert client.get("/healthz").status_code == 200
    stolen = cast.alice.client.get_cookie("confab-session")
    assert stolen is not None
    thief.set_cookie("confab-session", stolen.value)
    assert thief.get("/profile").status_code == 200
    assert change(cast).status_code == 303
    assert thief.get("/profile").status_code == 303
    assert cast.alice.get("/profile").status_code == 200
