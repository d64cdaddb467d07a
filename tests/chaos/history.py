"""What happened in a run, as its clients saw it: one line of JSON for each fact, written as it happens.

Times are seconds of the wall clock, which the database's ``created_at`` is read against: everything runs on one machine.
A *mark* is a word that is in one version of one message and nowhere else.
"""

from __future__ import annotations

import json
import re
import secrets
import time
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

MARK = re.compile(r"c4n[a-z2-7]{13}")
_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"


def new_mark() -> str:
    """Return a word that occurs nowhere else."""
    return "c4n" + "".join(secrets.choice(_LETTERS) for _ in range(13))


class Heard(NamedTuple):
    """A frame of a room's log that a reader received, and whether it applied it or dropped it as known."""

    reader: str
    user: str
    conn: int
    #: When the connection was asked for.
    opened: float
    at: float
    room: str
    epoch: str
    seq: int
    event: str
    ref: str
    mark: str
    applied: bool


class Adopted(NamedTuple):
    """A reader fetched the live part of a room and goes on from its cursor."""

    reader: str
    user: str
    started: float
    at: float
    room: str
    epoch: str
    seq: int
    #: The messages in it: id, seq, mark.
    shown: list[list[Any]]


class Glimpsed(NamedTuple):
    """A mark in an event without a cursor, such as the preview in a list of rooms."""

    reader: str
    at: float
    event: str
    mark: str


class Refused(NamedTuple):
    """A reader was told that a room, or everything, is not for it."""

    reader: str
    user: str
    started: float
    at: float
    room: str
    status: int


class Sent(NamedTuple):
    """One message as its writer sees it after all repeats. ``outcome``: acked, refused or unknown."""

    writer: str
    user: str
    room: str
    mark: str
    client_id: str
    started: float
    at: float
    outcome: str
    seq: int
    ref: str
    status: int
    tries: int
    #: Sent one after the other by this writer, so that the order is promised; 0 when it is not.
    place: int


class Changed(NamedTuple):
    """A message was edited, deleted or restored. ``old`` and ``mark``: its text's marks before and after."""

    kind: str
    user: str
    room: str
    ref: str
    old: str
    mark: str
    started: float
    at: float
    outcome: str


class Membered(NamedTuple):
    """Somebody was removed, added, joined or left."""

    kind: str
    user: str
    room: str
    started: float
    at: float
    outcome: str


class Fault(NamedTuple):
    """A fault and its healing. ``row``: of the fault table in docs/delivery.md."""

    name: str
    row: str
    began: float
    healed: float
    note: str


class Odd(NamedTuple):
    """Something a client met that must not be, whatever the log says."""

    who: str
    at: float
    what: str


class Converged(NamedTuple):
    """After the last heal: how long until every reader stood at the head of its rooms; -1 if they never did."""

    at: float
    seconds: float
    behind: list[str]


KINDS: dict[str, type] = {
    each.__name__: each for each in (Heard, Adopted, Glimpsed, Refused, Sent, Changed, Membered, Fault, Odd, Converged)
}


class Recorder:
    """Writes facts to a file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.counts: dict[str, int] = defaultdict(int)
        self._file = path.open("w", encoding="utf-8", buffering=1 << 20)

    def note(self, fact: tuple[Any, ...]) -> None:
        """Write one fact down."""
        kind = type(fact).__name__
        self.counts[kind] += 1
        self._file.write(json.dumps([kind, *fact], separators=(",", ":"), ensure_ascii=False) + "\n")

    def odd(self, who: str, what: str) -> None:
        """Write down something that must not be."""
        self.note(Odd(who, time.time(), what))

    def close(self) -> None:
        """Write what is still in memory."""
        self._file.close()


class History:
    """All facts of a run by kind."""

    def __init__(self, facts: Iterable[Any] = ()) -> None:
        self._facts: dict[type, list[Any]] = defaultdict(list)
        for fact in facts:
            self._facts[type(fact)].append(fact)

    def of(self, kind: type[Any]) -> list[Any]:
        """Return the facts of one kind in the order in which they were written."""
        return self._facts[kind]


def load(path: Path) -> History:
    """Read a file of facts."""
    with path.open(encoding="utf-8") as file:
        return History(_fact(json.loads(line)) for line in file)


def _fact(line: list[Any]) -> Any:
    return KINDS[line[0]](*line[1:])
