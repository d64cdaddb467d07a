"""Reading picture files as browsers do, where Pillow reads them otherwise.

A part of the program in ``process.py``: it imports nothing of Confab. Sources: the GIF89a specification; PNG, third
edition (W3C, 2025), §11; ICC.1:2010, §7 to §10; what Chromium shows, which the tests compare.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any

GIF = (b"GIF87a", b"GIF89a")
PNG = b"\x89PNG\r\n\x1a\n"
#: Chunks of a PNG that change how it looks. All others, and their checksums, are left out before anything is decoded.
_SEEN = {
    b"IHDR",
    b"PLTE",
    b"tRNS",
    b"IDAT",
    b"acTL",
    b"fcTL",
    b"fdAT",
    b"gAMA",
    b"cHRM",
    b"sRGB",
    b"iCCP",
    b"cICP",
    b"eXIf",
    b"IEND",
}
#: Most bytes of a colour profile; Pillow refuses more.
_MAX_PROFILE = 1024 * 1024
#: Most frames of something that moves.
MAX_FRAMES = 1_000


class Cut(Exception):
    """The file ends before the picture does."""


# -- JPEG


def with_end(data: bytes) -> bytes:
    """Return a JPEG that lacks its last bytes with the marker of its end.

    :raises Cut: more than its last row of blocks is missing.
    """
    from PIL import Image, ImageChops

    if b"\xff\xd9" in data[data.rfind(b"\xff\xda") :]:
        return data
    data = data.rstrip(b"\xff")
    # Bytes after the end of the data change only the part that is missing.
    ended = []
    for tail in (b"", b"\x5a" * 64):
        with Image.open(BytesIO(data + tail + b"\xff\xd9"), formats=["JPEG"]) as image:
            image.draft("L", (max(1, image.width // 8), max(1, image.height // 8)))
            ended.append(image.convert("L"))
    differs = ImageChops.difference(*ended).getbbox()
    if differs is not None and differs[1] < ended[0].height - 2:
        raise Cut
    return data + b"\xff\xd9"


# -- PNG


def without_ballast(data: bytes) -> bytes:
    """Return a PNG with only the chunks that show, all checksums right, and its transparent colour as Pillow reads it.

    :raises Cut: it ends within its pixels.
    """
    chunks = list(_chunks(data))
    if not chunks or chunks[0][0] != b"IHDR" or len(chunks[0][1]) != 13:
        return data
    width, height, depth, kind = struct.unpack(">IIBB", chunks[0][1][:10])
    if chunks[-1][0] != b"IEND":
        pixels = b"".join(content for name, content in chunks if name == b"IDAT")
        if not _holds(pixels, width, height, depth, kind):
            raise Cut
        chunks.append((b"IEND", b""))
    kept = [(name, content) for name, content in chunks if name in _SEEN and (name != b"iCCP" or _fits(content))]
    return PNG + b"".join(_chunk(name, _readable(name, content, depth, kind)) for name, content in kept)


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    place = len(PNG)
    while place + 8 <= len(data):
        size, name = struct.unpack(">I4s", data[place : place + 8])
        yield name, data[place + 8 : place + 8 + size]
        if name == b"IEND":
            return
        place += 12 + size


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def _fits(profile: bytes) -> bool:
    inflater = zlib.decompressobj()
    try:
        inflater.decompress(profile.partition(b"\0")[2][1:], _MAX_PROFILE)
    except zlib.error:
        return False
    return not inflater.unconsumed_tail


def _holds(pixels: bytes, width: int, height: int, depth: int, kind: int) -> bool:
    """Tell whether compressed pixels are all there; the few bytes more of an interlaced picture do not matter."""
    expected = height * (1 + width * depth * {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}.get(kind, 1) // 8)
    inflater, size = zlib.decompressobj(), 0
    try:
        while size < expected and pixels:
            size += len(inflater.decompress(pixels, 1 << 20))
            pixels = inflater.unconsumed_tail
    except zlib.error:
        return False
    return size >= expected


def _readable(name: bytes, content: bytes, depth: int, kind: int) -> bytes:
    """Return the transparent colour at the scale of the pixels that Pillow makes of the file: 8 bits, but for 16 of grey."""
    if name != b"tRNS" or kind not in {0, 2} or len(content) < (2 if kind == 0 else 6):
        return content
    levels = struct.unpack(f">{len(content) // 2}H", content[: len(content) // 2 * 2])
    if depth in {2, 4}:
        levels = tuple((level & ((1 << depth) - 1)) * 255 // ((1 << depth) - 1) for level in levels)
    elif depth == 16 and kind == 2:
        levels = tuple(level >> 8 for level in levels)
    return struct.pack(f">{len(levels)}H", *levels)


# -- the colours of a PNG that has no profile

_SRGB = (0.3127, 0.329, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06)
#: White point and primaries by number. Source: ITU-T H.273, table 2.
_PRIMARIES = {
    9: (0.3127, 0.329, 0.708, 0.292, 0.17, 0.797, 0.131, 0.046),
    12: (0.3127, 0.329, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06),
}
_SRGB_CURVE = b"para\0\0\0\0\0\x03\0\0" + struct.pack(
    ">5i", *(round(v * 65536) for v in (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045))
)

Matrix = list[list[float]]


def profile_of(data: bytes) -> bytes | None:
    """Return the ICC profile that the chunks gAMA, cHRM and cICP of a PNG stand for; None for the usual colours."""
    chunks = dict(_chunks(data))
    coded, gamma = chunks.get(b"cICP", b""), int.from_bytes(chunks.get(b"gAMA", b""), "big") / 100_000
    if len(coded) == 4:
        return _profile(_PRIMARIES[coded[0]], _SRGB_CURVE) if coded[0] in _PRIMARIES and coded[1] in {1, 13} else None
    if {b"iCCP", b"sRGB"} & set(chunks) or not 0.05 < gamma < 5:
        return None
    colours = chunks.get(b"cHRM", b"")
    if len(colours) != 32 and abs(gamma - 1 / 2.2) < 0.001:
        return None
    curve = b"curv\0\0\0\0\0\0\0\x01" + struct.pack(">H", min(0xFFFF, round(256 / gamma)))
    try:
        said = tuple(value / 100_000 for value in struct.unpack(">8I", colours)) if len(colours) == 32 else _SRGB
        return _profile(said, curve)
    except ZeroDivisionError:
        return None


def _profile(chromaticities: tuple[float, ...], curve: bytes) -> bytes:
    """Return a matrix profile, adapted to its D50 by Bradford's matrix as ICC.1 asks."""
    x, y, *rest = chromaticities
    white = [x / y, 1.0, (1 - x - y) / y]
    columns = [[px / py, 1.0, (1 - px - py) / py] for px, py in zip(rest[::2], rest[1::2], strict=True)]
    scale = _times(_inverse(_transposed(columns)), white)
    cone = [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
    d50 = [0.9642, 1.0, 0.8249]
    ratio = [there / here for here, there in zip(_times(cone, white), _times(cone, d50), strict=True)]
    tags = {b"wtpt": _xyz(d50)}
    for name, column, size in zip((b"r", b"g", b"b"), columns, scale, strict=True):
        seen = [value * each for value, each in zip(_times(cone, [size * v for v in column]), ratio, strict=True)]
        tags |= {name + b"XYZ": _xyz(_times(_inverse(cone), seen)), name + b"TRC": curve + bytes(-len(curve) % 4)}
    table, contents, place = b"", b"", 128 + 4 + 12 * len(tags)
    for tag, content in tags.items():
        table += struct.pack(">4sII", tag, place + len(contents), len(content))
        contents += content
    body = struct.pack(">I", len(tags)) + table + contents
    head = (
        struct.pack(">I4xI4s4s4s", 128 + len(body), 0x04300000, b"mntr", b"RGB ", b"XYZ ")
        + bytes(12)
        + b"acsp"
        + bytes(28)
    )
    return head + struct.pack(">3i", *(round(v * 65536) for v in d50)) + bytes(48) + body


def _xyz(values: list[float]) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(v * 65536) for v in values))


