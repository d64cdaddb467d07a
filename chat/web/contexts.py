"""What pages that belong to no feature are given."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ErrorPage:
    """Something did not work."""

    status: int
    title: str
    #: What happened and what to do, in one or two sentences.
    sentence: str
    #: The page from which it was asked for; empty if that is not known.
    back: str = ""

    @classmethod
    def sample(cls) -> ErrorPage:
        """Return one to look at."""
        return cls(404, "Not here", "This page is gone, or you cannot see it.")


@dataclass(frozen=True)
class OutdatedPage:
    """A form of a page that was made before somebody signed in again: what was sent, and a way to send it once more."""

    sentence: str
    #: Where it was sent to.
    action: str
    #: All of it, by name, to be sent once more; empty where it cannot be: passwords and files are not repeated.
    fields: tuple[tuple[str, str], ...]
    #: The fields of it that a person has written.
    texts: tuple[str, ...]
    #: Whether the page was made for the person who is signed in now.
    theirs: bool
    #: The page from which it was sent; empty if that is not known.
    back: str = ""

    @classmethod
    def sample(cls) -> OutdatedPage:
        """Return one to look at."""
        text = "The lamp is lit at dusk"
        return cls(
            "You signed in again since this page was made.", "/rooms", (("body", text),), (text,), True, "/rooms"
        )
