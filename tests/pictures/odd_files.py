"""Picture files that browsers show and decoders like to read otherwise, as small as they can be made."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable

from PIL import ExifTags, Image, ImageDraw

from tests.pictures.samples import encoded

SIDE = 32
PALETTE = bytes(value for n in range(256) for value in (n, 255 - n, n * 7 % 256))
#: Black, white and the colours of a cube's corners, as the table of a GIF.
CORNERS = bytes([255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 0, 0, 255, 255, 255, 0, 255, 255, 255, 255, 0, 0, 0])


def chunk(name: bytes, data: bytes) -> bytes:
    """Return a chunk of a PNG."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def raw_png(depth: int, kind: int, rows: bytes, before: bytes = b"", pixels: bytes | None = None) -> bytes:
    """Return a PNG of these rows.

    :param kind: 0 grey, 2 RGB, 3 palette, 4 grey with alpha, 6 RGBA.
    :param before: chunks before the pixels.
    :param pixels: the compressed rows, where they are to be odd.
    """
    head = struct.pack(">IIBBBBB", SIDE, SIDE, depth, kind, 0, 0, 0)
    pixels = zlib.compress(rows) if pixels is None else pixels
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + before + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def _rows(pixel: Callable[[int, int], bytes]) -> bytes:
    return b"".join(b"\0" + b"".join(pixel(x, y) for x in range(SIDE)) for y in range(SIDE))


def _levels(*values: int) -> bytes:
    return struct.pack(f">{len(values)}H", *values)


GREY = _rows(lambda x, y: bytes([x * 8]))
GREY_2 = (b"\0" + bytes([0b00011011] * 8)) * SIDE
GREY_4 = (b"\0" + bytes(n * 16 + 15 - n for n in range(16))) * SIDE
ROWS_1 = (b"\0" + b"\xaa\x0f\xaa\x0f") * SIDE
RGB = _rows(lambda x, y: bytes([x * 8, y * 8, 99]))
WIDE = struct.pack(">8I", 31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000)


def _pngs() -> dict[str, bytes]:
    plain, squeezed = raw_png(8, 0, GREY), zlib.compress(GREY)
    spoiled = chunk(b"tEXt", b"a\0b")[:-1] + b"\xff"
    start = plain.index(b"IDAT")
    return {
        "grey of 16 bits": raw_png(16, 0, _rows(lambda x, y: _levels(x * 2048 + y))),
        "dark grey of 16 bits": raw_png(16, 0, _rows(lambda x, y: _levels(x * 8))),
        "grey of 2 bits": raw_png(2, 0, GREY_2),
        "grey of 4 bits": raw_png(4, 0, GREY_4),
        "grey with alpha": raw_png(8, 4, _rows(lambda x, y: bytes([x * 8, y * 8]))),
        "grey with alpha of 16 bits": raw_png(16, 4, _rows(lambda x, y: _levels(x * 2048, y * 2048))),
        "grey and a level not seen": raw_png(8, 0, GREY, chunk(b"tRNS", _levels(80))),
        "1 bit and a level not seen": raw_png(1, 0, ROWS_1, chunk(b"tRNS", _levels(1))),
        "2 bits and a level not seen": raw_png(2, 0, GREY_2, chunk(b"tRNS", _levels(2))),
        "4 bits and a level not seen": raw_png(4, 0, GREY_4, chunk(b"tRNS", _levels(3))),
        "16 bits and a level not seen": raw_png(
            16, 0, _rows(lambda x, y: _levels(x * 2048)), chunk(b"tRNS", _levels(4096))
        ),
        "16 bits and a level that is near": raw_png(
            16, 0, _rows(lambda x, y: _levels(x * 2048 + 1)), chunk(b"tRNS", _levels(4096))
        ),
        "a colour not seen": raw_png(8, 2, RGB, chunk(b"tRNS", _levels(80, 80, 99))),
        "a colour of 16 bits not seen": raw_png(
            16, 2, _rows(lambda x, y: _levels(x * 2048, y * 2048, 0)), chunk(b"tRNS", _levels(10240, 10240, 0))
        ),
        "RGBA of 16 bits": raw_png(16, 6, _rows(lambda x, y: _levels(x * 2048, y * 2048, 0, x * 2048))),
        "a palette with levels": raw_png(8, 3, GREY, chunk(b"PLTE", PALETTE) + chunk(b"tRNS", bytes(range(256)))),
        "a palette with few levels": raw_png(
            8, 3, _rows(lambda x, y: bytes([x])), chunk(b"PLTE", PALETTE) + chunk(b"tRNS", bytes([0, 128, 255, 10]))
        ),
        "a palette of 4 bits": raw_png(
            4, 3, GREY_4, chunk(b"PLTE", PALETTE[:48]) + chunk(b"tRNS", bytes([0, 50, 100]))
        ),
        "a palette of 1 bit": raw_png(1, 3, ROWS_1, chunk(b"PLTE", PALETTE[:6]) + chunk(b"tRNS", bytes([0, 200]))),
        "another gamma": raw_png(8, 0, GREY, chunk(b"gAMA", struct.pack(">I", 100_000))),
        "another gamma in colour": raw_png(8, 2, RGB, chunk(b"gAMA", struct.pack(">I", 70_000))),
        "the usual gamma": raw_png(8, 0, GREY, chunk(b"gAMA", struct.pack(">I", 45_455))),
        "wide colours": raw_png(8, 2, RGB, chunk(b"cHRM", WIDE) + chunk(b"gAMA", struct.pack(">I", 45_455))),
        "colours by number": raw_png(8, 2, RGB, chunk(b"cICP", bytes([12, 13, 0, 1]))),
        "turned by metadata": encoded(_scene(), "PNG", exif=_turned()),
        "no end": plain[:-12],
        "a wrong checksum of pixels": plain[: start + 4 + len(squeezed)] + bytes(4) + plain[-12:],
        "a wrong checksum of text": plain[:33] + spoiled + plain[33:],
        "text that grows": plain[:33] + chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(1 << 26))) + plain[33:],
        "a profile that is none": plain[:33] + chunk(b"iCCP", b"a\0\0zzz") + plain[33:],
        "no checksum of the rows": raw_png(8, 0, b"", pixels=squeezed[:-4]),
        "rows too many": raw_png(8, 0, GREY + bytes(500)),
        "something behind it": plain + b"something",
    }


