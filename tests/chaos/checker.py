"""Reads the histories and the database of a run and says what promise was broken: I1 to I9 of docs/delivery.md.

Nothing here knows how the product works: it compares what writers were told, what readers received and what is stored.
"""

from __future__ import annotations

import sqlite3
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import psycopg

from tests.chaos.history import (
    MARK,
    Adopted,
    Changed,
    Converged,
    Fault,
    Glimpsed,
    Heard,
    History,
    Membered,
    Odd,
    Refused,
    Sent,
)

#: Seconds. After the last fault that touches a moment everything is known everywhere within so long. The promise is 2
#: and 5; the rest is for a machine that does other things too. What was measured is in the report.
CALM = 5.0
HEALED = 15.0
#: A client that met a long outage waits up to 30 s before it looks again; P7 counts from there.
LATE = 45.0


class Violation(NamedTuple):
    """A broken promise."""

    invariant: str
    what: str


class Event(NamedTuple):
    """A row of the log."""

    seq: int
    name: str
    ref: str
    at: float


class Message(NamedTuple):
    """A stored message."""

    id: str
    room: str
    seq: int
    number: int
    author: str
    client_id: str
    body: str
    deleted: bool


@dataclass
class Stored:
    """What the database holds when all is over."""

    #: By room: head, and how many messages were posted.
    rooms: dict[str, tuple[int, int]] = field(default_factory=dict)
    events: dict[str, list[Event]] = field(default_factory=dict)
    messages: list[Message] = field(default_factory=list)
    #: Pairs of room and person.
    members: set[tuple[str, str]] = field(default_factory=set)


_ROOMS = "SELECT id, head, posted FROM rooms"
_MESSAGES = "SELECT id, room_id, seq, number, author_id, client_id, body, deleted_at IS NOT NULL FROM messages"
_MEMBERS = "SELECT room_id, user_id FROM memberships"
_EVENTS = "SELECT room_id, seq, name, ref_id, {at} FROM room_events ORDER BY room_id, seq"


def read_postgres(url: str) -> Stored:
    """Read everything, past the application."""
    with psycopg.connect(url) as connection:
        return _read(lambda sql: connection.execute(sql).fetchall(), "extract(epoch FROM created_at)::float8")


def read_sqlite(path: Path) -> Stored:
    """Read everything, past the application."""
    connection = sqlite3.connect(path, timeout=10)
    try:
        at = "(julianday(created_at) - 2440587.5) * 86400.0"
        return _read(lambda sql: connection.execute(sql).fetchall(), at)
    finally:
        connection.close()


def _read(ask: Any, at: str) -> Stored:
    events: dict[str, list[Event]] = defaultdict(list)
    for room, *row in ask(_EVENTS.format(at=at)):
        events[room].append(Event(*row))
    return Stored(
        rooms={room: (head, posted) for room, head, posted in ask(_ROOMS)},
        events=events,
        messages=[Message(*row[:7], bool(row[7])) for row in ask(_MESSAGES)],
        members={(room, user) for room, user in ask(_MEMBERS)},
    )


class Quiet:
    """Which faults reach which moment, and by when everybody knows what happened at it."""

    def __init__(self, faults: Iterable[Fault], calm: float = CALM) -> None:
        self.calm = calm
        self.faults = sorted(faults, key=lambda fault: fault.began)

    def deadline(self, moment: float, calm: float = 0.0, healed: float = HEALED) -> float:
        """Return when what happened at a moment must have reached everybody."""
        end = moment + (calm or self.calm)
        for fault in self.faults:
            if fault.began <= end and fault.healed >= moment - HEALED:
                end = max(end, fault.healed + healed)
        return end

    def at(self, begin: float, end: float) -> list[str]:
        """Return the names of the faults that reach into a span of time."""
        return [fault.name for fault in self.faults if fault.began <= end and fault.healed + CALM >= begin]


def check(history: History, stored: Stored, calm: float = CALM) -> list[Violation]:
    """Return every broken promise.

    :param calm: seconds after which, without a fault, every process knows what happened.
    """
    quiet = Quiet(history.of(Fault), calm)
    found: list[Violation] = []
    for part in (_log, _acks, _orders, _readers, _removals, _times, _resurrections, _odds):
        found.extend(part(history, stored, quiet))
    return found


# -- I3: the log itself


