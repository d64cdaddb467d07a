"""Group rooms: whoever a member adds."""

from chat.rooms.kinds import Kind

KIND = Kind(name="group")
