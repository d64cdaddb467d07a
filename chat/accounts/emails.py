"""E-mail addresses in their one normal form: as they are stored, looked up, counted and compared."""

from __future__ import annotations

import unicodedata

from email_validator import EmailNotValidError, validate_email

from chat.core.errors import Invalid
from chat.core.names import is_blank

LONGEST = 254
_NONE = "This is no e-mail address. One looks like ines@example.org."


def normal(text: str) -> str:
    """Return an e-mail address in lower case and composed, its domain in its own script.

    :raises Invalid: it is no address, or holds an invisible character, or one that only stands in for another.
    """
    try:
        found = validate_email(text, check_deliverability=False, allow_smtputf8=True).normalized
    except EmailNotValidError:
        raise Invalid(_NONE, {"email": _NONE}) from None
    found = unicodedata.normalize("NFC", found.lower())
    if len(found) > LONGEST or found != unicodedata.normalize("NFKC", found) or any(map(is_blank, found)):
        raise Invalid(_NONE, {"email": _NONE})
    return found


def for_search(text: str) -> str:
    """Return an address as it is stored, to look it up; a text that is no address, in lower case, as old accounts have it."""
    try:
        return normal(text)
    except Invalid:
        return text.lower()
