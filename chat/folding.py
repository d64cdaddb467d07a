"""Names as people look for them: without case and accents. A database folds only what its locale knows, if that."""

from __future__ import annotations

import unicodedata

#: How much is kept; a ligature can become eighteen letters.
LIMIT = 200


def folded(text: str) -> str:
    """Return a name for searching and sorting: ``Élodie`` and ``ELODIE`` are both ``elodie``."""
    letters = unicodedata.normalize("NFKD", text)
    return "".join(letter for letter in letters if not unicodedata.combining(letter)).casefold()[:LIMIT]


def words(search: str) -> list[str]:
    """Return the first words of a search, folded."""
    return folded(search).split()[:5]
