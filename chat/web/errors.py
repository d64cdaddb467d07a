"""From an exception to a page or a fragment with the right status, and never a traceback."""

from __future__ import annotations

import errno
import logging
import traceback
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, g, request
from jinja2 import TemplateSyntaxError
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException

from chat.core import ids, security_events
from chat.core.database import db, is_away
from chat.core.errors import Barred, ChatError, NotAllowed, NotFound, NotSignedIn, Outdated, TooLarge, Unavailable
from chat.web import security, unsent
from chat.web.contexts import ErrorPage
from chat.web.htmx import is_htmx, see_other
from chat.web.templating import render_fragment, render_page
from chat.web.unsent import Unsent
from chat.web.urls import here, path_for, safe_next

log = logging.getLogger(__name__)

_SENTENCES = {
    400: "The browser sent something we cannot read.",
    405: "This page cannot be used that way.",
    408: "The rest of the request did not arrive. Try again.",
    415: "This kind of content cannot be taken here.",
    431: "The browser sent more than we read.",
}
_DISK_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def init_app(app: Flask) -> None:
    """Register the handlers."""
    app.register_error_handler(ChatError, chat_error)
    app.register_error_handler(HTTPException, http_error)
    app.register_error_handler(SQLAlchemyError, database_error)
    app.register_error_handler(TimeoutError, slow_client)
    app.register_error_handler(OSError, disk_error)
    app.register_error_handler(Exception, unexpected)


def chat_error(error: ChatError) -> Response:
    """Answer with the error's own sentence; if that takes a form which cannot be read, with what is wrong with the form."""
    try:
        return _own_answer(error)
    except (HTTPException, OSError) as unread:
        return current_app.make_response(current_app.handle_user_exception(unread))


def _own_answer(error: ChatError) -> Response:
    if isinstance(error, NotSignedIn) and not is_htmx() and request.endpoint != "messages.events":
        following = _following()
        answer = see_other(path_for("accounts.sign_in", **({"next": following} if following else {})))
        if request.method == "POST" and security.comes_from_here() and (form := Unsent.read(_sender())).texts:
            unsent.keep(answer, form)
        return answer
    if (
        isinstance(error, Barred)
        and not is_htmx()
        and request.method == "GET"
        and request.endpoint != "messages.events"
    ):
        return see_other(path_for("sanctions.standing"))
    if isinstance(error, NotAllowed) and not isinstance(error, Barred) and not security_events.noted():
        security.note("page.refused")
    if isinstance(error, Outdated) and error.shown and not is_htmx():
        return Response(Unsent.read(_sender()).page(error.sentence, error.theirs), error.status)
    return _answer(error.status, error.title, error.sentence, getattr(error, "wait", None))


def http_error(error: HTTPException) -> Response:
    """Answer what Werkzeug refused: no such route, wrong method, too large, not readable."""
    code = error.code or 500
    if code == 404:
        return chat_error(NotFound())
    if code == 413:
        return chat_error(TooLarge(_too_large()))
    if code == 500:
        return unexpected(error)
    response = _answer(code, "That did not work", _SENTENCES.get(code, error.description or error.name), None)
    for name, value in error.get_headers():
        if name in {"Allow", "Retry-After"}:
            response.headers[name] = value
    return response


def database_error(error: SQLAlchemyError) -> Response:
    """Answer 503 when the database is away or busy; anything else of it is a fault of ours."""
    db.session.rollback()
    if is_away(error):
        log.warning("the database does not answer: %s", type(error.__cause__ or error).__name__)
        return chat_error(Unavailable())
    return unexpected(error)


def slow_client(error: TimeoutError) -> Response:
    """Answer a client whose body stopped coming."""
    return _answer(408, "That did not work", _SENTENCES[408], None)


def disk_error(error: OSError) -> Response:
    """Answer 503 when the disk does not take the body of a request; anything else is a fault of ours."""
    if error.errno not in _DISK_FULL:
        return unexpected(error)
    log.warning("the disk does not take a request: %s", error.strerror)
    return chat_error(Unavailable("What you sent cannot be stored: our disk is full. Try again later.", 60))


def unexpected(error: Exception) -> Response:
    """Answer 500 with the id of the request, which is in the log as well."""
    reference = g.get("request_id") or ids.new()[:8]
    log.error("error %s in %s %s", reference, request.method, request.endpoint, exc_info=error)
    db.session.rollback()
    sentence = f"Something broke on our side. Nothing you wrote is lost. Reference {reference}."
    if current_app.debug and security.from_this_machine():
        sentence += f" {_where(error)}"
    return _answer(500, "That did not work", sentence, None)


def _where(error: Exception) -> str:
    """Return what is wrong and where, for who develops."""
    frames = traceback.extract_tb(error.__traceback__)
    frame = next((each for each in reversed(frames) if each.filename.endswith((".html", ".txt"))), frames[-1])
    told = f"{type(error).__name__}: {error}"
    if isinstance(error, TemplateSyntaxError):
        return f"{told} {error.filename}, line {error.lineno}."
    return f"{told} {frame.filename}, line {frame.lineno}."


def _too_large() -> str:
    megabytes = (request.max_content_length or 0) // 1024**2
    return (
        f"What you sent is over {megabytes} MB. Choose something smaller."
        if megabytes
        else "That is too much. Send less."
    )


def _back() -> str:
    """Return the page of ours that led to this one, if it is another."""
    path = _sender().partition("?")[0]
    return "" if path == request.path else path


def _sender() -> str:
    """Return path and query of the page of this site that sent the request; empty if that is not known."""
    try:
        referrer = urlsplit(request.referrer or "")
    except ValueError:
        return ""
    if referrer.netloc != request.environ.get("HTTP_HOST"):
        return ""
    return safe_next(f"{referrer.path}?{referrer.query}".rstrip("?"), "")


def _following() -> str:
    """Return the address to go on with after signing in: this page, or the one whose form this was."""
    if request.method == "GET":
        return here()
    steps = request.path.split("/")
    above = ["/".join(steps[:end]) for end in range(len(steps) - 1, 1, -1)]
    ways = [request.form.get("next", ""), _sender(), *above, request.path, "/"]
    return next(way for way in ways if safe_next(way, ""))


def _answer(status: int, title: str, sentence: str, wait: int | None) -> Response:
    context = ErrorPage(status=status, title=title, sentence=sentence, back=_back() if status < 500 else "")
    if is_htmx() or not request.accept_mimetypes.accept_html:
        html = render_fragment("errors/_error.html", context)
    else:
        g.plain_layout = status >= 500  # the layout's own queries may be what failed
        try:
            html = render_page("errors/error.html", context)
        except Exception as error:  # a theme can break the very page that says that something broke
            log.error("the page of an error cannot be rendered", exc_info=error)
            return Response(f"{title}. {sentence}\n", status, mimetype="text/plain")
    response = Response(html, status)
    if wait is not None:
        response.headers["Retry-After"] = str(wait)
    return response
