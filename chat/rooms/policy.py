"""Who may do what with a room. Being a member is the query that found it; this is about the rest."""

from __future__ import annotations

from datetime import datetime

from chat.accounts import policy as accounts
from chat.core import permissions
from chat.core.errors import NotAllowed
from chat.rooms import kinds
from chat.rooms.models import Membership, Room


def may_join(room: Room) -> bool:
    """Tell whether anybody may come into a room by themselves."""
    return kinds.get(room.kind).joinable


def require_may_join(room: Room) -> None:
    """Refuse a room that one is added to.

    :raises NotAllowed: its kind is not open.
    """
    if not may_join(room):
        raise NotAllowed("This room is by invitation. Ask somebody in it to add you.")


def require_may_add(room: Room) -> None:
    """Refuse adding people to a room that has its members by nature.

    :raises NotAllowed: it is one of two people.
    """
    if not kinds.get(room.kind).changeable:
        raise NotAllowed("A direct room is for two. Make a group to talk with more people.")


def require_may_leave(room: Room) -> None:
    """Refuse leaving a room that cannot be left.

    :raises NotAllowed: it is one of two people.
    """
    if not kinds.get(room.kind).changeable:
        raise NotAllowed("A direct room stays. Nobody sees it in your list until somebody writes.")


def require_may_write(membership: Membership, now: datetime) -> None:
    """Refuse writing to somebody who is muted.

    :raises NotAllowed: with when it ends.
    """
    accounts.require_may_publish(membership.muted_until, now)


def may_moderate(room: Room, membership: Membership, role: str) -> bool:
    """Tell whether a member may act on what others wrote; in a direct room nobody may.

    :param role: of the member, on the site.
    """
    return kinds.get(room.kind).moderated and permissions.may(
        "message.remove", role, permissions.room_role(membership.role)
    )


def may_manage(room: Room, membership: Membership) -> bool:
    """Tell whether a member may rename the room and remove others."""
    return kinds.get(room.kind).changeable and membership.role == "owner"


def require_not_kept_for(room: Room, user_id: str) -> None:
    """Refuse removing the owner for whom the actor stands in.

    :raises NotAllowed: it is so.
    """
    if room.kept_for == user_id:
        raise NotAllowed("This room is theirs again when their sanction is over. You stand in for them.")


def require_may_own(name: str, imposed: bool) -> None:
    """Refuse to make a person the owner of a room whose owner they shut out.

    :param imposed: whether they imposed that sanction.
    :raises NotAllowed: they did.
    """
    if imposed:
        raise NotAllowed(f"{name} imposed what keeps its owner out of this room. Name somebody else.")


def require_may_manage(room: Room, membership: Membership) -> None:
    """Refuse what only the owner does.

    :raises NotAllowed: it is not the owner.
    """
    if not may_manage(room, membership):
        raise NotAllowed("Only the owner of this room does that.")
