"""Open rooms: anybody who is signed in may join."""

from chat.rooms.kinds import Kind

KIND = Kind(name="open", joinable=True)
