"""Ending streams and forgetting what was remembered, when a session ends or a person changes."""

from __future__ import annotations

from chat import realtime
from chat.accounts import guards
from chat.accounts.events import EmailChanged, PasswordChanged, RoleChanged, SessionEnded, UserChanged, UserSignedUp
from chat.accounts.sessions import write_use
from chat.core import security_events
from chat.core.background import every
from chat.core.bus import after


@after(SessionEnded)
def cut_streams(event: SessionEnded) -> None:
    """End the session's streams in every process."""
    guards.sessions().forget_session(event.session_id)
    realtime.here().revoke(event.session_id)


@after(UserChanged)
def forget(event: UserChanged) -> None:
    """Have every process look the person up again."""
    realtime.here().tell_all("person", user=event.user_id)


@after(SessionEnded)
def note_end(event: SessionEnded) -> None:
    """Record the end of a session, unless another one takes its place in the same browser."""
    if event.why:
        _note(event.why, event.user_id)


@after(UserSignedUp)
def note_account(event: UserSignedUp) -> None:
    """Record a new account."""
    security_events.note("sign_up", event.user_id)


@after(PasswordChanged)
def note_password(event: PasswordChanged) -> None:
    """Record a change of a password."""
    _note("password.changed", event.user_id)


@after(EmailChanged)
def note_email(event: EmailChanged) -> None:
    """Record a change of an e-mail address."""
    _note("email.changed", event.user_id)


@after(RoleChanged)
def note_role(event: RoleChanged) -> None:
    """Record a change of a role; the audit log has who made it."""
    security_events.note("role.changed", event.user_id, detail=event.role, own=False)


def _note(kind: str, user_id: str) -> None:
    """Record an event of an account, with its network only where its own person sent the request."""
    who = guards.maybe_viewer()
    security_events.note(kind, user_id, own=who is not None and who.id == user_id)


@every(60.0)
def note_last_seen() -> None:
    """Record who was here in the last minute."""
    known = guards.sessions()
    for connection in tuple(realtime.here().hub.connections):
        known.use(connection.user_id, connection.session_id)
    write_use(known.take_used())
