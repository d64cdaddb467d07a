"""The list of one's rooms, making and joining them, their members and settings."""

from __future__ import annotations

from dataclasses import replace

from flask import Blueprint, Response, current_app

from chat.accounts import emails
from chat.accounts import queries as people
from chat.accounts import service as accounts
from chat.accounts.guards import signed_in, viewer
from chat.accounts.policy import require
from chat.core import clock, ids, names
from chat.core.errors import Invalid, NoSuchRoom, NotAllowed
from chat.rooms import kinds, policy, queries, service
from chat.rooms.contexts import HomePage, LeavePage, MembersPage, NewRoomPage, RoomList, RoomSettingsPage
from chat.rooms.forms import MemberForm, RoomForm
from chat.rooms.queries import Door
from chat.web import forms, rate_limits
from chat.web.htmx import see_other
from chat.web.templating import render_page, render_part
from chat.web.urls import path_for

blueprint = Blueprint("rooms", __name__)

_TOO_MANY_ROOMS = "You made many rooms lately. Make the next one in {wait}."
_TOO_MANY_INVITATIONS = "You invited many people lately. Invite the next one in {wait}."


@blueprint.get("/")
def home() -> Response:
    """Lead to one's rooms."""
    return see_other(path_for("rooms.index"))


@blueprint.get("/rooms")
@signed_in
def index() -> str:
    """Show one's rooms, those one may join, and the people there are."""
    search, who = forms.argument("search")[:100], viewer()
    found = people.directory(search) if who.may("people.find") else []
    others = tuple(person for person in found if person.id != who.id)
    rooms = queries.open_rooms(who.id, search) if who.may("room.find") else ()
    return render_page("rooms/index.html", HomePage(rooms, others, search, may_find=who.may("room.find")))


@blueprint.get("/rooms/list")
@signed_in
def room_list() -> str:
    """Show the list of one's rooms, as a fragment."""
    return render_part("rooms/_list.html", RoomList(queries.rows_of(viewer().id)))


@blueprint.get("/rooms/new")
@signed_in
def new() -> str:
    """Show the form to make a room."""
    require("room.create", viewer().role)
    return render_page("rooms/new.html", NewRoomPage())


@blueprint.post("/rooms")
@signed_in
def create() -> Response:
    """Make a room."""
    require("room.create", viewer().role)
    rate_limits.limit("30/hour", _TOO_MANY_ROOMS, "rooms", viewer().id)
    form = RoomForm.read()
    try:
        checked = form.checked()
        room_id = service.create_room(checked.name, checked.kind, checked.purpose, viewer().id)
    except (Invalid, NotAllowed) as problem:
        page = NewRoomPage(form.name, form.kind, form.purpose, problem.fields or {"name": problem.sentence})
        return Response(render_page("rooms/new.html", page), problem.status)
    return see_other(path_for("messages.show", room_id=room_id))


@blueprint.post("/rooms/direct")
@signed_in
def direct() -> Response:
    """Go to the one room with a person."""
    require("people.find", viewer().role)
    room_id = service.find_direct(forms.line("person"), viewer().id)
    return see_other(path_for("messages.show", room_id=room_id))


@blueprint.post("/rooms/<id:room_id>/join")
@signed_in
def join(room_id: str) -> Response:
    """Join an open room."""
    if not viewer().may("room.find"):
        raise NoSuchRoom  # what one cannot find is not there
    service.join(room_id, viewer().id)
    return see_other(path_for("messages.show", room_id=room_id))


@blueprint.get("/rooms/<id:room_id>/leave")
@signed_in
def leave_form(room_id: str) -> str:
    """Ask once more before somebody leaves a room into which they cannot come back as what they are."""
    who = viewer()
    door = queries.get_membership(room_id, who.id)
    policy.require_may_leave(door.room)
    role = door.membership.role
    heir = queries.heir(room_id, who.id) if role == "owner" else None
    follows = people.people([heir[0]])[heir[0]] if heir else None
    page = LeavePage(queries.room_context(door.room, who.id), policy.may_join(door.room), role, follows)
    return render_page("rooms/leave.html", page, room_id)


@blueprint.post("/rooms/<id:room_id>/leave")
@signed_in
def leave(room_id: str) -> Response:
    """Leave a room."""
    service.revoke(room_id, viewer().id, viewer().id)
    return see_other(path_for("rooms.index"))


