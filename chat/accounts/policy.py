"""Who may make an account."""

from __future__ import annotations

from chat.errors import NotAllowed


def require_may_sign_up(registration: str, invited: bool) -> None:
    """Refuse an account where registration is not open.

    :param registration: ``open``, ``invite`` or ``closed``.
    :raises NotAllowed: with the way in, if there is one.
    """
    if registration == "closed":
        raise NotAllowed("New accounts are closed here. Ask whoever runs this site.")
    if registration == "invite" and not invited:
        raise NotAllowed("An account here needs an invitation. Ask somebody who is in to invite you.")
