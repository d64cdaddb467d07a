"""Direct rooms: two people, one room per pair."""

from chat.rooms.kinds import Kind

KIND = Kind(name="direct", icon="circle-user", changeable=False, pair=True, moderated=False, listed_empty=False)


def key(one: str, other: str) -> str:
    """Return what is unique about the pair, whoever writes first."""
    return ":".join(sorted((one, other)))
