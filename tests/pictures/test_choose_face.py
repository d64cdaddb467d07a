"""The picture of a person: a small square, for everybody who is signed in, and gone when it is replaced."""

import re
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from chat.core import jobs
from tests.conftest import Cast, Member
from tests.pictures.samples import BLUE, GREEN, RED, encoded, fetch, moving, near, png, send


def _choose(member: Member, data: bytes):
    return member.post("/profile", name=member.name, status="", theme="auto", picture=(BytesIO(data), "me.png"))


def _face(member: Member) -> str:
    """Return the address of somebody's face, as their own page shows it."""
    page = member.get("/profile").text
    found = re.search(r"/avatars/\w{16}\?v=\w{16}", page)
    assert found
    return found[0]


@pytest.fixture
def face(cast: Cast) -> str:
    assert _choose(cast.alice, png()).status_code == 303
    return _face(cast.alice)


def test_it_is_for_everybody_who_is_signed_in(cast: Cast, face: str):
    assert {fetch(member, face).status_code for member in cast.everybody().values()} == {200}
    assert cast.nobody.get(face).status_code == 303
    assert cast.nobody.get(face, headers={"HX-Request": "true"}).status_code == 401
    headers = fetch(cast.mallory, face).headers
    assert (headers["Content-Type"], headers["Cache-Control"]) == ("image/webp", "private, no-cache")
    assert "sandbox" in headers["Content-Security-Policy"]


def test_it_is_not_among_the_pictures_of_messages(cast: Cast, face: str):
    picture = face.rpartition("=")[2]
    for size in ("full", "thumb"):
        assert fetch(cast.alice, f"/pictures/{picture}/{size}").status_code == 404
    taken = cast.alice.post(f"/rooms/{cast.room}/messages", htmx=True, body="me", picture=picture)
    assert taken.status_code == 422
    assert cast.alice.post(f"/pictures/{picture}/delete").status_code == 404


@pytest.mark.parametrize("size", [(1200, 400), (400, 1200)])
def test_it_is_the_middle_of_the_picture(cast: Cast, size: tuple[int, int]):
    image = Image.new("RGB", size, RED)
    middle = (size[0] // 2 - 200, size[1] // 2 - 200)
    image.paste(GREEN, (*middle, middle[0] + 400, middle[1] + 400))
    _choose(cast.alice, encoded(image, "PNG"))
    shown = Image.open(BytesIO(fetch(cast.bob, _face(cast.alice)).data)).convert("RGB")
    assert shown.size == (256, 256)
    assert all(near(shown.getpixel(place), GREEN, 30) for place in ((6, 6), (250, 6), (128, 128), (6, 250)))


def test_it_stands_still(cast: Cast):
    _choose(cast.alice, moving(5, 300, 300))
    shown = Image.open(BytesIO(fetch(cast.bob, _face(cast.alice)).data))
    assert (shown.n_frames, shown.size) == (1, (256, 256))


def test_it_replaces_the_one_before(cast: Cast, face: str, tmp_path: Path):
    _choose(cast.alice, png(80, 80))
    assert _face(cast.alice) != face
    assert Image.open(BytesIO(fetch(cast.alice, face).data)).getpixel((9, 9)) == _pixel(cast), "in old frames too"
    with cast.app.app_context():
        jobs.run_due("destroy_picture")
    assert len(list(tmp_path.glob("pictures/**/*.webp"))) == 1
    cast.alice.post("/profile/picture/delete")
    assert fetch(cast.alice, face).status_code == 404
    assert "/avatars/" not in cast.alice.get("/profile").text


def _pixel(cast: Cast):
    return Image.open(BytesIO(fetch(cast.alice, _face(cast.alice)).data)).getpixel((9, 9))


def test_it_keeps_the_face_when_another_is_refused(cast: Cast, face: str):
    refused = _choose(cast.alice, b"<svg/>")
    assert (refused.status_code, "not a JPEG" in refused.text) == (422, True)
    assert _face(cast.alice) == face


def test_it_is_no_way_to_see_what_is_not_sent_yet(cast: Cast):
    unsent = send(cast.alice, cast.room, encoded(Image.new("RGB", (9, 9), BLUE), "PNG")).text
    picture = unsent.partition('data-picture="')[2][:16]
    assert fetch(cast.bob, f"/avatars/{picture}").status_code == 404
