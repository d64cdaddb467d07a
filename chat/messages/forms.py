"""What the forms about messages send."""

from __future__ import annotations

from dataclasses import dataclass

from flask import request
from werkzeug.datastructures import FileStorage

from chat.core import ids
from chat.core.errors import Invalid
from chat.web import forms


@dataclass(frozen=True)
class MessageForm:
    """Text, the name of this sending, and pictures: files, or ids of what was uploaded before."""

    body: str
    client_id: str
    pictures: tuple[str, ...]
    files: tuple[FileStorage, ...]

    @classmethod
    def read(cls) -> MessageForm:
        """Return what was sent.

        :raises Invalid: a ``client_id`` that is not one.
        """
        client_id = forms.line("client_id") or ids.new()
        if not ids.CLIENT_ID.fullmatch(client_id):
            raise Invalid("A client_id has 8 to 64 letters, digits, - or _.")
        files = tuple(file for file in request.files.getlist("image") if file.filename)
        pictures = tuple(dict.fromkeys(each for each in request.form.getlist("picture") if ids.is_id(each)))
        return cls(forms.text("body"), client_id, pictures, files)
