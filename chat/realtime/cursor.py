"""A reader's place in the logs of rooms, as text; opaque to clients.

``<room>.<epoch>.<seq>`` says it of one room. On a stream of several rooms, for a client that knows nothing but the last
``id:`` it heard, the middle part goes on with where the other rooms are: ``<room>.<epoch>_<room>-<seq>_<room>-<seq>.<seq>``.
So every cursor has three parts, of which the first and the last are about the frame that carries it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

#: The most rooms on one stream, and in one cursor: the open tabs of one browser.
MAX_ROOMS = 32

_OTHERS = rf"(?:_[a-z2-7]{{16}}-[0-9]{{1,18}}){{0,{MAX_ROOMS - 1}}}"
_SHAPE = re.compile(rf"([a-z2-7]{{16}})\.([a-z0-9]{{1,24}})({_OTHERS})\.([0-9]{{1,18}})", re.ASCII)
_OTHER = re.compile(r"_([a-z2-7]{16})-([0-9]{1,18})", re.ASCII)


class Cursor(NamedTuple):
    """All events of ``room_id`` up to ``seq`` have been seen, in the history named ``epoch``."""

    room_id: str
    epoch: str
    seq: int

    def __str__(self) -> str:
        return f"{self.room_id}.{self.epoch}.{self.seq}"


def parse(text: str | None) -> dict[str, Cursor]:
    """Return the cursors of the rooms that a text names, by room; none for a text that is no cursor. Never raises."""
    match = _SHAPE.fullmatch(text or "")
    if match is None:
        return {}
    room_id, epoch, others, seq = match.groups()
    places = {other: Cursor(other, epoch, int(place)) for other, place in _OTHER.findall(others)} if others else {}
    return places | {room_id: Cursor(room_id, epoch, int(seq))}


def others(places: Mapping[str, int], room_id: str) -> str:
    """Return the part of a cursor after its epoch, which has the places in the other rooms."""
    return "".join(f"_{other}-{seq}" for other, seq in places.items() if other != room_id)
