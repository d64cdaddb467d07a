"""What is wrong with a theme, where, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Problem:
    """One thing that is wrong with a theme."""

    #: Relative to the theme's folder.
    file: str
    #: From 1; 1 where no line is nearer.
    line: int
    sentence: str
    remedy: str
    #: The states in which it is so, where they are not all.
    states: tuple[str, ...] = ()

    def __str__(self) -> str:
        where = f" (in the state {', '.join(self.states)})" if self.states else ""
        return f"{self.file}:{self.line}: {self.sentence}{where}\n    {self.remedy}"
