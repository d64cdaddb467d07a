"""The ``text/event-stream`` wire format. Source: WHATWG HTML, 9.2.5 and 9.2.6.

No text can break out of its frame: a line ends at CR, LF or CRLF and at nothing else, so data is split at exactly
these; ids and names are ours and are checked.
"""

from __future__ import annotations

import re

_LINE_END = re.compile(r"\r\n|\r|\n")
_NAME = re.compile(r"[a-z]+(\.[a-z]+)?")
_ID = re.compile(r"[A-Za-z0-9_.-]+")


def encode(name: str, data: str = "", id: str | None = None) -> bytes:
    """Return one event as bytes, ending in an empty line.

    :param name: such as ``message.posted``.
    :param id: the cursor, for events of a room's log; what is not replayed has none.
    :raises ValueError: a name or an id that could break the frame. These are never made of user text.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is not an event name.")
    lines = [f"event: {name}"]
    if id is not None:
        if not _ID.fullmatch(id):
            raise ValueError(f"{id!r} is not an event id.")
        lines.append(f"id: {id}")
    lines.extend(f"data: {line}" for line in _LINE_END.split(data))
    return ("\n".join(lines) + "\n\n").encode("utf-8", "replace")


def retry(milliseconds: float) -> bytes:
    """Return the line that says how long to wait before coming back; it goes before an event and belongs to it."""
    return b"retry: %d\n" % milliseconds
