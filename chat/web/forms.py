"""Reading the fields of a form: text without characters that no database or page should hold; empty where none is visible."""

from __future__ import annotations

import io
import re
import unicodedata
from typing import IO, Any

from flask import Flask, request
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.formparser import FormDataParser

from chat.core.names import is_blank, tidied

#: Fields of one form. MAX_FORM_PARTS is for forms with files alone, and a quarter of a megabyte of ``a&a&a`` takes 0.1 s.
MAX_FIELDS = 1000

# Control characters but for tab and line feed, and the marks that turn text around or hide in it.
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069\ufeff]")
_LINE_END = re.compile(r"\r\n|\r")
_FIRST_LINES = re.compile(r"\A(?:[\t ]*\n)+")


class _Parser(FormDataParser):
    """Reads forms of ``MAX_FIELDS`` fields at most."""

    def parse(
        self, stream: IO[bytes], mimetype: str, content_length: int | None, options: dict[str, str] | None = None
    ) -> Any:
        """Return the fields of a form, as Werkzeug does.

        :raises RequestEntityTooLarge: there are more of them.
        """
        if mimetype == "application/x-www-form-urlencoded":
            data = stream.read()
            if data.count(b"&") >= MAX_FIELDS:
                raise RequestEntityTooLarge
            stream = io.BytesIO(data)
        return super().parse(stream, mimetype, content_length, options)


def init_app(app: Flask) -> None:
    """Read every form of the application by this parser."""
    app.request_class = type("Request", (app.request_class,), {"form_data_parser_class": _Parser})


def text(name: str) -> str:
    """Return a field of several lines: line ends are LF, control characters are gone, spaces at the ends too."""
    return _cleaned(request.form.get(name, ""))


def line(name: str) -> str:
    """Return a field of one line: every run of white space is one space; composed, so that equal names compare equal."""
    return _one_line(request.form.get(name, ""))


def name(field: str) -> str:
    """Return a field that holds a name, as it is kept: see ``chat.core.names``."""
    return tidied(line(field))


def argument(name: str) -> str:
    """Return a field of the address, like ``line``."""
    return _one_line(request.args.get(name, ""))


def header(name: str) -> str:
    """Return a header of the request, like ``line``."""
    return _one_line(request.headers.get(name, ""))


def secret(name: str) -> str:
    """Return a field exactly as it was sent: a password, a token."""
    return request.form.get(name, "")


def _cleaned(value: str) -> str:
    value = _UNSEEN.sub("", _LINE_END.sub("\n", value)).rstrip("\n\t ")
    if is_blank(value):
        return ""
    value = _FIRST_LINES.sub("", value)
    # The first of several lines keeps its indentation, as the others do.
    return value if "\n" in value else value.lstrip("\t ")


def _one_line(value: str) -> str:
    return unicodedata.normalize("NFC", " ".join(_cleaned(value).split()))
