"""Who may report what."""

from __future__ import annotations

from chat.core import permissions
from chat.core.audit import REASON_LIMIT
from chat.core.errors import Conflict, Invalid, NotAllowed
from chat.messages.models import Message


def require_may_report(role: str, reporter_id: str, person_id: str) -> None:
    """Refuse reports of whom they would not be heard from, and of oneself.

    :param role: of the reporter, on the site.
    :param person_id: whom it is about.
    :raises NotAllowed: either.
    """
    if not permissions.may("message.report", role):
        raise NotAllowed("An account like this one does not report anything.")
    if person_id == reporter_id:
        raise NotAllowed("This is you. Delete a message of your own instead of reporting it.")


def require_reportable(message: Message) -> None:
    """Refuse reporting what nobody can read any more.

    :raises Conflict: it is deleted.
    """
    if message.deleted_at is not None:
        raise Conflict("This message is deleted already. Report the person who wrote it if that is not enough.")


def require_reason(reason: str) -> None:
    """Refuse doing without a reason what hits somebody.

    :raises Invalid: there is none, or it is too long.
    """
    if not reason:
        raise Invalid("Say why, in a few words.", {"reason": "Say why, in a few words."})
    require_short("reason", reason)


def require_short(name: str, text: str) -> None:
    """Refuse what is too long for a field.

    :raises Invalid: it is.
    """
    if len(text) > REASON_LIMIT:
        sentence = f"There is room for {REASON_LIMIT} characters here; these are {len(text)}."
        raise Invalid(sentence, {name: sentence})
