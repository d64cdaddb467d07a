"""Sanctions and appeals in the console, and one's own standing."""

from __future__ import annotations

from dataclasses import replace

from flask import Blueprint, Response, request

from chat.accounts import queries as accounts
from chat.accounts.guards import for_barred, signed_in, viewer
from chat.core import ids
from chat.core.errors import Conflict, Invalid, NotFound
from chat.moderation.sanctions import queries, service
from chat.moderation.sanctions.contexts import LiftForm, SanctionForm, StandingPage
from chat.moderation.sanctions.forms import SanctionFields
from chat.moderation.sanctions.words import DURATIONS, KINDS
from chat.notices import queries as notices
from chat.notices import service as telling
from chat.rooms.contexts import Choice
from chat.rooms.guards import reach
from chat.rooms.queries import Reach
from chat.web import forms
from chat.web.htmx import is_htmx, see_other
from chat.web.templating import render_page
from chat.web.urls import path_for

blueprint = Blueprint("sanctions", __name__)


# -- the console


@blueprint.get("/moderation/sanctions")
@signed_in
def index() -> str:
    """List the sanctions within reach."""
    return render_page("sanctions/sanctions.html", queries.listed(reach("sanction.room"), _asked()))


@blueprint.get("/moderation/sanctions/new")
@signed_in
def new() -> str:
    """Show the form to sanction a person, or a range of addresses."""
    fields = SanctionFields(
        forms.argument("person"), forms.argument("network"), "mute", forms.argument("room"), "24h", "", "", ""
    )
    return render_page("sanctions/new.html", _form(reach("sanction.room"), fields))


@blueprint.post("/moderation/sanctions")
@signed_in
def create() -> Response:
    """Impose a sanction."""
    mine, fields = reach("sanction.room"), SanctionFields.read()
    try:
        if ids.is_id(fields.person):
            end = fields.expires_at()
            service.impose(
                fields.kind, fields.person, fields.reason,
                room_id=fields.room_id, note=fields.note, expires_at=end, reach=mine,
            )  # fmt: skip
        else:
            service.impose_on_network(
                fields.kind, fields.network, fields.reason, mine,
                note=fields.note, expires_at=fields.expires_at(), own_address=request.remote_addr or "",
            )  # fmt: skip
    except (Invalid, Conflict) as problem:
        errors = problem.fields or {"kind": problem.sentence}
        page = replace(_form(mine, fields), errors=errors)
        return Response(render_page("sanctions/new.html", page), problem.status)
    return see_other(path_for("sanctions.index", **({"person": fields.person} if ids.is_id(fields.person) else {})))


@blueprint.get("/moderation/sanctions/<id:sanction_id>/lift")
@signed_in
def lift_form(sanction_id: str) -> str:
    """Show the form to lift a sanction."""
    return render_page("sanctions/lift.html", LiftForm(queries.one(reach("sanction.room"), sanction_id)))


@blueprint.post("/moderation/sanctions/<id:sanction_id>/lift")
@signed_in
def lift(sanction_id: str) -> Response:
    """Lift a sanction."""
    mine, reason = reach("sanction.room"), forms.line("reason")
    try:
        service.lift(sanction_id, reason, mine)
    except Invalid as problem:
        page = LiftForm(queries.one(mine, sanction_id), reason, problem.fields)
        return Response(render_page("sanctions/lift.html", page), problem.status)
    return see_other(path_for("sanctions.index"))


@blueprint.get("/moderation/appeals")
@signed_in
def appeals() -> str:
    """List the appeals within reach."""
    return render_page("sanctions/appeals.html", queries.appeals(reach("sanction.room"), forms.argument("state")))


@blueprint.post("/moderation/appeals/<id:appeal_id>/decision")
@signed_in
def decide(appeal_id: str) -> Response:
    """Grant an appeal or refuse it."""
    mine, answer, choice = reach("sanction.room"), forms.line("answer"), forms.line("decision")
    try:
        if choice not in ("grant", "refuse"):
            raise Invalid("Grant it or refuse it.")
        service.decide(appeal_id, choice == "grant", answer, mine)
    except Invalid as problem:
        page = replace(queries.appeals(mine, "open"), error_id=appeal_id, answer=answer, error=problem.sentence)
        return Response(render_page("sanctions/appeals.html", page), problem.status)
    return see_other(path_for("sanctions.appeals"))


# -- one's own standing


@blueprint.get("/standing")
@signed_in
@for_barred
def standing() -> str:
    """Show what moderators decided about oneself."""
    return _standing()


@blueprint.post("/standing/read")
@signed_in
@for_barred
def mark_read() -> Response:
    """Note that one has read one's notices."""
    telling.mark_read(viewer().id)
    return Response(status=204) if is_htmx() else see_other(path_for("sanctions.standing"))


@blueprint.post("/standing/appeals")
@signed_in
@for_barred
def appeal() -> Response:
    """Appeal against a sanction, or against the removal of a message."""
    sanction_id, message_id, body = forms.line("sanction"), forms.line("message"), forms.text("body")
    try:
        if ids.is_id(sanction_id):
            service.appeal(viewer().id, body, sanction_id=sanction_id)
        elif ids.is_id(message_id):
            service.appeal(viewer().id, body, message_id=message_id)
        else:
            raise NotFound
    except (Invalid, Conflict) as problem:
        return Response(_standing(sanction_id or message_id, body, problem.sentence), problem.status)
    return see_other(path_for("sanctions.standing"))


def _standing(about: str = "", body: str = "", error: str = "") -> str:
    who = viewer()
    page = StandingPage(
        queries.own(who.id), queries.own_removals(who.id), notices.latest(who.id), about=about, body=body, error=error
    )
    return render_page("sanctions/barred.html" if who.barred else "sanctions/standing.html", page)


def _form(mine: Reach, fields: SanctionFields) -> SanctionForm:
    """Return the form for a person within reach, or for a range.

    :raises NotFound: there is no such person, or one may not do this to addresses.
    """
    person = accounts.people([fields.person]).get(fields.person) if ids.is_id(fields.person) else None
    everywhere = mine.may_everywhere("sanction.site")
    if person is None and not (everywhere and not fields.person):
        raise NotFound
    rooms = queries.rooms_shared(mine, person.id) if person else ()
    if not rooms and not everywhere:
        raise NotFound
    allowed = ("mute", "suspend", "ban") if person else ("mute", "ban")
    return SanctionForm(
        person=person,
        rooms=rooms,
        kinds=tuple((kind, KINDS[kind][0], KINDS[kind][2]) for kind in allowed),
        durations=tuple(Choice(value, words) for value, (words, _) in DURATIONS.items()),
        everywhere=everywhere,
        kind=fields.kind if fields.kind in allowed else "mute",
        room=fields.room,
        duration=fields.duration if fields.duration in (*DURATIONS, "until") else "24h",
        until=fields.until,
        network=fields.network,
        reason=fields.reason,
        note=fields.note,
    )


def _asked() -> dict[str, str]:
    return {name: forms.argument(name) for name in ("person", "room", "kind", "state", "after") if name in request.args}
