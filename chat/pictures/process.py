"""A program of its own: turns one uploaded file into safe pictures, or says why not.

Run apart from the application because decoders are the riskiest code there is: a bomb or a fault ends this process, with
its own limits of memory and time, and holds up nobody. It reads JPEG, PNG, WebP and GIF by content, never by name; applies
orientation and colour profile; and writes WebP without a trace of metadata: one to view and, unless that is as small
already, one to show in the timeline.

Usage: ``process.py SOURCE FULL THUMB [face]``. Prints one line of JSON: ``{"size": [width, height]}`` of the first one,
``{"refused": reason}`` for people, or ``{"failed": reason}`` when the disk does not take the result.
"""

from __future__ import annotations

import json
import math
import os
import resource
import sys
import warnings
from io import BytesIO
from pathlib import Path
from typing import Any

MEMORY = 1024 * 1024 * 1024
CPU_SECONDS = 15

FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
MAX_PIXELS = 40_000_000
MAX_SIDE = 10_000
MAX_FRAMES = 200
#: Most pixels over all frames of something that moves: taken, and kept.
MAX_MOVING_PIXELS = 100_000_000
KEPT_MOVING_PIXELS = 50_000_000

#: The longer side of a picture to view. A long strip keeps ``STRIP`` on the shorter one, or its text could not be read.
FULL = 2048
STRIP = 1024
#: Twice the 440 × 320 CSS pixels that the timeline gives a picture.
THUMB = (880, 640)
#: The side of a face; the largest place for one has 96 CSS pixels.
FACE = 256
#: How much larger than with loss a picture may be that came without.
EXACT_WORTH = 1.5


class Refused(Exception):
    """The file cannot be taken; the text is a sentence for people."""


def process(source: str, full: str, thumb: str, face: bool = False) -> tuple[int, int]:
    """Write the pictures and return the size of the first.

    :param face: cut the middle out of it, as a square.
    :raises Refused: with the reason.
    :raises OSError: the result cannot be written; it has an ``errno``.
    """
    from PIL import Image, UnidentifiedImageError

    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    try:
        with Image.open(source, formats=FORMATS) as image:
            _check_size(image)
            frames = getattr(image, "n_frames", 1) if image.format in {"GIF", "WEBP"} else 1
            if frames > 1 and not face:
                return _moving(image, frames, full)
            return _still(image, full, thumb, face)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise Refused(f"The picture has more than {MAX_PIXELS // 1_000_000} megapixels.") from None
    except UnidentifiedImageError:
        raise Refused("This is not a JPEG, PNG, WebP or GIF picture.") from None
    except MemoryError:
        raise Refused("The picture is too large to work with.") from None
    except OSError as problem:
        if problem.errno is not None:  # of the system; decoders give none
            raise
        raise Refused("The picture is damaged.") from None
    except (ValueError, SyntaxError, EOFError):
        raise Refused("The picture is damaged.") from None


def _check_size(image: Any) -> None:
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise Refused(f"The picture has {width * height / 1e6:.0f} megapixels; {MAX_PIXELS // 1_000_000} can be taken.")
    if max(width, height) > MAX_SIDE:
        raise Refused(f"The picture is {max(width, height)} pixels long; {MAX_SIDE} can be taken.")


# -- what stands still


def _still(image: Any, full: str, thumb: str, face: bool) -> tuple[int, int]:
    from PIL import Image, ImageOps

    exact = image.format in {"PNG", "GIF"}
    profile, turn = image.info.get("icc_profile"), _turn(image)
    side = min(FACE, *image.size)
    size = (side, side) if face else _full_size(*image.size)
    image.draft("RGB", size)  # lets a JPEG be decoded at a smaller scale
    image.load()
    picture = _with_levels(image)
    if face:
        picture = ImageOps.fit(picture, size, Image.Resampling.LANCZOS)
    elif picture.size != size:
        picture = picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)
    picture = _in_srgb(picture, profile)
    if turn is not None:
        picture = picture.transpose(turn)
    to_view = _encoded(picture, 82, exact)
    Path(full).write_bytes(to_view)
    small = picture.copy()
    small.thumbnail(THUMB, Image.Resampling.LANCZOS)
    to_show = _encoded(small, 78, exact)
    if small.size != picture.size and len(to_show) < len(to_view):
        Path(thumb).write_bytes(to_show)
    return picture.size  # type: ignore[no-any-return]


