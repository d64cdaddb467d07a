"""Where the bytes of pictures are: on disk, or at Cloudinary."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, redirect, send_file

from chat import ids
from chat.errors import NotFound, Unavailable

#: Seconds Cloudinary may take to answer.
TIMEOUT = 10
#: Seconds for which an address made with a token key is good.
ADDRESS_LIFE = 600

SIZES = ("full", "thumb")
_THUMB = {"width": 880, "height": 640, "crop": "limit", "quality": "auto", "fetch_format": "webp"}
_SANDBOX = {"Content-Security-Policy": "default-src 'none'; sandbox", "Content-Disposition": "inline"}


class Storage(Protocol):
    """Keeps a picture's two sizes under a key."""

    def keep(self, key: str, full: Path, thumb: Path) -> None:
        """Take over the files.

        :raises Unavailable: they cannot be stored just now.
        """

    def send(self, key: str, size: str) -> Response:
        """Answer with the bytes, or with where they are. Whoever calls this has checked who asks.

        :raises NotFound: there are no such bytes.
        """

    def hide(self, key: str) -> str:
        """Make every address handed out so far useless; return the key under which the bytes are now."""

    def remove(self, key: str) -> None:
        """Destroy the bytes."""


class Disk:
    """Files in the instance folder, outside of anything served by path."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, key: str, full: Path, thumb: Path) -> None:
        """Move the files to their place."""
        try:
            for size, file in (("full", full), ("thumb", thumb)):
                place = self._path(key, size)
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.move(file, place)
        except OSError:
            self.remove(key)
            raise Unavailable(
                "The picture cannot be stored: the disk does not take it. Your text is kept.", 60
            ) from None

    def send(self, key: str, size: str) -> Response:
        """Send the file; the browser may keep it but asks again, and is asked who it is, each time."""
        path = self._path(key, size)
        if not path.is_file():
            raise NotFound
        response = send_file(path, mimetype="image/webp", conditional=True, etag=f"{key}-{size}", max_age=0)
        response.headers.update(_SANDBOX)
        response.headers["Cache-Control"] = "private, no-cache"
        return response

    def hide(self, key: str) -> str:
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
        url = urlsplit(settings.CLOUDINARY_URL)
        self._account = {"cloud_name": url.hostname, "api_key": url.username, "api_secret": url.password}
        self._delivery: dict[str, Any] = {"secure": True}
        if settings.CLOUDINARY_UPLOAD_PREFIX:
            self._account["upload_prefix"] = settings.CLOUDINARY_UPLOAD_PREFIX
            if settings.CLOUDINARY_UPLOAD_PREFIX.startswith("http://"):  # a stand-in on this machine delivers as well
                self._delivery = {"secure": False, "cname": urlsplit(settings.CLOUDINARY_UPLOAD_PREFIX).netloc}
        if settings.CLOUDINARY_AUTH_KEY:
            self._delivery["auth_token"] = {"key": settings.CLOUDINARY_AUTH_KEY, "duration": ADDRESS_LIFE}

    def keep(self, key: str, full: Path, thumb: Path) -> None:
        """Upload the larger picture; the smaller one is made there."""
        import cloudinary.exceptions
        import cloudinary.uploader

        try:
            cloudinary.uploader.upload(
                str(full),
                public_id=_public_id(key),
                type="authenticated",
                overwrite=False,
                timeout=TIMEOUT,
                **self._account,
            )
        except (cloudinary.exceptions.Error, OSError):
            raise Unavailable(
                "The picture cannot be stored just now. Your text is kept; try again in a moment.", 10
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
        )
        response = redirect(address, 302)
        assert isinstance(response, Response)  # noqa: S101 - werkzeug's type says less
        response.headers["Cache-Control"] = "private, no-cache"
        return response

    def hide(self, key: str) -> str:
        """Rename the asset, so that signed addresses somebody may have kept lead nowhere."""
        import cloudinary.uploader

        other = ids.new()
        cloudinary.uploader.rename(
            _public_id(key), _public_id(other), type="authenticated", invalidate=True, timeout=TIMEOUT, **self._account
        )
        return other

    def remove(self, key: str) -> None:
        """Destroy the asset and what was made of it."""
        import cloudinary.uploader

        cloudinary.uploader.destroy(
            _public_id(key), type="authenticated", invalidate=True, timeout=TIMEOUT, **self._account
        )


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
