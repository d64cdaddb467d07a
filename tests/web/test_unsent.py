"""Signed out elsewhere, without a script: what was written in a form is there again after signing in, for its writer alone."""

from __future__ import annotations

import random
from typing import Any

import pytest
from bs4 import BeautifulSoup
from flask.testing import FlaskClient

from tests.conftest import Cast, Member
from tests.web.test_outdated_forms import OURS, TEXT, fields_of, sign_in, token_in

FROM_ELSEWHERE: list[dict[str, str]] = [{}, {"Sec-Fetch-Site": "none"}]


def signed_out_meanwhile(who: Member, path: str, headers: dict[str, str] = OURS, **form: Any) -> FlaskClient:
    """Send a form whose person has signed out in another tab; return their browser, which is led to the door."""
    browser, token = who.client, token_in(who.get("/profile"))
    assert who.elsewhere().post("/sign-out").status_code == 303  # its own cookies are gone, those of this tab are not
    answer = who.post(path, headers=headers, **form, csrf_token=token)
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/sign-in?next=")
    return browser


def texts(page: Any) -> list[str]:
    found = BeautifulSoup(page.get_data(as_text=True), "html.parser").select("textarea[readonly]")
    return [each.get_text().removeprefix("\n") for each in found]


def back_in(browser: FlaskClient, who: str) -> Any:
    """Sign in without a script, where the page offers to send what is kept; return what one is led to."""
    door = BeautifulSoup(browser.get("/sign-in").text, "html.parser")
    kept = door.select_one("[name=next]")
    assert kept
    answer = sign_in(browser, who, next=str(kept["value"]))
    return browser.get(answer.headers["Location"])


def test_a_message_is_sent_once_more(cast: Cast):
    path = f"/rooms/{cast.room}/messages"
    page = back_in(signed_out_meanwhile(cast.alice, path, body=TEXT, client_id="written-before"), "alice")
    assert texts(page) == [TEXT]
    form = BeautifulSoup(page.text, "html.parser").select_one("form")
    assert form["action"] == path
    assert cast.alice.client.post(path, data=fields_of(page.text)).status_code == 303
    assert "Words that must" in cast.alice.client.get(f"/rooms/{cast.room}").text


def test_a_text_of_any_usual_length_is_kept_whole(cast: Cast):
    words = [
        "lamp",
        "lens",
        "clockwork",
        "oil",
        "Monday",
        "forty",
        "mercury",
        "harbour",
        "tide",
        "berth",
        "ladder",
        "ring",
    ]
    dice = random.Random(7)
    long = " ".join(dice.choice(words) for _ in range(1500))
    assert len(long) > 9000
    path = f"/rooms/{cast.room}/messages"
    assert texts(back_in(signed_out_meanwhile(cast.alice, path, body=long, client_id="long"), "alice")) == [long]


def test_all_fields_of_a_form_are_kept(cast: Cast):
    path = f"/rooms/{cast.room}/settings"
    page = back_in(signed_out_meanwhile(cast.alice, path, name="harbour", purpose="Tides"), "alice")
    assert texts(page) == ["harbour", "Tides"]
    assert cast.alice.client.post(path, data=fields_of(page.text)).status_code == 303
    assert "Tides" in cast.alice.client.get(path).text


def test_nobody_else_sends_it(cast: Cast):
    browser = signed_out_meanwhile(cast.alice, f"/rooms/{cast.room}/messages", body="mine", client_id="hers")
    page = back_in(browser, "bob")
    assert texts(page) == ["mine"], "it is on their screen as it was before"
    assert "made for somebody else" in page.text
    assert "Send it once more" not in page.text


def test_no_password_is_kept(cast: Cast):
    browser = signed_out_meanwhile(
        cast.alice, "/profile/email", email="alice@another.example", current_password="a word of hers"
    )
    page = back_in(browser, "alice")
    assert texts(page) == ["alice@another.example"]
    assert "a word of hers" not in page.text
    assert "Send it once more" not in page.text


def test_a_file_is_not_left_out_silently(cast: Cast):
    import io

    browser = signed_out_meanwhile(
        cast.alice,
        f"/rooms/{cast.room}/messages",
        body="with a picture",
        client_id="x",
        image=(io.BytesIO(b"x"), "x.png"),
    )
    page = back_in(browser, "alice")
    assert texts(page) == ["with a picture"]
    assert "Send it once more" not in page.text


@pytest.mark.parametrize("headers", FROM_ELSEWHERE)
def test_what_did_not_come_from_a_page_of_ours_is_not_kept(cast: Cast, headers: dict[str, str]):
    browser = signed_out_meanwhile(cast.alice, f"/rooms/{cast.room}/messages", headers, body="planted", client_id="x")
    assert "planted" not in back_in(browser, "alice").text


def test_what_nobody_sealed_is_not_read(cast: Cast):
    browser = signed_out_meanwhile(cast.alice, f"/rooms/{cast.room}/messages", body="mine", client_id="hers")
    (name,) = (each.key for each in browser._cookies.values() if each.key.endswith("unsent-1"))
    value = browser.get_cookie(name).value
    browser.set_cookie(name, value[:-6] + ("A" if value[-6] != "A" else "B") + value[-5:])
    assert texts(back_in(browser, "alice")) == []


def test_signing_out_forgets_it(cast: Cast):
    browser = signed_out_meanwhile(cast.alice, f"/rooms/{cast.room}/messages", body="mine", client_id="hers")
    page = back_in(browser, "alice")
    assert browser.post("/sign-out", data={"csrf_token": token_in(page)}).status_code == 303
    assert texts(back_in(browser, "alice")) == []
