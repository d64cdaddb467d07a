"""What templates are told about notices."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True)
class NoticeContext:
    """One thing that somebody was told."""

    id: str
    #: ``message``, ``sanction``, ``report``, ``appeal`` or ``held``.
    kind: str
    #: Whole sentences.
    sentence: str
    #: The page that it leads to; empty where there is none.
    path: str
    created_at: datetime
    unread: bool

    @property
    def sign(self) -> str:
        """Return the name of an icon."""
        return {"message": "undo-2", "sanction": "gavel", "report": "flag", "appeal": "scale", "held": "hourglass"}[
            self.kind
        ]

    @classmethod
    def sample(cls) -> NoticeContext:
        """Return one to look at."""
        moment = datetime(2026, 11, 21, 9, 58, tzinfo=UTC)
        return cls(
            "samplesamplesamp", "message", "A message of yours in lamp-room was put back.", "/rooms", moment, True
        )


@dataclass(frozen=True)
class NoticeMark:
    """How many notices somebody has not read."""

    notices: int

    @classmethod
    def sample(cls) -> NoticeMark:
        """Return one to look at."""
        return cls(2)
