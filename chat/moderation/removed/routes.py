"""The console at ``/moderation``: removed and edited messages, and the audit log."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from itertools import pairwise

from flask import Blueprint, Response, current_app, request, stream_with_context

from chat import pictures
from chat.accounts.guards import signed_in, viewer
from chat.moderation.removed import audit_log, queries, security_log, service
from chat.moderation.removed.contexts import PicturePart, RemovedContext, VersionsPage
from chat.moderation.removed.queries import AROUND, Asked
from chat.rooms.guards import office, reach
from chat.rooms.queries import Reach
from chat.web import forms, guesses, navigation, zones
from chat.web.htmx import is_htmx, see_other
from chat.web.templating import render_page, render_part
from chat.web.urls import path_for

blueprint = Blueprint("moderation", __name__)

#: What makes a spreadsheet run a cell.
_FORMULA = ("=", "+", "-", "@", "\t")
_REMOVED = ("room", "person", "moderator", "by", "since", "until")
_EDITED = ("room", "person", "since", "until")
_SECURITY = ("kind", "person", "network", "since", "until")
_AUDIT = ("room", "person", "actor", "action", "after")


@blueprint.get("/moderation")
@signed_in
def index() -> Response:
    """Lead to where there is something to do, or else to the first section."""
    mine = reach()
    links = navigation.links(mine.may if viewer().moderates_rooms else viewer().may)
    return see_other(next((each.path for each in links if each.count), links[0].path))


# -- removed messages


@blueprint.get("/moderation/removed")
@signed_in
def removed() -> str:
    """List what was removed."""
    mine = reach()
    page = queries.removed(mine, _asked(_REMOVED))
    service.note_listed(mine.user_id, page.rows)
    return render_page("moderation/removed.html", replace(page, restored=queries.restored(mine, _restored())))


@blueprint.get("/moderation/removed/<id:message_id>")
@signed_in
def removed_one(message_id: str) -> str:
    """Show one message in its place, beside the list."""
    mine = reach()
    page = queries.removed(mine, _asked(_REMOVED))
    detail = queries.removed_one(mine, message_id, _around(), page.rows)
    service.note_listed(mine.user_id, page.rows, detail.removed)
    page = replace(page, detail=detail, restored=queries.restored(mine, _restored()))
    return render_page("moderation/removed.html", page)


@blueprint.get("/moderation/removed/<id:message_id>/peek")
@signed_in
def peek(message_id: str) -> Response | str:
    """Show one under its tombstone in the room; without script on its page in the console."""
    mine = reach()
    page = queries.peek(mine, message_id)
    if not is_htmx():
        return see_other(path_for("moderation.removed_one", message_id=message_id))
    service.note_read(mine.user_id, page.removed)
    return render_part("moderation/_peek.html", page)


@blueprint.get("/moderation/removed/<id:message_id>/pictures/<id:picture_id>")
@signed_in
def picture(message_id: str, picture_id: str) -> Response | str:
    """Send a picture of one, or for a script the part of a page that shows it."""
    mine = reach()
    removed = queries.picture_of(mine, message_id, picture_id)
    if is_htmx():
        return render_part("moderation/_picture.html", PicturePart(message_id, picture_id))
    service.note_picture(mine.user_id, removed, picture_id)
    return pictures.send(picture_id, "full")


@blueprint.post("/moderation/removed/<id:message_id>/restore")
@signed_in
def restore(message_id: str) -> Response:
    """Put one back, and go on to the next one."""
    mine = reach()
    asked = _asked(_REMOVED)
    after = _next(mine, asked, message_id)
    service.restore(message_id, mine)
    query = {**asked.query, **({"after": asked.after} if asked.after else {}), "restored": message_id}
    if after is None:
        return see_other(path_for("moderation.removed", **query))
    if after.swept:
        return see_other(path_for("sweeps.show", sweep_id=after.id))
    return see_other(path_for("moderation.removed_one", message_id=after.id, **query))


@blueprint.post("/moderation/removed/<id:message_id>/undo")
@signed_in
def undo(message_id: str) -> Response:
    """Take back that one has put it back a moment ago."""
    service.undo_restore(message_id, reach())
    return see_other(path_for("moderation.removed_one", message_id=message_id))


# -- edited messages


@blueprint.get("/moderation/edited")
@signed_in
def edited() -> str:
    """List messages that were edited, with what was changed."""
    mine = reach()
    page = queries.edited(mine, _asked(_EDITED))
    service.note_listed(mine.user_id, page.rows)
    return render_page("moderation/edited.html", page)


@blueprint.get("/messages/<id:message_id>/versions")
@signed_in
def versions(message_id: str) -> str:
    """Show what a message said before, to its author and to moderators."""
    who = viewer()
    mine = Reach(who.id, who.role) if who.moderates else None
    found = queries.versions(who.id, mine, message_id)
    own = found.author.id == who.id
    if not own:
        service.note_read(who.id, found)
    return render_page("moderation/versions.html", VersionsPage(found, own))


# -- the audit log


@blueprint.get("/moderation/audit")
@signed_in
def audit() -> str:
    """Show the audit log."""
    office("audit.read")
    return render_page("moderation/audit.html", audit_log.page(_arguments(_AUDIT)))


@blueprint.get("/moderation/audit/<int:number>")
@signed_in
def audit_one(number: int) -> str:
    """Show one of its rows in full, beside the others."""
    office("audit.read")
    return render_page("moderation/audit.html", audit_log.page(_arguments(_AUDIT), number))


@blueprint.get("/moderation/audit.csv")
@signed_in
def audit_csv() -> Response:
    """Send the audit log as a table; that it was taken is in it."""
    office("audit.read")
    service.note_exported(viewer().id)
    headers = {"Content-Disposition": 'attachment; filename="audit.csv"', "Cache-Control": "no-store"}
    return Response(stream_with_context(_table()), mimetype="text/csv", headers=headers)


def _table() -> Iterator[str]:
    names = ("number", "at", "who", "did", "on", "room", "target", "reason", "before", "after", "address", "seal")
    yield _csv(names)
    for row in audit_log.rows(_arguments(_AUDIT)):
        who, on = row.actor.name if row.actor else "", row.person.name if row.person else ""
        values = (row.number, row.at.isoformat(), who, row.did, on, row.room, row.target_id)
        yield _csv((*values, row.reason, row.before, row.after, row.address, row.seal))


def _csv(values: tuple[object, ...]) -> str:
    """Return one line. A cell that begins like a formula gets an apostrophe (OWASP, CSV injection)."""
    line = io.StringIO()
    csv.writer(line).writerow(f"'{each}" if str(each).startswith(_FORMULA) else each for each in values)
    return line.getvalue()


# -- security events


@blueprint.get("/moderation/security")
@signed_in
def security() -> str:
    """Show the security events: sign-ins with their networks, and refusals."""
    office("security.read")
    page = security_log.page(_asked(_SECURITY))
    page = replace(page, days=current_app.config["SECURITY_EVENTS_DAYS"], alarmed=guesses.alarmed())
    return render_page("moderation/security.html", page)


@blueprint.get("/moderation/security.csv")
@signed_in
def security_csv() -> Response:
    """Send the security events as a table, and note in the audit log that they were taken."""
    office("security.read")
    service.note_exported(viewer().id, "security")
    headers = {"Content-Disposition": 'attachment; filename="security.csv"', "Cache-Control": "no-store"}
    return Response(stream_with_context(_security_table()), mimetype="text/csv", headers=headers)


def _security_table() -> Iterator[str]:
    yield _csv(("at", "account", "name", "what", "detail", "times", "address", "network", "device"))
    for row in security_log.rows(_asked(_SECURITY)):
        account, name = (row.person.id, row.person.name) if row.person else ("", "")
        values = (row.at.isoformat(), account, name, row.did, row.detail, row.times)
        yield _csv((*values, row.address, row.network, row.device))


# -- inside


def _arguments(names: tuple[str, ...]) -> dict[str, str]:
    found = {name: forms.argument(name) for name in names if name in request.args}
    return {name: value for name, value in found.items() if value}


def _asked(names: tuple[str, ...]) -> Asked:
    """Return what a list is filtered by; a day that is none is no filter."""
    query = _arguments(names)
    days: dict[str, datetime] = {}
    for name, later in (("since", 0), ("until", 1)):
        try:
            days[name] = zones.day_from_reader(query.get(name, ""), later)
        except ValueError:
            query.pop(name, None)
    return Asked(query, days.get("since"), days.get("until"), forms.argument("after"))


def _around() -> int:
    asked = forms.argument("around")
    return max(int(asked), AROUND) if asked.isascii() and asked.isdigit() and len(asked) < 4 else AROUND


def _restored() -> str:
    return forms.argument("restored")


def _next(mine: Reach, asked: Asked, message_id: str) -> RemovedContext | None:
    """Return what comes after a message in the list that it was opened from."""
    rows = queries.removed(mine, asked).rows
    following = [after for row, after in pairwise(rows) if row.id == message_id]
    return following[0] if following else None
