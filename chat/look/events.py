"""What happens to the look of the site."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class LookChanged:
    """The site has another name, logo, accent or other styles: processes read them again."""