def _scene() -> Image.Image:
    image = Image.new("RGB", (64, 48), "white")
    draw = ImageDraw.Draw(image)
    for n in range(8):
        draw.rectangle((n * 8, 0, n * 8 + 7, 23), fill=(n * 36, 255 - n * 30, n * 70 % 256))
    return image


def _turned() -> Image.Exif:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    return exif


def _jpegs() -> dict[str, bytes]:
    image = _scene()
    data = encoded(image, "JPEG", quality=95)
    return {
        "grey": encoded(image.convert("L"), "JPEG", quality=95),
        "CMYK": encoded(image.convert("CMYK"), "JPEG", quality=95),
        "RGB": encoded(image, "JPEG", quality=95, keep_rgb=True),
        "progressive": encoded(image, "JPEG", quality=95, progressive=True),
        "restart markers": encoded(image, "JPEG", quality=95, restart_marker_blocks=2),
        "turned by metadata": encoded(image, "JPEG", quality=95, exif=_turned()),
        "something behind it": data + b"something",
    }


Part = tuple[int, int, int, int, "int | Callable[[int, int], int]", int, "int | None", int]


def raw_gif(screen: tuple[int, int], parts: list[Part], loop: int | None = 0, background: int = 0) -> bytes:
    """Return a GIF with a table of eight colours.

    :param parts: left, top, width, height, the colour or a function of the place, disposal, the colour not seen,
        hundredths of a second.
    """
    data = b"GIF89a" + struct.pack("<HHBBB", *screen, 0xF2, background, 0) + CORNERS
    if loop is not None:
        data += b"\x21\xff\x0bNETSCAPE2.0\x03\x01" + struct.pack("<H", loop) + b"\0"
    for left, top, width, height, colour, disposal, unseen, delay in parts:
        flags = disposal << 2 | (unseen is not None)
        data += b"\x21\xf9\x04" + struct.pack("<BHB", flags, delay, unseen or 0) + b"\0"
        data += b"\x2c" + struct.pack("<HHHHB", left, top, width, height, 0) + b"\x03"
        pixels = [colour(x, y) if callable(colour) else colour for y in range(height) for x in range(width)]
        data += _blocks(pixels) + b"\0"
    return data + b"\x3b"


def _blocks(pixels: list[int]) -> bytes:
    """Return pixels in LZW that never makes a longer code: it starts anew after every fourth."""
    codes = [code for n, pixel in enumerate(pixels) for code in ([8, pixel] if n % 4 == 0 else [pixel])] + [9]
    if len(codes) % 2:
        codes.append(0)
    packed = bytes(low | high << 4 for low, high in zip(codes[::2], codes[1::2], strict=True))
    pieces = [packed[n : n + 255] for n in range(0, len(packed), 255)]
    return b"".join(bytes([len(piece)]) + piece for piece in pieces)


