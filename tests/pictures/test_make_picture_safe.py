"""What is sent on is a picture and nothing else: upright, in sRGB, with nothing that tells where it was taken."""

import struct
import zipfile
from io import BytesIO

import pytest
from PIL import ExifTags, Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from tests.conftest import Cast
from tests.pictures.samples import BLUE, GREEN, RED, YELLOW, encoded, fetch, near, plain, png, seen, send, upload

CORNERS = [RED, GREEN, BLUE, YELLOW]
#: Which corners of the file are seen at the top left, top right, bottom right and bottom left. Source: Exif 2.32, 4.6.4.
SEEN = {1: "0123", 2: "1032", 3: "2301", 4: "3210", 5: "0321", 6: "3012", 7: "2103", 8: "1230"}
SECRET = b"Lindholm harbour 57.70887 11.97456"


def _corners() -> Image.Image:
    image = Image.new("RGB", (120, 80))
    for colour, place in zip(CORNERS, ((0, 0), (60, 0), (60, 40), (0, 40)), strict=True):
        image.paste(colour, (*place, place[0] + 60, place[1] + 40))
    return image


def _exif(orientation: int = 1) -> Image.Exif:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    exif[ExifTags.Base.ImageDescription] = SECRET.decode()
    exif.get_ifd(ExifTags.IFD.GPSInfo).update({1: "N", 2: (57.0, 42.0, 31.9), 3: "E", 4: (11.0, 58.0, 28.4)})
    return exif


@pytest.mark.parametrize("orientation", SEEN)
@pytest.mark.parametrize("format", ["JPEG", "WEBP"])
def test_it_turns_the_picture_as_it_was_taken(cast: Cast, format: str, orientation: int):
    picture = upload(cast, encoded(_corners(), format, exif=_exif(orientation)))
    image = seen(cast, picture).convert("RGB")
    assert image.size == ((120, 80) if orientation < 5 else (80, 120))
    right, bottom = image.width - 10, image.height - 10
    found = [image.getpixel(place) for place in ((10, 10), (right, 10), (right, bottom), (10, bottom))]
    expected = [CORNERS[int(n)] for n in SEEN[orientation]]
    assert all(near(a, b, 40) for a, b in zip(found, expected, strict=True)), (found, expected)


def test_it_takes_broken_metadata_for_none(cast: Cast):
    data = encoded(plain(), "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + bytes(40))
    assert seen(cast, upload(cast, data)).size == (64, 48)


def _hidden() -> dict[str, bytes]:
    xmp = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>" + SECRET + b"</x:xmpmeta>"
    text = PngInfo()
    text.add_text("Comment", SECRET.decode())
    text.add_itxt("XML:com.adobe.xmp", xmp.decode(), zip=False)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    profile = profile.replace(b"sRGB built-in", SECRET[:13])
    archive = BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("Main.class", SECRET)
    script = b"<script>alert('" + SECRET + b"')</script>"
    common = {"exif": _exif(), "icc_profile": profile, "xmp": xmp}
    return {
        "metadata of a jpeg": encoded(plain(), "JPEG", comment=SECRET, **common),
        "metadata of a png": encoded(plain(), "PNG", pnginfo=text, exif=_exif(), icc_profile=profile),
        "metadata of a webp": encoded(plain(), "WEBP", **common),
        "metadata of a gif": encoded(plain(), "GIF", comment=SECRET),
        "metadata of what moves": encoded(
            plain(), "WEBP", save_all=True, append_images=[plain(colour=GREEN)], **common
        ),
        "html after a png": png() + script,
        "html in a png": png(pnginfo=text) + script,
        "script in a jpeg": encoded(plain(), "JPEG", comment=b"*/=1;alert('" + SECRET + b"')/*"),
        "an archive after a gif": encoded(plain(), "GIF") + archive.getvalue(),
        "an archive after a jpeg": encoded(plain(), "JPEG") + archive.getvalue(),
        "a second picture": encoded(plain(), "MPO", save_all=True, append_images=[plain()], exif=_exif()) + SECRET,
    }


HIDDEN = _hidden()


@pytest.mark.parametrize("kind", HIDDEN)
def test_it_leaves_out_everything_but_the_picture(cast: Cast, kind: str):
    assert SECRET in HIDDEN[kind] or SECRET[:13] in HIDDEN[kind]
    picture = upload(cast, HIDDEN[kind])
    for size in ("full", "thumb"):
        data = fetch(cast.alice, f"/pictures/{picture}/{size}").data
        assert _chunks(data) <= {b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF"}
        assert not any(secret in data for secret in (SECRET, SECRET[:13], b"<script", b"PK\x03\x04", b"Exif"))


def _chunks(data: bytes) -> set[bytes]:
    """Return the kinds of chunks of a WebP file, which must fill it to the end."""
    assert (data[:4], data[8:12]) == (b"RIFF", b"WEBP")
    assert len(data) == struct.unpack("<I", data[4:8])[0] + 8
    found, place = set(), 12
    while place < len(data):
        kind, size = struct.unpack("<4sI", data[place : place + 8])
        found.add(kind)
        place += 8 + size + size % 2
    return found


def _swapped_profile() -> bytes:
    """A colour profile that calls red green and green red."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return profile.replace(b"rXYZ", b"_XYZ", 1).replace(b"gXYZ", b"rXYZ", 1).replace(b"_XYZ", b"gXYZ", 1)


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_it_shows_the_colours_that_were_meant(cast: Cast, mode: str):
    image = plain(colour=(200, 10, 10, 255)[: len(mode)], mode=mode)
    shown = seen(cast, upload(cast, encoded(image, "PNG", icc_profile=_swapped_profile()))).convert("RGB")
    assert near(shown.getpixel((30, 20)), (10, 200, 10), 20), shown.getpixel((30, 20))


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_it_ignores_a_profile_that_makes_no_sense(cast: Cast, mode: str):
    for profile in (b"nonsense", _swapped_profile() if mode != "RGB" else _swapped_profile()[:200]):
        data = encoded(plain(colour=(120, 120, 120)).convert(mode), "JPEG", icc_profile=profile)
        shown = seen(cast, upload(cast, data)).convert("RGB")
        assert near(shown.getpixel((30, 20)), (120, 120, 120), 16)


def test_it_is_never_handed_the_secrets_of_the_site(cast: Cast, monkeypatch, tmp_path):
    from chat import pictures

    spy = tmp_path / "spy.py"
    spy.write_text("import os, json; print(json.dumps({'refused': ' '.join(sorted(os.environ))}))")
    monkeypatch.setenv("SECRET_KEY", "a secret that a decoder must not know 0123456789")
    monkeypatch.setenv("CLOUDINARY_URL", "cloudinary://key:secret@cloud")
    monkeypatch.setattr(pictures, "_PROCESS", spy)
    told = send(cast.alice, cast.room, png()).text
    assert not any(name in told for name in ("SECRET", "CLOUDINARY", "DATABASE", "HOME"))
