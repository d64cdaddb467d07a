"""What happens to rules."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RulesChanged:
    """A rule was made, changed, switched or deleted: processes read them again."""
