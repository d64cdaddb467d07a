"""A sweep as those see it who are looking at the rooms."""

from __future__ import annotations

from tests.conftest import Town


def _logged(events):
    """Return the events of the log: hello has an id, too."""
    return [each for each in events if each.id and each.name != "hello"]


def test_each_room_is_told_of_its_own_messages_and_of_nothing_else(town: Town):
    """Bob watches both rooms: a tombstone for each message of mallory's, without its text, and all of them back after undo."""
    other = town.alice.make_room("other-room", "open")
    town.alice.add(town.room, town.mallory)
    town.alice.add(other, town.bob)
    town.alice.add(other, town.mallory)
    said = [town.mallory.say((town.room, other)[n % 2], f"buy this {n}.") for n in range(20)]
    kept = town.bob.say(town.room, "not of the flood")
    watching = {room: town.bob.listen(room) for room in (town.room, other)}
    answer = town.alice.post("/moderation/sweeps", person=town.mallory.id, span="10m", reason="A flood")
    sweep = answer.headers["Location"]
    for side, room in enumerate((town.room, other)):
        theirs = {each.id for each in said[side::2]}
        told = watching[room].wait(lambda events: len(_logged(events)) >= 10 and list(events))
        logged = _logged(told)
        assert [each.name for each in logged] == ["message.deleted"] * 10
        assert [each.seq for each in logged] == list(range(logged[0].seq, logged[0].seq + 10))
        assert theirs == {each for each in theirs for event in logged if f"message_{each}" in event.data}
        assert all("buy this" not in each.data and kept.id not in each.data for each in logged)
    town.alice.post(f"{sweep}/undo")
    for side, room in enumerate((town.room, other)):
        told = watching[room].wait(lambda events: len(_logged(events)) >= 20 and list(events))
        back = _logged(told)[10:]
        assert [each.name for each in back] == ["message.restored"] * 10
        assert {each.body for each in said[side::2]} == {
            each.body for each in said[side::2] for event in back if each.body in event.data
        }