def _log(history: History, stored: Stored, quiet: Quiet) -> Iterator[Violation]:
    by_id = {message.id: message for message in stored.messages}
    if len(by_id) != len(stored.messages):
        yield Violation("I3", "two messages share an id")
    posted: dict[str, list[Message]] = defaultdict(list)
    for message in stored.messages:
        posted[message.room].append(message)
    for room, (head, count) in stored.rooms.items():
        events = stored.events.get(room, [])
        if [event.seq for event in events] != list(range(1, head + 1)):
            yield Violation("I3", f"room {room}: the log is not 1..{head} ({len(events)} rows)")
        rows = {event.seq: event for event in events}
        own = sorted(posted[room], key=lambda message: message.seq)
        if [message.number for message in own] != list(range(1, count + 1)):
            yield Violation("I3", f"room {room}: messages are not numbered 1..{count}")
        for message in own:
            event = rows.get(message.seq)
            if event is None or event.name != "message.posted" or event.ref != message.id:
                yield Violation("I3", f"message {message.id} at {room}/{message.seq} is not that row of the log")


# -- I1, I2: what was acknowledged is stored, and once


def _acks(history: History, stored: Stored, quiet: Quiet) -> Iterator[Violation]:
    by_key: dict[tuple[str, str], list[Message]] = defaultdict(list)
    for message in stored.messages:
        by_key[message.author, message.client_id].append(message)
    for key, same in by_key.items():
        if len(same) > 1:
            yield Violation("I2", f"client_id {key[1]} is stored {len(same)} times: {[each.id for each in same]}")
    # A text belongs to one intention, whatever client_id it travelled under.
    texts = Counter(mark for message in stored.messages for mark in MARK.findall(message.body))
    for mark, times in texts.items():
        if times > 1:
            yield Violation("I2", f"the text {mark} is stored in {times} messages")
    outcomes: dict[tuple[str, str], set[tuple[str, int]]] = defaultdict(set)
    for sent in history.of(Sent):
        same = by_key.get((sent.user, sent.client_id), [])
        if sent.outcome == "acked":
            outcomes[sent.user, sent.client_id].add((sent.ref, sent.seq))
            if not any((each.id, each.seq, each.room) == (sent.ref, sent.seq, sent.room) for each in same):
                where = [(each.room, each.seq) for each in same]
                yield Violation("I1", f"{sent.mark} was acknowledged as {sent.room}/{sent.seq} and is at {where}")
        elif sent.outcome == "refused" and same:
            yield Violation("I2", f"{sent.mark} was refused with {sent.status} and is stored at {same[0].seq}")
        elif sent.outcome == "unknown":
            yield Violation("I2", f"{sent.mark} of {sent.writer} never came to an end ({sent.tries} tries)")
    for key, answers in outcomes.items():
        if len(answers) > 1:
            yield Violation("I2", f"client_id {key[1]} was answered differently: {sorted(answers)}")


# -- I5, I6: the order of writers, and of time


def _orders(history: History, stored: Stored, quiet: Quiet) -> Iterator[Violation]:
    by_writer: dict[tuple[str, str], list[Sent]] = defaultdict(list)
    by_room: dict[str, dict[tuple[str, str], Sent]] = defaultdict(dict)
    for sent in history.of(Sent):
        if sent.outcome != "acked":
            continue
        if sent.place:
            by_writer[sent.writer, sent.room].append(sent)
        key = (sent.user, sent.client_id)
        known = by_room[sent.room].get(key, sent)
        by_room[sent.room][key] = sent._replace(started=min(known.started, sent.started), at=min(known.at, sent.at))
    for (writer, room), own in by_writer.items():
        own.sort(key=lambda sent: sent.place)
        for earlier, later in pairwise(own):
            if earlier.place < later.place and earlier.seq >= later.seq:
                yield Violation(
                    "I5", f"{writer} in {room}: {earlier.mark} is {earlier.seq}, {later.mark} is {later.seq}"
                )
    for room, known in by_room.items():
        ended = sorted(known.values(), key=lambda sent: sent.at)
        times, highest = [sent.at for sent in ended], [0]
        for sent in ended:
            highest.append(max(highest[-1], sent.seq))
        for sent in known.values():
            before = highest[bisect_right(times, sent.started - 0.001)]
            if before >= sent.seq:
                yield Violation(
                    "I6", f"{room}: {sent.mark} is {sent.seq}, but {before} was acknowledged before it began"
                )


# -- I4: what readers applied


