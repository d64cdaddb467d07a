"""Any order of offices, sanctions, leaving and coming back: after each step it is asked who may do what.

The model knows whose a room is by right, and what is in force. Everything else is read from the real services.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from chat.accounts.models import User
from chat.core import clock
from chat.core.database import db
from chat.core.errors import ChatError, Conflict, NotAllowed, NotFound
from chat.moderation.sanctions import service as sanctions
from chat.rooms import policy
from chat.rooms import service as rooms
from chat.rooms.models import Membership, Room
from chat.rooms.queries import Reach, get_membership, rank

WHO = st.sampled_from(["alice", "bob", "mallory", "mia"])
NUMBER = st.integers(0, 20)
SITE = {"ada": "administrator", "mia": "moderator"}
both = pytest.mark.parametrize("app", ["sqlite", "postgresql"], indirect=True)


@dataclass
class Force:
    """A suspension or a ban that is in force."""

    id: str
    by: str
    person: str
    everywhere: bool
    #: Whether its person owned the room.
    owned: bool


@dataclass
class Model:
    """Whose the room is by right, and who is kept out by whom."""

    #: None: nobody's.
    rightful: str | None = "alice"
    force: list[Force] = field(default_factory=list)

    def out(self, name: str) -> bool:
        return any(each.person == name for each in self.force)

    def barred(self, name: str) -> bool:
        return any(each.person == name and each.everywhere for each in self.force)


def machine(app: Flask, ids: dict[str, str]) -> type[RuleBasedStateMachine]:
    """Return the machine for one application."""
    names = {ids[name]: name for name in ("ada", "alice", "bob", "mallory", "mia")}

    class Ranks(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.model = Model()
            self.context = app.app_context()
            self.context.push()
            self.room = rooms.create_room("a room", "open", "", ids["alice"])
            for name in ("mia", "bob"):  # mia would be the heir: of what she imposes she must not be
                rooms.join(self.room, ids[name])

        @initialize(name=WHO, ban=st.booleans(), everywhere=st.booleans())
        def begin(self, name: str, ban: bool, everywhere: bool) -> None:
            self.shut_out("mia", name, ban, everywhere)

        def teardown(self) -> None:
            for each in self.model.force:
                sanctions.lift(each.id, "it is over", self.reach("ada"))
            db.session.remove()
            self.context.pop()

        def reach(self, name: str) -> Reach:
            return Reach(ids[name], SITE.get(name, "member"))

        def roles(self) -> dict[str, str]:
            rows = db.session.execute(
                select(Membership.user_id, Membership.role).where(Membership.room_id == self.room)
            )
            return {names[user_id]: role for user_id, role in rows}

        def owner(self) -> str | None:
            return next((name for name, role in self.roles().items() if role == "owner"), None)

        def now_rightful(self) -> None:
            """Where the room was nobody's, whoever owns it now owns it by right."""
            if self.model.rightful is None:
                self.model.rightful = self.owner()

        @rule(name=WHO)
        def join(self, name: str) -> None:
            inside = name in self.roles()
            try:
                rooms.join(self.room, ids[name])
            except NotAllowed:
                assert self.model.out(name)
                return
            assert inside or not self.model.out(name)
            self.now_rightful()

        @rule(name=WHO)
        def leave(self, name: str) -> None:
            if self.model.barred(name):
                return  # no page lets them
            inside = name in self.roles()
            try:
                rooms.revoke(self.room, ids[name], ids[name])
            except NotFound:
                assert not inside
                return
            if self.model.rightful == name:
                self.model.rightful = None
                self.now_rightful()

        @rule(name=WHO, up=st.booleans())
        def appoint(self, name: str, up: bool) -> None:
            try:
                rooms.appoint(self.room, ids[name], "moderator" if up else "member", ids["ada"], "a reason")
            except (NotFound, Conflict):
                assert self.roles().get(name) in (None, "owner", "moderator" if up else "member")

        @rule(name=WHO)
        def name_owner(self, name: str) -> None:
            try:
                rooms.name_owner(self.room, ids[name], ids["ada"], "a reason")
            except (NotAllowed, Conflict):
                return
            assert not self.model.out(name)
            self.model.rightful = name

        @rule(
            by=st.sampled_from(["ada", "mia", "bob", "mallory"]), name=WHO, ban=st.booleans(), everywhere=st.booleans()
        )
        def shut_out(self, by: str, name: str, ban: bool, everywhere: bool) -> None:
            if self.model.barred(by):
                return
            ranked, owned = rank(self.room, ids[name]) != "member", self.owner() == name
            moderates = self.roles().get(by) == "moderator"
            kind, end = ("ban", None) if ban else ("suspend", clock.now() + timedelta(days=1))
            room_id = None if everywhere else self.room
            try:
                made = sanctions.impose(
                    kind, ids[name], "a reason", room_id=room_id, expires_at=end, reach=self.reach(by)
                )
            except ChatError:
                return
            assert by != name
            assert by in SITE or (moderates and not everywhere and not ranked), "rank holds"
            self.model.force.append(Force(made, by, name, everywhere, owned or self.model.rightful == name))

        @precondition(lambda self: self.model.force)
        @rule(by=st.sampled_from(["ada", "mia", "bob"]), number=NUMBER)
        def lift(self, by: str, number: int) -> None:
            each = self.model.force[number % len(self.model.force)]
            if self.model.barred(by):
                return
            moderates = self.roles().get(by) == "moderator"
            try:
                sanctions.lift(each.id, "a reason", self.reach(by))
            except (NotAllowed, NotFound):
                assert by != "ada" or each.person == "ada"
                return
            assert by != each.person
            assert by in SITE or (moderates and each.by not in SITE)
            assert not (by == "mia" and each.by == "ada")
            self.model.force.remove(each)
            self.now_rightful()

        @invariant()
        def one_owner_at_most_and_who_it_has_to_be(self) -> None:
            roles, model = self.roles(), self.model
            owners = [name for name, role in roles.items() if role == "owner"]
            assert len(owners) <= 1
            imposers = {each.by for each in model.force if each.owned}
            able = {name for name in roles if not model.barred(name)}
            if model.rightful in able:
                assert owners == [model.rightful], "whose it is has it"
            elif able - imposers:
                assert owners, "somebody settles its affairs"
            if owners and owners != [model.rightful]:
                kept = db.session.execute(select(Room.kept_for).where(Room.id == self.room)).scalar()
                assert kept is not None
                keeps_out = {each.by for each in model.force if each.person == names[kept] and each.owned}
                assert owners[0] not in keeps_out, "never who imposed it"

        @invariant()
        def the_owner_and_nobody_else_may_settle(self) -> None:
            for name in self.roles():
                door = get_membership(self.room, ids[name])
                assert policy.may_manage(door.room, door.membership) == (self.owner() == name)
            barred = select(User.id).where(User.barred_until > clock.now())
            assert {names[each] for each in db.session.execute(barred).scalars()} == {
                name for name in names.values() if self.model.barred(name)
            }

    return Ranks


@both
@pytest.mark.timeout(300)
def test_after_every_step_each_may_do_what_their_rank_says(app: Any):
    few = 15 if app.config["SQLALCHEMY_DATABASE_URI"].startswith("sqlite") else 6
    wanted = settings(
        max_examples=few, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck), database=None
    )
    run_state_machine_as_test(machine(app, app.extensions["test_ids"]), settings=wanted)
