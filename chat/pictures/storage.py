"""Where the bytes of pictures are: on disk, or at Cloudinary."""

from __future__ import annotations

import logging
import os
import shutil
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, redirect, send_file

from chat.core import clock
from chat.core.errors import NotFound, Unavailable
from chat.core.threads import Threads, at_most
from chat.pictures.process import THUMB

log = logging.getLogger(__name__)

#: Seconds until Cloudinary is connected, and until it has answered.
CONNECT = 3
TIMEOUT = 10
#: Seconds for which an address made with a token key is good, at most.
ADDRESS_LIFE = 600

SIZES = ("full", "thumb")
_THUMB = {"width": THUMB[0], "height": THUMB[1], "crop": "limit", "quality": "auto", "fetch_format": "webp"}
_SANDBOX = {"Content-Security-Policy": "default-src 'none'; sandbox", "Content-Disposition": "inline"}

_copies = Threads(2)


class Storage(Protocol):
    """Keeps a picture under a key: the one to view, and where there is one the smaller one to show."""

    def keep(self, key: str, full: Path, thumb: Path) -> None:
        """Take copies of the files; ``thumb`` may not exist.

        :raises Unavailable: they cannot be stored just now.
        :raises OSError: the disk does not take them.
        """

    def send(self, key: str, size: str) -> Response:
        """Answer with the bytes, or with where they are. Whoever calls this has checked who asks.

        :raises NotFound: there are no such bytes.
        """

    def read(self, key: str) -> bytes:
        """Return the bytes of the larger picture.

        :raises NotFound: there are no such bytes.
        :raises Unavailable: they cannot be read just now.
        """

    def hide(self, key: str, other: str) -> str:
        """Make every address handed out so far useless; return the key under which the bytes are now.

        :param other: a key that is free, unless an earlier try has taken it for this very picture.
        """

    def remove(self, key: str) -> None:
        """Destroy the bytes."""


