"""Static files under ``/static/<digest>/…``: stripped of comments and compressed once, cached for a year, no build.

The digest is of the whole tree, so modules import each other by relative path and a release changes every address at once.
``@import "…";`` lines of a stylesheet and the imports of the modules that pages name are put in place here, which saves
the browser a round trip for each; comments and indentation stay behind. While somebody develops, modules stay apart and
everything stays as it was written.
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
import posixpath
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import rcssmin
import rjsmin
from flask import Blueprint, Flask, Response, current_app, request

from chat.errors import NotFound
from chat.web import modules

blueprint = Blueprint("static_files", __name__)

YEAR = "public, max-age=31536000, immutable"
_IMPORT = re.compile(r'^@import "([\w./-]+)";\n', re.MULTILINE)
_ENTRIES = {"js/app.js", "js/bare.js"}
_COMPRESSED = {"text/css", "text/javascript", "image/svg+xml", "application/json", "text/plain"}


@dataclass(frozen=True)
class File:
    """One file, ready to be sent."""

    data: bytes
    packed: bytes | None
    mimetype: str


class Static:
    """The files of ``static/`` and of the theme, which wins. What was not there at the start is not there."""

    def __init__(self, folders: list[Path]) -> None:
        self._folders = folders
        self._files: dict[str, File] = {}
        self._sources: dict[str, Path] = {}
        for folder in reversed(folders):
            self._sources |= {str(each.relative_to(folder)): each for each in folder.rglob("*") if each.is_file()}
        digest = hashlib.sha256()
        for path in sorted(self._sources):
            digest.update(path.encode() + b"\0" + self._sources[path].read_bytes())
        self.digest = digest.hexdigest()[:12]

    def get(self, path: str) -> File:
        """Return a file.

        :raises NotFound: there is none of that name.
        """
        if path not in self._files:
            mimetype = (
                "text/javascript"
                if path.endswith(".js")
                else mimetypes.guess_type(path)[0] or "application/octet-stream"
            )
            if mimetype == "text/css":
                data = _stripped(self._inline(path), rcssmin.cssmin)
            elif mimetype == "text/javascript" and not path.startswith("vendor/"):
                whole = path in _ENTRIES and not current_app.debug
                data = _stripped(modules.bundle(path, self._text) if whole else self._text(path), rjsmin.jsmin)
            else:
                data = self._find(path).read_bytes()
            packed = gzip.compress(data, 9, mtime=0) if mimetype in _COMPRESSED else None
            self._files[path] = File(data, packed, mimetype)
        return self._files[path]

    def again(self) -> Static:
        """Return the files as they are now, for development."""
        return Static(self._folders)

    def _find(self, path: str) -> Path:
        try:
            return self._sources[path]
        except KeyError:
            raise NotFound from None

    def _text(self, path: str) -> str:
        return self._find(path).read_text("utf-8")

    def _inline(self, path: str) -> str:
        def place(match: re.Match[str]) -> str:
            return self._text(posixpath.normpath(posixpath.join(posixpath.dirname(path), match[1])))

        return _IMPORT.sub(place, self._text(path))


def _stripped(text: str, strip: Callable[[str], str]) -> bytes:
    """Take comments and indentation out, which is a third of what we write; not while somebody develops."""
    return (text if current_app.debug else strip(text)).encode()


def init_app(app: Flask) -> None:
    """Find the files and serve them."""
    folders = [Path(app.root_path).resolve() / "static"]
    if app.config["THEME_DIR"]:
        folders.insert(0, Path(app.config["THEME_DIR"]).resolve() / "static")
    app.extensions["static"] = Static([each for each in folders if each.is_dir()])
    app.register_blueprint(blueprint)


def static_url(path: str) -> str:
    """Return the address of a static file, with the digest of this release."""
    return f"/static/{current_app.extensions['static'].digest}/{path}"


@blueprint.get("/static/<digest>/<path:path>")
def file(digest: str, path: str) -> Response:
    """Send a file. A page of another release gets today's file, but must not keep it."""
    static: Static = current_app.extensions["static"]
    if current_app.debug:
        static = static.again()
    return _send(static.get(path), YEAR if digest == static.digest else "no-cache")


@blueprint.get("/favicon.ico")
def favicon() -> Response:
    """Send the icon to browsers that ask for it by its old name."""
    return _send(current_app.extensions["static"].get("icons/confab.svg"), "public, max-age=86400")


def _send(found: File, caching: str) -> Response:
    packed = found.packed if "gzip" in request.headers.get("Accept-Encoding", "") else None
    response = Response(packed or found.data, mimetype=found.mimetype)
    if packed:
        response.headers["Content-Encoding"] = "gzip"
    # Only what means something for a file.
    response.headers.update(
        {
            "Cache-Control": caching,
            "Vary": "Accept-Encoding",
            "Content-Security-Policy": "default-src 'none'",
            "X-Content-Type-Options": "nosniff",
            "Cross-Origin-Resource-Policy": "same-origin",
        }
    )
    return response
