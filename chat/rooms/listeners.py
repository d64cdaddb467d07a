"""The first room, and where invitations lead."""

from __future__ import annotations

from sqlalchemy import select

from chat.accounts.events import SiteSetUp, UserSignedUp
from chat.accounts.models import User
from chat.core import permissions
from chat.core.bus import during
from chat.core.database import db
from chat.core.log import Meta
from chat.rooms import service
from chat.rooms.kinds import open
from chat.rooms.models import Room

#: The fact that names the room everybody is put into.
FIRST_ROOM = "first_room"


@during(SiteSetUp)
def make_first_room(event: SiteSetUp) -> None:
    """Make the room in which the first two people meet."""
    room_id = service.create_room("everyone", open.KIND.name, "Where everybody is", event.user_id)
    db.session.add(Meta(name=FIRST_ROOM, value=room_id))
    db.session.flush()
    for user_id in db.session.execute(select(User.id).where(User.id != event.user_id)).scalars().all():
        service.admit(room_id, user_id)  # who was faster than the administrator


@during(UserSignedUp)
def welcome(event: UserSignedUp) -> None:
    """Put a new person into the first room, and into the one they were invited to."""
    first = db.session.execute(
        select(Room.id, Room.created_by).join(Meta, Meta.value == Room.id).where(Meta.name == FIRST_ROOM)
    ).one_or_none()
    role = db.session.execute(select(User.role).where(User.id == event.user_id)).scalar_one()
    finds = permissions.may("room.find", role)  # who does not is only where somebody puts them
    targets = {first.id} if finds and first is not None and first.created_by != event.user_id else set()
    if event.room_id is not None:
        targets.add(event.room_id)
    for room_id in sorted(targets):
        service.admit(room_id, event.user_id, event.invited_by if room_id == event.room_id else None)
