"""What members ask moderators to look at. All reports of one thing are one case."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from chat.core.audit import REASON_LIMIT
from chat.core.database import Id, Model, Utc

COMMENT_LIMIT = 1000


class ReportCase(Model):
    """A message, or a person, that was reported, and what became of it."""

    __tablename__ = "report_cases"
    __table_args__ = (
        CheckConstraint("state IN ('open', 'kept', 'removed')", name="state"),
        Index("ix_report_cases_state", "state", "reported_at"),
        Index("ix_report_cases_closed_at", "closed_at"),
        Index("ix_report_cases_person_id", "person_id"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    #: ``message:<id>`` or ``person:<id>``: one case for each, also when two people report at once.
    subject: Mapped[str] = mapped_column(String(24), unique=True)
    message_id: Mapped[str | None] = mapped_column(Id, ForeignKey("messages.id", ondelete="CASCADE"))
    #: Whom it is about: the author, or the person.
    person_id: Mapped[str] = mapped_column(Id, ForeignKey("users.id", ondelete="CASCADE"))
    #: Where the message is. A direct room gives moderators no reach: they see the lines that were reported, and no others.
    room_id: Mapped[str | None] = mapped_column(Id, ForeignKey("rooms.id", ondelete="CASCADE"))
    #: ``open``; ``kept``: nothing had to be done; ``removed``: the message was, or the person was sanctioned.
    state: Mapped[str] = mapped_column(String(10), default="open")
    reports: Mapped[int] = mapped_column(default=0)
    #: When it was last reported.
    reported_at: Mapped[datetime] = mapped_column(Utc)
    assignee_id: Mapped[str | None] = mapped_column(Id, ForeignKey("users.id", ondelete="SET NULL"))
    #: When a moderator first read what somebody reported of a direct room; both in it were told then.
    looked_at: Mapped[datetime | None] = mapped_column(Utc)
    #: For administrators alone, from then on.
    escalated_at: Mapped[datetime | None] = mapped_column(Utc)
    escalated_by: Mapped[str | None] = mapped_column(Id, ForeignKey("users.id", ondelete="SET NULL"))
    #: Why, for administrators.
    escalation: Mapped[str] = mapped_column(String(REASON_LIMIT), default="")
    closed_at: Mapped[datetime | None] = mapped_column(Utc)
    closed_by: Mapped[str | None] = mapped_column(Id, ForeignKey("users.id", ondelete="SET NULL"))
    #: What the reporters are told beside the outcome; may be empty.
    answer: Mapped[str] = mapped_column(String(REASON_LIMIT), default="")


class Report(Model):
    """What one person reported. One for each reporter and case."""

    __tablename__ = "reports"

    case_id: Mapped[str] = mapped_column(Id, ForeignKey("report_cases.id", ondelete="CASCADE"), primary_key=True)
    reporter_id: Mapped[str] = mapped_column(Id, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    #: One of ``words.REASONS``.
    reason: Mapped[str] = mapped_column(String(20))
    comment: Mapped[str] = mapped_column(String(COMMENT_LIMIT), default="")
    created_at: Mapped[datetime] = mapped_column(Utc)


class ReportLine(Model):
    """A message that a reporter chose to show with a case: all that moderators see of a direct room."""

    __tablename__ = "report_lines"

    case_id: Mapped[str] = mapped_column(Id, ForeignKey("report_cases.id", ondelete="CASCADE"), primary_key=True)
    message_id: Mapped[str] = mapped_column(Id, ForeignKey("messages.id", ondelete="CASCADE"), primary_key=True)
