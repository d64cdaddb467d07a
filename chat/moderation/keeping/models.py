"""Purges and legal holds."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from chat.core.audit import REASON_LIMIT
from chat.core.database import Id, Model, Utc

HOLD_NAME_LIMIT = 100


class Purge(Model):
    """That the text of a message was, or is asked to be, destroyed. The row stays; nothing in it is the text."""

    __tablename__ = "purges"
    __table_args__ = (Index("ix_purges_requested_at", "requested_at"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    message_id: Mapped[str] = mapped_column(Id, ForeignKey("messages.id", ondelete="CASCADE"), unique=True)
    #: None: the time for which removed text is kept was over.
    requested_by: Mapped[str | None] = mapped_column(Id, ForeignKey("users.id", ondelete="SET NULL"))
    reason: Mapped[str] = mapped_column(String(REASON_LIMIT))
    requested_at: Mapped[datetime] = mapped_column(Utc)
    #: Who agreed, where two are needed.
    approved_by: Mapped[str | None] = mapped_column(Id, ForeignKey("users.id", ondelete="SET NULL"))
    #: When it was done; None while it waits for somebody to agree.
    done_at: Mapped[datetime | None] = mapped_column(Utc)
    #: What was destroyed and when, as a JSON object, and our seal over it.
    receipt: Mapped[str] = mapped_column(Text, default="")
    seal: Mapped[str] = mapped_column(String(22), default="")


class Hold(Model):
    """A legal hold: what it covers is not destroyed. Whatever it leaves empty it does not ask for; not all is empty."""

    __tablename__ = "holds"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(String(HOLD_NAME_LIMIT))
    person_id: Mapped[str | None] = mapped_column(Id, ForeignKey("users.id", ondelete="CASCADE"))
    room_id: Mapped[str | None] = mapped_column(Id, ForeignKey("rooms.id", ondelete="CASCADE"))
    #: Messages posted from, and before.
    since: Mapped[datetime | None] = mapped_column(Utc)
    until: Mapped[datetime | None] = mapped_column(Utc)
    reason: Mapped[str] = mapped_column(String(REASON_LIMIT))
    created_by: Mapped[str | None] = mapped_column(Id, ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(Utc)
    released_at: Mapped[datetime | None] = mapped_column(Utc)
    released_by: Mapped[str | None] = mapped_column(Id, ForeignKey("users.id", ondelete="SET NULL"))
