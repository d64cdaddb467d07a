"""A program of its own: turns one uploaded file into safe pictures, or says why not.

Run apart from the application because decoders are the riskiest code there is: a bomb or a fault ends this process, with
its own limits of memory and time, and holds up nobody. It reads JPEG, PNG, WebP and GIF by content, never by name; applies
the orientation; and writes WebP without a trace of metadata: one to view, one to show in the timeline.

Usage: ``process.py SOURCE FULL THUMB``. Prints one line of JSON: the sizes, or ``{"refused": reason}``.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import warnings
from pathlib import Path
from typing import Any

MEMORY = 1024 * 1024 * 1024
CPU_SECONDS = 15

FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
MAX_PIXELS = 40_000_000
MAX_SIDE = 10_000
MAX_FRAMES = 200
#: Most pixels over all frames of something that moves.
MAX_MOVING_PIXELS = 100_000_000

FULL = (2048, 2048)
#: Twice the 440 × 320 CSS pixels that the timeline gives a picture.
THUMB = (880, 640)
MOVING = (880, 640)


class Refused(Exception):
    """The file cannot be taken; the text is a sentence for people."""


def process(source: str, full: str, thumb: str) -> dict[str, Any]:
    """Write the two pictures and return their sizes.

    :raises Refused: with the reason.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    try:
        with Image.open(source, formats=FORMATS) as image:
            _check_size(image)
            frames = getattr(image, "n_frames", 1) if image.format in {"GIF", "WEBP"} else 1
            if frames > 1:
                return _moving(image, frames, full, thumb)
            image.draft("RGB", FULL)  # lets a JPEG be decoded at a smaller scale
            image.load()
            still = ImageOps.exif_transpose(image)
            return {
                "full": _write(still, full, FULL, 82),
                "thumb": _write(still, thumb, THUMB, 78),
                "moving": False,
            }
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise Refused(f"The picture has more than {MAX_PIXELS // 1_000_000} megapixels.") from None
    except UnidentifiedImageError:
        raise Refused("This is not a JPEG, PNG, WebP or GIF picture.") from None
    except MemoryError:
        raise Refused("The picture is too large to work with.") from None
    except (OSError, ValueError, SyntaxError, EOFError):
        raise Refused("The picture is damaged.") from None


def _check_size(image: Any) -> None:
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise Refused(f"The picture has {width * height / 1e6:.0f} megapixels; {MAX_PIXELS // 1_000_000} can be taken.")
    if max(width, height) > MAX_SIDE:
        raise Refused(f"The picture is {max(width, height)} pixels long; {MAX_SIDE} can be taken.")


def _write(image: Any, path: str, box: tuple[int, int], quality: int) -> list[int]:
    from PIL import Image

    image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    image.thumbnail(box, Image.Resampling.LANCZOS)
    with Path(path).open("wb") as file:
        image.save(file, "WEBP", quality=quality, method=4)
        _to_disk(file)
    return list(image.size)


def _moving(image: Any, frames: int, full: str, thumb: str) -> dict[str, Any]:
    from PIL import Image, ImageSequence

    width, height = image.size
    if frames > MAX_FRAMES:
        raise Refused(f"The picture has {frames} frames; {MAX_FRAMES} can be taken.")
    if frames * width * height > MAX_MOVING_PIXELS:
        raise Refused("The moving picture is too large; make it smaller or shorter.")
    pictures, durations = [], []
    for frame in ImageSequence.Iterator(image):
        durations.append(max(20, int(frame.info.get("duration", 100))))
        copy = frame.convert("RGBA")
        copy.thumbnail(MOVING, Image.Resampling.BILINEAR)
        pictures.append(copy)
    for path in (full, thumb):
        with Path(path).open("wb") as file:
            pictures[0].save(
                file,
                "WEBP",
                save_all=True,
                append_images=pictures[1:],
                duration=durations,
                loop=0,
                quality=75,
                method=0,
            )
            _to_disk(file)
    size = list(pictures[0].size)
    return {"full": size, "thumb": size, "moving": True}


def _to_disk(file: Any) -> None:
    file.flush()
    os.fsync(file.fileno())


def main() -> None:
    """Limit ourselves, do the work, print the outcome."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        outcome = process(*sys.argv[1:4])
    except Refused as reason:
        outcome = {"refused": str(reason)}
    print(json.dumps(outcome))


if __name__ == "__main__":
    main()