def _readers(history: History, stored: Stored, quiet: Quiet) -> Iterator[Violation]:
    rows = {room: {event.seq: event for event in events} for room, events in stored.events.items()}
    refs = {(message.room, message.id): message for message in stored.messages}
    posts: dict[str, list[int]] = defaultdict(list)
    for message in sorted(stored.messages, key=lambda message: message.seq):
        posts[message.room].append(message.seq)
    lines: dict[tuple[str, str], list[Heard | Adopted]] = defaultdict(list)
    for fact in (*history.of(Heard), *history.of(Adopted)):
        if isinstance(fact, Adopted) or fact.applied:
            lines[fact.reader, fact.room].append(fact)
    for (reader, room), facts in lines.items():
        facts.sort(key=lambda fact: fact.at)
        epoch, seq = "", -1
        for fact in facts:
            if isinstance(fact, Adopted):
                if fact.epoch == epoch and fact.seq < seq:
                    yield Violation("I4", f"{reader}: the page of {room} is at {fact.seq}, {seq} was shown before")
                yield from _page(fact, posts[room], refs)
                epoch, seq = fact.epoch, fact.seq
                continue
            if fact.epoch != epoch or fact.seq != seq + 1:
                yield Violation("I4", f"{reader} applied {room}/{fact.seq} ({fact.epoch}) after {seq} ({epoch})")
            epoch, seq = fact.epoch, fact.seq
            row = rows.get(room, {}).get(fact.seq)
            if row is None or row.name != fact.event:
                yield Violation("I4", f"{reader} applied {fact.event} as {room}/{fact.seq}, where the log has {row}")
            elif fact.ref and fact.ref != row.ref:
                yield Violation("I4", f"{reader} applied {fact.ref} as {room}/{fact.seq}, where the log has {row.ref}")
            elif not fact.ref and fact.event.startswith("message.") and (room, row.ref) in refs:
                yield Violation("I4", f"{reader} applied {room}/{fact.seq} without its message")
    at: dict[tuple[int, str], int] = {}
    for fact in history.of(Heard):
        # Also what a client would have mended by itself: no connection skips, repeats or goes back.
        last = at.get((fact.conn, fact.room), fact.seq - 1)
        at[fact.conn, fact.room] = fact.seq
        if fact.seq != last + 1:
            yield Violation("I4", f"{fact.reader} was sent {fact.room}/{fact.seq} right after {last}")
    for converged in history.of(Converged):
        if converged.seconds < 0:
            yield Violation("I8", f"not at the head when all had been healed: {', '.join(converged.behind[:10])}")


def _page(page: Adopted, posts: list[int], refs: dict[tuple[str, str], Message]) -> Iterator[Violation]:
    """P6: the page has every message from its first one up to its cursor."""
    seqs = [seq for _, seq, _ in page.shown]
    if seqs != sorted(set(seqs)):
        yield Violation("I4", f"{page.reader}: the page of {page.room} is not in order: {seqs}")
    for ref, seq, _ in page.shown:
        known = refs.get((page.room, ref))
        if known is None or known.seq != seq:
            yield Violation("I4", f"{page.reader}: the page of {page.room} shows {ref} at {seq}, stored is {known}")
    if seqs:
        due = posts[bisect_right(posts, min(seqs) - 1) : bisect_right(posts, page.seq)]
        if missing := sorted(set(due) - set(seqs)):
            yield Violation("I4", f"{page.reader}: the page of {page.room} at {page.seq} lacks {missing[:5]}")


# -- I7: nothing after a removal


def _removals(history: History, stored: Stored, quiet: Quiet) -> Iterator[Violation]:
    spans = _memberships(stored)
    for fact in history.of(Heard):
        # Who is a member again may read what was said meanwhile, on a connection opened since.
        if not any(
            first.seq <= fact.seq <= last or (fact.seq < first.seq and fact.at > first.at)
            for first, last in spans.get((fact.room, fact.user), ())
        ):
            yield Violation("I7", f"{fact.reader} received {fact.room}/{fact.seq} and was not a member then")
    for message in stored.messages:
        if not any(first.seq <= message.seq <= last for first, last in spans.get((message.room, message.author), ())):
            yield Violation("I7", f"{message.author} posted {message.room}/{message.seq} and was not a member then")
    # A page is one snapshot or another; only one asked for after the removal was acknowledged tells anything.
    away: dict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
    for change in sorted(history.of(Membered), key=lambda each: each.started):
        line = away[change.room, change.user]
        if change.kind in {"removed", "leave"} and change.outcome == "acked":
            line.append((change.at, float("inf")))
        elif change.kind in {"added", "join"} and line:
            line[-1] = (line[-1][0], min(line[-1][1], change.started))
    made = {room: {event.seq: event.at for event in events} for room, events in stored.events.items()}
    for fact in history.of(Heard):
        at = made.get(fact.room, {}).get(fact.seq, 0.0)
        if any(gone < at and fact.at < back for gone, back in away.get((fact.room, fact.user), ())):
            yield Violation(
                "I7", f"{fact.reader} received {fact.room}/{fact.seq}, made after the removal was acknowledged"
            )
    for page in history.of(Adopted):
        for gone, back in away.get((page.room, page.user), ()):
            if page.started > gone and page.at < back:
                yield Violation("I7", f"{page.reader} was shown {page.room} after the removal was acknowledged")
    for refused in history.of(Refused):
        if refused.status == 401:
            yield Violation("I7", f"{refused.reader} was sent away although its session stands")


