"""What the site looks like."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from chat.core.database import Id, Model, Utc

NAME_LIMIT = 64
#: The id of the look that everybody sees; that of somebody's draft is their own.
SITE = "site"


class Look(Model):
    """One look: the site's, or what an administrator tries out. What is empty is as we ship it."""

    __tablename__ = "looks"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    #: Another one whenever anything is: processes compare it.
    version: Mapped[str] = mapped_column(Id)
    name: Mapped[str] = mapped_column(String(NAME_LIMIT))
    #: As ``#rrggbb``.
    accent: Mapped[str] = mapped_column(String(7))
    #: As typed.
    css: Mapped[str] = mapped_column(Text)
    #: A WebP of 256 pixels or less a side. Here and not with the pictures, for it is on pages before anybody is signed in.
    logo: Mapped[bytes] = mapped_column(LargeBinary)
    #: The beginning of its SHA-256; empty without one.
    logo_digest: Mapped[str] = mapped_column(String(16))
    changed_by: Mapped[str | None] = mapped_column(Id, ForeignKey("users.id", ondelete="SET NULL"))
    changed_at: Mapped[datetime] = mapped_column(Utc)
