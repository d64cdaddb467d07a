"""Answering a plain browser and htmx from one view. A thin layer over htmx-flask."""

from __future__ import annotations

from flask import Flask, Response, redirect, request
from htmx_flask import Htmx

_htmx = Htmx()


def init_app(app: Flask) -> None:
    """Let requests know whether htmx sent them."""
    _htmx.init_app(app)


def is_htmx() -> bool:
    """Tell whether the current request wants a fragment."""
    return bool(request.htmx)  # type: ignore[attr-defined]  # from htmx-flask's request class


def see_other(path: str) -> Response:
    """Answer 303, the redirect after a POST; a fragment's request has the browser go there as a whole."""
    if is_htmx():
        return Response(status=204, headers={"HX-Redirect": path})
    response = redirect(path, 303)
    assert isinstance(response, Response)  # noqa: S101 - werkzeug's type says less
    return response
