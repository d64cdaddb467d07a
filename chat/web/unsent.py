"""What somebody wrote on a page that was signed out elsewhere, kept in their browser until they have signed in again.

A form without a script is led to the page for signing in, and the browser forgets what was in it. So its fields go along as
cookies of ten minutes, sealed, and come back as a form to be sent once more. With a script the page itself keeps them.
"""

from __future__ import annotations

import base64
import json
import zlib
from dataclasses import dataclass

from flask import Response, request

from chat.core import keys
from chat.web import security
from chat.web.contexts import OutdatedPage
from chat.web.templating import render_page
from chat.web.urls import here

#: Seconds: long enough to sign in.
LIFE = 600
#: Of two cookies, 3 KB each, for a browser takes 4 KB in one and a proxy 8 KB in all: most messages, as they compress well.
_COOKIES = ("unsent-1", "unsent-2")
_SIZE = 3000
#: Bytes that are unpacked at the most.
_UNPACKED = 65_536


#: Fields of forms that no person writes.
_UNWRITTEN = {"client_id", "next", "token", "seq", "back", "room", "person", "kind"}


@dataclass(frozen=True)
class Unsent:
    """A form that was not taken: where it was to go, its fields but for passwords, and the page it was on."""

    action: str
    fields: tuple[tuple[str, str], ...]
    #: Whether that is all of it: there was no password and no file.
    whole: bool
    back: str
    #: Says whose page it was.
    token: str

    @classmethod
    def read(cls, back: str) -> Unsent:
        """Return the form of the current request.

        :param back: the page it was on; empty if that is not known.
        """
        sent = [(name, value) for name, value in request.form.items(multi=True) if name != "csrf_token" and value]
        shown = tuple((name, value) for name, value in sent if "password" not in name)
        whole = len(shown) == len(sent) and not any(file.filename for file in request.files.values())
        return cls(here(), shown, whole, back, request.form.get("csrf_token", ""))

    @property
    def texts(self) -> tuple[str, ...]:
        """What a person has written of it."""
        return tuple(value for name, value in self.fields if name not in _UNWRITTEN)

    def page(self, sentence: str, theirs: bool) -> str:
        """Return the page from which it can be sent once more.

        :param theirs: whether the page with the form was made for the person who is signed in.
        """
        fields = self.fields if theirs and self.whole else ()
        return render_page(
            "errors/outdated.html", OutdatedPage(sentence, self.action, fields, self.texts, theirs, self.back)
        )


def keep(response: Response, form: Unsent) -> None:
    """Have the browser keep a form, if it is not too long for that."""
    data = json.dumps([form.action, form.fields, form.whole, form.back, form.token], ensure_ascii=False).encode(
        "utf-8", "replace"
    )
    packed = base64.urlsafe_b64encode(zlib.compress(data, 9)).decode()
    if len(data) > _UNPACKED or len(packed) > len(_COOKIES) * _SIZE - 100:
        return
    whole = f"{keys.seal(_key(), packed)}{packed}"
    for number, name in enumerate(_COOKIES):
        part = whole[number * _SIZE : (number + 1) * _SIZE]
        if part:
            security.set_cookie(response, name, part, LIFE, strict=True)
        else:
            security.drop_cookie(response, name)


def kept() -> Unsent | None:
    """Return the form that the browser of the current request keeps; None if there is none that we sealed."""
    whole = "".join(map(security.read_cookie, _COOKIES))
    seal, packed = whole[:22], whole[22:]
    if not packed or not keys.sealed(_key(), seal, packed):
        return None
    data = zlib.decompressobj().decompress(base64.urlsafe_b64decode(packed), _UNPACKED)
    action, fields, *rest = json.loads(data)
    return Unsent(action, tuple((name, value) for name, value in fields), *rest)


def forget(response: Response) -> None:
    """Make the browser forget the form."""
    for name in _COOKIES:
        if security.read_cookie(name):
            security.drop_cookie(response, name)


def _key() -> bytes:
    return keys.derive("unsent form")
