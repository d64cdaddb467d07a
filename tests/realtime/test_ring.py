"""The ring of a room: gapless, bounded, and without what was deleted."""

from __future__ import annotations

from chat.realtime.frames import Frame
from chat.realtime.ring import MAX_BYTES, MAX_FRAMES, Ring

ROOM = "abcdefghij234567"


def frame(seq: int, name: str = "message.posted", ref: str = "", html: str = "") -> Frame:
    return Frame(ROOM, seq, name, ref or f"ref{seq}", html or f"<p>{seq}</p>")


def filled(count: int) -> Ring:
    ring = Ring(ROOM, "e", 0)
    for seq in range(1, count + 1):
        assert ring.append(frame(seq))
    return ring


def everything(ring: Ring, seq: int) -> bytes:
    pieces = []
    while seq < ring.tail:
        data, seq = ring.after(seq, 100)
        pieces.append(data)
    return b"".join(pieces)


def test_it_takes_only_the_next_frame():
    ring = filled(3)
    assert not ring.append(frame(3))
    assert not ring.append(frame(5))
    assert ring.append(frame(4))
    assert ring.tail == 4


def test_it_hands_out_exactly_what_follows():
    ring = filled(10)
    for seq in range(10):
        data = everything(ring, seq)
        assert [f"id: {ROOM}.e.{n}\n".encode() in data for n in range(1, 11)] == [n > seq for n in range(1, 11)]


def test_it_forgets_the_oldest():
    ring = filled(MAX_FRAMES + 10)
    assert ring.base == 10
    assert not ring.covers(9)
    assert ring.covers(10)
    assert ring.covers(ring.tail)
    assert not ring.covers(ring.tail + 1)


def test_it_is_bounded_in_bytes():
    ring = Ring(ROOM, "e", 0)
    for seq in range(1, 21):
        ring.append(frame(seq, html="x" * (MAX_BYTES // 8)))
    assert ring.tail - ring.base <= 8


def test_a_deletion_takes_the_text_out_of_older_frames():
    ring = filled(3)
    ring.append(frame(4, "message.edited", "ref2", "<p>secret</p>"))
    ring.append(frame(5, "message.deleted", "ref2", "<p>gone</p>"))
    data = everything(ring, 0)
    assert b"secret" not in data
    assert b"<p>2</p>" not in data
    assert data.count(b"<p>gone</p>") == 3
    assert data.count(b"event: message.posted") == 3, "the events keep their names and places"


def test_a_member_and_a_message_of_one_id_are_two_things():
    ring = filled(1)
    ring.append(frame(2, "member.joined", "ref1", "<li>1</li>"))
    assert b"<p>1</p>" in everything(ring, 0)


def test_it_reaches_back_by_prepending():
    ring = Ring(ROOM, "e", 10)
    ring.prepend([frame(seq) for seq in range(6, 11)])
    assert ring.base == 5
    ring.prepend([frame(3)])
    assert ring.base == 5, "what does not join is left out"
    assert everything(ring, 7).count(b"id: ") == 3