class Disk:
    """Files in the instance folder, outside of anything served by path."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, key: str, full: Path, thumb: Path) -> None:
        """Copy the files to their place; the disk has them when this returns."""
        problem = _copies.run(self._copy, key, full, thumb)
        if problem is not None:
            self.remove(key)
            raise problem

    def _copy(self, key: str, full: Path, thumb: Path) -> OSError | None:
        """Copy, on a thread; return what went wrong, for gevent prints what a thread raises."""
        try:
            for size, file in (("full", full), ("thumb", thumb)):
                if file.exists():
                    place = self._path(key, size)
                    place.parent.mkdir(parents=True, exist_ok=True)
                    with file.open("rb") as source, place.open("wb") as target:
                        shutil.copyfileobj(source, target)
                        target.flush()
                        os.fsync(target.fileno())
            _sync(place.parent)
        except OSError as problem:
            return problem
        return None

    def send(self, key: str, size: str) -> Response:
        """Send the file; the browser may keep it but asks again, and is asked who it is, each time."""
        path = next((path for path in (self._path(key, size), self._path(key, "full")) if path.is_file()), None)
        if path is None:
            raise NotFound
        response = send_file(path, mimetype="image/webp", conditional=True, etag=path.stem, max_age=0)
        response.headers.update(_SANDBOX)
        response.headers["Cache-Control"] = "private, no-cache"
        return response

    def read(self, key: str) -> bytes:
        """Read the file, on a thread."""
        path = self._path(key, "full")
        if not path.is_file():
            raise NotFound
        return _copies.run(path.read_bytes)

    def hide(self, key: str, other: str) -> str:
        """Return the key: an address of ours is checked at every use."""
        return key

    def remove(self, key: str) -> None:
        """Delete the files."""
        for size in SIZES:
            self._path(key, size).unlink(missing_ok=True)

    def _path(self, key: str, size: str) -> Path:
        return self._folder / key[:2] / f"{key}-{size}.webp"


class Cloudinary:
    """Cloudinary, by its SDK: authenticated assets, signed addresses, its own transformation for the thumbnail."""

    def __init__(self, settings: Any) -> None:
        import cloudinary.uploader  # here: not where it is not used, and not while somebody waits for it
        from urllib3 import Timeout

        self._uploader = cloudinary.uploader
        url = urlsplit(settings.CLOUDINARY_URL)
        self._account = {"cloud_name": url.hostname, "api_key": url.username, "api_secret": url.password}
        self._call = self._account | {"type": "authenticated", "timeout": Timeout(connect=CONNECT, read=TIMEOUT)}
        self._delivery: dict[str, Any] = {"secure": True}
        self._token_key = settings.CLOUDINARY_AUTH_KEY
        if settings.CLOUDINARY_UPLOAD_PREFIX:
            self._call["upload_prefix"] = settings.CLOUDINARY_UPLOAD_PREFIX
            if settings.CLOUDINARY_UPLOAD_PREFIX.startswith("http://"):  # a stand-in on this machine delivers as well
                self._delivery = {"secure": False, "cname": urlsplit(settings.CLOUDINARY_UPLOAD_PREFIX).netloc}

    def keep(self, key: str, full: Path, thumb: Path) -> None:
        """Upload the larger picture; the smaller one is made there."""
        from cloudinary.exceptions import Error

        try:
            with at_most(TIMEOUT):
                self._uploader.upload(str(full), public_id=_public_id(key), overwrite=False, **self._call)
        except (Error, OSError) as problem:
            log.warning("Cloudinary does not take a picture: %.300s", problem)
            raise Unavailable(
                "The picture cannot be stored just now. Nothing else is lost; try again in a moment.", 10
            ) from None

    def send(self, key: str, size: str) -> Response:
        """Redirect to a signed address."""
        from cloudinary.utils import cloudinary_url

        address, _ = cloudinary_url(
            _public_id(key),
            type="authenticated",
            sign_url=True,
            format="webp",
            transformation=[_THUMB] if size == "thumb" else [],
            cloud_name=self._account["cloud_name"],
            api_secret=self._account["api_secret"],
            **self._delivery,
            **self._token(),
        )
        response = redirect(address, 302)
        assert isinstance(response, Response)  # noqa: S101 - werkzeug's type says less
        response.headers["Cache-Control"] = "private, no-cache"
        return response

    def read(self, key: str) -> bytes:
        """Fetch it by a signed address."""
        import requests

        try:
            with at_most(TIMEOUT):
                answer = requests.get(self.send(key, "full").headers["Location"], timeout=(CONNECT, TIMEOUT))
        except (requests.RequestException, OSError):
            raise Unavailable("Cloudinary does not answer. Try again in a moment.", 10) from None
        if answer.status_code != 200:
            raise NotFound
        return answer.content

    def _token(self) -> dict[str, Any]:
        """Return the option for a token. It is the same for some minutes, or no browser could keep a picture."""
        if not self._token_key:
            return {}
        step = ADDRESS_LIFE // 2
        return {"auth_token": {"key": self._token_key, "expiration": (int(clock.now().timestamp()) // step + 2) * step}}

    def hide(self, key: str, other: str) -> str:
        """Rename the asset, so that signed addresses somebody may have kept lead nowhere."""
        from cloudinary.exceptions import NotFound as Gone

        if key == other:
            return key
        with at_most(TIMEOUT):
            try:
                self._uploader.rename(_public_id(key), _public_id(other), invalidate=True, **self._call)
            except Gone:
                pass  # an earlier try was answered too late for us to hear it
        return other

    def remove(self, key: str) -> None:
        """Destroy the asset and what was made of it."""
        with at_most(TIMEOUT):
            self._uploader.destroy(_public_id(key), invalidate=True, **self._call)


def init_app(app: Flask) -> None:
    """Set up both storages where configured; new pictures go to Cloudinary if it is."""
    settings = app.config["SETTINGS"]
    storages: dict[str, Storage] = {"disk": Disk(settings.instance / "pictures")}
    if settings.CLOUDINARY_URL:
        storages["cloudinary"] = Cloudinary(settings)
    app.extensions["pictures"] = storages


def preferred() -> str:
    """Return the name of the storage for new pictures."""
    return "cloudinary" if "cloudinary" in current_app.extensions["pictures"] else "disk"


def named(name: str) -> Storage:
    """Return a storage.

    :raises Unavailable: a picture is at Cloudinary, which is no longer configured.
    """
    try:
        storage: Storage = current_app.extensions["pictures"][name]
    except KeyError:
        raise Unavailable("This picture is at Cloudinary, which is switched off here.", 3600) from None
    return storage


def _public_id(key: str) -> str:
    return f"confab/{key}"


def _sync(folder: Path) -> None:
    """Wait until the disk has a folder and its name, and so the names of what is in it."""
    for each in (folder, folder.parent):
        handle = os.open(each, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
