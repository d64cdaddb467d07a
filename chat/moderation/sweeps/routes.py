"""Sweeps in the console."""

from __future__ import annotations

from flask import Blueprint, Response

from chat.accounts.contexts import PersonContext
from chat.accounts.guards import signed_in
from chat.core import clock, ids
from chat.core.errors import Conflict, Invalid, NotAllowed
from chat.moderation.sweeps import queries, service
from chat.moderation.sweeps.contexts import SweepForm
from chat.moderation.sweeps.forms import SweepFields
from chat.moderation.sweeps.words import SPANS
from chat.rooms.contexts import Choice
from chat.rooms.guards import reach
from chat.rooms.queries import Reach
from chat.web.htmx import is_htmx, see_other
from chat.web.templating import render_page, render_part
from chat.web.urls import path_for

blueprint = Blueprint("sweeps", __name__, url_prefix="/moderation/sweeps")


@blueprint.get("/new")
@signed_in
def new() -> str:
    """Show the form to remove what somebody wrote lately, with how much that is."""
    page = _form(reach(), SweepFields.asked())
    return render_part("sweeps/_count.html", page) if is_htmx() else render_page("sweeps/new.html", page)


@blueprint.post("")
@signed_in
def create() -> Response:
    """Remove it."""
    mine, fields = reach(), SweepFields.read()
    try:
        sweep_id = service.start(fields.person, fields.room_id, fields.span, fields.reason, mine, ban=fields.ban)
    except (Invalid, NotAllowed) as problem:
        errors = problem.fields or {"form": problem.sentence}
        return Response(render_page("sweeps/new.html", _form(mine, fields, errors)), problem.status)
    return see_other(path_for("sweeps.show", sweep_id=sweep_id))


@blueprint.get("/<id:sweep_id>")
@signed_in
def show(sweep_id: str) -> str:
    """Show what a sweep removed."""
    mine = reach()
    page = queries.page(sweep_id, mine)
    service.note_read(mine.user_id, page)
    return render_page("sweeps/sweep.html", page)


@blueprint.post("/<id:sweep_id>/<any(finish, undo):what>")
@signed_in
def change(sweep_id: str, what: str) -> Response:
    """Go on with one that was cut off, or put everything back."""
    mine = reach()
    try:
        (service.finish if what == "finish" else service.undo)(sweep_id, mine)
    except Conflict:
        pass  # somebody else was faster; the page says how it stands
    return see_other(path_for("sweeps.show", sweep_id=sweep_id))


def _form(mine: Reach, fields: SweepFields, errors: dict[str, str] | None = None) -> SweepForm:
    person, room = queries.get_person(mine, fields.person if ids.is_id(fields.person) else "", fields.room_id)
    span = fields.span if fields.span in SPANS else "1h"
    if mine.may_everywhere("sanction.site"):
        bans = "room" if room else "site"
    else:
        bans = "room" if room and mine.may("sanction.room") else ""
    return SweepForm(
        PersonContext(person.id, person.name, person.picture_id),
        queries.rooms_of(mine, person.id),
        tuple(Choice(name, words) for name, (words, _) in SPANS.items()),
        fields.room_id or "",
        span,
        queries.count(mine, person.id, fields.room_id, clock.now() - SPANS[span][1]),
        bans,
        fields.reason,
        fields.ban,
        errors or {},
    )
