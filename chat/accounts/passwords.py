"""Passwords: argon2id, off the event loop; what may be one.

Source of the parameters: OWASP Password Storage Cheat Sheet (19 MiB, 2 passes, 1 lane), 23 ms where this was measured.
Source of the rules: NIST SP 800-63B-4, 3.1.1.2: length counts, composition rules do not, common ones are refused.
"""

from __future__ import annotations

import gzip
import unicodedata
from functools import lru_cache
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from chat.errors import Invalid
from chat.threads import Threads

SHORTEST = 8
LONGEST = 128

_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_threads = Threads(2)
_COMMON = Path(__file__).with_name("common_passwords.txt.gz")


def check(password: str, *personal: str) -> None:
    """Refuse a password that is too short, too long, common, or one's own name or address.

    :raises Invalid: with the reason, for the field ``password``.
    """
    problem = None
    if not SHORTEST <= len(password) <= LONGEST:
        problem = f"A password has {SHORTEST} to {LONGEST} characters; this one has {len(password)}."
    elif _folded(password) in _common() or len(set(password)) < 3:
        problem = "This password is one of the first that anybody would try. Choose another one."
    elif _folded(password) in {_folded(each) for each in personal if each}:
        problem = "A password that is your name or address is soon guessed. Choose another one."
    if problem:
        raise Invalid(problem, {"password": problem})


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


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


@lru_cache(maxsize=1)
def _nobody() -> str:
    return _hasher.hash("nobody has this password")


@lru_cache(maxsize=1)
def _common() -> frozenset[str]:
    return frozenset(gzip.decompress(_COMMON.read_bytes()).decode().split("\n"))
