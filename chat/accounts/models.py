"""People, the browsers they are signed in on, and invitations."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from chat.accounts.contexts import PersonContext
from chat.core.database import Id, Model, Utc
from chat.core.folding import LIMIT
from chat.core.names import LIKENESS_LIMIT

#: The longest name in characters as people see them, and in code points, of which an emoji has many.
NAME_LIMIT, NAME_WIDTH = 64, 264
STATUS_LIMIT = 100
THEMES = ("auto", "light", "dark")


class User(Model):
    """A person with an account."""

    __tablename__ = "users"
    __table_args__ = (
        CheckConstraint("role IN ('member', 'guest', 'bot', 'moderator', 'administrator')", name="role"),
        CheckConstraint("theme IN ('auto', 'light', 'dark')", name="theme"),
        Index("ix_users_likeness", "likeness"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    #: As it is shown; ``naming`` puts a tag behind it where another name looks like it.
    name: Mapped[str] = mapped_column(String(NAME_WIDTH))
    #: ``folding.folded(name)``, to search and to sort by.
    folded_name: Mapped[str] = mapped_column(String(LIMIT), server_default="")
    #: ``names.likeness(name)``: equal for names that look alike.
    likeness: Mapped[str] = mapped_column(String(LIKENESS_LIMIT), server_default="")
    #: Lower case, trimmed.
    email: Mapped[str] = mapped_column(String(254), unique=True)
    password_hash: Mapped[str] = mapped_column(String(200))
    #: When it was last changed; None while it is the one that the account was made with.
    password_changed_at: Mapped[datetime | None] = mapped_column(Utc)
    role: Mapped[str] = mapped_column(String(20), default="member")
    status: Mapped[str] = mapped_column(String(STATUS_LIMIT), default="")
    theme: Mapped[str] = mapped_column(String(10), default="auto")
    picture_id: Mapped[str | None] = mapped_column(Id, ForeignKey("pictures.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(Utc)
    last_seen_at: Mapped[datetime | None] = mapped_column(Utc)
    #: Until when they are suspended or banned everywhere; ``clock.FOREVER`` without an end. ``moderation.sanctions`` keeps it.
    barred_until: Mapped[datetime | None] = mapped_column(Utc)
    #: Until when they publish nothing anywhere, as ``barred_until``.
    muted_until: Mapped[datetime | None] = mapped_column(Utc)
    #: How many notices they have not read. Kept by ``chat.notices``.
    notices: Mapped[int] = mapped_column(default=0, server_default="0")

    @property
    def context(self) -> PersonContext:
        """The person as templates see them."""
        return PersonContext(self.id, self.name, self.picture_id, self.status, self.last_seen_at)


class LoginSession(Model):
    """A browser that is signed in. The cookie holds a secret; here is only its hash."""

    __tablename__ = "login_sessions"
    __table_args__ = (
        Index("ix_login_sessions_user_id", "user_id"),
        Index("ix_login_sessions_revoked_at", "revoked_at"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[str] = mapped_column(Id, ForeignKey("users.id", ondelete="CASCADE"))
    created_at: Mapped[datetime] = mapped_column(Utc)
    last_seen_at: Mapped[datetime] = mapped_column(Utc)
    expires_at: Mapped[datetime] = mapped_column(Utc)
    revoked_at: Mapped[datetime | None] = mapped_column(Utc)
    user_agent: Mapped[str] = mapped_column(String(300), default="")
    address: Mapped[str] = mapped_column(String(45), default="")


class Invitation(Model):
    """A way in for one person, by a secret sent to an e-mail address; used once."""

    __tablename__ = "invitations"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    email: Mapped[str] = mapped_column(String(254))
    invited_by: Mapped[str] = mapped_column(Id, ForeignKey("users.id", ondelete="CASCADE"))
    room_id: Mapped[str | None] = mapped_column(Id, ForeignKey("rooms.id", ondelete="CASCADE"))
    created_at: Mapped[datetime] = mapped_column(Utc)
    expires_at: Mapped[datetime] = mapped_column(Utc)
    used_by: Mapped[str | None] = mapped_column(Id, ForeignKey("users.id", ondelete="SET NULL"))
