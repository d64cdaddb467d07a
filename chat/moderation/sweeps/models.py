"""Sweeps."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from chat.core.audit import REASON_LIMIT
from chat.core.database import Id, Model, Utc


class Sweep(Model):
    """Many messages of one person, removed in one go; their rows name it in ``sweep_id``."""

    __tablename__ = "sweeps"
    __table_args__ = (Index("ix_sweeps_created_at", "created_at", "id"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    actor_id: Mapped[str | None] = mapped_column(Id, ForeignKey("users.id", ondelete="SET NULL"))
    person_id: Mapped[str] = mapped_column(Id, ForeignKey("users.id", ondelete="CASCADE"))
    #: None: every room within the reach of whoever did it.
    room_id: Mapped[str | None] = mapped_column(Id, ForeignKey("rooms.id", ondelete="CASCADE"))
    #: What was written from here on, until it was begun.
    since: Mapped[datetime] = mapped_column(Utc)
    reason: Mapped[str] = mapped_column(String(REASON_LIMIT))
    #: How many it removed.
    messages: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(Utc)
    #: None: it, or from ``undone_at`` on the undoing of it, was cut off or is still at it.
    finished_at: Mapped[datetime | None] = mapped_column(Utc)
    undone_at: Mapped[datetime | None] = mapped_column(Utc)
    undone_by: Mapped[str | None] = mapped_column(Id, ForeignKey("users.id", ondelete="SET NULL"))
