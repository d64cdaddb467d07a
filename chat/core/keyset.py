"""Where a page of a list ends that goes by moment and id, newest first: what the address of the next page has."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from chat.core import ids


def write(moment: datetime, row_id: str) -> str:
    """Return the place of a row: seconds since 1970 with six digits, a dot, its id."""
    return f"{moment.timestamp():.6f}.{row_id}"


def read(place: str) -> tuple[datetime, str] | None:
    """Return what ``write`` was given; None for anything else."""
    moment, _, row_id = place.rpartition(".")
    if not ids.is_id(row_id) or not re.fullmatch(r"[0-9]{1,12}\.[0-9]{6}", moment):
        return None
    try:
        return datetime.fromtimestamp(float(moment), UTC), row_id
    except (OverflowError, ValueError):  # a year that is not
        return None
