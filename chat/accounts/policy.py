"""Rules about making an account, having a role, and publishing."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from chat.core import clock, permissions
from chat.core.errors import Conflict, Invalid, NotAllowed


def require(permission: str, role: str) -> None:
    """Refuse what an account's role does not allow.

    :raises NotAllowed: with what it is.
    """
    if not permissions.may(permission, role):
        name = permissions.ROLES[role].lower()
        raise NotAllowed(f"As a {name} you cannot {permissions.PERMISSIONS[permission].words}. Ask an administrator.")


def require_may_publish(muted_until: datetime | None, now: datetime) -> None:
    """Refuse publishing by a muted person: a message as well as a name, a status, a picture or an invitation.

    Every service that takes such a thing asks this. Reports and appeals, which only moderators read, are not refused.

    :param muted_until: in a room, or everywhere.
    :raises NotAllowed: with when it ends.
    """
    if muted_until is not None and muted_until > now:
        end = "" if muted_until >= clock.FOREVER else f" until {muted_until:%d %B, %H:%M} UTC"
        raise NotAllowed(
            f"You are muted{end}: you can read, but not write. Why, and how to appeal, is under Your standing."
        )


def require_another_administrator(administrators: Collection[str], user_id: str, role: str) -> None:
    """Refuse taking the role of the last administrator: nobody could give it back.

    :param administrators: everybody who is one, read under a lock.
    :param role: the one to come.
    :raises Conflict: it is the last.
    """
    if role != "administrator" and list(administrators) == [user_id]:
        raise Conflict("This is the last administrator. Make somebody else one first.")


def require_may_sign_up(registration: str, invited: bool) -> None:
    """Refuse an account where registration is not open.

    :param registration: ``open``, ``invite`` or ``closed``.
    :raises NotAllowed: with the way in, if there is one.
    """
    if registration == "closed":
        raise NotAllowed("New accounts are closed here. Ask whoever runs this site.")
    if registration == "invite" and not invited:
        raise NotAllowed("An account here needs an invitation. Ask somebody who is in to invite you.")


def require_invited(email: str, invited: str) -> None:
    """Refuse an invitation that was passed on: whoever sent it chose whom to let in.

    :raises Invalid: naming the address it is for.
    """
    if email != invited:
        sentence = f"This invitation is for {invited}. Use that address, or ask for an invitation of your own."
        raise Invalid(sentence, {"email": sentence})
