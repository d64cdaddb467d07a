"""Limits imposed on people and addresses, and what people say against them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from chat.core.audit import REASON_LIMIT
from chat.core.database import Id, Model, Utc

NOTE_LIMIT = 1000
APPEAL_LIMIT = 1000
#: Mute: reads but does not write. Suspend: is out until it ends, and then back by itself. Ban: is out.
KINDS = ("mute", "suspend", "ban")
#: What the scope of a sanction is called that is not about one room.
EVERYWHERE = "everywhere"

_ACTIVE = text("lifted_at IS NULL")


class Sanction(Model):
    """A limit imposed on a person or on a range of addresses, in one room or everywhere, until it ends or is lifted."""

    __tablename__ = "sanctions"
    __table_args__ = (
        CheckConstraint("kind IN ('mute', 'suspend', 'ban')", name="kind"),
        CheckConstraint("(person_id IS NULL) <> (network IS NULL)", name="target"),
        Index("ix_sanctions_person_id", "person_id", "created_at"),
        Index("ix_sanctions_active", "created_at", "id", sqlite_where=_ACTIVE, postgresql_where=_ACTIVE),
        # One of a kind for each person, or range, and place: also when two moderators are as quick as each other.
        Index(
            "uq_sanctions_active",
            "target",
            "scope",
            "kind",
            unique=True,
            sqlite_where=_ACTIVE,
            postgresql_where=_ACTIVE,
        ),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    kind: Mapped[str] = mapped_column(String(10))
    person_id: Mapped[str | None] = mapped_column(Id, ForeignKey("users.id", ondelete="CASCADE"))
    #: A range of addresses as ``ipaddress`` writes it, such as ``203.0.113.0/24``.
    network: Mapped[str | None] = mapped_column(String(49))
    #: The person or the range, and the room or ``EVERYWHERE``: what the one sanction of a kind is unique by.
    target: Mapped[str] = mapped_column(String(49))
    scope: Mapped[str] = mapped_column(String(16))
    #: None: everywhere.
    room_id: Mapped[str | None] = mapped_column(Id, ForeignKey("rooms.id", ondelete="CASCADE"))
    #: The person reads it.
    reason: Mapped[str] = mapped_column(String(REASON_LIMIT))
    #: Moderators read it.
    note: Mapped[str] = mapped_column(String(NOTE_LIMIT), default="")
    #: None: a rule did it.
    imposed_by: Mapped[str | None] = mapped_column(Id, ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(Utc)
    #: None: until it is lifted.
    expires_at: Mapped[datetime | None] = mapped_column(Utc)
    #: When it ceased to have effect: it was lifted, or it had expired and what it took was given back.
    lifted_at: Mapped[datetime | None] = mapped_column(Utc)
    lifted_by: Mapped[str | None] = mapped_column(Id, ForeignKey("users.id", ondelete="SET NULL"))
    lift_reason: Mapped[str] = mapped_column(String(REASON_LIMIT), default="")
    #: The membership that it took, to be given back: ``role``, ``role_before``, ``last_read_seq``, ``last_read_number``. Of one
    #: that holds everywhere and takes none, the rooms that its person owned: ``owned``.
    membership: Mapped[dict[str, Any] | None] = mapped_column(JSON)


class Appeal(Model):
    """What somebody says against a sanction, or against the removal of a message of theirs. One for each."""

    __tablename__ = "appeals"
    __table_args__ = (
        CheckConstraint("(sanction_id IS NULL) <> (message_id IS NULL)", name="target"),
        UniqueConstraint("sanction_id"),
        UniqueConstraint("message_id"),
        Index("ix_appeals_person_id", "person_id", "created_at"),
        Index("ix_appeals_state", "state", "created_at"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    person_id: Mapped[str] = mapped_column(Id, ForeignKey("users.id", ondelete="CASCADE"))
    sanction_id: Mapped[str | None] = mapped_column(Id, ForeignKey("sanctions.id", ondelete="CASCADE"))
    message_id: Mapped[str | None] = mapped_column(Id, ForeignKey("messages.id", ondelete="CASCADE"))
    body: Mapped[str] = mapped_column(String(APPEAL_LIMIT))
    created_at: Mapped[datetime] = mapped_column(Utc)
    #: ``open``, ``granted`` or ``refused``.
    state: Mapped[str] = mapped_column(String(10), default="open")
    decided_by: Mapped[str | None] = mapped_column(Id, ForeignKey("users.id", ondelete="SET NULL"))
    decided_at: Mapped[datetime | None] = mapped_column(Utc)
    #: What the person is told; may be empty.
    answer: Mapped[str] = mapped_column(String(REASON_LIMIT), default="")