def _times(matrix: Matrix, vector: list[float]) -> list[float]:
    return [sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix]


def _transposed(matrix: Matrix) -> Matrix:
    return [list(column) for column in zip(*matrix, strict=True)]


def _inverse(m: Matrix) -> Matrix:
    (a, b, c), (d, e, f), (g, h, i) = m
    whole = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)
    parts = [
        [e * i - f * h, c * h - b * i, b * f - c * e],
        [f * g - d * i, a * i - c * g, c * d - a * f],
        [d * h - e * g, b * g - a * h, a * e - b * d],
    ]
    return [[value / whole for value in row] for row in parts]


# -- moving pictures

KEEP, CLEAR, RESTORE = range(3)


@dataclass
class Frame:
    """A frame of a GIF or APNG: its rectangle, milliseconds, and a file that holds it alone.

    :ivar after: its end when its time is over: ``KEEP``, ``CLEAR`` to see-through, or ``RESTORE`` the picture of before.
    :ivar replaces: it takes the place of the picture under it, see-through parts too.
    :ivar file: in pieces, of which all frames share some: together they may be a thousand times as large as what was sent.
    """

    left: int
    top: int
    size: tuple[int, int]
    after: int
    replaces: bool
    duration: int
    file: tuple[bytes, ...]


@dataclass
class Animation:
    """A moving picture taken apart, without a pixel decoded.

    :ivar loop: how often it is shown, 0 for ever.
    :ivar count: number of frames in the file; ``frames`` has the first MAX_FRAMES of them.
    """

    size: tuple[int, int]
    loop: int
    frames: list[Frame]
    count: int = 0

    def add(self, frame: Frame) -> None:
        """Add a frame, and only count it where there are too many already."""
        self.count += 1
        if self.count <= MAX_FRAMES:
            self.frames.append(frame)

    def pictures(self) -> Iterator[tuple[Any, int]]:
        """Yield each picture as it is seen, and its milliseconds; a frame that is cut ends it.

        :raises Cut: there is not even a first one.
        """
        from PIL import Image

        canvas = Image.new("RGBA", self.size)
        for number, frame in enumerate(self.frames):
            try:
                with Image.open(BytesIO(b"".join(frame.file)), formats=["GIF", "PNG"]) as image:
                    picture = image.convert("RGBA")
            except (OSError, EOFError, SyntaxError, ValueError):
                if number == 0:
                    raise Cut from None
                return
            place = (frame.left, frame.top, frame.left + frame.size[0], frame.top + frame.size[1])
            before = canvas.copy() if frame.after == RESTORE else None
            if not frame.replaces:
                picture = Image.alpha_composite(canvas.crop(place), picture)
            canvas.paste(picture, place)
            yield canvas.copy(), frame.duration
            if before is not None:
                canvas = before
            elif frame.after == CLEAR:
                canvas.paste((0, 0, 0, 0), place)


