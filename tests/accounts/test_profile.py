"""One's own name, picture, status and look."""

from __future__ import annotations

import io

import pytest
from bs4 import BeautifulSoup
from PIL import Image

from tests.conftest import Cast


def test_it_changes_what_others_see(cast: Cast):
    answer = cast.alice.post("/profile", name="Alice Amadi", status="On the scaffold until 4", theme="dark")
    assert answer.status_code == 303
    page = cast.bob.get(f"/rooms/{cast.room}/members").get_data(as_text=True)
    assert "Alice Amadi" in page
    assert "On the scaffold until 4" in page
    assert "Alice Okafor" not in page


def test_a_new_name_stands_at_old_messages_too(cast: Cast):
    cast.alice.post(f"/rooms/{cast.room}/messages", body="hello", client_id="client-1")
    cast.alice.post("/profile", name="Alice Amadi", status="", theme="auto")
    page = cast.bob.get(f"/rooms/{cast.room}").get_data(as_text=True)
    assert "Alice Amadi" in page
    assert "Alice Okafor" not in page


@pytest.mark.parametrize("theme", ["auto", "light", "dark"])
def test_the_look_is_there_before_anything_is_painted(cast: Cast, theme: str):
    cast.alice.post("/profile", name="Alice", status="", theme=theme)
    assert f'<html lang="en" data-theme="{theme}">' in cast.alice.get("/rooms").get_data(as_text=True)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"name": ""}, "name that people know"),
        ({"status": "s" * 101}, "this one has 101"),
        ({"theme": "pink"}, "three looks"),
    ],
)
def test_a_refused_form_keeps_what_was_typed(cast: Cast, fields: dict[str, str], reason: str):
    answer = cast.alice.post("/profile", **({"name": "Alice Amadi", "status": "here", "theme": "dark"} | fields))
    assert answer.status_code == 422
    page = answer.get_data(as_text=True)
    assert reason in page
    assert fields.get("status", "here") in page
    assert "Amadi" not in cast.alice.get("/rooms").get_data(as_text=True)


def test_a_picture_is_shown_to_others_and_can_be_taken_back(cast: Cast):
    data = io.BytesIO()
    Image.new("RGB", (200, 200), "teal").save(data, "PNG")
    data.seek(0)
    fields = {"name": "Alice", "status": "", "theme": "auto", "picture": (data, "me.png")}
    assert cast.alice.post("/profile", **fields).status_code == 303
    address = (
        cast.bob.get(f"/rooms/{cast.room}/members").get_data(as_text=True).split('src="/avatars/')[1].split('"')[0]
    )
    shown = cast.bob.get(f"/avatars/{address}")
    assert shown.status_code == 200
    assert shown.mimetype == "image/webp"
    shown.close()
    assert cast.nobody.get(f"/avatars/{address}").status_code == 303
    cast.alice.post("/profile/picture/delete")
    assert cast.bob.get(f"/avatars/{address}").status_code == 404
    assert "/avatars/" not in cast.bob.get(f"/rooms/{cast.room}/members").get_data(as_text=True)


def test_a_refused_picture_says_why_and_changes_nothing(cast: Cast):
    fields = {"name": "Alice Amadi", "status": "", "theme": "auto", "picture": (io.BytesIO(b"<html>"), "me.png")}
    answer = cast.alice.post("/profile", **fields)
    assert answer.status_code == 422
    assert "not a JPEG, PNG, WebP or GIF" in answer.get_data(as_text=True)
    assert 'value="Alice Amadi"' in answer.get_data(as_text=True)


def test_a_picture_that_is_too_large_comes_back_with_the_form(cast: Cast):
    large = io.BytesIO(bytes(12 * 1024 * 1024))
    answer = cast.alice.post("/profile", name="Alice Amadi", status="here", theme="dark", picture=(large, "me.jpg"))
    assert answer.status_code == 422
    page = BeautifulSoup(answer.get_data(as_text=True), "html.parser")
    assert page.select_one("#picture-hint").text == "The picture is over 10 MB."
    assert page.select_one("#name")["value"] == "Alice Amadi"
    assert page.select_one("#status")["value"] == "here"
