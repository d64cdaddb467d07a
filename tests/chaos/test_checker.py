"""The checker must be able to fail: a small true history, and one lie for each invariant."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.chaos import checker
from tests.chaos.checker import Event, Message, Stored
from tests.chaos.history import (
    Adopted,
    Changed,
    Converged,
    Fault,
    Glimpsed,
    Heard,
    History,
    Membered,
    Odd,
    Recorder,
    Refused,
    Sent,
    load,
)

ROOM, ANN, BOB = "room", "ann", "bob"
MARKS = ["c4n" + letter * 13 for letter in "abcdefg"]
A, B, C, D = MARKS[:4]


def heard(seq: int, at: float, mark: str = "", **more: Any) -> Heard:
    names = {1: "member.joined", 2: "member.joined", 3: "message.posted", 4: "message.posted", 5: "message.deleted"}
    refs = {3: "m1", 4: "m2", 5: "m1"}
    fields = {
        "reader": "r", "user": BOB, "conn": 1, "opened": 9.0, "at": at, "room": ROOM, "epoch": "e", "seq": seq,
        "event": names.get(seq, "message.posted"), "ref": refs.get(seq, ""), "mark": mark, "applied": True,
    }  # fmt: skip
    return Heard(**fields | more)


def sent(mark: str, seq: int, started: float, place: int, **more: Any) -> Sent:
    fields = {
        "writer": "w", "user": ANN, "room": ROOM, "mark": mark, "client_id": f"id-{mark}", "started": started,
        "at": started + 0.1, "outcome": "acked", "seq": seq, "ref": f"m{seq - 2}", "status": 201, "tries": 1,
        "place": place,
    }  # fmt: skip
    return Sent(**fields | more)


def message(number: int, mark: str, **more: Any) -> Message:
    return Message(f"m{number}", ROOM, number + 2, number, ANN, f"id-{mark}", f"{mark} hello", number == 1)._replace(
        **more
    )


def truth() -> tuple[list[Any], Stored]:
    """Ann posts two messages and deletes the first; Bob, a member since seq 2, reads along."""
    facts: list[Any] = [
        Adopted("r", BOB, 8.0, 9.0, ROOM, "e", 2, []),
        sent(A, 3, 10.0, 1),
        sent(B, 4, 11.0, 2),
        Changed("delete", ANN, ROOM, "m1", A, "", 12.0, 12.1, "acked"),
        heard(3, 10.1, A),
        heard(4, 11.1, B),
        heard(5, 12.1),
        Converged(13.0, 0.1, []),
    ]
    stored = Stored(
        rooms={ROOM: (5, 2)},
        events={
            ROOM: [
                Event(1, "member.joined", ANN, 1.0),
                Event(2, "member.joined", BOB, 2.0),
                Event(3, "message.posted", "m1", 10.05),
                Event(4, "message.posted", "m2", 11.05),
                Event(5, "message.deleted", "m1", 12.05),
            ]
        },
        messages=[message(1, A), message(2, B)],
        members={(ROOM, ANN), (ROOM, BOB)},
    )
    return facts, stored


def broken(facts: list[Any], stored: Stored) -> set[str]:
    return {violation.invariant for violation in checker.check(History(facts), stored)}


def test_the_truth_is_not_doubted():
    assert checker.check(History(truth()[0]), truth()[1]) == []


def test_a_history_survives_its_file(tmp_path: Path):
    recorder = Recorder(tmp_path / "history.jsonl")
    for fact in truth()[0]:
        recorder.note(fact)
    recorder.close()
    assert load(recorder.path).of(Heard) == [fact for fact in truth()[0] if isinstance(fact, Heard)]


LIES: dict[str, tuple[str, Any]] = {
    "an acknowledged message is lost": ("I1", lambda f, s: s.messages.pop()),
    "it is stored at another seq": ("I1", lambda f, s: f.append(sent(B, 3, 11.0, 0))),
    "a client_id is stored twice": ("I2", lambda f, s: s.messages.append(message(3, B))),
    "a text is stored twice": ("I2", lambda f, s: s.messages.append(message(3, B, client_id="another"))),
    "two answers differ": ("I2", lambda f, s: f.append(sent(B, 9, 11.0, 0, ref="m9"))),
    "what was refused is stored": ("I2", lambda f, s: f.append(sent(A, 0, 10.0, 0, outcome="refused", status=422))),
    "a message never came to an end": ("I2", lambda f, s: f.append(sent(C, 0, 10.0, 0, outcome="unknown"))),
    "the log has a hole": ("I3", lambda f, s: s.events[ROOM].pop(2)),
    "the log has a seq twice": ("I3", lambda f, s: s.events[ROOM].append(s.events[ROOM][-1])),
    "the head is ahead of the log": ("I3", lambda f, s: s.rooms.update({ROOM: (6, 2)})),
    "messages are not counted": ("I3", lambda f, s: s.rooms.update({ROOM: (5, 3)})),
    "a message is elsewhere in the log": ("I3", lambda f, s: s.events[ROOM].insert(2, s.events[ROOM].pop(3)._replace(seq=3))),
    "a frame is missing": ("I4", lambda f, s: f.pop(4)),
    "a frame is applied twice": ("I4", lambda f, s: f.append(heard(5, 12.2))),
    "two frames change places": ("I4", lambda f, s: f.extend([f.pop(5)._replace(at=10.05)])),
    "another message's frame": ("I4", lambda f, s: f.append(f.pop(5)._replace(ref="m1"))),
    "another event's frame": ("I4", lambda f, s: f.append(f.pop(5)._replace(event="message.edited"))),
    "an empty frame for a message": ("I4", lambda f, s: f.append(f.pop(5)._replace(ref="", mark=""))),
    "another epoch's frame": ("I4", lambda f, s: f.append(f.pop(6)._replace(epoch="f"))),
    "a page from before what was shown": ("I4", lambda f, s: f.append(Adopted("r", BOB, 12.5, 12.6, ROOM, "e", 4, []))),
    "a page that lacks a message": (
        "I4", lambda f, s: f.append(Adopted("r", BOB, 12.5, 12.6, ROOM, "e", 5, [["m1", 3, ""]])),
    ),
    "a page with a stranger": (
        "I4", lambda f, s: f.append(Adopted("r", BOB, 12.5, 12.6, ROOM, "e", 5, [["m1", 3, ""], ["mx", 4, ""]])),
    ),
    "a connection skips a frame": ("I4", lambda f, s: f.extend(heard(seq, 12.5, conn=7, applied=False) for seq in (3, 5))),
    "a message of who was gone": ("I7", lambda f, s: s.events[ROOM].insert(2, Event(2, "member.left", ANN, 2.5))),
    "a frame made after the removal": ("I7", lambda f, s: f.append(Membered("removed", BOB, ROOM, 10.5, 10.6, "acked"))),
    "a writer's order is not kept": (
        "I5", lambda f, s: f.extend([f.pop(1)._replace(place=9), sent(A, 3, 10.0, 9, at=20.0, client_id="later")]),
    ),
    "acknowledged before, but later in the log": ("I6", lambda f, s: f.extend([f.pop(1)._replace(started=30.0, place=0)])),
    "heard after the removal": ("I7", lambda f, s: s.events[ROOM].insert(2, Event(2, "member.left", BOB, 2.5))),
    "a page after the removal": (
        "I7", lambda f, s: f.extend(
            [Membered("removed", BOB, ROOM, 12.2, 12.3, "acked"), Adopted("r", BOB, 12.5, 12.6, ROOM, "e", 5, [])]
        ),
    ),
    "a good session is refused": ("I7", lambda f, s: f.append(Refused("r", BOB, 12.0, 12.1, "", 401))),
    "a frame comes minutes late": ("I8", lambda f, s: f.append(f.pop(6)._replace(at=200.0))),
    "a reader never gets to the head": ("I8", lambda f, s: f.append(Converged(14.0, -1.0, ["r"]))),
    "a deleted text in a later stream": ("I9", lambda f, s: f.append(heard(3, 60.0, A, opened=50.0, conn=2, applied=False))),
    "a deleted text after its deletion": (
        "I9", lambda f, s: f.extend(
            [heard(5, 12.5, opened=12.4, conn=3, applied=False), heard(3, 12.6, A, opened=12.4, conn=3, applied=False)],
        ),
    ),
    "a deleted text in a page": (
        "I9", lambda f, s: f.append(Adopted("q", BOB, 13.0, 13.1, ROOM, "e", 5, [["m1", 3, A], ["m2", 4, B]])),
    ),
    "a deleted text in a list": ("I9", lambda f, s: f.append(Glimpsed("r", 99.0, "room.unread", A))),
    "something odd": ("odd", lambda f, s: f.append(Odd("w", 12.0, "500"))),
}  # fmt: skip


@pytest.mark.parametrize("lie", LIES)
def test_each_lie_is_seen(lie: str):
    facts, stored = truth()
    invariant, tell = LIES[lie]
    tell(facts, stored)
    if lie == "a deleted text after its deletion":
        # As heard from a connection that had passed the end of the text, and then got an older frame again.
        facts.append(heard(6, 12.7, A, opened=12.4, conn=3, applied=False, event="message.edited", ref="m1"))
    assert invariant in broken(facts, stored)


def test_what_is_restored_may_be_seen_again():
    facts, stored = truth()
    facts.append(Changed("restore", ANN, ROOM, "m1", "", A, 14.0, 14.1, "acked"))
    facts.append(Adopted("q", BOB, 15.0, 15.1, ROOM, "e", 5, [["m1", 3, A], ["m2", 4, B]]))
    assert broken(facts, stored) == set()


def test_who_is_back_may_read_what_was_said_meanwhile():
    facts, stored = truth()
    stored.events[ROOM][1:2] = [Event(2, "member.joined", "eve", 2.0)]
    assert "I7" in broken(facts, stored)
    stored.events[ROOM].append(Event(6, "member.joined", BOB, 10.0))
    stored.rooms[ROOM] = (6, 2)
    assert "I7" not in broken(facts, stored)


def test_a_fault_excuses_what_is_late_until_it_is_healed():
    facts, stored = truth()
    facts.append(facts.pop(6)._replace(at=95.0))
    assert "I8" in broken(facts, stored)
    facts.append(Fault("clients_half_open", "13", 12.0, 60.0, ""))
    assert "I8" not in broken(facts, stored)
