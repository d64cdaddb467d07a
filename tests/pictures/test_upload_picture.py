"""Uploading a picture: it is known by its content, shown at a sensible size, and looks as it was meant."""

import shutil
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image, ImageChops

from chat import pictures
from chat.pictures import process
from tests.conftest import Cast, make_cast
from tests.pictures.samples import (
    GREEN,
    RED,
    encoded,
    fetch,
    moving,
    near,
    photograph,
    plain,
    png,
    post,
    screenshot,
    seen,
    send,
    tile,
    upload,
)


def _with_hole() -> Image.Image:
    image = plain(mode="RGBA", colour=(*RED, 255))
    image.paste((0, 0, 0, 0), (0, 0, 20, 20))
    return image


def _palette_with_hole() -> bytes:
    image = Image.new("P", (64, 48), 1)
    image.putpalette([0, 0, 0, *RED])
    image.paste(0, (0, 0, 20, 20))
    return encoded(image, "PNG", transparency=0)


GREY = (156, 156, 156)
#: File, colour in the middle, whether the corner is transparent.
TAKEN = {
    "jpeg": (encoded(plain(), "JPEG"), RED, False),
    "progressive jpeg": (encoded(plain(), "JPEG", progressive=True), RED, False),
    "grey jpeg": (encoded(Image.new("L", (64, 48), 156), "JPEG"), GREY, False),
    "cmyk jpeg": (encoded(plain().convert("CMYK"), "JPEG"), RED, False),
    "mpo": (encoded(plain(), "MPO", save_all=True, append_images=[plain(colour=GREEN)]), RED, False),
    "png": (png(), RED, False),
    "png with transparency": (encoded(_with_hole(), "PNG"), RED, True),
    "png with a palette": (encoded(plain().quantize(4), "PNG"), RED, False),
    "png with a palette and transparency": (_palette_with_hole(), RED, True),
    "png of 16 bits": (encoded(Image.new("I;16", (64, 48), 40_000), "PNG"), GREY, False),
    "png of 1 bit": (encoded(Image.new("1", (64, 48), 1), "PNG"), (255, 255, 255), False),
    "grey png with transparency": (encoded(Image.new("LA", (64, 48), (156, 0)), "PNG"), None, True),
    "webp": (encoded(plain(), "WEBP"), RED, False),
    "webp without loss": (encoded(_with_hole(), "WEBP", lossless=True), RED, True),
    "gif": (encoded(plain(), "GIF"), RED, False),
}


@pytest.mark.parametrize("kind", TAKEN)
def test_it_takes_every_kind_of_picture(cast: Cast, kind: str):
    data, colour, transparent = TAKEN[kind]
    image = seen(cast, upload(cast, data))
    assert image.size == (64, 48)
    shown = image.convert("RGBA")
    assert (shown.getpixel((2, 2))[3] == 0) is transparent
    assert colour is None or near(shown.getpixel((40, 30)), colour), shown.getpixel((40, 30))


@pytest.mark.parametrize("format", ["GIF", "WEBP"])
def test_it_keeps_what_moves_moving(cast: Cast, format: str):
    picture = upload(cast, moving(5, 300, 200, format))
    for size in ("full", "thumb"):
        image = seen(cast, picture, size)
        image.load()
        assert (image.n_frames, image.size, image.info["loop"]) == (5, (300, 200), 0)
        assert image.info["duration"] == 80


def test_it_makes_what_moves_small_enough_to_be_shown_often(cast: Cast):
    assert seen(cast, upload(cast, moving(8, 2000, 1000))).size == (880, 440)


def test_it_makes_what_moves_for_long_smaller_still(cast: Cast, tmp_path: Path, monkeypatch):
    source = Path(process.__file__).read_text()
    assert "KEPT_MOVING_PIXELS = 50_000_000" in source
    narrow = tmp_path / "process.py"
    narrow.write_text(source.replace("KEPT_MOVING_PIXELS = 50_000_000", "KEPT_MOVING_PIXELS = 75_000"))
    shutil.copy(Path(process.__file__).with_name("files.py"), tmp_path)
    monkeypatch.setattr(pictures, "_PROCESS", narrow)
    assert seen(cast, upload(cast, moving(5, 300, 200))).size == (150, 100)


