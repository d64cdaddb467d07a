"""Saying that one writes, and that one is still there."""

from __future__ import annotations

from flask import Blueprint, Response

from chat.accounts.guards import often, signed_in, viewer
from chat.core.errors import TooFast
from chat.presence import broadcasts
from chat.presence.tracker import tracker
from chat.rooms import kinds
from chat.rooms import queries as rooms
from chat.web import rate_limits

blueprint = Blueprint("presence", __name__)


@blueprint.post("/rooms/<id:room_id>/typing")
@signed_in
@often
def typing(room_id: str) -> Response:
    """Show that one is writing; more often than every second, and in large rooms, it is simply not shown."""
    who = viewer()
    door = rooms.get_membership(room_id, who.id)
    if door.membership.muted_until is not None:
        return Response(status=204)  # what they type goes nowhere
    try:
        rate_limits.limit("1/second", "", "typing", room_id, who.id, shared=False)
    except TooFast:
        return Response(status=204)
    tracker().act(who.id, who.session_id)
    if rooms.member_count(room_id) <= kinds.get(door.room.kind).typing_limit:
        broadcasts.show_typing(room_id, who.person)
    return Response(status=204)


@blueprint.post("/presence")
@signed_in
@often
def active() -> Response:
    """Note that one did something on a page; it says so at most once a minute."""
    who = viewer()
    tracker().act(who.id, who.session_id)
    return Response(status=204)
