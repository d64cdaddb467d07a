"""The pictures that are kept, wherever their bytes are."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from chat.core.database import Id, Model, Utc


class Picture(Model):
    """One picture in two sizes. What it is used for, a message or a face, is said by what refers to it."""

    __tablename__ = "pictures"
    __table_args__ = (Index("ix_pictures_created_at", "created_at"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    #: Who uploaded it; until it is used, nobody else may see it.
    owner_id: Mapped[str] = mapped_column(Id)
    #: ``disk`` or ``cloudinary``: where its bytes are, also after the settings have changed.
    storage: Mapped[str] = mapped_column(String(12))
    #: The name of the bytes in their storage; random, and another one after a picture was hidden.
    key: Mapped[str] = mapped_column(String(64))
    width: Mapped[int]
    height: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(Utc)
