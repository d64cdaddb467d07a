"""Names as people look for them: without case, accents and strokes. A database folds only what its locale knows, if that."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

#: How much is kept; a ligature can become eighteen letters.
LIMIT = 200

#: Letters with no decomposition and no base in their name, as people type them who have no key for them.
_TYPED = {
    "æ": "ae",
    "œ": "oe",
    "þ": "th",
    "ð": "d",
    "ŋ": "n",
    "ĸ": "k",
    "ı": "i",
    "ȷ": "j",
    "ə": "e",
    "ɛ": "e",
    "ɔ": "o",
    "ƿ": "w",
}
_NAMED = re.compile(r"LATIN SMALL LETTER ([A-Z]) WITH .*")
#: Dashes, which are typed in many ways; quotes and invisible characters, which are left out.
_DASHES = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2212"), "-")
_DROPPED = dict.fromkeys(map(ord, "'\u2018\u2019\u02bc\u02bb`\u00b4\u00ad\u200b\u200c\u200d\u2060"))


def folded(text: str) -> str:
    """Return a name for searching and sorting: ``Élodie`` is ``elodie``, ``Łukasz`` is ``lukasz``."""
    letters = unicodedata.normalize("NFKD", text.translate(_DASHES | _DROPPED)).casefold()
    return "".join(map(base, unicodedata.normalize("NFKD", letters)))[:LIMIT]


def words(search: str) -> list[str]:
    """Return the first words of a search, folded."""
    return folded(search).split()[:5]


@lru_cache(maxsize=4096)
def base(letter: str) -> str:
    """Return the letters as which people type a small letter: ``o`` for ``ø``, nothing for an accent."""
    if letter.isascii():
        return letter
    if unicodedata.combining(letter):
        return ""
    named = _NAMED.fullmatch(unicodedata.name(letter, ""))
    return named[1].lower() if named else _TYPED.get(letter, letter)
