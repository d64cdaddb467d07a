"""Keys for separate purposes, all derived from SECRET_KEY, so that a token of one kind is never one of another."""

from __future__ import annotations

import base64
import hashlib
import hmac
from functools import lru_cache

from flask import current_app


@lru_cache(maxsize=64)
def _derive(secret: str, purpose: str) -> bytes:
    return hmac.digest(secret.encode(), b"confab " + purpose.encode(), hashlib.sha256)


def derive(purpose: str) -> bytes:
    """Return the 32-byte key of one purpose for the current application."""
    return _derive(current_app.config["SECRET_KEY"], purpose)


def seal(key: bytes, *parts: str) -> str:
    """Return a 128-bit keyed hash over texts, as 22 URL-safe characters. The parts cannot run into each other."""
    message = b"".join([len(piece := part.encode()).to_bytes(4, "big") + piece for part in parts])
    return base64.urlsafe_b64encode(hmac.digest(key, message, hashlib.sha256)[:16]).decode().rstrip("=")


def sealed(key: bytes, seal_given: str, *parts: str) -> bool:
    """Check a seal in constant time."""
    return hmac.compare_digest(seal(key, *parts).encode(), seal_given.encode("utf-8", "replace"))


def fingerprint(secret: str) -> str:
    """Return what is kept of a random secret at rest. No salt: the secret has 256 bits of its own."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
