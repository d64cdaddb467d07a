"""What happens to what is kept."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class TextsDestroyed:
    """Messages of a room lost their text for good."""

    room_id: str
    message_ids: tuple[str, ...]
