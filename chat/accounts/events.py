"""What happens to people and their sessions."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SiteSetUp:
    """The first account, an administrator, was made."""

    user_id: str


@dataclass(frozen=True)
class UserSignedUp:
    """Somebody made an account. ``room_id`` is where an invitation leads, ``invited_by`` whose it is."""

    user_id: str
    room_id: str | None = None
    invited_by: str | None = None


@dataclass(frozen=True)
class UserChanged:
    """Somebody's name, picture, status, look or role is another."""

    user_id: str


@dataclass(frozen=True)
class RoleChanged:
    """Somebody has another role on the site. ``reason`` is what they are told; empty when a command did it."""

    user_id: str
    role: str
    reason: str = ""


@dataclass(frozen=True)
class PasswordChanged:
    """A password was changed. ``told_at`` is the address that is told of it."""

    user_id: str
    told_at: str


@dataclass(frozen=True)
class EmailChanged:
    """An e-mail address was changed. ``told_at`` is the former one, which is told of it."""

    user_id: str
    told_at: str


@dataclass(frozen=True)
class BrowserAdded:
    """Somebody signed in with a browser that did not know them."""

    user_id: str
    user_agent: str
    address: str


@dataclass(frozen=True)
class PersonInvited:
    """An invitation was made; ``token`` is its secret, which is nowhere else."""

    invitation_id: str
    token: str


@dataclass(frozen=True)
class SessionEnded:
    """A browser is no longer signed in. ``why`` is the kind of its security event; empty where it signed in anew."""

    user_id: str
    session_id: str
    why: str = "session.ended"