@blueprint.get("/rooms/<id:room_id>/members")
@signed_in
def members(room_id: str) -> str:
    """Show who is in a room, and how to add somebody."""
    door = queries.get_membership(room_id, viewer().id)
    page = _members_page(door, notice=forms.argument("invited")[:300])
    inside = {member.person.id: member.person for member in page.members}
    added, removed = inside.get(forms.argument("added")), forms.argument("removed")
    if added is not None:
        page = replace(page, notice=f"{added.name} was added.")
    elif ids.is_id(removed) and removed not in inside and (gone := people.people([removed]).get(removed)) is not None:
        page = replace(page, notice=f"{gone.name} was removed.", undo_id=removed if page.may_add else "")
    return render_page("rooms/members.html", page, room_id)


@blueprint.post("/rooms/<id:room_id>/members")
@signed_in
def add_member(room_id: str) -> Response:
    """Add somebody: a person by id, or whoever has an e-mail address, who is invited if there is no account yet."""
    door = queries.get_membership(room_id, viewer().id)
    require("member.add", viewer().role)
    policy.require_may_add(door.room)
    form = MemberForm.read()
    try:
        policy.require_may_write(door.membership, clock.now())
        email = "" if form.person else emails.normal(form.email)
    except (Invalid, NotAllowed) as problem:
        page = _members_page(door, email=form.email, error=problem.sentence)
        return Response(render_page("rooms/members.html", page, room_id), problem.status)
    if form.person:
        service.grant(room_id, form.person, viewer().id)
        return see_other(path_for("rooms.members", room_id=room_id, added=form.person))
    rate_limits.limit("20/hour", _TOO_MANY_INVITATIONS, "invitations by", viewer().id)
    rate_limits.limit("3/hour", "This address was invited already. Wait {wait}.", "invitations to", email)
    known = people.user_by_email(email)
    if known is not None:
        service.grant(room_id, known.id, viewer().id)
    elif current_app.config["REGISTRATION"] == "closed":
        sentence = f"{email} has no account here, and new ones are not made. Ask an administrator."
        page = _members_page(door, email=form.email, error=sentence)
        return Response(render_page("rooms/members.html", page, room_id), 422)
    else:
        accounts.invite(email, viewer().id, room_id)
    return see_other(path_for("rooms.members", room_id=room_id, invited=email))


@blueprint.post("/rooms/<id:room_id>/members/<id:person_id>/remove")
@signed_in
def remove_member(room_id: str, person_id: str) -> Response:
    """Remove somebody from a room."""
    service.revoke(room_id, person_id, viewer().id)
    return see_other(path_for("rooms.members", room_id=room_id, removed=person_id))


@blueprint.get("/rooms/<id:room_id>/settings")
@signed_in
def settings(room_id: str) -> str:
    """Show the form for a room's name and purpose."""
    door = queries.get_membership(room_id, viewer().id)
    policy.require_may_manage(door.room, door.membership)
    page = RoomSettingsPage(
        queries.room_context(door.room, viewer().id), names.plain(door.room.name, room_id), door.room.purpose
    )
    return render_page("rooms/settings.html", page, room_id)


@blueprint.post("/rooms/<id:room_id>/settings")
@signed_in
def update_settings(room_id: str) -> Response:
    """Save a room's name and purpose."""
    door = queries.get_membership(room_id, viewer().id)
    policy.require_may_manage(door.room, door.membership)
    form = RoomForm.read()
    try:
        form.checked()
        service.change_room(room_id, form.name, form.purpose, viewer().id)
    except (Invalid, NotAllowed) as problem:
        room = queries.room_context(door.room, viewer().id)
        page = RoomSettingsPage(room, form.name, form.purpose, problem.fields or {"name": problem.sentence})
        return Response(render_page("rooms/settings.html", page, room_id), problem.status)
    return see_other(path_for("messages.show", room_id=room_id))


def _members_page(door: Door, email: str = "", notice: str = "", error: str = "") -> MembersPage:
    changeable = kinds.get(door.room.kind).changeable
    may_add = changeable and viewer().may("member.add")
    return MembersPage(
        room=queries.room_context(door.room, viewer().id),
        members=queries.members(door.room.id),
        others=queries.non_members(door.room.id) if may_add else (),
        may_add=may_add,
        may_remove=policy.may_manage(door.room, door.membership),
        may_leave=changeable,
        may_return=policy.may_join(door.room) and door.membership.role == "member",
        email=email,
        notice=f"Invited {notice}." if notice else "",
        error=error,
    )
