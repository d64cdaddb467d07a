"""The last frames of one room, encoded once and found by ``seq``.

A ring never has a hole: frame ``seq`` is appended only when it is ``tail + 1``. Frames of a message that was edited,
deleted or restored meanwhile are replaced, so that a replay shows what the page would show now.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from itertools import islice

from chat.realtime import sse
from chat.realtime.cursor import Cursor
from chat.realtime.frames import Frame

#: A ring keeps at most so many frames and so many bytes of them.
MAX_FRAMES = 512
MAX_BYTES = 4 * 1024 * 1024


@dataclass(slots=True, eq=False)
class Entry:
    """One encoded frame."""

    seq: int
    name: str
    ref_id: str
    data: bytes


class Ring:
    """Frames ``base + 1`` to ``tail`` of one room."""

    def __init__(self, room_id: str, epoch: str, tail: int) -> None:
        self.room_id = room_id
        self.epoch = epoch
        self.base = tail
        self.tail = tail
        self._entries: deque[Entry] = deque()
        self._about: dict[tuple[str, str], list[Entry]] = {}
        self._bytes = 0

    def append(self, frame: Frame) -> bool:
        """Add the next frame; return False for any other one."""
        if frame.seq != self.tail + 1:
            return False
        for older in self._about.get(_subject(frame.name, frame.ref_id), ()):
            self._bytes -= len(older.data)
            older.data = self._encode(older.seq, older.name, frame.html)
            self._bytes += len(older.data)
        self._entries.append(self._entry(frame))
        self.tail = frame.seq
        while len(self._entries) > MAX_FRAMES or (self._bytes > MAX_BYTES and len(self._entries) > 1):
            self._forget_oldest()
        return True

    def prepend(self, frames: Sequence[Frame]) -> None:
        """Add what comes right before the ring, for a reader who is further behind. Ignores frames that do not join."""
        for frame in reversed(frames):
            if frame.seq == self.base and len(self._entries) < MAX_FRAMES:
                self._entries.appendleft(self._entry(frame))
                self.base -= 1

    def covers(self, seq: int) -> bool:
        """Tell whether everything that follows ``seq`` is here."""
        return self.base <= seq <= self.tail

    def changed_since(self, seq: int, refs: Set[str]) -> bool:
        """Tell whether anything that follows ``seq`` is about one of these things, or is no longer known."""
        return not self.covers(seq) or any(entry.ref_id in refs for entry in self._from(seq - self.base))

    def after(self, seq: int, limit: int, others: str = "") -> tuple[bytes, int]:
        """Return the frames that follow ``seq`` in one piece, and the last ``seq`` of it.

        :param limit: stop after so many bytes; one frame is always returned.
        :param others: the places in other rooms for each id, as ``cursor.others`` writes them. Such bytes are not shared.
        """
        index = seq - self.base
        if index == len(self._entries) - 1 and not others:
            last = self._entries[-1]  # the usual case: one new frame for everybody
            return last.data, last.seq
        # An event's name has one dot at most, so this is first found in the id.
        plain, full = f".{self.epoch}.".encode(), f".{self.epoch}{others}.".encode()
        pieces: list[bytes] = []
        size, upto = 0, seq
        for entry in self._from(index):
            pieces.append(entry.data.replace(plain, full, 1) if others else entry.data)
            size += len(pieces[-1])
            upto = entry.seq
            if size >= limit:
                break
        return b"".join(pieces), upto

    def _from(self, index: int) -> Iterable[Entry]:
        return islice(self._entries, index, None)

    def _entry(self, frame: Frame) -> Entry:
        entry = Entry(frame.seq, frame.name, frame.ref_id, self._encode(frame.seq, frame.name, frame.html))
        self._bytes += len(entry.data)
        self._about.setdefault(_subject(entry.name, entry.ref_id), []).append(entry)
        return entry

    def _encode(self, seq: int, name: str, html: str) -> bytes:
        return sse.encode(name, html, id=str(Cursor(self.room_id, self.epoch, seq)))

    def _forget_oldest(self) -> None:
        entry = self._entries.popleft()
        self._bytes -= len(entry.data)
        self.base = entry.seq
        subject = _subject(entry.name, entry.ref_id)
        same = self._about[subject]
        same.remove(entry)
        if not same:
            del self._about[subject]


def _subject(name: str, ref_id: str) -> tuple[str, str]:
    """Return what a frame is about: ``message.edited`` and ``message.deleted`` of one id replace each other."""
    return name.partition(".")[0], ref_id
