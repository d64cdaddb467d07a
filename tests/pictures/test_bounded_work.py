"""What a small file can make of itself before it is refused: little memory, and no time."""

import os
import resource
import struct
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from chat.pictures import process
from tests.pictures.samples import encoded

PNG = b"\x89PNG\r\n\x1a\n"


def chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def header(width: int, height: int) -> bytes:
    return PNG + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0))


def larger_than_its_canvas() -> bytes:
    """A GIF of which 10 × 10 are seen, and whose frames after the first are 6,000 × 6,000, all of one colour: 100 KB."""
    first, then = (encoded(Image.new("P", (side, side)), "GIF") for side in (10, 6000))
    pieces = [each[each.index(b"\x2c", 13 + (3 << (each[10] & 7) + 1)) : -1] for each in (first, then)]
    screen = b"GIF89a" + struct.pack("<HHB", 10, 10, 0x80) + bytes(8)
    return screen + pieces[0] + pieces[1] * 4 + b"\x3b"


def very_many() -> bytes:
    frame = b"\x2c" + struct.pack("<4HB", 0, 0, 1, 1, 0) + b"\x02\x00"
    return b"GIF89a" + struct.pack("<HHB", 1, 1, 0x87) + bytes(770) + frame * 30_000 + b"\x3b"


def one_profile_for_many() -> bytes:
    profile = chunk(b"iCCP", b"x\0\0" + zlib.compress(os.urandom(1_000_000)))
    frame = chunk(b"fcTL", struct.pack(">5IHHBB", 0, 1, 1, 0, 0, 1, 100, 0, 0))
    frame += chunk(b"fdAT", struct.pack(">I", 1) + zlib.compress(bytes(5)))
    return header(1, 1) + chunk(b"acTL", struct.pack(">II", 100, 0)) + profile + frame * 100 + chunk(b"IEND", b"")


def outcome(data: bytes, folder: Path) -> tuple[str, int]:
    """Return what comes of a file, and how many MB were taken for it at most."""
    source = folder / "source"
    source.write_bytes(data)
    tracemalloc.start()
    try:
        said = str(process.process(str(source), str(folder / "full"), str(folder / "thumb")))
    except process.Refused as refused:
        said = str(refused)
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    return said, peak // 1_000_000


@pytest.mark.parametrize(
    ("make", "said"),
    [(larger_than_its_canvas, "too large"), (very_many, "30000 frames"), (one_profile_for_many, "(1, 1)")],
)
def test_a_file_makes_no_more_of_itself_than_is_taken(tmp_path: Path, make: Callable[[], bytes], said: str):
    answer, megabytes = outcome(make(), tmp_path)
    assert said in answer
    assert megabytes < 20


def test_the_size_of_a_png_is_looked_at_before_its_pixels(tmp_path: Path):
    packer = zlib.compressobj(1)
    pixels = b"".join(packer.compress(bytes(1 << 20)) for _ in range(64)) + packer.flush()
    source = tmp_path / "source"
    source.write_bytes(header(100_000, 100_000) + chunk(b"IDAT", pixels))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_utime
    with pytest.raises(process.Refused, match="megapixels"):
        process.process(str(source), str(tmp_path / "full"), str(tmp_path / "thumb"))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_utime - before < 0.2
