"""The names of the broker's channels. Nowhere else is one spelled, and none ever comes from a client."""

from __future__ import annotations

#: Heard by every process: revoked sessions, presence, who has something unread.
ALL = "confab:all"


def room(room_id: str) -> str:
    """Frames and typing of one room."""
    return f"confab:room:{room_id}"
