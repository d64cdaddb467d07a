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
