"""People and how they prove who they are: accounts, login sessions, devices, invitations."""

from __future__ import annotations

import zlib

from flask import Flask, Response, current_app, g, request
from flask_login import current_user

from chat import realtime
from chat.accounts import guards, listeners, routes
from chat.accounts.contexts import ViewerStyle
from chat.accounts.sessions import Viewer, recently_revoked
from chat.core import keys
from chat.realtime import tickets
from chat.web import security, templating
from chat.web.urls import path_for

__all__ = ["init_app", "listeners"]


def init_app(app: Flask) -> None:
    """Register routes, the layout's viewer, and what ends a session everywhere."""
    guards.init_app(app)
    app.register_blueprint(routes.blueprint)
    app.after_request(_renew_ticket)
    process: realtime.Realtime = app.extensions["realtime"]
    known = app.extensions["sessions"]
    process.recently_revoked = recently_revoked
    process.revocations.listeners.append(known.forget_session)
    process.controls["person"] = lambda message: known.forget_person(message["user"])
    process.hub.arrivals.append(known.use)
    templating.provide("viewer")(guards.maybe_viewer)
    templating.provide("theme")(_theme)
    templating.provide("stream_key")(_stream_key)
    templating.provide("viewer_style")(_viewer_style)


def _theme() -> str:
    """Return ``auto``, ``light`` or ``dark``."""
    who = guards.maybe_viewer()
    return who.theme if who else "auto"


def _stream_key() -> str:
    """Return the public name under which the tabs of this login session share a stream."""
    who = guards.maybe_viewer()
    return f"1-{keys.seal(keys.derive('stream key'), who.session_id)}" if who else ""


def _viewer_style() -> str:
    """Return the address of the rules that mark what is one's own, another one when they change: it is kept for a year."""
    who = guards.maybe_viewer()
    if who is None:
        return ""
    css = templating.render_kept("accounts/viewer.css", ViewerStyle(who.id))
    return path_for("accounts.viewer_style", person_id=who.id, v=f"{zlib.crc32(css.encode()):x}")


def _renew_ticket(response: Response) -> Response:
    """Give a page, or a stream that came the long way, a fresh ticket for the door, and its cookie another week."""
    if response.mimetype not in {"text/html", "text/event-stream"} and request.endpoint != "messages.renew_ticket":
        return response
    key = current_app.extensions["realtime"].ticket_key
    held = security.read_cookie(tickets.NAME)
    if request.endpoint in {"messages.events", "messages.renew_ticket"} and tickets.forged(held, key):
        security.note("token.ticket")
    # Not with a redirect: signing in and out set these cookies themselves, to something else.
    if response.status_code not in {200, 204} or "_login_user" not in g or not current_user.is_authenticated:
        return response
    who: Viewer = current_user
    if who.barred:
        return response
    if not tickets.fresh(held, who.session_id, key):
        value = tickets.issue(tickets.Ticket(who.id, who.session_id), key)
        security.set_cookie(response, tickets.NAME, value, life=tickets.LIFE, strict=True)
        security.set_cookie(response, "session", security.read_cookie("session"))
    return response
