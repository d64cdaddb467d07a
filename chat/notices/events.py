"""What happens to notices."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PersonTold:
    """Somebody has one more notice, or has read them."""

    person_id: str
