"""Forms whose page has grown old: signed out, in again, or in as somebody else in another tab. Nothing written is lost,
nothing is sent in another's name, and what comes from another site is refused as ever."""

from __future__ import annotations

import html
import re
from typing import Any
from urllib.parse import unquote

import pytest
from flask import Flask
from flask.testing import FlaskClient

from chat.core import ids
from tests.conftest import Cast, Member
from tests.people import PASSWORD

#: Forms for whoever comes.
FOR_ANYBODY = {"accounts.sign_in", "accounts.sign_up", "accounts.set_up", "accounts.sign_out", "look.switch_safe_mode"}
OURS = {"Sec-Fetch-Site": "same-origin"}
TEXT = 'Words that must <not> get "lost", not\none of them'


def forms(app: Flask) -> list[tuple[str, str]]:
    """Return every address that takes a form, by its endpoint."""
    adapter = app.url_map.bind("localhost")
    found = []
    for rule in app.url_map.iter_rules():
        if "POST" in (rule.methods or ()):
            made = {name: min(getattr(kind, "items", ["2" * 16])) for name, kind in rule._converters.items()}
            found.append((rule.endpoint, adapter.build(rule.endpoint, made, method="POST")))
    assert len(found) > 60
    return found


def token_in(page: Any) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page.get_data(as_text=True))
    assert found
    return found[1]


def sign_in(client: FlaskClient, who: str, token: str = "", **more: str) -> Any:
    form = {
        "email": f"{who}@example.org",
        "password": PASSWORD,
        "csrf_token": token or token_in(client.get("/sign-in")),
    }
    return client.post("/sign-in", data=form | more)


def in_again(who: Member, email: str) -> FlaskClient:
    """Sign out and in again in the same browser."""
    assert who.post("/sign-out").status_code == 303
    assert sign_in(who.client, email).status_code == 303
    return who.client


def fields_of(page: str) -> dict[str, str]:
    return {
        name: html.unescape(value) for name, value in re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', page)
    }


def test_every_form_of_a_page_whose_person_signed_out_is_told_so(cast: Cast):
    cast.alice.post("/sign-out")
    cast.alice.client.get("/sign-in")
    for endpoint, path in forms(cast.app):
        if endpoint in FOR_ANYBODY:
            continue
        for headers in ({}, OURS, {"Origin": "http://localhost"}):
            page = cast.alice.post(path, headers=headers, body=TEXT)
            assert page.status_code == 303, endpoint
            assert page.headers["Location"].partition("?")[0] == "/sign-in", endpoint
            fragment = cast.alice.post(path, htmx=True, headers=headers, body=TEXT)
            assert fragment.status_code == 401, endpoint
            assert "You are signed out" in fragment.get_data(as_text=True)


def test_the_way_back_leads_to_the_page_with_the_form(cast: Cast):
    cast.alice.post("/sign-out")
    room = f"/rooms/{cast.room}"
    for path, referrer, following in [
        (f"{room}/messages", f"http://localhost{room}?around=3", f"{room}?around=3"),
        (f"{room}/messages", "http://evil.example/devices", room),
        (f"{room}/messages", "http://[", room),
        (f"{room}/messages", "", room),
        (f"{room}/settings", "http://localhost/nowhere", room),
        ("/profile", "", "/profile"),
        ("/devices/end-others", "", "/devices"),
    ]:
        answer = cast.alice.post(path, headers={"Referer": referrer}, body=TEXT, client_id=ids.new())
        assert unquote(answer.headers["Location"]) == f"/sign-in?next={following}"


@pytest.mark.parametrize("signed_out", [True, False])
def test_a_form_that_cannot_be_read_is_said_to_be_too_large(cast: Cast, signed_out: bool):
    """The token in the header is refused before anybody has read the form, which then is to be shown or followed."""
    if signed_out:
        cast.alice.post("/sign-out")
    for fields in ("&".join(["a"] * 1001), "a=" + "a" * 2_000_000):
        answer = cast.alice.client.post(
            "/devices/end-others",
            data=fields,
            content_type="application/x-www-form-urlencoded",
            headers=OURS | {"X-CSRFToken": "of yesterday"},
        )
        assert answer.status_code == 413
        assert "over" in answer.get_data(as_text=True) or "too much" in answer.get_data(as_text=True)


def test_signing_in_in_two_tabs_goes_on_in_both(cast: Cast):
    first, second = (token_in(cast.nobody.get("/sign-in")) for _ in range(2))
    assert sign_in(cast.nobody, "bob", first).headers["Location"] == "/rooms"
    answer = sign_in(cast.nobody, "bob", second, next=f"/rooms/{cast.room}")
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/rooms/{cast.room}")
    third = sign_in(cast.nobody, "mia", first)
    assert third.status_code == 303
    assert f'name="viewer" content="{cast.mia.id}"' in cast.nobody.get("/rooms").get_data(as_text=True)
    assert sign_in(cast.nobody, "bob", first, password="wrong wrong wrong").status_code == 422