@pytest.mark.parametrize(
    ("size", "full", "thumb"),
    [
        ((4000, 3000), (2048, 1536), (853, 640)),
        ((3000, 4000), (1536, 2048), (480, 640)),
        ((800, 600), (800, 600), (800, 600)),
        ((1170, 8000), (783, 5355), (94, 640)),  # a long screenshot stays legible
        ((10000, 1), (10000, 1), (880, 1)),
        ((1, 1), (1, 1), (1, 1)),
    ],
)
def test_it_has_a_size_to_view_and_one_to_show(cast: Cast, size, full, thumb):
    response = send(cast.alice, cast.room, encoded(plain(*size), "JPEG"))
    said = tile(response.text)
    picture = said["picture"]
    assert (int(said["width"]), int(said["height"])) == full
    assert seen(cast, picture).size == full
    # Where the smaller one would not be smaller, there is none.
    assert seen(cast, picture, "thumb").size in {thumb, full}


def test_it_sends_a_small_file_to_the_timeline(cast: Cast):
    picture = upload(cast, encoded(photograph(2400, 1800), "JPEG", quality=80))
    full, thumb = (fetch(cast.alice, f"/pictures/{picture}/{size}") for size in ("full", "thumb"))
    assert len(thumb.data) < len(full.data) / 3
    assert Image.open(BytesIO(thumb.data)).size == (853, 640)


def test_it_keeps_a_screenshot_exact(cast: Cast):
    shot = screenshot(1200, 700)
    image = seen(cast, upload(cast, encoded(shot, "PNG"))).convert("RGB")
    assert ImageChops.difference(image, shot).getbbox() is None


def test_it_does_not_keep_photographs_exact(cast: Cast):
    data = encoded(photograph(900, 700), "PNG")
    assert len(fetch(cast.alice, f"/pictures/{upload(cast, data)}/full").data) < len(data) / 3


@pytest.mark.parametrize(
    "name",
    [
        "holiday.jpg.exe",
        "photo.php",
        "no-extension",
        "nul\x00byte.html",
        "gnp\u202egnp.exe",
        "../../../../etc/passwd",
        "..\\..\\boot.ini",
        "C:\\Users\\ines\\picture.png",
        "x" * 10_000 + ".png",
        'quote".png',
        "<script>alert(1)</script>.png",
        "🏝️.png",
    ],
)
def test_it_does_not_care_what_a_file_is_called(cast: Cast, name: str):
    response = send(cast.alice, cast.room, png(), name)
    assert response.status_code == 201, response.text
    assert tile(response.text).keys() == {"picture", "width", "height"}
    assert seen(cast, tile(response.text)["picture"]).size == (64, 48)


def test_it_takes_ten_megabytes(cast: Cast):
    data = png()
    assert send(cast.alice, cast.room, data + bytes(10 * 1024 * 1024 - len(data))).status_code == 201


def test_it_takes_pictures_with_the_message_where_there_is_no_script(cast: Cast):
    response = cast.alice.post(
        f"/rooms/{cast.room}/messages", body="both", image=[(BytesIO(png()), "a.png"), (BytesIO(png()), "b.png")]
    )
    assert response.status_code == 303
    page = cast.bob.get(response.headers["Location"].partition("#")[0]).text
    assert page.count('class="picture__image"') == 2


def test_it_is_for_members_alone(cast: Cast):
    assert send(cast.mallory, cast.room, png()).status_code == 404
    assert cast.nobody.post(f"/rooms/{cast.room}/pictures").status_code == 303


def test_it_is_limited(make_app):
    app, ids = make_app(RATE_LIMITS=True)
    cast = make_cast(app, ids)
    answers = {send(cast.alice, cast.room, b"").status_code for _ in range(60)}
    assert answers == {422}
    late = send(cast.alice, cast.room, png())
    assert (late.status_code, "Many pictures" in late.text) == (429, True)
    assert int(late.headers["Retry-After"]) > 0
    direct = cast.alice.post(f"/rooms/{cast.room}/messages", body="", image=(BytesIO(png()), "a.png"))
    assert direct.status_code == 429, "the limit holds on the other way in as well"


def test_it_is_in_one_message_only(cast: Cast):
    picture = upload(cast, png())
    post(cast, picture)
    again = cast.alice.post(f"/rooms/{cast.room}/messages", htmx=True, body="again", picture=picture)
    assert (again.status_code, "gone" in again.text) == (422, True)


def test_it_takes_no_picture_of_somebody_else(cast: Cast):
    picture = upload(cast, png())
    stolen = cast.bob.post(f"/rooms/{cast.room}/messages", htmx=True, body="mine?", picture=picture)
    assert stolen.status_code == 422
    assert cast.bob.post(f"/pictures/{picture}/delete").status_code == 404
    assert seen(cast, picture)
