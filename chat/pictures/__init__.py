"""Pictures: made safe in a process of their own, kept in two sizes, sent to whoever the caller says may see them."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO

from flask import Flask, Response
from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from chat.core import clock, ids, jobs
from chat.core.bus import transaction
from chat.core.database import db
from chat.core.errors import Invalid, NotFound, Unavailable
from chat.pictures import storage
from chat.pictures.models import Picture
from chat.pictures.process import THUMB
from chat.pictures.turns import Turns

log = logging.getLogger(__name__)

#: Largest file, in bytes.
MAX_BYTES = 10 * 1024 * 1024
#: Seconds one picture may take, and may wait for its turn.
_TIMEOUT = 30
_PROCESS = Path(__file__).with_name("process.py")
#: What the process learns about its surroundings: nothing that is secret.
_ENVIRONMENT = {name: value for name, value in os.environ.items() if name in {"PATH", "LD_LIBRARY_PATH"}}
_turns = Turns(2)


def init_app(app: Flask) -> None:
    """Set up where pictures are kept."""
    storage.init_app(app)


def keep(source: IO[bytes], owner_id: str, face: bool = False) -> str:
    """Take an uploaded file, make it safe, store it, and return the id of the picture.

    :param face: keep the middle of it alone, as a small square.
    :raises Invalid: it is too large or no picture that we take, with the reason.
    :raises Unavailable: it cannot be stored just now.
    :raises TooFast: this person's pictures keep the machine busy.
    """
    db.session.rollback()  # no connection is held while the picture is worked on and travels
    try:
        with tempfile.TemporaryDirectory(prefix="confab-") as folder:
            raw, full, thumb = (Path(folder, name) for name in ("raw", "full.webp", "thumb.webp"))
            _copy(source, raw)
            width, height = _process(raw, full, thumb, owner_id, face)
            return _store(owner_id, width, height, full, thumb)
    except OSError as problem:
        log.warning("the disk does not take a picture: %s", problem)
        raise Unavailable(
            "The picture cannot be stored: the disk does not take it. Nothing else is lost; try again later.", 60
        ) from None


def face(source: IO[bytes], person_id: str) -> bytes:
    """Return an uploaded file made safe, as a small square in WebP, without keeping it.

    :param person_id: whose upload it is.
    :raises Invalid: it is too large or no picture that we take, with the reason.
    :raises Unavailable: the disk does not take it just now.
    :raises TooFast: this person's pictures keep the machine busy.
    """
    db.session.rollback()
    try:
        with tempfile.TemporaryDirectory(prefix="confab-") as folder:
            raw, full, thumb = (Path(folder, name) for name in ("raw", "full.webp", "thumb.webp"))
            _copy(source, raw)
            _process(raw, full, thumb, person_id, face=True)
            return full.read_bytes()
    except OSError as problem:
        log.warning("the disk does not take a picture: %s", problem)
        raise Unavailable("The picture cannot be worked on: the disk does not take it. Try again later.", 60) from None


def send(picture_id: str, size: str) -> Response:
    """Answer with a picture. Whoever calls this has checked who asks.

    :param size: ``full`` or ``thumb``.
    :raises NotFound: there is no such picture.
    """
    picture = db.session.get(Picture, picture_id)
    if picture is None or size not in storage.SIZES:
        raise NotFound
    if picture.width <= THUMB[0] and picture.height <= THUMB[1]:  # everything that moves, too
        size = "full"
    return storage.named(picture.storage).send(picture.key, size)


def hide(new_keys: Mapping[str, str]) -> None:
    """Make addresses of pictures that somebody may have kept useless; the pictures stay.

    :param new_keys: by the id of each picture, the key under which its bytes will be; the same again at a second try.
    """
    for picture in db.session.execute(select(Picture).where(Picture.id.in_(sorted(new_keys)))).scalars().all():
        key = storage.named(picture.storage).hide(picture.key, new_keys[picture.id])
        if key != picture.key:
            with transaction():
                db.session.execute(update(Picture).where(Picture.id == picture.id).values(key=key))


def discard(*picture_ids: str | None) -> None:
    """Destroy pictures that nothing refers to any more; None is nothing. Their bytes follow in a moment."""
    wanted = [each for each in picture_ids if each is not None]
    if not wanted:
        return
    statement = delete(Picture).where(Picture.id.in_(wanted)).returning(Picture.storage, Picture.key)
    with transaction():
        gone = [tuple(row) for row in db.session.execute(statement)]
        if gone:
            jobs.add("destroy_picture", f"destroy:{gone[0][1]}", {"pictures": gone})


def read(picture_id: str) -> bytes:
    """Return the larger bytes of a picture. Whoever calls this has checked who gets them.

    :raises NotFound: there is no such picture.
    :raises Unavailable: its storage does not answer.
    """
    picture = db.session.get(Picture, picture_id)
    if picture is None:
        raise NotFound
    return storage.named(picture.storage).read(picture.key)


@jobs.handles("destroy_picture")
def destroy(due: jobs.Due) -> None:
    """Destroy the bytes of pictures whose rows are gone; those that a try before this one has destroyed are passed over."""
    for place, key in due.payload["pictures"]:
        storage.named(place).remove(key)


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


def _process(raw: Path, full: Path, thumb: Path, person_id: str, face: bool) -> tuple[int, int]:
    command = [sys.executable, "-I", str(_PROCESS), str(raw), str(full), str(thumb), *(["face"] if face else [])]
    try:
        with _turns.turn(person_id, _TIMEOUT):
            done = subprocess.run(  # noqa: S603 - our own file
                command, stdin=subprocess.DEVNULL, capture_output=True, env=_ENVIRONMENT, timeout=_TIMEOUT, check=False
            )
    except subprocess.TimeoutExpired:
        raise Invalid("The picture takes too long to work on; make it smaller.") from None
    try:
        outcome = json.loads(done.stdout)
    except ValueError:  # killed by one of its limits, or by a fault of a decoder
        reason = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        log.warning("a picture ended its process with %s %s", done.returncode, reason[:200])
        raise Invalid("The picture is too large to work with, or damaged.") from None
    if "refused" in outcome:
        raise Invalid(outcome["refused"])
    if "failed" in outcome:
        raise OSError(outcome["failed"])
    width, height = outcome["size"]
    return int(width), int(height)


def _store(owner_id: str, width: int, height: int, full: Path, thumb: Path) -> str:
    """Store the row and then the bytes, so that whatever happens in between, something knows of the bytes."""
    picture_id, key, place = ids.new(), ids.new(), storage.preferred()
    values = {"id": picture_id, "owner_id": owner_id, "storage": place, "key": key, "width": width, "height": height}
    with transaction():
        db.session.execute(insert(Picture).values(created_at=clock.now(), **values))
    try:
        storage.named(place).keep(key, full, thumb)
    except Exception:
        with suppress(SQLAlchemyError):  # then it goes with the others that were never sent
            discard(picture_id)
        raise
    return picture_id


__all__ = ["MAX_BYTES", "discard", "face", "hide", "init_app", "keep", "read", "send"]
