"""Who is signed in, for routes."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from flask import Flask, Request, Response, current_app, has_request_context, request
from flask.sessions import SessionInterface, SessionMixin
from flask_login import LoginManager, current_user

from chat.accounts.sessions import Sessions, Viewer
from chat.core.errors import Barred, NotSignedIn
from chat.web import rate_limits, security

_TOO_FAST = "That is a lot of changes in a short time. Wait {wait}."

#: What features above say about whoever asks for something: each is given the person, None for nobody, and raises to refuse.
#: Every request asks all of them, so they look nothing up.
refusals: list[Callable[[Viewer | None], None]] = []

P = ParamSpec("P")
R = TypeVar("R")


class _Empty(dict[str, Any], SessionMixin):
    """What Flask-Login looks into, and finds nothing."""


class _NoSession(SessionInterface):
    """Flask's own session, which costs a signer and a cookie's parsing for each request and is never used."""

    def open_session(self, app: Flask, request: Request) -> SessionMixin:
        return _Empty()

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        pass


_manager = LoginManager()
# Sessions are rows of ours: Flask's own session stays empty, and the remember cookie is not used.
_manager.session_protection = None


def init_app(app: Flask) -> None:
    """Teach Flask-Login who sends a request."""
    _manager.init_app(app)
    app.session_interface = _NoSession()
    app.extensions["sessions"] = Sessions()


def sessions() -> Sessions:
    """Return the sessions that this process knows."""
    known: Sessions = current_app.extensions["sessions"]
    return known


@_manager.request_loader  # type: ignore[untyped-decorator]
def _load(request: Request) -> Viewer | None:
    return sessions().viewer(security.read_cookie("session"))


def viewer() -> Viewer:
    """Return who sent the current request.

    :raises NotSignedIn: nobody we know.
    """
    found = maybe_viewer()
    if found is None:
        raise NotSignedIn
    return found


def maybe_viewer() -> Viewer | None:
    """Return the person who sent the current request; None for a visitor, and outside a request."""
    if not has_request_context():
        return None
    found = current_user._get_current_object()
    return found if isinstance(found, Viewer) else None


def signed_in(view: Callable[P, R]) -> Callable[P, R]:
    """Let only people who are signed in call a view, and change things at a pace that people have."""
    counted, for_barred = not getattr(view, "_often", False), getattr(view, "_for_barred", False)

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        who = viewer()
        if who.barred and not for_barred:
            raise Barred
        require_welcome(who)
        if counted and request.method == "POST":
            rate_limits.limit("120/minute", _TOO_FAST, "changes", who.id, shared=False)
        return view(*args, **kwargs)

    return guarded


def require_welcome(who: Viewer | None) -> None:
    """Refuse whom some feature refuses, whatever it is they want.

    :raises NotAllowed: with why.
    """
    for refuse in refusals:
        refuse(who)


def for_barred(view: Callable[P, R]) -> Callable[P, R]:
    """Mark a view that is also for people who are suspended or banned everywhere."""
    view._for_barred = True  # type: ignore[attr-defined]
    return view


def often(view: Callable[P, R]) -> Callable[P, R]:
    """Mark a view that pages call by themselves, or that has a limit of its own."""
    view._often = True  # type: ignore[attr-defined]
    return view
