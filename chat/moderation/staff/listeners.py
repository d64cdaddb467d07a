"""Who was given another role is told so."""

from __future__ import annotations

from sqlalchemy import select

from chat.accounts.events import RoleChanged
from chat.core.bus import during
from chat.core.database import db
from chat.core.permissions import ROLES
from chat.notices import service as notices
from chat.rooms.events import MemberAppointed
from chat.rooms.models import Room


@during(RoleChanged)
def tell_of_role(event: RoleChanged) -> None:
    """Tell somebody what they are on the site from now on."""
    why = f": {event.reason}" if event.reason else "."
    notices.tell(
        event.user_id, "sanction", f"Your role on this site is another one now, {ROLES[event.role].lower()}{why}"
    )


@during(MemberAppointed)
def tell_of_appointment(event: MemberAppointed) -> None:
    """Tell somebody what they are in a room from now on."""
    room = db.session.execute(select(Room.name).where(Room.id == event.room_id)).scalar_one()
    became = {"owner": "You own", "moderator": "You moderate"}.get(event.role, "You no longer moderate")
    notices.tell(event.user_id, "sanction", f"{became} {room}: {event.reason}", f"/rooms/{event.room_id}")
