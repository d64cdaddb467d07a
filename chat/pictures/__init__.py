"""Pictures: made safe in a process of their own, kept in two sizes, sent to whoever the caller says may see them."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import tempfile
import threading
from collections.abc import Collection
from pathlib import Path
from typing import IO

from flask import Flask, Response
from sqlalchemy import delete, insert, select, update

from chat import clock, ids
from chat.bus import transaction
from chat.database import db
from chat.errors import Invalid, NotFound
from chat.pictures import storage
from chat.pictures.models import Picture

log = logging.getLogger(__name__)

#: Largest file, in bytes.
MAX_BYTES = 10 * 1024 * 1024
#: Seconds one picture may take.
_TIMEOUT = 30
_PROCESS = Path(__file__).with_name("process.py")
#: How many are worked on at the same time.
_slots = threading.BoundedSemaphore(2)


def init_app(app: Flask) -> None:
    """Set up where pictures are kept."""
    storage.init_app(app)


def keep(source: IO[bytes], owner_id: str) -> str:
    """Take an uploaded file, make it safe, store it, and return the id of the picture.

    :raises Invalid: it is too large or no picture that we take, with the reason.
    :raises Unavailable: it cannot be stored just now.
    """
    with tempfile.TemporaryDirectory(prefix="confab-") as folder:
        raw, full, thumb = (Path(folder, name) for name in ("raw", "full.webp", "thumb.webp"))
        _copy(source, raw)
        width, height = _process(raw, full, thumb)
        picture_id, key, place = ids.new(), ids.new(), storage.preferred()
        storage.named(place).keep(key, full, thumb)
    with transaction():
        values = {
            "id": picture_id,
            "owner_id": owner_id,
            "storage": place,
            "key": key,
            "width": width,
            "height": height,
        }
        db.session.execute(insert(Picture).values(created_at=clock.now(), **values))
    return picture_id


def send(picture_id: str, size: str) -> Response:
    """Answer with a picture. Whoever calls this has checked who asks.

    :param size: ``full`` or ``thumb``.
    :raises NotFound: there is no such picture.
    """
    picture = db.session.get(Picture, picture_id)
    if picture is None or size not in storage.SIZES:
        raise NotFound
    return storage.named(picture.storage).send(picture.key, size)


def hide(picture_ids: Collection[str]) -> None:
    """Make addresses of these pictures that somebody may have kept useless; the pictures stay."""
    for picture in db.session.execute(select(Picture).where(Picture.id.in_(sorted(picture_ids)))).scalars().all():
        key = storage.named(picture.storage).hide(picture.key)
        if key != picture.key:
            with transaction():
                db.session.execute(update(Picture).where(Picture.id == picture.id).values(key=key))


def discard(picture_id: str | None) -> None:
    """Destroy a picture that nothing refers to any more; None is nothing."""
    picture = db.session.get(Picture, picture_id) if picture_id else None
    if picture is None:
        return
    with transaction():
        db.session.execute(delete(Picture).where(Picture.id == picture.id))
    try:
        storage.named(picture.storage).remove(picture.key)
    except Exception:  # the row is gone, so the bytes can never be asked for
        log.exception("cannot remove the bytes of picture %s", picture.id)


def _copy(source: IO[bytes], target: Path) -> None:
    size = 0
    with target.open("wb") as file:
        while piece := source.read(64 * 1024):
            size += len(piece)
            if size > MAX_BYTES:
                raise Invalid(f"The picture is over {MAX_BYTES // 1024 // 1024} MB.")
            file.write(piece)
    if not size:
        raise Invalid("The file is empty.")


def _process(raw: Path, full: Path, thumb: Path) -> tuple[int, int]:
    command = [sys.executable, "-I", str(_PROCESS), str(raw), str(full), str(thumb)]
    with _slots:
        try:
            done = subprocess.run(command, capture_output=True, timeout=_TIMEOUT, check=False)  # noqa: S603 - our own file
        except subprocess.TimeoutExpired:
            raise Invalid("The picture takes too long to work on; make it smaller.") from None
    try:
        outcome = json.loads(done.stdout)
    except ValueError:  # killed by one of its limits
        log.warning("a picture ended its process with %s", done.returncode)
        raise Invalid("The picture is too large to work with, or damaged.") from None
    if "refused" in outcome:
        raise Invalid(outcome["refused"])
    width, height = outcome["full"]
    return int(width), int(height)


__all__ = ["MAX_BYTES", "discard", "hide", "init_app", "keep", "send"]
