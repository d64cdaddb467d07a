"""Removing what somebody wrote lately, undoing it, and what is left when it is cut off."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import func, select, update

from chat.core import audit, clock, ids
from chat.core.audit import AuditRow
from chat.core.bus import transaction
from chat.core.database import db
from chat.core.log import LogRow
from chat.messages import service as messages
from chat.messages.models import Message
from chat.moderation.sweeps import queries, service
from chat.moderation.sweeps.models import Sweep
from chat.rooms import service as rooms
from tests.conftest import Cast, Member
from tests.moderation.removed.test_removed import say
from tests.moderation.rules.test_rules import at_once


def flood(cast: Cast, number: int = 50) -> list[str]:
    """Have alice write in two rooms in turn, and bob between; return alice's messages."""
    said = []
    with cast.app.app_context():
        rooms.join(cast.open_room, cast.bob.id)
        for n in range(number):
            room = (cast.room, cast.open_room)[n % 2]
            said.append(messages.post_message(room, cast.alice.person, f"buy this {n}.", ids.new()).message_id)
            messages.post_message(room, cast.bob.person, f"said by bob {n}.", ids.new())
        db.session.remove()
    return said


def sweep(who: Member, person: Member, **fields: str) -> Any:
    return who.post("/moderation/sweeps", **({"person": person.id, "span": "1h", "reason": "A flood"} | fields))


def begun(answer: Any) -> str:
    assert answer.status_code == 303, answer.text
    return str(answer.headers["Location"]).rsplit("/", 1)[1]


def gone(cast: Cast) -> set[str]:
    with cast.app.app_context():
        return set(db.session.execute(select(Message.id).where(Message.deleted_at.is_not(None))).scalars())


def rows(cast: Cast, action: str) -> list[list[str]]:
    """Return which messages each row of an action names."""
    with cast.app.app_context():
        found = db.session.execute(select(AuditRow.after).where(AuditRow.action == action).order_by(AuditRow.number))
        return [json.loads(after)["messages"] for after in found.scalars()]


def test_fifty_messages_in_two_rooms_go_and_come_back(cast: Cast):
    said = flood(cast)
    assert "<b>50</b> messages would be removed" in cast.mia.get(f"/moderation/sweeps/new?person={cast.alice.id}").text
    sweep_id = begun(sweep(cast.mia, cast.alice))
    assert gone(cast) == set(said)
    for room in (cast.room, cast.open_room):
        page = cast.bob.get(f"/rooms/{room}/messages").text
        assert "buy this" not in page
        assert page.count("said by bob") == page.count('Removed by a moderator: <span dir="auto">A flood</span>') == 20
    page = cast.mia.get("/moderation/removed").text
    assert "50 in one sweep" in page
    assert "1 found" in page
    assert "buy this" not in page, "the list shows one line for all of them"
    page = cast.mia.get(f"/moderation/sweeps/{sweep_id}").text
    assert page.count("buy this") == 50
    assert cast.mia.post(f"/moderation/sweeps/{sweep_id}/undo").status_code == 303
    assert gone(cast) == set()
    for room in (cast.room, cast.open_room):
        assert cast.bob.get(f"/rooms/{room}/messages").text.count("buy this") == 20
    assert "Nothing of it is removed any more." in cast.mia.get(f"/moderation/sweeps/{sweep_id}").text


def test_every_message_has_its_place_in_the_log_and_each_slice_one_row_of_the_audit(cast: Cast):
    said = flood(cast)
    begun(sweep(cast.mia, cast.alice))
    with cast.app.app_context():
        for room in (cast.room, cast.open_room):
            events = select(LogRow.seq, LogRow.ref_id, LogRow.actor_id).where(
                LogRow.room_id == room, LogRow.name == "message.deleted"
            )
            found = db.session.execute(events.order_by(LogRow.seq)).all()
            assert len(found) == 25
            assert [row.seq for row in found] == list(range(found[0].seq, found[0].seq + 25))
            assert {row.actor_id for row in found} == {cast.mia.id}
        assert "message.removed" not in db.session.execute(select(AuditRow.action)).scalars().all()
    removed = rows(cast, "sweep.removed")
    assert [len(each) for each in removed] == [25, 25]
    assert {message for each in removed for message in each} == set(said)


def test_the_author_is_told_once_of_each(cast: Cast):
    flood(cast)
    sweep_id = begun(sweep(cast.mia, cast.alice))
    page = cast.alice.get("/standing").text
    assert page.count("Your messages of the last hour in several rooms were removed: A flood. You can appeal.") == 1
    assert page.count("was removed:") == 0
    cast.mia.post(f"/moderation/sweeps/{sweep_id}/undo")
    assert cast.alice.get("/standing").text.count("50 messages of yours were put back.") == 1


