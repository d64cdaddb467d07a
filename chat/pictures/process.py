"""A program of its own: turns one uploaded file into safe pictures, or says why not.

Run apart from the application because decoders are the riskiest code there is: a bomb or a fault ends this process, with
its own limits of memory and time, and holds up nobody. It reads JPEG, PNG, WebP and GIF by content, never by name; applies
orientation and colour profile; and writes WebP without a trace of metadata: one to view and, unless that is as small
already, one to show in the timeline. A picture looks as a browser would show the file, or is refused with the reason:
``tests/pictures/test_look_as_in_a_browser.py`` holds that against Chromium.

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
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))  # a program of its own knows no package
    import files  # type: ignore[import-not-found]
else:
    from chat.pictures import files

MEMORY = 1024 * 1024 * 1024
CPU_SECONDS = 15

FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
MAX_PIXELS = 40_000_000
MAX_SIDE = 10_000
MAX_FRAMES = files.MAX_FRAMES
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


TOO_LARGE = "The moving picture is too large; make it smaller or shorter."
CUT = "The file ends before the picture does: part of it is missing. Send it again, whole."


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
    data = Path(source).read_bytes()
    try:
        if data.startswith(files.GIF):
            return _animation(files.read_gif(data), full, thumb, face)
        if data.startswith(files.PNG):
            if data[12:16] == b"IHDR" and len(data) >= 24:
                _check_size(int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big"))
            data = files.without_ballast(data)
            if moving := files.read_apng(data):
                return _animation(moving, full, thumb, face, files.profile_of(data))
        if data.startswith(b"RIFF") and int.from_bytes(data[4:8], "little") + 8 > len(data):
            raise files.Cut
        with Image.open(BytesIO(data), formats=FORMATS) as image:
            _check_size(*image.size)
            count = getattr(image, "n_frames", 1)
            if count > 1 and image.format == "WEBP" and not face:
                return _moving(_frames(image, count), count, image.size, image.info.get("loop", 1), full)
            return _still(_whole(image, data), data, full, thumb, face)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise Refused(f"The picture has more than {MAX_PIXELS // 1_000_000} megapixels.") from None
    except UnidentifiedImageError:
        raise Refused("This is not a JPEG, PNG, WebP or GIF picture.") from None
    except MemoryError:
        raise Refused("The picture is too large to work with.") from None
    except files.Cut:
        raise Refused(CUT) from None
    except OSError as problem:
        if problem.errno is not None:  # of the system; decoders give none
            raise
        raise Refused(CUT if "truncated" in str(problem).lower() else "The picture is damaged.") from None
    except (ValueError, SyntaxError, EOFError):
        raise Refused("The picture is damaged.") from None


def _animation(
    moving: files.Animation, full: str, thumb: str, face: bool, profile: bytes | None = None
) -> tuple[int, int]:
    for size in (moving.size, *(frame.size for frame in moving.frames)):
        _check_size(*size)
    frames = ((_in_srgb(picture, profile), duration) for picture, duration in moving.pictures())
    if moving.count > 1 and not face:
        # Frames may be larger than the part of them that is seen, and are decoded whole.
        if sum(width * height for width, height in (frame.size for frame in moving.frames)) > MAX_MOVING_PIXELS:
            raise Refused(TOO_LARGE)
        return _moving(frames, moving.count, moving.size, moving.loop, full)
    return _write(next(frames)[0], _kept_size(moving.size, face), full, thumb, exact=True)


def _whole(image: Any, data: bytes) -> Any:
    """Return an image with its end, where a JPEG lacks it."""
    from PIL import Image

    return Image.open(BytesIO(files.with_end(data)), formats=FORMATS) if image.format in {"JPEG", "MPO"} else image


def _check_size(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise Refused(f"The picture has {width * height / 1e6:.0f} megapixels; {MAX_PIXELS // 1_000_000} can be taken.")
    if max(width, height) > MAX_SIDE:
        raise Refused(f"The picture is {max(width, height)} pixels long; {MAX_SIDE} can be taken.")


# -- what stands still


def _still(image: Any, data: bytes, full: str, thumb: str, face: bool) -> tuple[int, int]:
    exact, turn = image.format == "PNG", _turn(image)
    profile = image.info.get("icc_profile") or (files.profile_of(data) if exact else None)
    size = _kept_size(image.size, face)
    image.draft("RGB", size)  # lets a JPEG be decoded at a smaller scale
    image.load()
    return _write(_with_levels(image), size, full, thumb, exact, profile, turn)


def _write(
    picture: Any,
    size: tuple[int, int],
    full: str,
    thumb: str,
    exact: bool,
    profile: bytes | None = None,
    turn: Any = None,
) -> tuple[int, int]:
    from PIL import Image, ImageOps

    if size[0] == size[1]:  # a face, or a square already
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


def _kept_size(size: tuple[int, int], face: bool) -> tuple[int, int]:
    width, height = size
    if face:
        side = min(FACE, width, height)
        return side, side
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
        levels, unseen = image.convert("I"), image.info.get("transparency")
        image = levels.point([level >> 8 for level in range(1 << 16)], "L")
        if isinstance(unseen, int):
            image = image.convert("RGBA")
            image.putalpha(levels.point([255 * (level != unseen) for level in range(1 << 16)], "L"))
    if image.has_transparency_data:
        return image.convert("RGBA")
    return image if image.mode in {"L", "RGB", "CMYK"} else image.convert("RGB")


def _in_srgb(image: Any, profile: bytes | None) -> Any:
    """Return an image in the colours that are meant when nothing is said: with the profile, they would wash out."""
    from PIL import ImageCms

    if not profile:
        return image.convert("RGB") if image.mode not in {"RGB", "RGBA"} else image
    converted: Any
    try:
        meant = ImageCms.ImageCmsProfile(BytesIO(profile))
        colours = image.convert({"GRAY": "L", "CMYK": "CMYK"}.get(meant.profile.xcolor_space.strip(), "RGB"))
        converted = ImageCms.profileToProfile(colours, meant, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        converted = image.convert("RGB")
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


def _moving(
    frames: Iterator[tuple[Any, int]], count: int, size: tuple[int, int], loop: int, full: str
) -> tuple[int, int]:
    """Write all frames, no larger than a thumbnail: such a picture has one size.

    :param frames: pictures as they are seen, each with its milliseconds.
    """
    from PIL import Image

    width, height = size
    if count > MAX_FRAMES:
        raise Refused(f"The picture has {count} frames; {MAX_FRAMES} can be taken.")
    if count * width * height > MAX_MOVING_PIXELS:
        raise Refused(TOO_LARGE)
    budget = math.sqrt(KEPT_MOVING_PIXELS / (count * width * height))
    scale = min(1.0, THUMB[0] / width, THUMB[1] / height, budget)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    pictures, durations = [], []
    for picture, duration in frames:
        pictures.append(picture if size == picture.size else picture.resize(size, Image.Resampling.BILINEAR))
        durations.append(duration if duration > 10 else 100)  # browsers believe no less
    options = {"save_all": True, "append_images": pictures[1:], "duration": durations, "loop": loop}
    Path(full).write_bytes(_webp(pictures[0], quality=75, method=0, allow_mixed=True, **options))
    return size


def _frames(image: Any, count: int) -> Iterator[tuple[Any, int]]:
    """Yield the frames of a WebP as they are seen, each with its milliseconds."""
    profile = image.info.get("icc_profile")
    for number in range(count):
        image.seek(number)
        picture = image.convert("RGBA")  # the duration is known once the frame is decoded
        yield _in_srgb(picture, profile), int(image.info.get("duration", 0))


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
