"""One room as this process sees it: its ring, the readers connected here, and who may read."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from chat.realtime.frames import Frame
from chat.realtime.ring import Ring

if TYPE_CHECKING:
    from chat.realtime.hub import Connection


@dataclass(slots=True, eq=False)
class Place:
    """How far one connection is in one room. This, and not a queue, is all that is kept per reader."""

    connection: Connection
    feed: Feed
    seq: int


@dataclass(slots=True, eq=False)
class Feed:
    """The ring of a room with its readers."""

    ring: Ring
    #: Everybody who may read, in the order in which they were named; kept true by the room's own log, so it is never
    #: ahead of the ring nor behind it.
    members: dict[str, None]
    places: set[Place] = field(default_factory=set)
    #: Readers whose place is here have been handed everything up to it.
    written: int = 0
    queued: bool = False
    queued_at: float = 0.0
    #: Given up; whoever arrives with it in hand is sent a reset.
    closed: bool = False
    #: Frames that came before their turn.
    early: dict[int, Frame] = field(default_factory=dict)
    #: The highest ``seq`` that is known to exist.
    known: int = 0
    idle_since: float = field(default_factory=time.monotonic)

    @property
    def room_id(self) -> str:
        """The room's id."""
        return self.ring.room_id