def test_signing_up_in_one_tab_while_another_signed_in(cast: Cast):
    token = token_in(cast.nobody.get("/sign-up"))
    sign_in(cast.nobody, "bob")
    form = {"name": "Nils", "email": "nils@example.org", "password": PASSWORD, "csrf_token": token}
    assert cast.nobody.post("/sign-up", data=form).status_code == 303


def test_forms_to_sign_in_and_up_are_offered_again_with_what_was_typed(cast: Cast):
    token = token_in(cast.nobody.get("/sign-up"))
    for path, form in {
        "/sign-in": {"email": "bob@example.org", "password": PASSWORD, "next": "/profile"},
        "/sign-up": {"name": "Nils Ö", "email": "nils@example.org", "password": PASSWORD},
    }.items():
        other = cast.app.test_client()
        answer = other.post(path, data=form | {"csrf_token": token})
        page = answer.get_data(as_text=True)
        assert answer.status_code == 403
        assert "had grown old" in page
        assert form["email"] in page
        assert PASSWORD not in page
        again = other.post(path, data=form | {"csrf_token": token_in(answer)})
        assert again.status_code == 303
        assert again.headers["Location"] == form.get("next", "/rooms")


def test_signing_out_twice_is_signing_out(cast: Cast):
    cast.alice.post("/sign-out")
    answer = cast.alice.post("/sign-out")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/sign-in")


@pytest.mark.parametrize("headers", [OURS, {"Origin": "http://localhost"}])
def test_who_signed_in_again_is_shown_what_they_wrote_and_may_send_it(cast: Cast, headers: dict[str, str]):
    room = f"/rooms/{cast.room}"
    old = token_in(cast.alice.get(room))
    client = in_again(cast.alice, "alice")
    form = {"body": TEXT, "client_id": ids.new(), "csrf_token": old}
    answer = client.post(f"{room}/messages", data=form, headers=headers | {"Referer": f"http://localhost{room}"})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 403
    assert html.escape(TEXT, quote=False) in html.unescape(page).replace("<not>", "&lt;not&gt;")
    assert f'href="{room}"' in page
    fields = fields_of(page)
    assert fields["body"] == TEXT
    assert fields["csrf_token"] != old
    assert client.post(f"{room}/messages", data=fields, headers=headers).status_code == 303
    assert "not\none of them" in html.unescape(client.get(room).get_data(as_text=True)).replace("<br>", "\n").replace(
        "\n\n", "\n"
    )
    fragment = client.post(f"{room}/messages", data=form, headers=headers | {"HX-Request": "true"})
    assert fragment.status_code == 403
    assert "send it once more" in fragment.get_data(as_text=True)


def test_what_one_wrote_is_never_sent_as_another(cast: Cast):
    room = f"/rooms/{cast.room}"
    old = token_in(cast.alice.get(room))
    client = in_again(cast.alice, "bob")
    form = {"body": TEXT, "client_id": ids.new(), "csrf_token": old}
    answer = client.post(f"{room}/messages", data=form, headers=OURS)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 403
    assert "Bob de Vos" in page
    assert "Nothing was sent in your name" in page
    assert fields_of(page).keys() <= {"csrf_token"}
    assert "Words that must" in page
    assert "Words that must" not in client.get(room).get_data(as_text=True)


def test_nothing_secret_and_nothing_of_another_site_is_shown_again(cast: Cast):
    room = f"/rooms/{cast.room}"
    old = token_in(cast.alice.get(room))
    client = in_again(cast.alice, "alice")
    form = {"body": TEXT, "client_id": ids.new(), "csrf_token": old}
    for headers in ({}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Sec-Fetch-Site": "none"},
                    {"Origin": "https://evil.example"}):  # fmt: skip
        answer = client.post(f"{room}/messages", data=form, headers=headers)
        assert answer.status_code == 403
        assert "Words that must" not in answer.get_data(as_text=True), headers
    answer = client.post("/profile", data=form | {"password": "my secret", "new_password": "my secret"}, headers=OURS)
    assert "Words that must" in answer.get_data(as_text=True)
    assert "my secret" not in answer.get_data(as_text=True)
    assert fields_of(answer.get_data(as_text=True)).keys() <= {"csrf_token"}


def test_nobody_can_be_signed_in_from_another_site(cast: Cast):
    """A visitor's token of the attacker's own browser is worth nothing in another, signed in or not."""
    theirs = token_in(cast.app.test_client().get("/sign-in"))
    for client in (cast.nobody, cast.alice.client):
        for headers in ({}, OURS, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
            form = {"email": "mallory@example.org", "password": PASSWORD, "csrf_token": theirs}
            answer = client.post("/sign-in", data=form, headers=headers)
            assert answer.status_code == 403
            assert not any("session" in each for each in answer.headers.getlist("Set-Cookie"))
    token = token_in(cast.nobody.get("/sign-in"))
    form = {"email": "mallory@example.org", "password": PASSWORD, "csrf_token": token}
    assert cast.nobody.post("/sign-in", data=form, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
