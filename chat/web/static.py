"""Static files under ``/static/<digest>/…``: ours stripped of comments, all compressed once, cached for a year, no build.

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
import threading
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import brotli
import rcssmin
import rjsmin
from flask import Blueprint, Flask, Response, current_app, request

from chat.core.errors import NotFound
from chat.core.threads import Threads
from chat.web import modules

blueprint = Blueprint("static_files", __name__)

YEAR = "public, max-age=31536000, immutable"
_IMPORT = re.compile(r'^@import "([\w./-]+)";\n', re.MULTILINE)
_ENTRIES = {"js/app.js", "js/bare.js", "js/console.js", "js/kept-forms.js"}
_COMPRESSED = {"text/css", "text/javascript", "image/svg+xml", "application/json", "text/plain"}


#: Brotli takes a tenth off what gzip leaves, and a tenth of a second, once.
_packing = Threads(1)


@dataclass(frozen=True)
class File:
    """One file, ready to be sent."""

    data: bytes
    #: By the name of the encoding, the best first.
    packed: dict[str, bytes]
    mimetype: str


class Static:
    """The files of ``static/`` and of the theme, which wins. What was not there at the start is not there.

    Nor is a link that leads out of them.

    :param folders: ours, and then those that win over it.
    """

    def __init__(self, folders: list[Path]) -> None:
        self._folders = folders
        self._files: dict[str, File] = {}
        self._sources: dict[str, Path] = {}
        self._making = threading.Lock()
        for folder in folders:
            self._sources |= {
                str(each.relative_to(folder)): each
                for each in folder.rglob("*")
                if each.is_file() and each.resolve().is_relative_to(folder)
            }
        digest = hashlib.sha256()
        for path in sorted(self._sources):
            digest.update(path.encode() + b"\0" + self._sources[path].read_bytes())
        self.digest = digest.hexdigest()[:12]

    def get(self, path: str) -> File:
        """Return a file.

        :raises NotFound: there is none of that name.
        """
        if path not in self._files:
            with self._making:  # or all who ask for it first would have it compressed once more
                if path not in self._files:
                    self._files[path] = self._make(path)
        return self._files[path]

    def _make(self, path: str) -> File:
        mimetype = (
            "text/javascript" if path.endswith(".js") else mimetypes.guess_type(path)[0] or "application/octet-stream"
        )
        if mimetype == "text/css":
            data = self._sheet(path).encode()
        elif mimetype == "text/javascript" and not path.startswith("vendor/"):
            whole = path in _ENTRIES and not current_app.debug
            text = modules.bundle(path, self._text) if whole else self._text(path)
            data = (text if current_app.debug else rjsmin.jsmin(text)).encode()
        else:
            data = self._find(path).read_bytes()
        packed = _packing.run(_packed, data) if mimetype in _COMPRESSED and not current_app.debug else {}
        return File(data, packed, mimetype)

    def has(self, path: str) -> bool:
        """Tell whether there is a file of this name."""
        return path in self._sources

    @cached_property
    def console_icons(self) -> frozenset[str]:
        """The names of the icons of ``console.svg``."""
        return frozenset(re.findall(r'<symbol id="([\w-]+)"', self.get("icons/console.svg").data.decode()))

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

    def _sheet(self, path: str, around: tuple[str, ...] = ()) -> str:
        """Return a style sheet with what it imports in place; what is not there, or is around it, is left out.

        :param around: the sheets that import this one.
        """
        parts = _IMPORT.split(self._text(path))  # every other one is what is imported
        parts[::2] = [self._stripped(path, rules) for rules in parts[::2]]
        for n in range(1, len(parts), 2):
            imported = posixpath.normpath(posixpath.join(posixpath.dirname(path), parts[n]))
            inlined = self.has(imported) and imported not in (*around, path)
            parts[n] = self._sheet(imported, (*around, path)) if inlined else ""
        return "".join(parts)

    def _stripped(self, path: str, rules: str) -> str:
        """Take comments and indentation out, a third of what we write; not of a theme's sheets, nor while somebody develops.

        The minifier makes ``.a:is(b)`` of ``.a :is(b)``. Our sheets do not say that (``tests/house/test_css.py``).
        """
        return rcssmin.cssmin(rules) if self._is_ours(path) and not current_app.debug else rules

    def _is_ours(self, path: str) -> bool:
        return self._find(path).is_relative_to(self._folders[0])


def _packed(data: bytes) -> dict[str, bytes]:
    return {"br": brotli.compress(data, quality=11), "gzip": gzip.compress(data, 9, mtime=0)}


def init_app(app: Flask) -> None:
    """Find the files and serve them."""
    folders = [(Path(app.root_path) / "static").resolve()]
    if app.config["THEME_DIR"]:
        folders.append((Path(app.config["THEME_DIR"]) / "static").resolve())
    app.extensions["static"] = Static([each for each in folders if each.is_dir()])
    app.register_blueprint(blueprint)


def static_url(path: str) -> str:
    """Return the address of a static file, with the digest of this release."""
    return f"/static/{current_app.extensions['static'].digest}/{path}"


def has_static(path: str) -> bool:
    """Tell whether there is a static file of this name."""
    files: Static = current_app.extensions["static"]
    return files.has(path)


def console_icons() -> frozenset[str]:
    """Return the names of the icons that are in ``console.svg``, which other pages do not load."""
    files: Static = current_app.extensions["static"]
    return files.console_icons


@blueprint.get("/static/<digest>/<path:path>")
def file(digest: str, path: str) -> Response:
    """Send a file. A page of another release gets today's file, but must not keep it."""
    static: Static = current_app.extensions["static"]
    if current_app.debug:
        return _send(static.again().get(path), "no-cache")
    return _send(static.get(path), YEAR if digest == static.digest else "no-cache")


@blueprint.get("/favicon.ico")
def favicon() -> Response:
    """Send the icon to browsers that ask for it by its old name."""
    return _send(current_app.extensions["static"].get("icons/confab.svg"), "public, max-age=86400")


def _send(found: File, caching: str) -> Response:
    encoding = next((each for each in found.packed if request.accept_encodings[each] > 0), None)
    response = Response(found.packed[encoding] if encoding else found.data, mimetype=found.mimetype)
    if encoding:
        response.headers["Content-Encoding"] = encoding
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
