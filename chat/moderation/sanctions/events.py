"""What happens to sanctions."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RangesChanged:
    """A range of addresses was put under a sanction, or is free again."""