def _gifs() -> dict[str, bytes]:
    whole = (0, 0, 40, 30)

    def cut(disposal: int) -> list[Part]:
        return [
            (*whole, 0, 1, None, 10),
            (5, 5, 10, 10, 1, disposal, None, 10),
            (20, 10, 10, 10, 2, disposal, None, 10),
        ]

    def stripes(disposal: int) -> list[Part]:
        return [
            (*whole, lambda x, y: x // 5 % 4, disposal, 1, 10),
            (*whole, lambda x, y: y // 5 % 4, disposal, 1, 10),
        ]

    return {
        "for ever": raw_gif((40, 30), [(*whole, 0, 0, None, 10), (*whole, 1, 1, None, 20), (*whole, 2, 2, None, 5)]),
        "once": raw_gif((40, 30), [(*whole, 0, 0, None, 10), (*whole, 1, 1, None, 20)], None),
        "twice more": raw_gif((40, 30), [(*whole, 0, 0, None, 10), (*whole, 1, 1, None, 20)], 2),
        "cut frames that stay": raw_gif((40, 30), cut(1)),
        "cut frames that go": raw_gif((40, 30), cut(2)),
        "cut frames that give back": raw_gif((40, 30), cut(3)),
        "a first frame that is small": raw_gif(
            (40, 30), [(10, 10, 10, 10, 0, 1, None, 10), (20, 10, 9, 9, 2, 1, None, 10)]
        ),
        "… on a background": raw_gif(
            (40, 30), [(10, 10, 10, 10, 0, 2, None, 10), (20, 10, 9, 9, 2, 2, None, 10)], background=6
        ),
        "see-through frames that stay": raw_gif((40, 30), stripes(1)),
        "see-through frames that go": raw_gif((40, 30), stripes(2)),
        "a first frame that gives back": raw_gif((40, 30), [(*whole, 0, 3, None, 10), (5, 5, 10, 10, 1, 1, None, 10)]),
        "a frame that hangs over": raw_gif((40, 30), [(*whole, 0, 1, None, 10), (30, 20, 20, 20, 1, 1, None, 10)]),
        "a first frame larger than its screen": raw_gif((20, 20), [(*whole, 0, 1, None, 10), (*whole, 1, 1, None, 10)]),
        "no screen": raw_gif((0, 0), [(*whole, 0, 1, None, 10), (*whole, 1, 1, None, 10)]),
        "no time": raw_gif((40, 30), [(*whole, n, 1, None, delay) for n, delay in enumerate((0, 1, 2, 3, 6, 100))]),
        "frames that are equal": raw_gif((40, 30), [(*whole, n // 2, 1, None, 10) for n in range(4)]),
        "250 frames": raw_gif((20, 20), [(0, 0, 20, 20, n % 8, 1, None, 4) for n in range(250)]),
        "no end": raw_gif((40, 30), cut(1))[:-1],
        "one frame that is cut": raw_gif((40, 30), [(10, 10, 10, 10, 0, 1, None, 10)]),
    }


def _moving() -> dict[str, bytes]:
    turned = [_scene().rotate(n * 30) for n in range(3)]
    veils = [Image.new("RGBA", (64, 48)) for _ in range(2)]
    ImageDraw.Draw(veils[0]).rectangle((5, 5, 25, 25), fill=(255, 0, 0, 128))
    ImageDraw.Draw(veils[1]).rectangle((15, 15, 45, 35), fill=(0, 0, 255, 128))
    base = Image.new("RGBA", (64, 48), (0, 160, 90, 255))

    def file(format: str, images: list[Image.Image], **options: object) -> bytes:
        settings: dict[str, object] = {"save_all": True, "append_images": images[1:], "duration": 100, "loop": 0}
        return encoded(images[0], format, **settings | options)

    return {
        "apng": file("PNG", turned, duration=[50, 100, 300]),
        "apng whose first picture is another": file("PNG", turned, default_image=True, loop=3),
        "apng of veils": file("PNG", [base, *veils], blend=1, disposal=0),
        "apng that gives back": file("PNG", [base, *veils], blend=1, disposal=2),
        "apng that goes": file("PNG", [base, *veils], blend=0, disposal=1, loop=1),
        "apng of a palette": file("PNG", [each.quantize(16) for each in turned]),
        "webp": file("WEBP", turned, duration=[50, 100, 300], loop=2, lossless=True),
        "webp of veils": file("WEBP", [base, *veils], lossless=True),
        "webp in a hurry": file("WEBP", turned, duration=[5, 10, 15], lossless=True),
    }


#: By what is odd about it.
STILL = {f"png: {kind}": data for kind, data in _pngs().items()} | {
    f"jpeg: {kind}": data for kind, data in _jpegs().items()
}
MOVING = {f"gif: {kind}": data for kind, data in _gifs().items()} | _moving()
