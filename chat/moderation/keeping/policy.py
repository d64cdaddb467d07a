"""What may be destroyed, by whom, and what a hold has to say."""

from __future__ import annotations

from datetime import datetime

from chat.core import audit, names
from chat.core.errors import Conflict, Invalid, NotAllowed
from chat.messages.models import Message
from chat.moderation.keeping.models import HOLD_NAME_LIMIT, Purge

#: The most days that can be chosen for keeping removed text; nothing chosen means without an end.
LONGEST = 3650
#: The word to type to agree to a purge.
WORD = "destroy"
#: What to say where a reason is missing.
WHY = "Say why: it goes into the audit log."


def require_purgeable(message: Message, on_hold: bool, actor_id: str) -> None:
    """Refuse what is one's own, is not removed, is destroyed already, or has to be kept.

    :raises NotAllowed: it is one's own: nobody destroys what may speak against them.
    :raises Conflict: with which of the others.
    """
    if message.author_id == actor_id:
        raise NotAllowed("Somebody else has to destroy what you wrote.")
    if message.purged_at is not None:
        raise Conflict("The text of this message is destroyed already.")
    if message.deleted_at is None:
        raise Conflict("This message is back. Remove it before you purge it.")
    if on_hold:
        raise Conflict("This message is under a legal hold, so it is kept. An administrator can release the hold.")


def require_word(typed: str) -> None:
    """Refuse agreeing to a purge without the word typed, which nobody types by a slip of the hand.

    :raises Invalid: the word is wrong.
    """
    if typed.casefold() != WORD:
        sentence = f"Type the word {WORD} to agree. Nothing was destroyed."
        raise Invalid(sentence, {"word": sentence})


def require_another(purge: Purge, actor_id: str) -> None:
    """Refuse agreeing with oneself.

    :raises NotAllowed: it is one's own request.
    """
    if purge.requested_by == actor_id:
        raise NotAllowed("Somebody else has to agree to what you asked for.")


def days(text: str) -> int | None:
    """Return for how many days removed text is to be kept; None for without an end.

    :raises Invalid: it is no such number.
    """
    if text == "":
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 6 and 1 <= int(text) <= LONGEST):
        sentence = f"Choose 1 to {LONGEST:,} days, or leave it empty to keep removed text without an end."
        raise Invalid(sentence, {"days": sentence})
    return int(text)


def check_hold(name: str, covers: bool, since: datetime | None, until: datetime | None, reason: str) -> None:
    """Refuse what is no hold.

    :param covers: whether it names a person, a room or a date.
    :raises Invalid: naming the fields.
    """
    problems: dict[str, str] = {}
    usual = "Give it a name, such as the number of the case."
    if problem := names.fault(name, "A name", HOLD_NAME_LIMIT, usual):
        problems["name"] = problem
    if not covers:
        problems["person"] = "Choose a person, a room or a date: it cannot cover nothing."
    if since is not None and until is not None and since >= until:
        problems["until"] = "The end is before the beginning."
    if problem := audit.wrong_with(reason, WHY):
        problems["reason"] = problem
    if problems:
        raise Invalid(next(iter(problems.values())), problems)
