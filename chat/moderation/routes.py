"""The console at ``/moderation``."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from flask import Blueprint, Response, request, stream_with_context

from chat.accounts.guards import signed_in, viewer
from chat.errors import NotFound
from chat.moderation import queries, service
from chat.moderation.queries import Reach
from chat.web import forms
from chat.web.htmx import see_other
from chat.web.templating import render_page
from chat.web.urls import path_for

blueprint = Blueprint("moderation", __name__, url_prefix="/moderation")

#: What makes a spreadsheet run a cell.
_FORMULA = ("=", "+", "-", "@", "\t")
_ASKED = ("room", "person", "moderator", "by", "actor", "action", "after")


@blueprint.get("")
@signed_in
def index() -> Response:
    """Lead to where there is something to do."""
    _reach()
    return see_other(path_for("moderation.removed"))


@blueprint.get("/removed")
@signed_in
def removed() -> str:
    """List the messages that were taken away."""
    reach = _reach()
    page = queries.removed(reach, _asked())
    service.note_listed(reach.user_id, page.rows)
    return render_page("moderation/removed.html", page)


@blueprint.get("/removed/<id:message_id>")
@signed_in
def removed_one(message_id: str) -> str:
    """Show one of them in its place."""
    reach = _reach()
    detail = queries.removed_one(reach, message_id)
    service.note_read(reach.user_id, detail.removed)
    return render_page("moderation/removed_one.html", detail)


@blueprint.post("/removed/<id:message_id>/restore")
@signed_in
def restore(message_id: str) -> Response:
    """Put one back."""
    service.restore(message_id, _reach())
    return see_other(path_for("moderation.removed"))


@blueprint.get("/audit")
@signed_in
def audit() -> str:
    """Show the audit log."""
    _office()
    return render_page("moderation/audit.html", queries.audit(_asked()))


@blueprint.get("/audit/<int:number>")
@signed_in
def audit_one(number: int) -> str:
    """Show one of its rows in full, beside the others."""
    _office()
    return render_page("moderation/audit.html", queries.audit(_asked(), number))


@blueprint.get("/audit.csv")
@signed_in
def audit_csv() -> Response:
    """Send the audit log as a table; that it was taken is in it."""
    _office()
    service.note_exported(viewer().id)
    headers = {"Content-Disposition": 'attachment; filename="audit.csv"', "Cache-Control": "no-store"}
    return Response(stream_with_context(_table()), mimetype="text/csv", headers=headers)


def _table() -> Iterator[str]:
    names = ("number", "at", "who", "did", "on", "room", "target", "reason", "before", "after", "address", "seal")
    yield _csv(names)
    for row in queries.audit_rows(_asked()):
        who, on = row.actor.name if row.actor else "", row.person.name if row.person else ""
        values = (row.number, row.at.isoformat(), who, row.did, on, row.room, row.target_id)
        yield _csv((*values, row.reason, row.before, row.after, row.address, row.seal))


def _csv(values: tuple[object, ...]) -> str:
    """Return one line. A cell that begins like a formula gets an apostrophe (OWASP, CSV injection)."""
    line = io.StringIO()
    csv.writer(line).writerow(f"'{each}" if str(each).startswith(_FORMULA) else each for each in values)
    return line.getvalue()


def _asked() -> dict[str, str]:
    return {name: forms.argument(name) for name in _ASKED if name in request.args}


def _reach() -> Reach:
    """Return what the person may moderate.

    :raises NotFound: nothing; there is no console for them.
    """
    who = viewer()
    if not who.moderates:
        raise NotFound
    return Reach(who.id, everywhere=who.role == "administrator")


def _office() -> None:
    """Let administrators in: the audit log is how they see what moderators do.

    :raises NotFound: somebody else asks.
    """
    if viewer().role != "administrator":
        raise NotFound
