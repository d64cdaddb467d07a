"""A reader's place in a room's log, as text: ``<room>.<epoch>.<seq>``. Opaque to clients."""

from __future__ import annotations

import re
from typing import NamedTuple

_SHAPE = re.compile(r"([a-z2-7]{16})\.([a-z0-9]{1,24})\.([0-9]{1,18})", re.ASCII)


class Cursor(NamedTuple):
    """All events of ``room_id`` up to ``seq`` have been seen, in the history named ``epoch``."""

    room_id: str
    epoch: str
    seq: int

    def __str__(self) -> str:
        return f"{self.room_id}.{self.epoch}.{self.seq}"


def parse(text: str | None) -> Cursor | None:
    """Return the cursor, or None for anything that is not one. Never raises."""
    match = _SHAPE.fullmatch(text or "")
    return Cursor(match[1], match[2], int(match[3])) if match else None
