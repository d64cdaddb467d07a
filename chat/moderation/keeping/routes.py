"""Keeping and erasing in the console, and receipts."""

from __future__ import annotations

import hashlib
import json
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from typing import IO

from flask import Blueprint, Response

from chat import pictures
from chat.accounts.guards import for_barred, signed_in, viewer
from chat.core import clock
from chat.core.database import db
from chat.core.errors import Conflict, Invalid, NotFound
from chat.core.threads import turn
from chat.messages.queries import kept_for
from chat.moderation.keeping import policy, queries, service
from chat.moderation.keeping.contexts import HoldPage, KeepingPage, ReceiptPage
from chat.moderation.keeping.forms import HoldFields
from chat.rooms.guards import office, reach
from chat.rooms.queries import Reach
from chat.web import forms
from chat.web.htmx import see_other
from chat.web.templating import render_page
from chat.web.urls import path_for

blueprint = Blueprint("keeping", __name__)


# -- purging


@blueprint.get("/moderation/removed/<id:message_id>/purge")
@signed_in
def purge_form(message_id: str) -> str:
    """Show the form to destroy the text of a removed message."""
    return render_page("keeping/purge.html", queries.purge_form(reach("purge.request"), message_id))


@blueprint.post("/moderation/removed/<id:message_id>/purge")
@signed_in
def purge(message_id: str) -> Response:
    """Destroy it, or ask for it."""
    mine, reason = reach("purge.request"), forms.line("reason")
    try:
        purge_id = service.purge(message_id, reason, mine)
    except Invalid as problem:
        page = replace(queries.purge_form(mine, message_id), reason=reason, errors=problem.fields)
        return Response(render_page("keeping/purge.html", page), problem.status)
    if purge_id is None:
        return see_other(path_for("keeping.index"))
    return see_other(path_for("keeping.receipt", purge_id=purge_id))


@blueprint.get("/moderation/purges/<id:purge_id>/approve")
@signed_in
def approve_form(purge_id: str) -> str:
    """Show the message that a purge destroys, and the form to agree to it."""
    return render_page("keeping/approve.html", queries.approve_form(reach("purge.approve"), purge_id))


@blueprint.post("/moderation/purges/<id:purge_id>/<any(approve, refuse):decision>")
@signed_in
def decide(purge_id: str, decision: str) -> Response:
    """Agree to a purge by typing a word, refuse it, or take one's own back."""
    mine, typed = reach("purge.approve"), forms.line("word")
    if decision == "approve":
        try:
            policy.require_another(queries.get_waiting(mine, purge_id), mine.user_id)
            policy.require_word(typed)
            done = service.approve(purge_id, mine)
        except Invalid as problem:
            page = replace(queries.approve_form(mine, purge_id), typed=typed, errors=problem.fields)
            return Response(render_page("keeping/approve.html", page), problem.status)
        return see_other(path_for("keeping.receipt", purge_id=done))
    service.refuse(purge_id, mine)
    return see_other(path_for("keeping.index"))


@blueprint.get("/receipts/<id:purge_id>")
@signed_in
@for_barred
def receipt(purge_id: str) -> str:
    """Show that a text was destroyed, to its author and to moderators."""
    return render_page("keeping/receipt.html", _receipt(purge_id)[0])


@blueprint.get("/receipts/<id:purge_id>.json")
@signed_in
@for_barred
def receipt_file(purge_id: str) -> Response:
    """Send the receipt as a file that can be checked later."""
    page, text = _receipt(purge_id)
    headers = {"Content-Disposition": f'attachment; filename="receipt-{purge_id}.json"'}
    return Response(json.dumps({"receipt": text, "seal": page.seal}), mimetype="application/json", headers=headers)


# -- keeping and erasing


@blueprint.get("/moderation/keeping")
@signed_in
def index() -> str:
    """Show how long removed text is kept, what waits to be destroyed, and the holds."""
    return render_page("keeping/keeping.html", _page(reach("purge.request")))


@blueprint.post("/moderation/keeping/approval")
@signed_in
def approval() -> Response:
    """Choose whether two people have to agree to a purge."""
    service.set_approval(forms.line("two") == "yes", office("retention.change"))
    return see_other(path_for("keeping.index"))


@blueprint.get("/moderation/keeping/retention")
@signed_in
def retention_form() -> Response:
    """Show what another number of days would destroy at once."""
    office("retention.change")
    typed = forms.argument("days")
    try:
        return Response(render_page("keeping/retention.html", queries.preview(policy.days(typed))))
    except Invalid as problem:
        page = replace(_page(reach("purge.request")), typed=typed, errors=problem.fields)
        return Response(render_page("keeping/keeping.html", page), problem.status)


