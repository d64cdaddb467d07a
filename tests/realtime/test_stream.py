"""The event stream over real sockets: it resumes by cursor, misses nothing and repeats nothing."""

from tests.conftest import Town


def test_it_shows_what_happens_in_order(town: Town):
    stream = town.bob.listen(town.room)
    said = [town.alice.say(town.room, f"number {n}") for n in range(20)]
    events = stream.until(said[-1].seq)
    assert [event.seq for event in events] == list(range(events[0].seq, said[-1].seq + 1))
    assert [event.name for event in events] == ["message.posted"] * 20
    assert all(f"message_{each.id}" in event.data for each, event in zip(said, events, strict=True))
    stream.close()


def test_it_goes_on_after_a_cut_from_the_cursor(town: Town):
    stream = town.bob.listen(town.room)
    first = town.alice.say(town.room, "before")
    stream.until(first.seq)
    cursor = stream.last_id
    stream.close()
    second = town.alice.say(town.room, "while away")
    town.alice.post(f"/messages/{first.id}/edit", body="changed while away")
    town.alice.post(f"/messages/{second.id}/delete")
    resumed = town.bob.listen(town.room, after={town.room: cursor})
    events = resumed.until(first.seq + 3)
    assert [(event.seq, event.name) for event in events] == [
        (first.seq + 1, "message.posted"),
        (first.seq + 2, "message.edited"),
        (first.seq + 3, "message.deleted"),
    ]
    assert "changed while away" in events[1].data
    assert b"while away</p>" not in resumed.raw.replace(b"changed while away", b""), "a deleted text came back"
    resumed.close()
