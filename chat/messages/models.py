"""Messages, what they said before, and the pictures they carry."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from chat.core.audit import REASON_LIMIT
from chat.core.database import Big, Id, Model, Utc

PICTURES_LIMIT = 10
#: For how long an author can bring back what they deleted. The page offers ten seconds, and holds them while somebody is
#: about to press.
UNDO_WINDOW = timedelta(minutes=2)
#: Messages of one person that wait for a moderator at the same time: nobody fills the queue alone.
WAITING_LIMIT = 20

_REMOVED = text("deleted_at IS NOT NULL")
#: By when, and all that is asked of a removed message to count what a retention would destroy, so that no row has to be read.
_COUNTED = ("deleted_at", "id", "purged_at", "pictures", "edited_at", "author_id", "room_id", "created_at")
_SWEPT = text("sweep_id IS NOT NULL")
_EDITED = text("edited_at IS NOT NULL")


class Message(Model):
    """One message. A deleted one keeps its row: text for those who may look, ``client_id`` against repeats."""

    __tablename__ = "messages"
    __table_args__ = (
        UniqueConstraint("room_id", "seq"),
        # One author, one client_id, one message: for ever, not within some window of time.
        UniqueConstraint("author_id", "client_id"),
        # What was taken away, latest first: a small part of a large table.
        Index("ix_messages_deleted_at", *_COUNTED, sqlite_where=_REMOVED, postgresql_where=_REMOVED),
        Index(
            "ix_messages_room_deleted_at",
            "room_id",
            "deleted_at",
            "id",
            sqlite_where=_REMOVED,
            postgresql_where=_REMOVED,
        ),
        # … and what one moderator took away.
        Index(
            "ix_messages_deleted_by", "deleted_by", "deleted_at", "id", sqlite_where=_REMOVED, postgresql_where=_REMOVED
        ),
        # What one person wrote lately.
        Index("ix_messages_author_id", "author_id", "created_at"),
        Index("ix_messages_sweep_id", "sweep_id", "room_id", sqlite_where=_SWEPT, postgresql_where=_SWEPT),
        Index("ix_messages_edited_at", "edited_at", "id", sqlite_where=_EDITED, postgresql_where=_EDITED),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    room_id: Mapped[str] = mapped_column(Id, ForeignKey("rooms.id", ondelete="CASCADE"))
    seq: Mapped[int] = mapped_column(Big)
    #: 1, 2, 3, … among the messages of the room; unread is counted with it.
    number: Mapped[int] = mapped_column(Big)
    author_id: Mapped[str] = mapped_column(Id, ForeignKey("users.id"))
    client_id: Mapped[str] = mapped_column(String(64))
    body: Mapped[str] = mapped_column(Text)
    #: What was posted first, as a hash, to tell a repeat from another message under the same ``client_id``.
    digest: Mapped[str] = mapped_column(String(64))
    pictures: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(Utc)
    edited_at: Mapped[datetime | None] = mapped_column(Utc)
    deleted_at: Mapped[datetime | None] = mapped_column(Utc)
    deleted_by: Mapped[str | None] = mapped_column(Id, ForeignKey("users.id", ondelete="SET NULL"))
    delete_reason: Mapped[str] = mapped_column(String(REASON_LIMIT), default="")
    #: Of ``chat.moderation.sweeps``: which removed it, or is to remove it while ``deleted_at`` is None.
    sweep_id: Mapped[str | None] = mapped_column(Id)
    #: When its text was destroyed; ``digest`` is a keyed hash from then on.
    purged_at: Mapped[datetime | None] = mapped_column(Utc)


class MessageVersion(Model):
    """What a message said before it was edited."""

    __tablename__ = "message_versions"

    message_id: Mapped[str] = mapped_column(Id, ForeignKey("messages.id", ondelete="CASCADE"), primary_key=True)
    #: 1 is what was posted.
    version: Mapped[int] = mapped_column(primary_key=True)
    body: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(Utc)


class Attachment(Model):
    """A picture in a message. A picture is in one message only."""

    __tablename__ = "attachments"
    __table_args__ = (Index("ix_attachments_message_id", "message_id"),)

    picture_id: Mapped[str] = mapped_column(Id, ForeignKey("pictures.id", ondelete="CASCADE"), primary_key=True)
    message_id: Mapped[str] = mapped_column(Id, ForeignKey("messages.id", ondelete="CASCADE"))
    position: Mapped[int]


class HeldMessage(Model):
    """A message that waits for a moderator: in no room's log, shown to its author and to those who may decide."""

    __tablename__ = "held_messages"
    __table_args__ = (
        CheckConstraint("state IN ('waiting', 'approved', 'refused', 'withdrawn')", name="state"),
        UniqueConstraint("author_id", "client_id"),
        Index("ix_held_messages_room_id", "room_id", "state"),
        Index("ix_held_messages_state", "state", "created_at"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    room_id: Mapped[str] = mapped_column(Id, ForeignKey("rooms.id", ondelete="CASCADE"))
    author_id: Mapped[str] = mapped_column(Id, ForeignKey("users.id", ondelete="CASCADE"))
    #: The message that it becomes has the same one.
    client_id: Mapped[str] = mapped_column(String(64))
    body: Mapped[str] = mapped_column(Text)
    #: As of ``Message``.
    digest: Mapped[str] = mapped_column(String(64))
    #: Ids of pictures, in order.
    pictures: Mapped[list[str]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(Utc)
    #: Why, for its author, and for moderators.
    sentence: Mapped[str] = mapped_column(String(200))
    label: Mapped[str] = mapped_column(String(100))
    state: Mapped[str] = mapped_column(String(10), default="waiting")
    decided_by: Mapped[str | None] = mapped_column(Id, ForeignKey("users.id", ondelete="SET NULL"))
    decided_at: Mapped[datetime | None] = mapped_column(Utc)
    #: Why it was refused; its author reads it.
    reason: Mapped[str] = mapped_column(String(REASON_LIMIT), default="")
    message_id: Mapped[str | None] = mapped_column(Id, ForeignKey("messages.id", ondelete="SET NULL"))
