"""Rooms and who is in them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from chat.core.database import Big, Id, Model, Utc
from chat.core.folding import LIMIT
from chat.core.names import LIKENESS_LIMIT

#: The longest name in characters as people see them, and in code points, of which an emoji has many.
NAME_LIMIT, NAME_WIDTH = 64, 264
PURPOSE_LIMIT = 250


class Room(Model):
    """Where messages live. Its row is the lock under which the room changes, one change at a time."""

    __tablename__ = "rooms"
    __table_args__ = (Index("ix_rooms_kind", "kind"), Index("ix_rooms_likeness", "likeness"))

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    #: The name of a kind in ``chat.rooms.kinds``.
    kind: Mapped[str] = mapped_column(String(20))
    #: Empty for direct rooms, which are called by the other person.
    name: Mapped[str] = mapped_column(String(NAME_WIDTH))
    #: ``folding.folded(name)``, to search by.
    folded_name: Mapped[str] = mapped_column(String(LIMIT), server_default="")
    #: ``names.likeness(name)``: equal for names that look alike.
    likeness: Mapped[str] = mapped_column(String(LIKENESS_LIMIT), server_default="")
    purpose: Mapped[str] = mapped_column(String(PURPOSE_LIMIT), default="")
    #: The two people of a direct room, sorted: the database allows one room per pair.
    direct_key: Mapped[str | None] = mapped_column(String(40), unique=True)
    created_by: Mapped[str | None] = mapped_column(Id, ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(Utc)
    #: Its owner while a sanction keeps them out: whoever owns it meanwhile stands in for them. None: nobody stands in.
    kept_for: Mapped[str | None] = mapped_column(Id)
    #: The last ``seq`` of the room's log.
    head: Mapped[int] = mapped_column(Big, default=0)
    #: How many messages were posted; the last one has this number.
    posted: Mapped[int] = mapped_column(Big, default=0)
    last_message_id: Mapped[str | None] = mapped_column(Id)
    active_at: Mapped[datetime] = mapped_column(Utc)


class Membership(Model):
    """A person in a room, and how far they have read."""

    __tablename__ = "memberships"
    __table_args__ = (
        CheckConstraint("role IN ('owner', 'moderator', 'member')", name="role"),
        Index("ix_memberships_user_id", "user_id"),
    )

    room_id: Mapped[str] = mapped_column(Id, ForeignKey("rooms.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[str] = mapped_column(Id, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    role: Mapped[str] = mapped_column(String(10), default="member")
    #: The role of an owner who stands in, to be given back when the owner returns.
    role_before: Mapped[str | None] = mapped_column(String(10))
    joined_at: Mapped[datetime] = mapped_column(Utc)
    #: The ``seq`` up to which they have read, and the room's ``posted`` less what they have not: it moves when something
    #: unread is deleted or restored, so that no list has to count. By ``seq`` an edit would look like a message.
    last_read_seq: Mapped[int] = mapped_column(Big, default=0)
    last_read_number: Mapped[int] = mapped_column(Big, default=0)
    #: Until when they may read but not write; ``clock.FOREVER`` without an end. Kept by ``chat.moderation.sanctions``.
    muted_until: Mapped[datetime | None] = mapped_column(Utc)
