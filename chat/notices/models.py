"""What people were told."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from chat.core.database import Id, Model, Utc

TEXT_LIMIT = 1000


class Notice(Model):
    """One thing that somebody was told. It holds no text of a message and no name of a moderator."""

    __tablename__ = "notices"
    __table_args__ = (Index("ix_notices_person_id", "person_id", "created_at"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    person_id: Mapped[str] = mapped_column(Id, ForeignKey("users.id", ondelete="CASCADE"))
    #: What it is about, for the sign beside it: ``message``, ``sanction``, ``report``, ``appeal``, ``held``.
    kind: Mapped[str] = mapped_column(String(20))
    #: Whole sentences.
    sentence: Mapped[str] = mapped_column(String(TEXT_LIMIT))
    #: The path of the page that it leads to; empty where there is none.
    path: Mapped[str] = mapped_column(String(200), default="")
    created_at: Mapped[datetime] = mapped_column(Utc)
    read_at: Mapped[datetime | None] = mapped_column(Utc)
