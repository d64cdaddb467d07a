"""Open rooms: anybody who is signed in may join."""

from chat.rooms.kinds import Kind

KIND = Kind(
    name="open",
    icon="hash",
    title="Everybody",
    promise="Anybody who is signed in can find it, join and read all of it.",
    joinable=True,
)
