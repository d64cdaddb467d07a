"""The queue of held messages in the console, and one of them in its room."""

from __future__ import annotations

from dataclasses import replace

from flask import Blueprint, Response

from chat import pictures
from chat.accounts.guards import signed_in
from chat.core.errors import Conflict, Invalid, NotFound
from chat.moderation.held import queries, service
from chat.moderation.held.contexts import HeldPeek
from chat.rooms.guards import reach
from chat.web import forms
from chat.web.htmx import is_htmx, see_other
from chat.web.templating import render_page, render_part
from chat.web.urls import path_for

blueprint = Blueprint("held", __name__, url_prefix="/moderation/held")


@blueprint.get("")
@signed_in
def index() -> str:
    """Show what waits."""
    mine = reach("held.decide")
    page = queries.page(mine, forms.argument("decided"))
    service.note_listed(mine.user_id, page.cases)
    return render_page("held/held.html", page)


@blueprint.get("/<id:held_id>")
@signed_in
def peek(held_id: str) -> Response | str:
    """Show one in its room; without script in the queue."""
    mine = reach("held.decide")
    case = queries.case(mine, held_id)
    if not is_htmx():
        return see_other(path_for("held.index", _anchor=f"held_{held_id}"))
    service.note_read(mine.user_id, case)
    return render_part("held/_peek.html", HeldPeek(case))


@blueprint.get("/<id:held_id>/pictures/<id:picture_id>")
@signed_in
def picture(held_id: str, picture_id: str) -> Response:
    """Send a picture of one."""
    mine = reach("held.decide")
    case = queries.case(mine, held_id)
    if picture_id not in case.pictures:
        raise NotFound("This picture is gone, or you cannot see it.")
    service.note_read(mine.user_id, case, picture_id)
    return pictures.send(picture_id, "full")


@blueprint.post("/<id:held_id>/approve")
@signed_in
def approve(held_id: str) -> Response:
    """Have one posted."""
    service.approve(held_id, reach("held.decide"))
    return _decided(held_id)


@blueprint.post("/<id:held_id>/refuse")
@signed_in
def refuse(held_id: str) -> Response:
    """Refuse one."""
    mine, reason = reach("held.decide"), forms.line("reason")
    try:
        service.refuse(held_id, reason, mine)
    except Invalid as problem:
        if is_htmx():
            raise
        page = replace(queries.page(mine), refused_id=held_id, error=problem.sentence, reason=reason)
        service.note_listed(mine.user_id, page.cases)
        return Response(render_page("held/held.html", page), problem.status)
    return _decided(held_id)


@blueprint.post("/<id:held_id>/back")
@signed_in
def take_back(held_id: str) -> Response:
    """Take a refusal back."""
    try:
        service.take_back(held_id, reach("held.decide"))
    except Conflict:
        pass  # the page says how it stands
    return see_other(path_for("held.index", _anchor=f"held_{held_id}"))


@blueprint.post("/alerts/<int:hit_id>")
@signed_in
def seen(hit_id: int) -> Response:
    """Note that one has looked at what a rule told of."""
    service.note_seen(hit_id, reach("held.decide"))
    return see_other(path_for("held.index"))


@blueprint.post("/alerts")
@signed_in
def all_seen() -> Response:
    """Note that one has looked at all that rules told of."""
    until = forms.line("until")
    service.note_all_seen(
        int(until) if until.isascii() and until.isdigit() and len(until) < 19 else 0, reach("held.decide")
    )
    return see_other(path_for("held.index"))


def _decided(held_id: str) -> Response:
    """Go on in the queue; in a room its own frame, and the list of what waits, say the rest."""
    return Response(status=204) if is_htmx() else see_other(path_for("held.index", decided=held_id))