@blueprint.post("/moderation/keeping/retention")
@signed_in
def retention() -> Response:
    """Choose it."""
    actor_id, reason, days = office("retention.change"), forms.line("reason"), policy.days(forms.line("days"))
    try:
        service.set_retention(days, reason, actor_id)
    except Invalid as problem:
        page = replace(queries.preview(days), reason=reason, errors=problem.fields)
        return Response(render_page("keeping/retention.html", page), problem.status)
    return see_other(path_for("keeping.index"))


# -- legal holds


@blueprint.get("/moderation/holds/new")
@signed_in
def hold_form() -> str:
    """Show the form to make a hold."""
    office("hold.manage")
    return render_page(
        "keeping/hold_new.html",
        replace(queries.hold_form(), person=forms.argument("person"), room=forms.argument("room")),
    )


@blueprint.post("/moderation/holds")
@signed_in
def make_hold() -> Response:
    """Make a hold."""
    actor_id, fields = office("hold.manage"), HoldFields.read()
    try:
        since, until = fields.moment("since"), fields.moment("until")
        hold_id = service.make_hold(
            fields.name, fields.person_id, fields.room_id, since, until, fields.reason, actor_id
        )
    except Invalid as problem:
        page = replace(queries.hold_form(), **vars(fields), errors=problem.fields)
        return Response(render_page("keeping/hold_new.html", page), problem.status)
    return see_other(path_for("keeping.hold", hold_id=hold_id))


@blueprint.get("/moderation/holds/<id:hold_id>")
@signed_in
def hold(hold_id: str) -> str:
    """Show a hold."""
    office("hold.manage")
    return render_page("keeping/hold.html", HoldPage(queries.hold(hold_id)))


@blueprint.post("/moderation/holds/<id:hold_id>/release")
@signed_in
def release_hold(hold_id: str) -> Response:
    """Release a hold."""
    actor_id, reason = office("hold.manage"), forms.line("reason")
    try:
        service.release_hold(hold_id, reason, actor_id)
    except (Invalid, Conflict) as problem:
        errors = problem.fields or {"reason": problem.sentence}
        return Response(
            render_page("keeping/hold.html", HoldPage(queries.hold(hold_id), reason, errors)), problem.status
        )
    return see_other(path_for("keeping.hold", hold_id=hold_id))


@blueprint.post("/moderation/holds/<id:hold_id>/export")
@signed_in
def export(hold_id: str) -> Response:
    """Send what a hold covers, sealed; that it was taken is written down before the first byte leaves."""
    actor_id = office("hold.manage")
    found = queries.hold(hold_id)
    service.note_exported(hold_id, actor_id)
    file = tempfile.TemporaryFile(prefix="confab-export-")  # noqa: SIM115 - closed when it is sent
    try:
        _write_export(hold_id, found.name, file)
        db.session.remove()
        file.seek(0)
    except BaseException:
        file.close()
        raise
    headers = {"Content-Disposition": f'attachment; filename="hold-{hold_id}.zip"', "Cache-Control": "no-store"}
    return Response(_pieces(file), mimetype="application/zip", headers=headers)


def _write_export(hold_id: str, name: str, file: IO[bytes]) -> None:
    """Write the messages, their pictures, and what each of these files is, with our seal over it."""
    digests: dict[str, str] = {}
    shown: list[str] = []
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        count, digest = 0, hashlib.sha256()
        with archive.open("messages.jsonl", "w", force_zip64=True) as lines:
            for count, told in enumerate(queries.exported(queries.get_hold(hold_id)), 1):
                line = json.dumps(told, ensure_ascii=False).encode() + b"\n"
                digest.update(line)
                lines.write(line)
                shown += told["pictures"]
                if count % 50 == 0:
                    turn()
        digests["messages.jsonl"] = digest.hexdigest()
        for picture_id in shown:
            try:
                data = pictures.read(picture_id)
            except NotFound:
                continue
            digests[f"pictures/{picture_id}.webp"] = hashlib.sha256(data).hexdigest()
            archive.writestr(f"pictures/{picture_id}.webp", data, zipfile.ZIP_STORED)
            turn()
        told = {
            "hold": hold_id, "name": name, "exported_at": clock.now().isoformat(), "messages": count, "files": digests,
            "not_included": "direct rooms",
        }  # fmt: skip
        text = json.dumps(told, sort_keys=True, ensure_ascii=False)
        archive.writestr("manifest.json", json.dumps({"manifest": text, "seal": service.sealed(text)}))


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while piece := file.read(256 * 1024):
            yield piece


def _receipt(purge_id: str) -> tuple[ReceiptPage, str]:
    who = viewer()
    return queries.receipt(purge_id, who.id, Reach(who.id, who.role) if who.moderates else None)


def _page(mine: Reach) -> KeepingPage:
    who, span = viewer(), kept_for()
    may_hold = who.may("hold.manage")
    return KeepingPage(
        span.days if span else None,
        queries.needs_two(),
        queries.waiting(mine),
        queries.holds() if may_hold else (),
        who.may("retention.change"),
        may_hold,
    )
