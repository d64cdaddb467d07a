"""How sanctions read."""

from __future__ import annotations

from datetime import timedelta

#: By kind: what it is called, what became of the person, what they may still do, and an icon.
KINDS = {
    "mute": ("Mute", "muted", "reads, but does not write", "volume-x"),
    "suspend": ("Suspend", "suspended", "is out until it ends, and then back by itself", "clock"),
    "ban": ("Ban", "banned", "is out", "ban"),
}
#: The durations that the form offers: how each reads, and how long it is. None: until it is lifted.
DURATIONS: dict[str, tuple[str, timedelta | None]] = {
    "10m": ("10 minutes", timedelta(minutes=10)),
    "1h": ("1 hour", timedelta(hours=1)),
    "24h": ("24 hours", timedelta(hours=24)),
    "7d": ("7 days", timedelta(days=7)),
    "28d": ("28 days", timedelta(days=28)),
    "none": ("Until it is lifted", None),
}
#: A suspension is at most so long: membership that somebody is to get back is not kept for ever. Source: Discord, time out.
LONGEST_SUSPENSION = timedelta(days=28)
