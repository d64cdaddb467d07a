"""How far back a sweep reaches, in words."""

from __future__ import annotations

from datetime import timedelta

#: By their name in forms.
SPANS = {
    "10m": ("The last 10 minutes", timedelta(minutes=10)),
    "1h": ("The last hour", timedelta(hours=1)),
    "24h": ("The last 24 hours", timedelta(hours=24)),
    "7d": ("The last 7 days", timedelta(days=7)),
}
