"""People and roles in the console."""

from __future__ import annotations

from dataclasses import replace

from flask import Blueprint, Response

from chat.accounts import service as accounts
from chat.accounts.guards import signed_in, viewer
from chat.core import audit, ids
from chat.core.errors import Conflict, Invalid
from chat.core.permissions import SITE_ROLES
from chat.moderation.staff import queries
from chat.rooms import service as rooms
from chat.rooms.guards import office, reach
from chat.web import forms
from chat.web.htmx import see_other
from chat.web.templating import render_page
from chat.web.urls import path_for

blueprint = Blueprint("staff", __name__, url_prefix="/moderation")

_WHY = "Say why: the person reads it."


@blueprint.get("/roles")
@signed_in
def roles() -> str:
    """Show who may do what, and who has which role."""
    reach()
    return render_page("staff/roles.html", queries.roles(viewer().may("role.change")))


@blueprint.get("/why")
@signed_in
def why() -> str:
    """Say why somebody may do something here, or may not."""
    person, room, permission = (forms.argument(name) for name in ("person", "room", "permission"))
    page = queries.why(reach(), person if ids.is_id(person) else "", room if ids.is_id(room) else "", permission)
    return render_page("staff/why.html", page)


@blueprint.get("/people")
@signed_in
def people() -> str:
    """Find people by name."""
    return render_page("staff/people.html", queries.found(reach(), forms.argument("search")[:100]))


@blueprint.get("/people/<id:person_id>")
@signed_in
def person(person_id: str) -> str:
    """Show what a moderator sees of a person."""
    return render_page("staff/person.html", queries.person(reach(), person_id, viewer().may("role.change")))


@blueprint.post("/people/<id:person_id>/role")
@signed_in
def change_role(person_id: str) -> Response:
    """Give somebody another role on the site."""
    actor_id, role, reason = office("role.change"), forms.line("role"), forms.line("reason")
    try:
        if role not in SITE_ROLES:
            raise Invalid("Choose a role.", {"role": "Choose a role."})
        audit.check_reason(reason, _WHY)
        accounts.change_role(person_id, role, actor_id, reason)
    except (Invalid, Conflict) as problem:
        errors = problem.fields or {"role": problem.sentence}
        page = replace(queries.person(reach(), person_id, may_change=True), reason=reason, errors=errors)
        return Response(render_page("staff/person.html", page), problem.status)
    return see_other(path_for("staff.person", person_id=person_id))


@blueprint.post("/people/<id:person_id>/office")
@signed_in
def appoint(person_id: str) -> Response:
    """Make somebody a moderator of a room that they are in, or a plain member again."""
    actor_id, reason = office("role.change"), forms.line("why")
    what, _, room_id = forms.line("office").partition(":")
    try:
        if what not in ("appoint", "dismiss") or not ids.is_id(room_id):
            raise Invalid("Choose a room.", {"office": "Choose a room."})
        audit.check_reason(reason, _WHY, "why")
        rooms.appoint(room_id, person_id, "moderator" if what == "appoint" else "member", actor_id, reason)
    except (Invalid, Conflict) as problem:
        errors = problem.fields or {"office": problem.sentence}
        page = replace(queries.person(reach(), person_id, may_change=True), why=reason, errors=errors)
        return Response(render_page("staff/person.html", page), problem.status)
    return see_other(path_for("staff.person", person_id=person_id))


@blueprint.get("/rooms")
@signed_in
def owned_rooms() -> str:
    """List the rooms with their owners, rooms without one first."""
    office("owner.name")
    return render_page("staff/rooms.html", queries.owned_rooms(forms.argument("search")[:100]))


@blueprint.get("/rooms/<id:room_id>")
@signed_in
def room(room_id: str) -> str:
    """Show the owner of a room, and the form to name another one."""
    office("owner.name")
    return render_page("staff/room.html", queries.room(room_id))


@blueprint.post("/rooms/<id:room_id>/owner")
@signed_in
def name_owner(room_id: str) -> Response:
    """Name the owner of a room."""
    actor_id, person_id, reason = office("owner.name"), forms.line("person"), forms.line("reason")
    try:
        if not ids.is_id(person_id):
            raise Invalid("Choose who owns it.", {"person": "Choose who owns it."})
        audit.check_reason(reason, _WHY)
        rooms.name_owner(room_id, person_id, actor_id, reason)
    except (Invalid, Conflict) as problem:
        errors = problem.fields or {"person": problem.sentence}
        page = replace(queries.room(room_id), chosen=person_id, reason=reason, errors=errors)
        return Response(render_page("staff/room.html", page), problem.status)
    return see_other(path_for("staff.room", room_id=room_id))
