"""Who may make an account."""

from __future__ import annotations

from chat.errors import Invalid, NotAllowed


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