def test_one_room_or_a_shorter_time_leaves_the_rest(cast: Cast):
    said = flood(cast, 8)
    with cast.app.app_context(), transaction():
        moment = clock.now() - timedelta(minutes=30)
        db.session.execute(update(Message).where(Message.id.in_(said[:4])).values(created_at=moment))
    begun(sweep(cast.mia, cast.alice, span="10m", room=cast.room))
    assert gone(cast) == {said[4], said[6]}


def test_a_moderator_of_one_room_sweeps_there_and_nowhere_else(cast: Cast):
    said = flood(cast, 6)
    with cast.app.app_context():
        rooms.name_owner(cast.room, cast.mia.id, cast.ada.id, "no moderator of the room has a say over its owner")
        rooms.appoint(cast.room, cast.bob.id, "moderator", cast.ada.id, "knows the lamp")
    form = f"/moderation/sweeps/new?person={cast.alice.id}"
    assert "<b>3</b> messages would be removed" in cast.bob.get(form).text
    assert cast.bob.get(f"{form}&room={cast.open_room}").status_code == 404
    assert sweep(cast.bob, cast.alice, room=cast.open_room).status_code == 404
    sweep_id = begun(sweep(cast.bob, cast.alice))
    assert gone(cast) == set(said[0::2])
    for who in (cast.alice, cast.mallory):
        assert who.get(f"/moderation/sweeps/{sweep_id}").status_code == 404
        assert who.post(f"/moderation/sweeps/{sweep_id}/undo").status_code == 404


def test_a_direct_room_is_never_swept(cast: Cast):
    room = cast.alice.post("/rooms/direct", person=cast.bob.id).headers["Location"].rsplit("/", 1)[1]
    say(cast.alice, room, "between two")
    assert "Nothing of theirs" in cast.ada.get(f"/moderation/sweeps/new?person={cast.alice.id}").text
    answer = sweep(cast.ada, cast.alice)
    assert answer.status_code == 422
    assert gone(cast) == set()


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"reason": ""}, "Say why, in a few words"),
        ({"reason": "x" * 513}, "A reason has 512 characters at most"),
        ({"span": "1y"}, "Choose for how long."),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_lost(cast: Cast, fields: dict[str, str], sentence: str):
    flood(cast, 2)
    answer = sweep(cast.mia, cast.alice, **({"reason": "still in the box"} | fields))
    assert answer.status_code == 422
    assert sentence in answer.text
    assert fields.get("reason", "still in the box") in answer.text
    assert gone(cast) == set()


def test_ones_own_messages_are_not_swept(cast: Cast):
    say(cast.mia, cast.room, "mine")
    answer = sweep(cast.mia, cast.mia)
    assert answer.status_code == 403
    assert gone(cast) == set()