def _full_size(width: int, height: int) -> tuple[int, int]:
    scale = min(
        1.0,
        max(FULL / max(width, height), STRIP / min(width, height)),
        math.sqrt(FULL * FULL / (width * height)),
    )
    return max(1, round(width * scale)), max(1, round(height * scale))


def _turn(image: Any) -> Any:
    """Return how the camera was held, as a method of ``transpose``; None for upright."""
    from PIL.Image import Transpose

    turns = {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }
    try:
        return turns.get(image.getexif().get(0x0112))
    except Exception:
        return None  # metadata is read for this alone, so broken metadata is no reason to refuse a picture


def _with_levels(image: Any) -> Any:
    """Return an image of 8 bits a channel without a palette, which can be scaled without making colours up."""
    if image.mode.startswith("I"):  # convert() would cut 16 bits off at white
        image = image.point(lambda level: level / 256).convert("L")
    if image.has_transparency_data:
        return image.convert("RGBA")
    return image if image.mode in {"L", "RGB", "CMYK"} else image.convert("RGB")


def _in_srgb(image: Any, profile: bytes | None) -> Any:
    """Return an image in the colours that are meant when nothing is said: with the profile, they would wash out."""
    from PIL import ImageCms

    converted: Any
    colours = image.convert("RGB") if image.mode == "RGBA" else image
    try:
        if not profile:
            raise ImageCms.PyCMSError("there is none")
        meant = ImageCms.ImageCmsProfile(BytesIO(profile))
        converted = ImageCms.profileToProfile(colours, meant, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        converted = colours.convert("RGB")
    if image.mode == "RGBA":
        converted.putalpha(image.getchannel("A"))
    return converted


def _encoded(image: Any, quality: int, exact: bool) -> bytes:
    """Return a picture as WebP.

    :param exact: it came without loss, as screenshots do: keep it so, letters and thin lines sharp, unless it is a photograph.
    """
    data = _webp(image, quality=quality, method=4)
    if exact:
        without_loss = _webp(image, lossless=True, quality=50, method=4)
        if len(without_loss) <= EXACT_WORTH * len(data):
            data = without_loss
    return data


def _webp(image: Any, **options: Any) -> bytes:
    file = BytesIO()
    image.save(file, "WEBP", **options)
    return file.getvalue()


# -- what moves


def _moving(image: Any, frames: int, full: str) -> tuple[int, int]:
    """Write all frames, no larger than a thumbnail: such a picture has one size."""
    from PIL import Image, ImageSequence

    width, height = image.size
    if frames > MAX_FRAMES:
        raise Refused(f"The picture has {frames} frames; {MAX_FRAMES} can be taken.")
    if frames * width * height > MAX_MOVING_PIXELS:
        raise Refused("The moving picture is too large; make it smaller or shorter.")
    budget = math.sqrt(KEPT_MOVING_PIXELS / (frames * width * height))
    scale = min(1.0, THUMB[0] / width, THUMB[1] / height, budget)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    pictures, durations = [], []
    for frame in ImageSequence.Iterator(image):
        picture = frame.convert("RGBA")
        durations.append(_duration(frame))  # a WebP knows it once the frame is decoded
        pictures.append(picture if size == picture.size else picture.resize(size, Image.Resampling.BILINEAR))
    data = _webp(
        pictures[0],
        save_all=True,
        append_images=pictures[1:],
        duration=durations,
        loop=image.info.get("loop", 1),
        quality=75,
        method=0,
    )
    Path(full).write_bytes(data)
    return size


def _duration(frame: Any) -> int:
    """Return milliseconds; a frame that says none, or less than browsers believe, gets their tenth of a second."""
    said = int(frame.info.get("duration", 0))
    return said if said >= 20 else 100


def main() -> None:
    """Limit ourselves, do the work, print the outcome."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.nice(10)  # the event loop comes first
    source, full, thumb, *options = sys.argv[1:]
    outcome: dict[str, Any]
    try:
        outcome = {"size": process(source, full, thumb, face="face" in options)}
    except Refused as reason:
        outcome = {"refused": str(reason)}
    except OSError as problem:
        outcome = {"failed": problem.strerror}
    print(json.dumps(outcome))


if __name__ == "__main__":
    main()
