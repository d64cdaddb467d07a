"""What a log event becomes on a stream: a registry of renderers, one per kind of event.

A renderer takes several events and returns a fragment for each, so that filling a gap of a hundred events costs a
query or two and not a hundred. It knows no viewer: the same bytes go to everybody in the room.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from chat.core.database import is_away
from chat.core.log import LogEvent

log = logging.getLogger(__name__)

Renderer = Callable[[Sequence[LogEvent]], Sequence[str]]

_renderers: dict[str, Renderer] = {}


@dataclass(frozen=True)
class Frame:
    """A rendered event of a room's log."""

    room_id: str
    seq: int
    name: str
    ref_id: str
    html: str


def frame(*types: type[LogEvent]) -> Callable[[Renderer], Renderer]:
    """Register the renderer of some kinds of events."""

    def register(renderer: Renderer) -> Renderer:
        for each in types:
            _renderers[each.name] = renderer
        return renderer

    return register


def render(events: Sequence[LogEvent]) -> list[Frame]:
    """Render events of one room in order.

    An event whose renderer fails becomes an empty fragment with its ``seq``, and an entry in the error log: one bad row
    must not stop a room. A database that is away makes no row bad: that is raised, and the log is read again later.
    """
    fragments: dict[int, str] = {}
    for renderer in dict.fromkeys(_renderers[event.name] for event in events if event.name in _renderers):
        batch = [event for event in events if _renderers.get(event.name) is renderer]
        fragments.update(_render_batch(renderer, batch))
    return [Frame(event.room_id, event.seq, event.name, event.ref_id, fragments.get(event.seq, "")) for event in events]


def _render_batch(renderer: Renderer, batch: Sequence[LogEvent]) -> dict[int, str]:
    try:
        return {event.seq: html for event, html in zip(batch, renderer(batch), strict=True)}
    except Exception as problem:
        if is_away(problem):
            raise
        if len(batch) > 1:
            return {seq: html for event in batch for seq, html in _render_batch(renderer, [event]).items()}
        log.exception("cannot render %s %s of room %s", batch[0].name, batch[0].seq, batch[0].room_id)
        return {batch[0].seq: ""}