def test_more_than_five_thousand_are_too_many_at_once(cast: Cast, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(queries, "MOST", 3)
    flood(cast, 4)
    answer = sweep(cast.mia, cast.alice)
    assert answer.status_code == 422
    assert "Choose a shorter time, or one room." in answer.text
    assert gone(cast) == set()


def test_with_a_ban_they_are_out_first(cast: Cast):
    said = flood(cast, 4)
    begun(sweep(cast.mia, cast.alice, room=cast.open_room, ban="yes"))
    assert cast.alice.get(f"/rooms/{cast.open_room}/messages").status_code == 404
    assert gone(cast) == set(said[1::2])
    assert "Banned" in cast.mia.get(f"/moderation/people/{cast.alice.id}").text


@contextmanager
def cut_off_after(slices: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have the process die in the middle of a slice: nothing of that one, everything of those before."""
    write, done = audit.write, []

    def dies(action: str, *arguments: Any, **more: Any) -> Any:
        if action.startswith("sweep.") and action != "sweep.started":
            done.append(action)
            if len(done) > slices:
                raise SystemExit("killed")
        return write(action, *arguments, **more)

    with monkeypatch.context() as patch:
        patch.setattr(audit, "write", dies)
        yield


def test_one_that_is_cut_off_can_be_finished(cast: Cast, monkeypatch: pytest.MonkeyPatch):
    said = flood(cast, 40)
    monkeypatch.setattr(service, "SLICE", 10)
    with cut_off_after(2, monkeypatch), pytest.raises(SystemExit):
        sweep(cast.mia, cast.alice)
    assert len(gone(cast)) == 20
    assert {each for slice_ in rows(cast, "sweep.removed") for each in slice_} == gone(cast)
    with cast.app.app_context():
        (sweep_id,) = db.session.execute(select(Sweep.id)).scalars()
        assert db.session.execute(select(Sweep.messages)).scalar() == 20
    assert "It was cut off, or is still at it." in cast.mia.get(f"/moderation/sweeps/{sweep_id}").text
    late = say(cast.alice, cast.room, "written after it was begun")
    cast.mia.post(f"/moderation/sweeps/{sweep_id}/finish")
    assert gone(cast) == set(said)
    assert late not in gone(cast)
    assert "It was cut off" not in cast.mia.get(f"/moderation/sweeps/{sweep_id}").text


def test_one_that_is_cut_off_can_be_undone_and_an_undo_too(cast: Cast, monkeypatch: pytest.MonkeyPatch):
    flood(cast, 40)
    monkeypatch.setattr(service, "SLICE", 10)
    with cut_off_after(2, monkeypatch), pytest.raises(SystemExit):
        sweep(cast.mia, cast.alice)
    with cast.app.app_context():
        (sweep_id,) = db.session.execute(select(Sweep.id)).scalars()
    with cut_off_after(1, monkeypatch), pytest.raises(SystemExit):
        cast.mia.post(f"/moderation/sweeps/{sweep_id}/undo")
    assert len(gone(cast)) == 10
    page = cast.mia.get(f"/moderation/sweeps/{sweep_id}").text
    assert "Putting it back was cut off, or is still at it." in page
    assert "Finish it" not in page
    cast.mia.post(f"/moderation/sweeps/{sweep_id}/undo")
    assert gone(cast) == set()
    page = cast.alice.get("/standing").text
    assert page.count("of yours were put back.") == page.count("20 messages of yours were put back.") == 1
    cast.mia.post(f"/moderation/sweeps/{sweep_id}/finish")
    assert gone(cast) == set(), "what was undone is not begun again"


@pytest.mark.parametrize("app", ["sqlite", "postgresql"], indirect=True)
@pytest.mark.parametrize("slices", [0, 2])
def test_one_that_is_undone_while_it_runs_stops(cast: Cast, monkeypatch: pytest.MonkeyPatch, slices: int):
    flood(cast, 40)
    monkeypatch.setattr(service, "SLICE", 10)
    reached, goes_on = threading.Event(), threading.Event()
    sweeper: list[threading.Thread] = []
    opened: list[str] = []

    def halting() -> AbstractContextManager[None]:
        """Have the sweep stand still before one of its slices, until it was undone."""
        if threading.current_thread() in sweeper:
            opened.append("a transaction")
            if len(opened) == 1 + slices + 1:  # the first one is that of its row
                reached.set()
                assert goes_on.wait(20)
        return transaction()

    monkeypatch.setattr(service, "transaction", halting)
    answers: list[Any] = []
    sweeper.append(threading.Thread(target=lambda: answers.append(sweep(cast.mia, cast.alice))))
    sweeper[0].start()
    assert reached.wait(20)
    assert len(gone(cast)) == 10 * slices
    with cast.app.app_context():
        (sweep_id,) = db.session.execute(select(Sweep.id)).scalars()
    undone = cast.mia.elsewhere().post(f"/moderation/sweeps/{sweep_id}/undo")
    goes_on.set()
    sweeper[0].join(20)
    assert undone.status_code == 303
    assert begun(answers[0]) == sweep_id
    assert gone(cast) == set()
    told = cast.alice.get("/standing").text
    assert ("20 messages of yours were put back." if slices else "Your messages were not removed after all.") in told
    assert "It was cut off" not in cast.mia.get(f"/moderation/sweeps/{sweep_id}").text
    cast.mia.post(f"/moderation/sweeps/{sweep_id}/finish")
    assert gone(cast) == set()


@pytest.mark.parametrize("app", ["sqlite", "postgresql"], indirect=True)
def test_however_undoing_meets_removing_nothing_stays_removed(cast: Cast, monkeypatch: pytest.MonkeyPatch):
    """Two who undo it press as soon as there is something to undo; the author is told once, of all there was."""
    flood(cast, 40)
    monkeypatch.setattr(service, "SLICE", 2)

    def undo(who: Member) -> None:
        sweep_id = None
        while sweep_id is None:
            with cast.app.app_context():
                sweep_id = db.session.execute(select(Sweep.id).where(Sweep.messages > 5)).scalar()
        assert who.post(f"/moderation/sweeps/{sweep_id}/undo").status_code == 303

    threads = [threading.Thread(target=undo, args=(who,)) for who in (cast.mia, cast.ada)]
    threads.append(threading.Thread(target=sweep, args=(cast.mia.elsewhere(), cast.alice)))
    for each in threads:
        each.start()
    for each in threads:
        each.join(30)
    assert gone(cast) == set()
    with cast.app.app_context():
        found = db.session.execute(select(Sweep)).scalar_one()
        assert found.undone_at is not None
        assert found.finished_at is not None
    page = cast.alice.get("/standing").text
    assert page.count("of yours were put back.") == 1
    assert f"{found.messages} messages of yours were put back." in page


@pytest.mark.parametrize("slices", [None, 2], ids=["done", "cut off"])
def test_who_moderates_only_some_of_its_rooms_neither_finishes_nor_undoes_it(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, slices: int | None
):
    """Else it would be done for everybody, with what is in the other rooms as it was."""
    flood(cast, 40)
    monkeypatch.setattr(service, "SLICE", 10)
    if slices is None:
        begun(sweep(cast.mia, cast.alice))
    else:
        with cut_off_after(slices, monkeypatch), pytest.raises(SystemExit):
            sweep(cast.mia, cast.alice)
    before = gone(cast)
    with cast.app.app_context():
        (sweep_id,) = db.session.execute(select(Sweep.id)).scalars()
        somewhere = db.session.execute(select(Message.room_id).where(Message.id.in_(before)).limit(1)).scalar_one()
        rooms.appoint(somewhere, cast.bob.id, "moderator", cast.ada.id, "knows the room")
    page = cast.bob.get(f"/moderation/sweeps/{sweep_id}").text
    assert "Some of it is in rooms that you do not moderate" in page
    assert "back</button>" not in page
    assert "Finish it" not in page
    for what in ("finish", "undo"):
        answer = cast.bob.post(f"/moderation/sweeps/{sweep_id}/{what}")
        assert answer.status_code == 403
        assert "in rooms that you do not moderate" in answer.text
    assert gone(cast) == before
    cast.ada.post(f"/moderation/sweeps/{sweep_id}/undo")
    assert gone(cast) == set()


@pytest.mark.parametrize("wider", [False, True], ids=["by the same person", "by an administrator"])
def test_finishing_removes_what_it_was_begun_for_and_nothing_else(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, wider: bool
):
    """What was put back by itself meanwhile stays, and so does what is in rooms that whoever began it does not moderate."""
    said = flood(cast, 40)
    with cast.app.app_context():
        rooms.name_owner(cast.room, cast.mia.id, cast.ada.id, "who owns it is no business of its moderators")
        rooms.appoint(cast.room, cast.bob.id, "moderator", cast.ada.id, "knows the lamp")
    monkeypatch.setattr(service, "SLICE", 5)
    with cut_off_after(2, monkeypatch), pytest.raises(SystemExit):
        sweep(cast.bob, cast.alice)
    back = sorted(gone(cast))[0]
    assert cast.bob.post(f"/moderation/removed/{back}/restore").status_code == 303
    with cast.app.app_context():
        (sweep_id,) = db.session.execute(select(Sweep.id)).scalars()
    (cast.ada if wider else cast.bob).post(f"/moderation/sweeps/{sweep_id}/finish")
    assert gone(cast) == set(said[0::2]) - {back}


def test_what_its_author_deletes_before_the_sweep_comes_to_it_stays_deleted(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
):
    said = flood(cast, 20)
    monkeypatch.setattr(service, "SLICE", 5)
    with cut_off_after(1, monkeypatch), pytest.raises(SystemExit):
        sweep(cast.mia, cast.alice)
    own = next(each for each in said if each not in gone(cast))
    assert cast.alice.post(f"/messages/{own}/delete").status_code == 303
    with cast.app.app_context():
        (sweep_id,) = db.session.execute(select(Sweep.id)).scalars()
    cast.mia.post(f"/moderation/sweeps/{sweep_id}/undo")
    assert gone(cast) == {own}


def test_a_removal_that_was_taken_back_and_made_again_is_not_of_the_sweep(cast: Cast, monkeypatch: pytest.MonkeyPatch):
    said = flood(cast, 20)
    cast.mia.post(f"/messages/{said[-1]}/delete", reason="Private details")
    cast.mia.post(f"/moderation/removed/{said[-1]}/restore")
    monkeypatch.setattr(service, "SLICE", 5)
    with cut_off_after(1, monkeypatch), pytest.raises(SystemExit):
        sweep(cast.ada, cast.alice)
    assert said[-1] not in gone(cast)
    with cast.app.app_context():
        (sweep_id,) = db.session.execute(select(Sweep.id)).scalars()
        message = db.session.get_one(Message, said[-1])
        messages.take_away_again(said[-1], cast.mia.id, cast.mia.id, "Private details", lambda: message)
    cast.ada.post(f"/moderation/sweeps/{sweep_id}/undo")
    assert gone(cast) == {said[-1]}


def test_one_that_has_removed_nothing_is_not_among_what_was_removed(cast: Cast, monkeypatch: pytest.MonkeyPatch):
    flood(cast, 6)
    with cut_off_after(0, monkeypatch), pytest.raises(SystemExit):
        sweep(cast.mia, cast.alice)
    assert gone(cast) == set()
    assert "in one sweep" not in cast.mia.get("/moderation/removed").text


@pytest.mark.parametrize("app", ["sqlite", "postgresql"], indirect=True)
def test_two_sweeps_and_single_removals_at_once_all_end(cast: Cast):
    """Nobody waits for somebody who waits for them; every message is gone once, and each sweep says what it removed."""
    said = flood(cast, 60)
    calls: list[tuple[Member, Any]] = [
        (who, partial(_send, "/moderation/sweeps", {"person": cast.alice.id, "span": "1h", "reason": "A flood"}))
        for who in (cast.mia, cast.ada, cast.mia)
    ]
    calls += [
        (cast.mia, partial(_send, f"/messages/{each}/delete", {"reason": "One of many"})) for each in said[-12::2]
    ]
    statuses = at_once(calls)
    assert set(statuses) <= {303, 409, 422}, statuses
    assert gone(cast) == set(said)
    with cast.app.app_context():
        found = db.session.execute(select(Sweep)).scalars().all()
        for each in found:
            own = select(func.count()).where(Message.sweep_id == each.id, Message.deleted_at.is_not(None))
            assert db.session.execute(own).scalar() == each.messages


def _send(path: str, fields: dict[str, str], who: Member) -> Any:
    return who.post(path, **fields)


def test_what_a_later_sweep_takes_is_not_put_back_with_the_first(cast: Cast, monkeypatch: pytest.MonkeyPatch):
    said = flood(cast, 20)
    monkeypatch.setattr(service, "SLICE", 5)
    with cut_off_after(1, monkeypatch), pytest.raises(SystemExit):
        sweep(cast.mia, cast.alice)
    first = gone(cast)
    with cast.app.app_context():
        (sweep_id,) = db.session.execute(select(Sweep.id)).scalars()
    begun(sweep(cast.ada, cast.alice))
    assert gone(cast) == set(said)
    cast.mia.post(f"/moderation/sweeps/{sweep_id}/undo")
    assert gone(cast) == set(said) - first


def test_undoing_leaves_what_was_destroyed_and_what_was_removed_before(cast: Cast):
    before = say(cast.alice, cast.room, "removed for another reason")
    cast.mia.post(f"/messages/{before}/delete", reason="Private details")
    said = flood(cast, 4)
    sweep_id = begun(sweep(cast.mia, cast.alice))
    cast.ada.post(f"/moderation/removed/{said[0]}/purge", reason="a number")
    cast.mia.post(f"/moderation/sweeps/{sweep_id}/undo")
    assert gone(cast) == {before, said[0]}


def test_a_message_of_a_sweep_is_put_back_by_itself(cast: Cast):
    said = flood(cast, 4)
    sweep_id = begun(sweep(cast.mia, cast.alice))
    assert "buy this 0." in cast.mia.get(f"/moderation/removed/{said[0]}").text
    cast.mia.post(f"/moderation/removed/{said[0]}/restore")
    assert gone(cast) == set(said[1:])
    assert "3 of them still are" in cast.mia.get(f"/moderation/sweeps/{sweep_id}").text


def test_looking_at_a_sweep_is_written_down_first(cast: Cast, break_audit_log: Callable[[], None]):
    said = flood(cast, 4)
    sweep_id = begun(sweep(cast.mia, cast.alice))
    cast.mia.get(f"/moderation/sweeps/{sweep_id}")
    assert [sorted(each) for each in rows(cast, "hidden.listed")] == [sorted(said)]

    break_audit_log()
    answer = cast.mia.get(f"/moderation/sweeps/{sweep_id}")
    assert answer.status_code == 500
    assert "buy this" not in answer.text


def test_the_chain_of_the_audit_log_holds(cast: Cast):
    flood(cast)
    sweep_id = begun(sweep(cast.mia, cast.alice))
    cast.mia.post(f"/moderation/sweeps/{sweep_id}/undo")
    with cast.app.app_context():
        assert audit.verify().number is None
        assert db.session.execute(select(func.count()).select_from(AuditRow)).scalar_one() >= 5
