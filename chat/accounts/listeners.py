"""Ending streams and forgetting what was remembered, when a session ends or a person changes."""

from __future__ import annotations

from chat import realtime
from chat.accounts import guards
from chat.accounts.events import SessionEnded, UserChanged
from chat.accounts.sessions import write_use
from chat.background import every
from chat.bus import after


@after(SessionEnded)
def cut_streams(event: SessionEnded) -> None:
    """End the session's streams in every process."""
    guards.sessions().forget_session(event.session_id)
    realtime.here().revoke(event.session_id)


@after(UserChanged)
def forget(event: UserChanged) -> None:
    """Have every process look the person up again."""
    realtime.here().tell_all("person", user=event.user_id)


@every(60.0)
def note_last_seen() -> None:
    """Record who was here in the last minute."""
    known = guards.sessions()
    for connection in tuple(realtime.here().hub.connections):
        known.use(connection.user_id, connection.session_id)
    write_use(known.take_used())
