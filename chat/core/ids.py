"""Identifiers: random, opaque, safe in URLs, in HTML ids and in cursors."""

from __future__ import annotations

import base64
import re
import secrets

#: What an identifier looks like: 80 random bits in 16 characters of lower-case base32.
PATTERN = re.compile(r"[a-z2-7]{16}")

#: What a client may choose as the ``client_id`` of a message. No dot, no space, nothing HTML cares about.
CLIENT_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")


def new() -> str:
    """Return a fresh identifier. 80 bits: two of a billion are equal with a chance below 1 in a million."""
    return base64.b32encode(secrets.token_bytes(10)).decode("ascii").lower()


def is_id(text: str | None) -> bool:
    """Tell whether a text from outside has the shape of an identifier."""
    return text is not None and PATTERN.fullmatch(text) is not None


def secret() -> str:
    """Return 256 random bits as text: the value of a session cookie or of an invitation."""
    return secrets.token_urlsafe(32)