def _memberships(stored: Stored) -> dict[tuple[str, str], list[tuple[Event, int]]]:
    """Return, by room and person, how they came and the last seq that was theirs, for each time."""
    spans: dict[tuple[str, str], list[tuple[Event, int]]] = defaultdict(list)
    for room, events in stored.events.items():
        for event in events:
            if event.name == "member.joined":
                spans[room, event.ref].append((event, 1 << 60))
            elif event.name == "member.left" and spans[room, event.ref]:
                spans[room, event.ref][-1] = (spans[room, event.ref][-1][0], event.seq)
    return spans


# -- I8: when it came


def _times(history: History, stored: Stored, quiet: Quiet) -> Iterator[Violation]:
    late: Counter[str] = Counter()
    example: dict[str, str] = {}
    for fact, lag in lags(history, stored):
        if fact.at > quiet.deadline(fact.at - lag, LATE, LATE):
            late[fact.reader] += 1
            example.setdefault(fact.reader, f"{fact.room}/{fact.seq} came after {lag:.1f} s")
    for reader, times in late.items():
        yield Violation("I8", f"{reader}: {example[reader]}, and {times - 1} more")


def lags(history: History, stored: Stored) -> Iterator[tuple[Heard, float]]:
    """Yield each applied frame with the seconds since it was made; frames from before the reader came are left out."""
    made = {room: {event.seq: event.at for event in events} for room, events in stored.events.items()}
    for fact in history.of(Heard):
        at = made.get(fact.room, {}).get(fact.seq)
        if fact.applied and at is not None:
            yield fact, fact.at - at


# -- I9: what was deleted stays away


def _resurrections(history: History, stored: Stored, quiet: Quiet) -> Iterator[Violation]:
    gone = _absences(history)
    if not gone:
        return
    # The place in the log from which a text was gone: a connection that has passed it must not bring it back.
    removed_at: dict[str, list[Event]] = defaultdict(list)
    for events in stored.events.values():
        for event in events:
            if event.name in {"message.deleted", "message.edited"}:
                removed_at[event.ref].append(event)
    passed: dict[tuple[int, str], int] = {}
    for fact in history.of(Heard):
        place = passed.get((fact.conn, fact.room), 0)
        passed[fact.conn, fact.room] = max(place, fact.seq)
        for mark in fact.mark.split():
            for since, until, ref, kind in gone.get(mark, ()):
                if fact.at >= until:
                    continue
                if fact.opened > quiet.deadline(since):
                    yield Violation(
                        "I9", f"{fact.reader} was sent {mark}, {kind} {fact.opened - since:.1f} s before it asked"
                    )
                elif fact.opened > since and _behind(removed_at[ref], since, place, fact.seq):
                    yield Violation("I9", f"{fact.reader} was sent {mark} on a connection that had passed its end")
    for page in history.of(Adopted):
        for _, _, marks in page.shown:
            for mark in marks.split():
                for since, until, _, kind in gone.get(mark, ()):
                    if since < page.started and page.at < until:
                        yield Violation("I9", f"{page.reader} was shown {mark} in a page, {kind} before it asked")
    for glimpse in history.of(Glimpsed):
        for since, until, _, kind in gone.get(glimpse.mark, ()):
            if quiet.deadline(since, 10.0) < glimpse.at < until:
                yield Violation(
                    "I9", f"{glimpse.reader} saw {glimpse.mark} in {glimpse.event} long after it was {kind}"
                )


def _behind(ends: list[Event], since: float, place: int, seq: int) -> bool:
    """Tell whether a connection that stood at ``place`` had received the end of a text that came again at ``seq``."""
    end = max((event.seq for event in ends if event.at <= since), default=seq)
    return end <= place and end < seq


def _absences(history: History) -> dict[str, list[tuple[float, float, str, str]]]:
    """Return, by mark, the spans of time in which a text is nowhere to be seen: from, until, message, why."""
    gone: dict[str, list[tuple[float, float, str, str]]] = defaultdict(list)
    for change in sorted(history.of(Changed), key=lambda each: each.started):
        if change.kind == "restore":
            spans = gone[change.mark]
            if spans and spans[-1][1] == float("inf"):
                spans[-1] = (spans[-1][0], change.started, *spans[-1][2:])
        elif change.outcome == "acked" and change.old:
            gone[change.old].append((change.at, float("inf"), change.ref, f"{change.kind}ed".replace("eed", "ed")))
    return {mark: spans for mark, spans in gone.items() if spans}


def _odds(history: History, stored: Stored, quiet: Quiet) -> Iterator[Violation]:
    for odd in history.of(Odd):
        yield Violation("odd", f"{odd.who}: {odd.what}")
