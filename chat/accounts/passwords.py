"""Passwords: argon2id, off the event loop; what may be one.

Source of the parameters: OWASP Password Storage Cheat Sheet (19 MiB, 2 passes, 1 lane), 23 ms where this was measured.
Source of the rules: NIST SP 800-63B-4, 3.1.1.2: length counts, composition rules do not, common ones are refused.
"""

from __future__ import annotations

import gzip
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from chat.core.errors import Invalid
from chat.core.threads import Threads

SHORTEST = 8
LONGEST = 128

_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_threads = Threads(2)
_COMMON = Path(__file__).parents[1] / "core" / "data" / "common_passwords.txt.gz"
_COMMON_ONE = "This password is one of the first that anybody would try. Choose another one."
_OWN_ONE = "A password made of your name or address is soon guessed. Choose another one."

#: Digits and signs as the letters that they stand for in passwords; the 1 and its like stand for two.
_LEET = tuple(str.maketrans("0345789@$1!|", f"oeastbgas{one * 3}") for one in "il")
#: Digits and signs that are taken off the front and the end of a word at most: a date has eight digits.
_MOST_AT_FRONT, _MOST_AT_END = 4, 8
#: Fewer letters beside a word that is known need no guessing.
_FEWEST = 4
#: Rows of keyboards and alphabets, in both directions.
_ROWS = [row[::way] for way in (1, -1) for row in (
    "abcdefghijklmnopqrstuvwxyz", "01234567890", "qwertyuiop", "qwertzuiop", "azertyuiop", "asdfghjkl", "yxcvbnm", "zxcvbnm",
    "йцукенгшщзхъ", "абвгдежзийклмнопрстуфхцчшщъыьэюя",
)]  # fmt: skip
#: Returns the names of this site.
_place: Callable[[], Iterable[str]] = tuple


def check(password: str, *personal: str) -> None:
    """Refuse a password that is too short, too long, or among the first that somebody who knows the person would try.

    :param personal: name, e-mail address, and other words that are known of the person.
    :raises Invalid: with the reason, for the field ``password``.
    """
    if SHORTEST <= len(password) <= LONGEST:
        problem = _threads.run(_problem, password, personal, _place())
    else:
        problem = f"A password has {SHORTEST} to {LONGEST} characters; this one has {len(password)}."
    if problem:
        raise Invalid(problem, {"password": problem})


def of_place(names: Callable[[], Iterable[str]]) -> None:
    """Refuse passwords that are made of the names of this site, too."""
    global _place
    _place = names


def hashed(password: str) -> str:
    """Return the hash to store."""
    return _threads.run(_hasher.hash, _prepared(password))


def matches(password: str, stored: str | None) -> bool:
    """Tell whether a password is the one that was hashed.

    :param stored: None where there is no account: the same work is done, so that time tells nothing.
    """
    return _threads.run(_matches, _prepared(password), stored)


def outdated(stored: str) -> bool:
    """Tell whether a hash was made with other parameters and should be made anew."""
    return _hasher.check_needs_rehash(stored)


def _matches(password: str, stored: str | None) -> bool:
    try:
        return _hasher.verify(stored or _nobody(), password)
    except (VerificationError, InvalidHashError):
        return False


def _prepared(password: str) -> str:
    """Compose the characters, for keyboards differ; cut what could only be meant to keep us busy."""
    return unicodedata.normalize("NFC", password[: 4 * LONGEST])


# -- passwords that are soon guessed


def _problem(password: str, personal: Iterable[str], place: Iterable[str]) -> str | None:
    """Return the sentence that refuses a password that is soon guessed; None for any other."""
    text = _folded(password)
    if _is_common(text) or len(set(text)) < 3:
        return _COMMON_ONE
    own, usual = _words(personal), _words(place) | {"chat", "confab"}
    for letters in _cores(text):
        unit = _unit(letters)
        rest = _without(unit, own)
        if rest != unit and _is_little(_without(rest, usual)):
            return _OWN_ONE
        if _is_common(unit) or (_without(unit, usual) != letters and _is_little(_without(unit, usual))):
            return _COMMON_ONE
    return None


def _cores(text: str) -> Iterator[str]:
    """Yield the words that a password may be made of: its letters, leet undone, some digits and signs cut off."""
    letters = [place for place, each in enumerate(text) if each.isalpha()]
    if not letters:
        return
    first, last = letters[0], letters[-1] + 1
    if first > _MOST_AT_FRONT or len(text) - last > _MOST_AT_END:
        first, last = 0, len(text)
    for ones in _LEET:
        for start in range(first + 1):
            for end in range(last, len(text) + 1):
                yield "".join(filter(str.isalpha, text[start:end].translate(ones)))


def _unit(text: str) -> str:
    """Return the piece that a text repeats: ``alice`` for ``alicealice``; else, or where it is long, the text itself."""
    if len(text) > 32:
        return text
    at = (text + text).find(text, 1)
    return text[:at] if at > 0 else text


def _without(text: str, words: Iterable[str]) -> str:
    for word in sorted(words, key=len, reverse=True):
        text = text.replace(word, "")
    return text


def _is_common(text: str) -> bool:
    return text in _common() or any(text in row for row in _ROWS if len(text) >= _FEWEST)


def _is_little(rest: str) -> bool:
    return len(rest) < _FEWEST or _is_common(rest)


def _words(names: Iterable[str]) -> frozenset[str]:
    """Return the words of names and addresses, and each as one word."""
    found: set[str] = set()
    for name in map(_folded, names):
        parts = ["".join(filter(str.isalnum, each)) for each in re.split(r"[\W_]+", name)]
        found |= {*parts, "".join(parts)}
    return frozenset(each for each in found if len(each) >= 3)


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


@lru_cache(maxsize=1)
def _nobody() -> str:
    return _hasher.hash("nobody has this password")


@lru_cache(maxsize=1)
def _common() -> frozenset[str]:
    return frozenset(gzip.decompress(_COMMON.read_bytes()).decode().split("\n"))
