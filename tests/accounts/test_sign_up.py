"""Making an account."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

from chat.accounts import queries
from chat.database import db
from tests.conftest import Cast

GOOD = {"name": "Victor", "email": "victor@example.org", "password": "a boat beyond the bay"}


def sign_up(cast: Cast, **fields: str):
    client = cast.app.test_client()
    page = client.get("/sign-up").get_data(as_text=True)
    token = page.split('name="csrf_token" value="')[1].split('"')[0]
    return client, client.post("/sign-up", data={"csrf_token": token} | GOOD | fields)


def test_it_signs_in_at_once(cast: Cast):
    client, answer = sign_up(cast)
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/rooms"
    assert "Victor" in client.get("/rooms").get_data(as_text=True)


def test_it_stores_the_address_in_one_form_and_no_password(cast: Cast):
    sign_up(cast, email="  Victor@EXAMPLE.org ")
    with cast.app.app_context():
        user = queries.user_by_email("victor@example.org")
        assert user is not None
        assert user.password_hash.startswith("$argon2id$")
        assert user.role == "member"


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("", "this one has 0"),
        ("1234567", "this one has 7"),
        ("x" * 129, "this one has 129"),
        ("password1", "anybody would try"),
        ("Password1", "anybody would try"),
        ("PASSWORD1", "anybody would try"),
        ("ｐａｓｓｗｏｒｄ１", "anybody would try"),
        ("aaaaaaaaaaaa", "anybody would try"),
        ("victor@example.org", "your name or address"),
    ],
)
def test_it_refuses_passwords_that_protect_nobody(cast: Cast, password: str, reason: str):
    _, answer = sign_up(cast, password=password)
    assert answer.status_code == 422
    assert reason in answer.get_data(as_text=True)


@pytest.mark.parametrize(
    "password", ["eight888", "x y" * 40, "пароль из многих слов", "nul\0in the middle", "👩‍🚀 rocket fuel"]
)
def test_it_takes_any_other_password_whole(cast: Cast, password: str):
    _, answer = sign_up(cast, password=password)
    assert answer.status_code == 303
    client = cast.app.test_client()
    token = client.get("/sign-in").get_data(as_text=True).split('name="csrf_token" value="')[1].split('"')[0]
    for tried, status in ((password[:-1], 422), (password + "x", 422), (password, 303)):
        data = {"csrf_token": token, "email": GOOD["email"], "password": tried}
        assert client.post("/sign-in", data=data).status_code == status


def test_the_seventy_third_byte_counts(cast: Cast):
    sign_up(cast, password="ab" * 36 + "x")
    client = cast.app.test_client()
    token = client.get("/sign-in").get_data(as_text=True).split('name="csrf_token" value="')[1].split('"')[0]
    data = {"csrf_token": token, "email": GOOD["email"], "password": "ab" * 36 + "y"}
    assert client.post("/sign-in", data=data).status_code == 422


@pytest.mark.parametrize(
    "fields",
    [{"name": ""}, {"name": "   "}, {"name": "\u202e"}, {"name": "n" * 65}, {"email": ""}, {"email": "nowhere"},
     {"email": "a@b"}, {"email": "a@b.org\r\nBcc: x@y.org"}, {"email": "a b@example.org"}],
)  # fmt: skip
def test_it_refuses_what_is_no_name_or_address(cast: Cast, fields: dict[str, str]):
    _, answer = sign_up(cast, **fields)
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.get_data(as_text=True)


def test_an_address_is_taken_once(cast: Cast):
    sign_up(cast)
    _, answer = sign_up(cast, email="VICTOR@example.org", name="Another")
    assert answer.status_code == 422
    assert 'value="Another"' in answer.get_data(as_text=True)


def test_nobody_chooses_a_role(cast: Cast):
    sign_up(cast, role="administrator", id="x", password_hash="x", theme="dark")
    with cast.app.app_context():
        user = queries.user_by_email(GOOD["email"])
        assert user is not None
        assert (user.role, user.theme) == ("member", "auto")


@pytest.mark.parametrize("registration", ["invite", "closed"])
def test_it_is_refused_where_registration_is_not_open(
    make_app: Callable[..., tuple[Flask, dict[str, str]]], registration: str
):
    app, _ = make_app(REGISTRATION=registration)
    client = app.test_client()
    token = client.get("/sign-up").get_data(as_text=True).split('name="csrf_token" value="')[1].split('"')[0]
    answer = client.post("/sign-up", data={"csrf_token": token} | GOOD)
    assert answer.status_code == 403
    with app.app_context():
        assert queries.user_by_email(GOOD["email"]) is None
        db.session.remove()
