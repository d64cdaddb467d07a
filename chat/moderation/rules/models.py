"""Rules about what is written, and what they have hit."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from chat.core.database import Big, Id, Model, Utc

_UNSEEN = text("action = 'alert' AND seen_at IS NULL")
NAME_LIMIT = 64
#: Characters of the sentence that authors are told.
SENTENCE_LIMIT = 200


class Rule(Model):
    """One rule of one room, or of every room."""

    __tablename__ = "rules"
    __table_args__ = (
        CheckConstraint("action IN ('block', 'hold', 'alert', 'mute')", name="action"),
        Index("ix_rules_room_id", "room_id"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    #: None: every room.
    room_id: Mapped[str | None] = mapped_column(Id, ForeignKey("rooms.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(NAME_LIMIT))
    kind: Mapped[str] = mapped_column(String(20))
    action: Mapped[str] = mapped_column(String(10))
    #: For ``mute``: for how long, 1 to 40,320 minutes.
    mute_minutes: Mapped[int] = mapped_column(default=0)
    #: What the author is told; empty for the sentence of its kind.
    sentence: Mapped[str] = mapped_column(String(SENTENCE_LIMIT), default="")
    #: What the kind needs: words, a pattern, a number within a time.
    settings: Mapped[dict[str, Any]] = mapped_column(JSON)
    enabled: Mapped[bool] = mapped_column(default=True)
    created_by: Mapped[str | None] = mapped_column(Id, ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(Utc)
    updated_at: Mapped[datetime] = mapped_column(Utc)


class RuleHit(Model):
    """A rule has done something: the message is named, its text is not here."""

    __tablename__ = "rule_hits"
    __table_args__ = (
        Index("ix_rule_hits_rule_id", "rule_id", "at"),
        Index("ix_rule_hits_person_id", "person_id", "rule_id", "at"),
        Index("ix_rule_hits_message_id", "message_id"),
        Index("ix_rule_hits_unseen", "room_id", "id", sqlite_where=_UNSEEN, postgresql_where=_UNSEEN),
        Index("ix_rule_hits_at", "at"),
    )

    id: Mapped[int] = mapped_column(Big, primary_key=True)
    rule_id: Mapped[str] = mapped_column(Id, ForeignKey("rules.id", ondelete="CASCADE"))
    action: Mapped[str] = mapped_column(String(10))
    person_id: Mapped[str] = mapped_column(Id, ForeignKey("users.id", ondelete="CASCADE"))
    room_id: Mapped[str | None] = mapped_column(Id, ForeignKey("rooms.id", ondelete="CASCADE"))
    #: The message that was posted all the same, by ``alert``; None where it was not.
    message_id: Mapped[str | None] = mapped_column(Id, ForeignKey("messages.id", ondelete="CASCADE"))
    at: Mapped[datetime] = mapped_column(Utc)
    #: When a moderator has looked at an alert.
    seen_at: Mapped[datetime | None] = mapped_column(Utc)