def read_apng(data: bytes) -> Animation | None:
    """Take an APNG apart; None for a PNG that stands still.

    :param data: as ``without_ballast`` returns it.
    """
    chunks = list(_chunks(data))
    named = dict(chunks)
    if len(named.get(b"acTL", b"")) != 8 or b"fcTL" not in named or len(named[b"IHDR"]) != 13:
        return None
    shared = b"".join(
        _chunk(name, content)
        for name, content in chunks
        if name in {b"PLTE", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP"}
    )
    found = Animation(struct.unpack(">II", named[b"IHDR"][:8]), int.from_bytes(named[b"acTL"][4:], "big"), [])
    pixels: list[bytes] = []
    control = b""

    def finish() -> None:
        if len(control) < 26 or not pixels:
            return
        w, h, left, top, delay, per, after, blend = struct.unpack(">4IHHBB", control[4:26])
        head = PNG + _chunk(b"IHDR", struct.pack(">II", w, h) + named[b"IHDR"][8:])
        alone = head, shared, _chunk(b"IDAT", b"".join(pixels)), _chunk(b"IEND", b"")
        # Nothing was before the first one, so there is nothing to restore.
        after = CLEAR if after == RESTORE and not found.frames else after
        found.add(Frame(left, top, (w, h), after, blend == 0, delay * 1000 // (per or 100), alone))

    for name, content in chunks:
        if name in {b"fcTL", b"IEND"}:
            finish()
            control, pixels = content, []
        elif name == b"IDAT":
            pixels.append(content)  # without a fcTL before it, no part of what moves
        elif name == b"fdAT":
            pixels.append(content[4:])
    return found if len(found.frames) > 1 else None


def read_gif(data: bytes) -> Animation:
    """Take a GIF apart.

    :raises Cut: it ends before its first frame begins.
    """
    if len(data) < 13:
        raise Cut
    width, height, flags = struct.unpack("<HHB", data[6:11])
    place = 13 + (3 << (flags & 7) + 1 if flags & 0x80 else 0)
    colours = data[13:place]
    found, loop, control = Animation((width, height), 1, []), 1, b""
    while place < len(data):
        kind = data[place]
        if kind == 0x21:
            end = _blocks_end(data, place + 2)
            extension = data[place:end]
            if extension[1:3] == b"\xf9\x04" and len(extension) >= 8:
                control = extension
            elif extension[2:14] in {b"\x0bNETSCAPE2.0", b"\x0bANIMEXTS1.0"} and extension[14:16] == b"\x03\x01":
                times = int.from_bytes(extension[16:18], "little")
                loop = times + 1 if times else 0  # the file says how often it is shown again
            place = end
        elif kind == 0x2C and place + 10 < len(data):
            left, top, w, h, own = struct.unpack("<4HB", data[place + 1 : place + 10])
            table_end = place + 10 + (3 << (own & 7) + 1 if own & 0x80 else 0)
            end = _blocks_end(data, table_end + 1)
            if not found.frames:
                found.size = max(width, left + w), max(height, top + h)
            screen = b"GIF89a" + struct.pack("<HHB", w, h, flags) + b"\0\0"
            alone = b"\x2c\0\0\0\0" + struct.pack("<HHB", w, h, own) + data[place + 10 : end] + b"\x3b"
            disposal, delay = (control[3] >> 2 & 7, int.from_bytes(control[4:6], "little")) if control else (0, 0)
            after = {2: CLEAR, 3: RESTORE, 4: RESTORE}.get(disposal, KEEP)  # 4 is what some programs write for 3
            found.add(Frame(left, top, (w, h), after, False, delay * 10, (screen, colours, control, alone)))
            place, control = end, b""
        else:
            break  # the end, or what browsers take for it
    if not found.frames:
        raise Cut
    found.loop = loop
    return found


def _blocks_end(data: bytes, place: int) -> int:
    """Return where a chain of blocks ends, at the latest with the data."""
    while place < len(data) and data[place]:
        place += 1 + data[place]
    return min(place + 1, len(data))
