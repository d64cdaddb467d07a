"""Group rooms: whoever a member adds."""

from chat.rooms.kinds import Kind

KIND = Kind(
    name="group",
    icon="lock",
    title="By invitation",
    promise="Only people whom a member adds. They can read what was said before.",
)
