"""The door's ticket: a signed cookie by which a stream is opened without entering Flask.

It names the login session and ends after five minutes; expired or unknown, the request takes the ordinary way. It says who
asks and never what they may read: that comes from memberships. A session revoked meanwhile is refused at every door,
because each process remembers the sessions revoked in the last ticket life.
"""

from __future__ import annotations

import re
import time
from typing import NamedTuple

from chat.core import keys

#: Seconds a ticket lives.
LIFE = 300
NAME = "ticket"


class Ticket(NamedTuple):
    """Who asks for a stream."""

    user_id: str
    session_id: str


def issue(ticket: Ticket, key: bytes) -> str:
    """Return the value of the cookie."""
    ends = str(int(time.time()) + LIFE)
    return f"{ticket.user_id}.{ticket.session_id}.{ends}.{keys.seal(key, *ticket, ends)}"


def check(value: str, key: bytes) -> Ticket | None:
    """Return who asks, or None when the ticket is expired, forged or no ticket."""
    parts = value.split(".")
    if len(parts) != 4 or not parts[2].isascii() or not parts[2].isdigit() or len(parts[2]) > 12:
        return None
    user_id, session_id, ends, seal = parts
    if int(ends) < time.time() or not keys.sealed(key, seal, user_id, session_id, ends):
        return None
    return Ticket(user_id, session_id)


def forged(value: str, key: bytes) -> bool:
    """Tell whether a text has the shape of a ticket that is not over, and is not from us."""
    parts = value.split(".")
    if len(parts) != 4 or not re.fullmatch("[0-9]{1,12}", parts[2]) or int(parts[2]) < time.time():
        return False
    return check(value, key) is None


def fresh(value: str, session_id: str, key: bytes) -> bool:
    """Tell whether a ticket is this session's and has more than half of its life before it."""
    ticket = check(value, key)
    return ticket is not None and ticket.session_id == session_id and int(value.split(".")[2]) - time.time() > LIFE / 2
