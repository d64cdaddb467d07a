"""Making an account."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from flask import Flask

from chat.accounts import queries
from chat.core.database import db
from tests.conftest import Cast

#: What crackers try first: lists, and the rules that they put to every word of them. The site is called Confab.
COMMON = [
    "password1", "Password1", "PASSWORD1", "ｐａｓｓｗｏｒｄ１", "aaaaaaaaaaaa", "confab123", "Confab2026!", "Summer2026!",
    "Welcome1!", "P@ssw0rd1", "letmein2024", "correcthorsebatterystaple", "abcd1234!", "chat-room", "ConfabChat1",
    "confabconfab", "eight888", "Qwerty123!", "Monday123", "january2026", "1q2w3e4r5t", "trustno1!", "abcabcabc",
    "abcabcabc1", "Admin123!", "12345678a", "monkey2024!", "hell02026!", "$ummer2026", "!!welcome!!", "2026summer",
    "zyxwvuts", "p4$$w0rd!!", "asdfghjkl;", "qwer1234", "passwordpassword", "iloveyou<3", "23456789",
]  # fmt: skip
OWN = [
    "victor@example.org", "victorvictor", "Victor2026!", "V1ct0r!!", "victor-confab", "@victor1983", "victor19830512",
    "example.org",
]  # fmt: skip

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


def test_it_refuses_passwords_that_protect_nobody(cast: Cast):
    reasons = {"": "this one has 0", "1234567": "this one has 7", "x" * 129: "this one has 129"}
    reasons |= dict.fromkeys(COMMON, "anybody would try") | dict.fromkeys(OWN, "your name or address")
    client = cast.app.test_client()
    token = client.get("/sign-up").get_data(as_text=True).split('name="csrf_token" value="')[1].split('"')[0]
    for password, reason in reasons.items():
        answer = client.post("/sign-up", data={"csrf_token": token} | GOOD | {"password": password})
        assert answer.status_code == 422, password
        assert reason in answer.get_data(as_text=True), password


def test_it_names_each_field_that_is_wrong(cast: Cast):
    answer = sign_up(cast, name=" ", email="victor@", password="short")[1]
    assert answer.status_code == 422
    for said in ("Give a name", "This is no e-mail address", "this one has 5"):
        assert said in answer.get_data(as_text=True)


def test_what_the_site_is_called_is_no_password(cast: Cast):
    cast.ada.post("/moderation/look/draft", name="Skerry Light", accent="", css="", logo=(io.BytesIO(b""), ""))
    page = cast.ada.get("/moderation/look/preview").get_data(as_text=True)
    cast.ada.post("/moderation/look", seen=page.split('name="seen" value="')[1].split('"')[0])
    for password in ("skerrylight1", "Skerry-2026!", "skerry4light", "VictorSkerry7"):
        assert sign_up(cast, password=password)[1].status_code == 422, password
    assert sign_up(cast, password="a light on the skerries")[1].status_code == 303


@pytest.mark.parametrize(
    "password",
    [
        "kx839201",
        "gT7#pq!x",
        "cat82736455",
        "purplecat trombone",
        "x y" * 40,
        "пароль из многих слов",
        "nul\0in the middle",
        "👩‍🚀 rocket fuel",
    ],
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
