"""Any order of joining, leaving, sending, repeating, editing, deleting, restoring and coming back, against a small model.

The model is a list: what the log of a room must be. Coming back is the real thing: a stream resolved and adopted by the hub,
its bytes parsed.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from chat.core import log
from chat.core.database import db
from chat.realtime.cursor import Cursor
from chat.realtime.hub import QueueConnection
from chat.realtime.streams import Asked, Wanted
from chat.realtime.tickets import Ticket
from tests.chaos.history import new_mark
from tests.chaos.readers import marks, parse
from tests.conftest import Cast, Member

WHO = st.sampled_from(["alice", "bob", "mia", "mallory"])
NUMBER = st.integers(0, 30)
both = pytest.mark.parametrize("app", ["sqlite", "postgresql"], indirect=True)


@dataclass
class Said:
    """A message as the model knows it."""

    id: str
    seq: int
    author: str
    client_id: str
    first: str
    text: str
    deleted_by: str = ""


@dataclass
class Model:
    """A room."""

    members: set[str] = field(default_factory=lambda: {"alice"})
    #: Name and subject of each event: a message, or somebody's name.
    log: list[tuple[str, Any]] = field(default_factory=lambda: [("member.joined", "alice")])
    said: list[Said] = field(default_factory=list)


def machine(cast: Cast) -> type[RuleBasedStateMachine]:
    """Return the machine for one application."""

    class Room(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.model = Model()
            made = cast.alice.post("/rooms", name="a room", kind="open")
            self.room = made.headers["Location"].rsplit("/", 1)[1]

        def who(self, name: str) -> Member:
            return cast.everybody()[name]

        def pick(self, number: int) -> Said:
            return self.model.said[number % len(self.model.said)]

        @rule(name=WHO)
        def join(self, name: str) -> None:
            assert self.who(name).post(f"/rooms/{self.room}/join").status_code == 303
            if name not in self.model.members:
                self.model.members.add(name)
                self.model.log.append(("member.joined", name))

        @rule(name=WHO)
        def leave(self, name: str) -> None:
            status = self.who(name).post(f"/rooms/{self.room}/leave").status_code
            assert status == (303 if name in self.model.members else 404)
            if name in self.model.members:
                self.model.members.discard(name)
                self.model.log.append(("member.left", name))

        @rule(name=WHO)
        def send(self, name: str) -> None:
            mark, client_id = new_mark(), secrets.token_hex(8)
            answer = self.who(name).post(f"/rooms/{self.room}/messages", htmx=True, body=mark, client_id=client_id)
            if name not in self.model.members:
                assert answer.status_code == 404
                return
            assert answer.status_code == 201
            said = Said(
                answer.headers["Location"].rsplit("/", 1)[1], len(self.model.log) + 1, name, client_id, mark, mark
            )
            assert int(answer.headers["Chat-Seq"]) == said.seq
            self.model.said.append(said)
            self.model.log.append(("message.posted", said))

        @precondition(lambda self: self.model.said)
        @rule(number=NUMBER)
        def send_again(self, number: int) -> None:
            said = self.pick(number)
            fields = {"body": said.first, "client_id": said.client_id}
            answer = self.who(said.author).post(f"/rooms/{self.room}/messages", htmx=True, **fields)
            assert (answer.status_code, int(answer.headers["Chat-Seq"])) == (201, said.seq)
            assert answer.headers["Idempotent-Replayed"] == "true"

        @precondition(lambda self: self.model.said)
        @rule(name=WHO, number=NUMBER)
        def edit(self, name: str, number: int) -> None:
            said, mark = self.pick(number), new_mark()
            status = self.who(name).post(f"/messages/{said.id}/edit", htmx=True, body=mark).status_code
            if name not in self.model.members:
                assert status == 404
            elif name != said.author:
                assert status == 403
            elif said.deleted_by:
                assert status == 409
            else:
                assert status == 200
                said.text = mark
                self.model.log.append(("message.edited", said))

        @precondition(lambda self: self.model.said)
        @rule(name=WHO, number=NUMBER)
        def delete(self, name: str, number: int) -> None:
            said = self.pick(number)
            status = self.who(name).post(f"/messages/{said.id}/delete", htmx=True, reason="a reason").status_code
            if name not in self.model.members:
                assert status == 404
            elif name not in {said.author, "mia"}:
                assert status == 403
            elif said.deleted_by and not said.author == said.deleted_by != name:
                assert status == 409
            else:  # what its author deleted a moderator can still remove
                assert status == 200
                said.deleted_by = name
                self.model.log.append(("message.deleted", said))

        @precondition(lambda self: self.model.said)
        @rule(name=WHO, number=NUMBER)
        def restore(self, name: str, number: int) -> None:
            said = self.pick(number)
            status = self.who(name).post(f"/messages/{said.id}/restore", htmx=True).status_code
            if name not in self.model.members:
                assert status == 404
            elif name != "mia" and not name == said.author == said.deleted_by:
                assert status == 403
            elif not said.deleted_by:
                assert status == 409
            else:
                assert status == 200
                said.deleted_by = ""
                self.model.log.append(("message.restored", said))

        @rule(name=WHO, number=NUMBER)
        def come_back(self, name: str, number: int) -> None:
            after = number % (len(self.model.log) + 2)
            events = self._stream(name, after)
            frames = [event for event in events if event.id]
            resets = [event for event in events if event.name == "reset"]
            if name not in self.model.members or after > len(self.model.log):
                assert (frames, len(resets)) == ([], 1)
                return
            assert resets == []
            assert [int(event.id.rsplit(".", 1)[1]) for event in frames] == [*range(after + 1, len(self.model.log) + 1)]
            for event, (kind, subject) in zip(frames, self.model.log[after:], strict=True):
                assert event.name == kind
                if isinstance(subject, Said):
                    assert f'id="message_{subject.id}"' in event.data
                    assert marks(event.data) == ([] if subject.deleted_by else [subject.text])

        def _stream(self, name: str, after: int) -> list[Any]:
            realtime = cast.app.extensions["realtime"]
            with cast.app.app_context():
                ticket = Ticket(self.who(name).id, "a session")
                cursor = Cursor(self.room, realtime.pump.current_epoch(), after)
                resolved = realtime.streams.resolve(ticket, Asked([Wanted(self.room, str(cursor))], by_last_id=False))
                connection = QueueConnection(*ticket)
                realtime.streams.adopt(connection, b"", resolved)
                db.session.remove()
            sent = b""
            while not connection.pieces.empty():
                sent += connection.pieces.get() or b""
            realtime.hub.drop(connection)
            return [parse(block) for block in sent.decode().split("\n\n") if block]

        @invariant()
        def the_log_is_the_model(self) -> None:
            with cast.app.app_context():
                rows = log.read(self.room, 0)
                head = log.head(self.room)
                db.session.remove()
            assert head == len(self.model.log)
            assert [(row.seq, row.name) for row in rows] == [
                (seq, kind) for seq, (kind, _) in enumerate(self.model.log, start=1)
            ]
            for row, (_, subject) in zip(rows, self.model.log, strict=True):
                assert row.ref_id == (subject.id if isinstance(subject, Said) else self.who(subject).id)

    return Room


@both
@pytest.mark.timeout(400)
def test_every_order_gives_the_log_of_the_model(app: Any, cast: Cast):
    few = 60 if app.config["SQLALCHEMY_DATABASE_URI"].startswith("sqlite") else 25
    wanted = settings(
        max_examples=few, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck), database=None
    )
    run_state_machine_as_test(machine(cast), settings=wanted)
