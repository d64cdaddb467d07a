"""Refusing a file: what is no picture, too much of one, or broken, with the reason and without a trace."""

import shutil
import struct
import zlib
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import func, select

from chat import pictures
from chat.core.database import db
from chat.pictures import process
from chat.pictures.models import Picture
from tests.conftest import Cast
from tests.pictures.samples import encoded, moving, photograph, plain, png, send

NOT_ONE = "This is not a JPEG, PNG, WebP or GIF picture."
DAMAGED = "damaged"
CUT = "part of it is missing"


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _claiming(width: int, height: int, rows: bytes = b"") -> bytes:
    """A PNG whose header says what it likes."""
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    data = _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(rows, 9)) + _chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + data


def _with_chunk(kind: bytes, data: bytes) -> bytes:
    picture = png()
    return picture[:33] + _chunk(kind, data) + picture[33:]


def _cut(data: bytes, part: float = 0.6) -> bytes:
    return data[: int(len(data) * part)]


SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><script>alert(1)</script></svg>'
REFUSED = {
    "html as png": (b"<!doctype html><script>alert(1)</script>", NOT_ONE),
    "svg as png": (SVG, NOT_ONE),
    "svg with a declaration": (b'<?xml version="1.0"?>' + SVG, NOT_ONE),
    "pdf": (b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n", NOT_ONE),
    "zip": (b"PK\x03\x04" + bytes(60), NOT_ONE),
    "bmp": (encoded(plain(), "BMP"), NOT_ONE),
    "tiff": (encoded(plain(), "TIFF"), NOT_ONE),
    "ico": (encoded(plain(), "ICO"), NOT_ONE),
    "avif": (encoded(plain(), "AVIF"), NOT_ONE),
    "postscript": (encoded(plain(), "EPS"), NOT_ONE),
    "html before a gif": (b"<html><script>" + encoded(plain(), "GIF"), NOT_ONE),
    "zeros": (bytes(5000), NOT_ONE),
    "no bytes": (b"", "The file is empty."),
    "a byte too many": (png() + bytes(10 * 1024 * 1024 + 1 - len(png())), "The picture is over 10 MB."),
    "half a jpeg": (_cut(encoded(photograph(300, 200), "JPEG")), CUT),
    "half a png": (_cut(encoded(photograph(300, 200), "PNG")), CUT),
    "half a webp": (_cut(encoded(photograph(300, 200), "WEBP")), CUT),
    "half a gif": (_cut(encoded(photograph(300, 200), "GIF")), CUT),
    "half of what moves": (_cut(moving(6, 300, 200, "WEBP", lossless=True)), CUT),
    "a header and no more": (png()[:33], CUT),
    "65,535 by 65,535 pixels": (_claiming(65_535, 65_535), "; 40 can be taken"),
    "a kilobyte that grows to 112 megabytes": (_claiming(30_000, 30_000, bytes(1000)), "; 40 can be taken"),
    "41 megapixels": (_claiming(6_404, 6_404), "; 40 can be taken"),
    "a side too long": (encoded(Image.new("1", (10_001, 1)), "PNG"), "10001 pixels long; 10000 can be taken"),
    "too many frames": (moving(1001, 8, 8), "1001 frames; 1000 can be taken"),
    "frames that add up": (moving(30, 2000, 1800), "too large; make it smaller or shorter"),
    "no pixels at all": (png().replace(b"IDAT", b"IDAB"), DAMAGED),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_it_says_why_and_keeps_nothing(cast: Cast, kind: str, tmp_path: Path):
    data, reason = REFUSED[kind]
    response = send(cast.alice, cast.room, data)
    assert response.status_code == 422, response.text
    assert reason in response.text, response.text
    assert _stored(cast) == 0
    assert not list(tmp_path.glob("pictures/**/*.webp"))


def test_it_refuses_a_hundred_thousand_frames_at_once(cast: Cast):
    first = moving(2, 1, 1)
    head, frame = first[: first.index(b"\x21\xf9")], first[first.index(b"\x21\xf9") : -1]
    response = send(cast.alice, cast.room, head + frame * 50_000 + b"\x3b")
    assert (response.status_code, "1000 can be taken" in response.text) == (422, True)


@pytest.mark.parametrize("kind", [b"iCCP", b"zTXt"])
def test_it_leaves_out_what_grows_and_is_not_seen(cast: Cast, kind: bytes):
    assert send(cast.alice, cast.room, _with_chunk(kind, b"a\0\0" + zlib.compress(bytes(1 << 27)))).status_code == 201


def test_it_keeps_the_text_that_was_with_it(cast: Cast):
    refused = cast.alice.post(f"/rooms/{cast.room}/messages", body="the caption", image=(BytesIO(SVG), "a.png"))
    assert refused.status_code == 422
    assert NOT_ONE in refused.text
    assert "the caption" in refused.text
    assert _stored(cast) == 0


def test_it_refuses_more_than_any_picture_before_reading_it(cast: Cast):
    response = send(cast.alice, cast.room, bytes(12 * 1024 * 1024))
    assert response.status_code == 413
    assert "over 10 MB" in response.text


@pytest.mark.parametrize(("setting", "value"), [("MEMORY", "160 * 1024 * 1024"), ("CPU_SECONDS", "1")])
def test_it_survives_what_needs_too_much(cast: Cast, tmp_path: Path, monkeypatch, setting: str, value: str):
    source = Path(process.__file__).read_text()
    before = f"{setting} = {'1024 * 1024 * 1024' if setting == 'MEMORY' else '15'}"
    assert before in source
    poorer = tmp_path / "process.py"
    busy = "\n    while True: pass\n" if setting == "CPU_SECONDS" else ""
    poorer.write_text(
        source.replace(before, f"{setting} = {value}").replace("    image.load()\n", f"    image.load(){busy}\n")
    )
    shutil.copy(Path(process.__file__).with_name("files.py"), tmp_path)
    monkeypatch.setattr(pictures, "_PROCESS", poorer)
    large = encoded(Image.new("RGB", (7000, 5700)), "PNG")
    response = send(cast.alice, cast.room, large)
    assert (response.status_code, "too large to work with" in response.text) == (422, True), response.text
    monkeypatch.undo()
    assert send(cast.alice, cast.room, png()).status_code == 201


def test_it_waits_for_no_picture_for_ever(cast: Cast, monkeypatch):
    monkeypatch.setattr(pictures, "_TIMEOUT", 0.3)
    response = send(cast.alice, cast.room, encoded(photograph(5000, 4000), "JPEG", quality=40))
    assert (response.status_code, "takes too long" in response.text) == (422, True), response.text


def test_it_asks_to_come_back_when_too_many_are_worked_on(cast: Cast, monkeypatch):
    monkeypatch.setattr(pictures, "_TIMEOUT", 0.1)
    with pictures._turns.turn("somebody", 1), pictures._turns.turn("somebody else", 1):
        response = send(cast.alice, cast.room, png())
    assert (response.status_code, "Many pictures" in response.text) == (503, True)
    assert response.headers["Retry-After"] == "10"


def _stored(cast: Cast) -> int:
    with cast.app.app_context():
        return db.session.execute(select(func.count()).select_from(Picture)).scalar_one()
