"""What is in force against somebody holds in rooms that they come into later, too."""

from __future__ import annotations

from chat.core.bus import during
from chat.moderation.sanctions import service
from chat.rooms.events import MemberJoined


@during(MemberJoined)
def hold(event: MemberJoined) -> None:
    """Refuse a new member who is suspended or banned, and mute one who is muted."""
    service.apply_to_newcomer(event)
