"""Picture files for tests, and what people do with them."""

from __future__ import annotations

import re
from io import BytesIO
from typing import Any

from PIL import Image, ImageDraw

from tests.conftest import Cast, Member

RED, GREEN, BLUE, YELLOW = (220, 30, 30), (20, 150, 60), (30, 60, 200), (230, 200, 30)


def encoded(image: Image.Image, format: str, **options: Any) -> bytes:
    """Return the file of an image."""
    file = BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def plain(width: int = 64, height: int = 48, colour: tuple[int, ...] = RED, mode: str = "RGB") -> Image.Image:
    """Return an image of one colour."""
    return Image.new(mode, (width, height), colour)


def png(width: int = 64, height: int = 48, **options: Any) -> bytes:
    """Return a small PNG file."""
    return encoded(plain(width, height), "PNG", **options)


def photograph(width: int, height: int) -> Image.Image:
    """Return noise of several sizes, which costs an encoder what a photograph does."""
    coarse, fine = Image.effect_noise((width // 8 + 1, height // 8 + 1), 90), Image.effect_noise((width, height), 20)
    coarse = coarse.resize((width, height), Image.Resampling.BICUBIC)
    return Image.merge("RGB", (coarse, Image.blend(coarse, fine, 0.4), fine))


def screenshot(width: int, height: int) -> Image.Image:
    """Return text in several colours on white."""
    image = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(image)
    for line in range(height // 18):
        text = f"{line:03} the keeper winds the clockwork every four hours " * (width // 200)
        draw.text((8, line * 18), text, fill=("black", "#b00020", "#0b6b66", "#1a3fb0")[line % 4])
    return image


def moving(frames: int, width: int = 60, height: int = 40, format: str = "GIF", **options: Any) -> bytes:
    """Return a file that changes colour in every frame."""
    images = [plain(width, height, (n * 37 % 256, n * 91 % 256, 120)) for n in range(frames)]
    settings = {"save_all": True, "append_images": images[1:], "duration": 80, "loop": 0} | options
    return encoded(images[0], format, **settings)


def send(member: Member, room: str, data: bytes, name: str = "picture.png") -> Any:
    """Upload a file for a message that is being written."""
    part = f'Content-Disposition: form-data; name="image"; filename="{name.replace(chr(34), "%22")}"'
    body = b"--part\r\n%s\r\nContent-Type: text/html\r\n\r\n%s\r\n--part--\r\n" % (part.encode(), data)
    return member.client.post(
        f"/rooms/{room}/pictures",
        data=body,
        content_type="multipart/form-data; boundary=part",
        headers={"X-CSRFToken": member.token, "HX-Request": "true"},
    )


def upload(cast: Cast, data: bytes, member: Member | None = None) -> str:
    """Upload a file that is taken; return the id of the picture."""
    response = send(member or cast.alice, cast.room, data)
    assert response.status_code == 201, response.text
    return tile(response.text)["picture"]


def tile(html: str) -> dict[str, str]:
    """Return what a tile says about its picture."""
    return dict(re.findall(r'data-(\w+)="([^"]*)"', html))


def post(cast: Cast, *pictures: str, member: Member | None = None, room: str = "") -> str:
    """Post a message with uploaded pictures; return its id."""
    response = (member or cast.alice).post(
        f"/rooms/{room or cast.room}/messages", htmx=True, body="look", picture=list(pictures)
    )
    assert response.status_code == 201, response.text
    return response.headers["Location"].rsplit("/", 1)[1]


def fetch(member: Member, path: str, **options: Any) -> Any:
    """Return the whole answer, and let go of the file it was sent from."""
    return member.client.get(path, buffered=True, **options)


def seen(cast: Cast, picture: str, size: str = "full", member: Member | None = None) -> Image.Image:
    """Return a picture as somebody sees it."""
    response = fetch(member or cast.alice, f"/pictures/{picture}/{size}")
    assert response.status_code == 200, response.text
    assert response.mimetype == "image/webp"
    image = Image.open(BytesIO(response.data))
    assert image.format == "WEBP"
    return image


def near(colour: Any, expected: tuple[int, ...], within: int = 12) -> bool:
    """Tell whether a colour is another one but for what a lossy encoder does."""
    return all(abs(a - b) <= within for a, b in zip(colour[:3], expected, strict=True))
