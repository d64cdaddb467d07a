"""Every route, for every role: what they get. Written down in authorisation.yaml, held against the running application."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from flask import Flask
from PIL import Image
from sqlalchemy import select
from werkzeug.routing import Rule

from app import create_app
from chat import pictures, realtime
from chat.accounts import queries as people
from chat.accounts import service as accounts
from chat.core import ids
from chat.core.database import db
from chat.look import queries as looks
from chat.look import service as look
from chat.messages import queries, service
from chat.moderation.keeping import service as keeping
from chat.moderation.keeping.models import Purge
from chat.moderation.reports import service as reports
from chat.moderation.reports.models import ReportCase
from chat.moderation.reports.service import Filing
from chat.moderation.rules import service as rule_service
from chat.moderation.rules.models import RuleHit
from chat.moderation.sanctions import service as sanctions
from chat.moderation.sanctions.models import Appeal
from chat.moderation.sweeps import service as sweeps
from chat.rooms import service as rooms
from chat.rooms.queries import Reach
from tests.conftest import Cast, configured, dispose, make_cast
from tests.services import ROOT

ROLES = [
    "nobody", "expired", "outsider", "former", "member", "owner", "moderator", "administrator", "guest", "bot", "muted",
    "barred", "room moderator", "moderator elsewhere",
]  # fmt: skip
EXPECTED: dict[str, list[int]] = yaml.safe_load((ROOT / "tests/house/authorisation.yaml").read_text())

#: A folder to copy, ids of the cast, and what addresses are made of.
Prepared = tuple[Path, dict[str, str], dict[str, str]]

#: What a form needs, besides its token, to be more than refused.
FIELDS: dict[str, dict[str, str]] = {
    "accounts.sign_in": {"email": "alice@example.org", "password": "wrong wrong wrong"},
    "accounts.sign_up": {"name": "", "email": "", "password": ""},
    "accounts.set_up": {
        "name": "Eve",
        "email": "eve@example.org",
        "password": "a good long password",
        "token": "guessed",
    },
    "accounts.update_email": {"email": "another@example.org", "current_password": "wrong wrong wrong"},
    "accounts.update_password": {"password": "a good long password", "current_password": "wrong wrong wrong"},
    "accounts.update_profile": {"name": "Somebody", "status": "", "theme": "dark"},
    "messages.create": {"body": "hello", "client_id": "matrix-client-id"},
    "messages.update": {"body": "changed"},
    "messages.delete": {"reason": "private details"},
    "messages.read": {"seq": "1"},
    "reports.create_for_message": {"reason": "spam"},
    "reports.create_for_person": {"reason": "spam"},
    "rooms.add_member": {"person": "{mallory}"},
    "held.refuse": {"reason": "an advertisement"},
    "rules.create": {"kind": "words", "name": "Words", "action": "hold", "words": "lens"},
    "rules.trial": {"kind": "words", "words": "lens"},
    "rules.update": {"name": "Words", "action": "hold", "words": "lens", "room": "{room_id}"},
    "rooms.create": {"name": "another", "kind": "open"},
    "rooms.direct": {"person": "{alice}"},
    "look.draft": {"name": "Skerry Light", "accent": "#7a3cc2"},
    "keeping.approval": {"two": "yes"},
    "keeping.make_hold": {"name": "Case 15", "since": "2026-01-01", "reason": "a court"},
    "keeping.purge": {"reason": "a number"},
    "keeping.release_hold": {"reason": "settled"},
    "keeping.retention": {"days": "40", "reason": "a policy"},
    "sweeps.create": {"person": "{alice}", "span": "1h", "reason": "a flood"},
    "staff.name_owner": {"person": "{bob}", "reason": "knows the lamp"},
    "staff.appoint": {"office": "appoint:{room_id}", "why": "knows the lamp"},
    "staff.change_role": {"role": "guest", "reason": "a visit"},
    "sanctions.appeal": {"sanction": "{sanction_id}", "body": "Why?"},
    "sanctions.create": {"person": "{mallory}", "kind": "mute", "duration": "1h", "reason": "flooding"},
    "sanctions.decide": {"decision": "refuse", "answer": "It was the third time"},
    "sanctions.lift": {"reason": "a mistake"},
    "rooms.update_settings": {"name": "renamed", "purpose": ""},
}


#: What an address asks after its path.
ASKED = {"messages.events": "room={room_id}", "sweeps.new": "person={alice}"}

#: What an address is about where that is not what the others are about.
ABOUT: dict[str, dict[str, str]] = {
    "held.picture": {"picture_id": "waiting_picture"},
    "keeping.approve_form": {"purge_id": "waiting"},
    "keeping.decide": {"decision": "refuse", "purge_id": "waiting"},
    "keeping.purge": {"message_id": "removed"},
    "keeping.purge_form": {"message_id": "removed"},
    "moderation.peek": {"message_id": "removed"},
    "moderation.picture": {"message_id": "removed", "picture_id": "hidden"},
    "moderation.removed_one": {"message_id": "removed"},
    "moderation.restore": {"message_id": "removed"},
    "moderation.undo": {"message_id": "removed"},
    "moderation.versions": {"message_id": "edited"},
    "patterns.preview": {"name": "messages/_message.html"},
    "patterns.show": {"name": "messages/_message.html"},
    "staff.appoint": {"person_id": "bob"},
}


@dataclass
class World:
    """The cast with a message, a picture in it, a face and a device, all alice's."""

    cast: Cast
    values: dict[str, str]

    def client(self, role: str) -> tuple[Any, str]:
        """Return a client of a role and its token."""
        cast = self.cast
        if role == "nobody":
            cast.nobody.get("/sign-in")
            return cast.nobody, _token(cast.nobody)
        member = {
            "expired": cast.mia, "outsider": cast.mallory, "former": cast.bob, "member": cast.bob, "owner": cast.alice,
            "moderator": cast.mia, "administrator": cast.ada, "guest": cast.bob, "bot": cast.bob, "muted": cast.bob,
            "barred": cast.bob, "room moderator": cast.bob, "moderator elsewhere": cast.mallory,
        }[role]  # fmt: skip
        with cast.app.app_context():
            self._prepare(role, member.id)
            db.session.remove()
        if role == "barred":  # signed in again, to see why
            return (again := make_cast(cast.app, cast.app.extensions["test_ids"]).bob).client, again.token
        return member.client, member.token

    def _prepare(self, role: str, person_id: str) -> None:
        cast = self.cast
        if role == "expired":
            accounts.end_other_sessions(person_id, "none")
        elif role == "former":
            rooms.revoke(cast.room, person_id, cast.alice.id)
        elif role in ("guest", "bot"):
            accounts.change_role(person_id, role)
        elif role == "muted":
            sanctions.impose("mute", person_id, "flooding", room_id=cast.room)
        elif role == "barred":
            sanctions.impose("ban", person_id, "flooding")
        elif role == "room moderator":
            rooms.appoint(cast.room, person_id, "moderator", cast.ada.id, "knows the lamp")
        elif role == "moderator elsewhere":
            rooms.join(cast.open_room, person_id)
            rooms.appoint(cast.open_room, person_id, "moderator", cast.ada.id, "knows everyone")


@pytest.fixture(scope="module")
def prepared(sqlite_template: tuple[Path, dict[str, str]], tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """Make the message, the pictures and the device once; every test gets a copy."""
    folder = tmp_path_factory.mktemp("world")
    file, known = sqlite_template
    shutil.copy(file, folder / "confab.sqlite3")
    app = create_app(configured(folder))
    with app.app_context():
        alice = people.get_user(known["alice"]).context
        picture, face = pictures.keep(_png(), alice.id), pictures.keep(_png(), alice.id)
        hidden = pictures.keep(_png(), known["bob"])
        accounts.change_picture(alice.id, face)
        shown = queries.own_unsent(picture, alice.id)
        assert shown is not None
        message = service.post_message(known["room"], alice, "hello", ids.new(), [shown])
        bob = people.get_user(known["bob"]).context
        reported = service.post_message(known["room"], bob, "buy this", ids.new())
        reports.report_message(reported.message_id, alice.id, "member", Filing("spam"))
        (case,) = db.session.execute(select(ReportCase.id)).scalars()
        own = queries.own_unsent(hidden, bob.id)
        assert own is not None
        gone = [
            service.post_message(known["room"], bob, f"gone {n}", ids.new(), [own] * (n == 2)).message_id
            for n in range(3)
        ]
        edited = service.post_message(known["room"], alice, "this", ids.new()).message_id
        service.edit_message(edited, alice.id, "that")
        for each in gone:
            service.delete_message(each, known["mia"], "moderator", "private details")
        mia = Reach(known["mia"], "moderator")
        flood = people.get_user(known["ada"]).context
        rooms.grant(known["room"], flood.id, alice.id)
        service.post_message(known["room"], flood, "a flood", ids.new())
        sweep = sweeps.start(flood.id, known["room"], "1h", "a flood", mia)
        rooms.revoke(known["room"], flood.id, alice.id)
        purge = keeping.purge(gone[0], "a number", mia)
        keeping.set_approval(True, known["ada"])
        keeping.purge(gone[1], "a number", mia)
        keeping.set_approval(False, known["ada"])
        waiting = db.session.execute(select(Purge.id).where(Purge.message_id == gone[1])).scalar_one()
        first, next_day = (datetime(2000, 1, day, tzinfo=UTC) for day in (1, 2))
        hold = keeping.make_hold("Case 14", None, None, first, next_day, "a court", known["ada"])
        sanction = sanctions.impose("mute", known["mallory"], "a rule", room_id=known["room"])
        sanctions.appeal(known["mallory"], "Why?", sanction_id=sanction)
        (appeal,) = db.session.execute(select(Appeal.id)).scalars()
        rule = rule_service.make_rule(
            mia, name="Words", kind="words", action="hold", room_id=known["room"], mute_minutes=0, sentence="",
            settings={"words": ["lenses"]},
        )  # fmt: skip
        sent = queries.own_unsent(pictures.keep(_png(), bob.id), bob.id)
        assert sent is not None
        held = service.send_message(known["room"], bob, "cheap lenses", ids.new(), [sent])
        assert isinstance(held, service.Held)
        rule_service.change_rule(
            rule, mia, name="Words", action="alert", room_id=known["room"], mute_minutes=0, sentence="",
            settings={"words": ["lenses"]},
        )  # fmt: skip
        service.send_message(known["room"], bob, "more lenses", ids.new())
        (hit,) = db.session.execute(select(RuleHit.id).where(RuleHit.action == "alert")).scalars()
        look.draft(known["ada"], name="", accent="", css="", logo=_png().getvalue())
        look.publish(known["ada"], look.comparison(None, looks.get_look(known["ada"])))
        look.draft(known["ada"], name="Skerry", accent="", css="", logo=None)
        accounts.start_session(alice.id, "phone", "127.0.0.1")
        (device,) = people.sessions_of(alice.id, "")
        db.session.remove()
        db.engine.dispose()
    values = {
        "room_id": known["room"], "message_id": message.message_id, "picture_id": picture, "person_id": known["mia"],
        "session_id": device.id, "size": "thumb", "number": "1", "digest": "any", "path": "icons/icons.svg",
        "face_of": alice.id, "case_id": case, "decision": "keep", "sanction_id": sanction,
        "appeal_id": appeal, "purge_id": purge, "waiting": waiting, "removed": gone[2], "hold_id": hold,
        "bob": known["bob"], "hidden": hidden, "edited": edited, "sweep_id": sweep, "what": "undo",
        "rule_id": rule, "how": "off", "held_id": held.held_id, "hit_id": str(hit), "waiting_picture": sent.id,
    }  # fmt: skip
    return folder, known, values


@contextmanager
def made_from(prepared: Prepared, folder: Path) -> Iterator[World]:
    """Run an application on a copy of the prepared world."""
    template, known, values = prepared
    shutil.copytree(template, folder, dirs_exist_ok=True)
    app = create_app(configured(folder))
    app.extensions["test_ids"] = known
    yield World(make_cast(app, known), values)
    dispose(app)


@pytest.fixture
def world(prepared: Prepared, tmp_path: Path) -> Iterator[World]:
    with made_from(prepared, tmp_path) as made:
        yield made


def rules(app: Flask) -> Iterator[tuple[str, str, Rule]]:
    for rule in app.url_map.iter_rules():
        for method in sorted((rule.methods or set()) & {"GET", "POST", "PUT", "PATCH", "DELETE"}):
            yield rule.endpoint, method, rule


@pytest.fixture(scope="module")
def any_app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    return create_app(configured(tmp_path_factory.mktemp("any")))


def test_every_route_is_written_down(any_app: Flask):
    endpoints = [endpoint for endpoint, _, _ in rules(any_app)]
    assert sorted(EXPECTED) == sorted(set(endpoints))
    assert len(endpoints) == len(set(endpoints)), "one endpoint, one method"
    assert all(len(row) == len(ROLES) for row in EXPECTED.values())


@pytest.mark.parametrize("role", ROLES)
def test_every_route_answers_a_role_as_written(role: str, prepared: Prepared, tmp_path: Path):
    """What reads or is refused is asked for in one world, which it may not change; what is accepted has a world of its own."""
    wrong: list[str] = []
    accepted: list[tuple[str, str, Rule]] = []
    with made_from(prepared, tmp_path / "shared") as world:
        app = world.cast.app
        client, token = world.client(role)
        with app.app_context():
            before = _everything()
        for endpoint, method, rule in sorted(rules(app), key=lambda each: each[0]):
            # A stream starts what goes on beside requests, and that changes tables by itself.
            if endpoint != "messages.events" and (method == "GET" or _is_refused(endpoint, role)):
                wrong += _faults(world, client, token, role, method, rule)
            else:
                accepted.append((endpoint, method, rule))
        with app.app_context():
            wrong += [f"{name} was changed" for name, rows in _everything().items() if rows != before[name]]
    for endpoint, method, rule in accepted:
        with made_from(prepared, tmp_path / endpoint) as world:
            client, token = world.client(role)
            wrong += _faults(world, client, token, role, method, rule)
    assert wrong == []


def _is_refused(endpoint: str, role: str) -> bool:
    """Tell whether a role must not get through with a form, so that nothing may change."""
    return EXPECTED[endpoint][ROLES.index(role)] in {403, 404, 422} or role in {"nobody", "expired"}


def _faults(world: World, client: Any, token: str, role: str, method: str, rule: Rule) -> list[str]:
    """Return what a route answers that is not as written, in words."""
    endpoint, expected = rule.endpoint, EXPECTED[rule.endpoint][ROLES.index(role)]
    cookies = dict(client._cookies or {})
    response = _ask(world.cast.app, client, token, method, rule, world.values)
    found, where = response.status_code, response.headers.get("Location", "")
    response.close()
    client._cookies = cookies  # which an answer may have replaced, and the next one is asked of the same browser
    if found != expected:
        return [f"{endpoint}: {found}, not {expected}"]
    signs_in = endpoint not in {"accounts.sign_out", "rooms.home"} and found == 303
    if role in {"nobody", "expired"} and signs_in and not where.startswith("/sign-in"):
        return [f"{endpoint}: leads to {where}"]
    return []


def test_what_is_missing_or_of_another_kind_is_not_there(world: World):
    """For every id in every address: one that does not exist, and ids of other kinds of things, are 404 for all."""
    app = world.cast.app
    for endpoint, method, rule in list(rules(app)):
        for name in sorted(rule.arguments & {"room_id", "message_id", "picture_id", "session_id", "case_id"}):
            others = {key: value for key, value in world.values.items() if key.endswith("_id") and key != name}
            for wrong in ["a" * 16, *others.values()]:
                for member in (world.cast.alice, world.cast.mallory):
                    response = _ask(app, member.client, member.token, method, rule, world.values, other={name: wrong})
                    assert response.status_code == 404, (endpoint, name, wrong, response.status_code)


def test_every_form_needs_its_token(world: World):
    app = world.cast.app
    alice, bob = world.cast.alice, world.cast.bob
    for endpoint, method, rule in list(rules(app)):
        if method == "GET":
            continue
        for token in ("", "nonsense", bob.token, alice.token[:-2] + "AA"):
            response = _ask(app, alice.client, token, method, rule, world.values)
            assert response.status_code == 403, (endpoint, token)
        for site in ("cross-site", "same-site"):
            response = _ask(app, alice.client, alice.token, method, rule, world.values, {"Sec-Fetch-Site": site})
            assert response.status_code == 403, (endpoint, site)
        response = _ask(app, alice.client, alice.token, method, rule, world.values, {"Origin": "https://evil.example"})
        assert response.status_code == 403, endpoint
    with app.app_context():
        message_id = world.values["message_id"]
        assert queries.contexts([message_id])[message_id].deletion is None


def test_reading_changes_nothing(world: World):
    """A sweep of GET over every address, by everybody, leaves the database as it was, but for the looks it writes down."""
    app = world.cast.app
    with app.app_context():
        before = _everything()
    for endpoint, method, rule in list(rules(app)):
        if method == "GET" and endpoint != "messages.events":
            for member in world.cast.everybody().values():
                _ask(app, member.client, member.token, "GET", rule, world.values).close()
    with app.app_context():
        assert _everything() == before


def test_a_fragment_is_refused_without_a_redirect(world: World):
    for path in (f"/rooms/{world.cast.room}/messages", "/rooms/list"):
        response = world.cast.nobody.get(path, headers={"HX-Request": "true"})
        assert response.status_code == 401


def _ask(
    app: Flask, client: Any, token: str, method: str, rule: Rule, values: dict[str, str], headers: Any = None,
    other: Mapping[str, str] | None = None,
) -> Any:  # fmt: skip
    if rule.endpoint == "accounts.avatar":
        values = values | {"person_id": values["face_of"]}
    values = values | {name: values.get(about, about) for name, about in ABOUT.get(rule.endpoint, {}).items()}
    values = values | (other or {})
    path = app.url_map.bind("localhost").build(rule.endpoint, {name: values[name] for name in rule.arguments})
    known = app.extensions["test_ids"] | values
    if rule.endpoint in ASKED:
        path += "?" + ASKED[rule.endpoint].format(**known)
    if method == "GET":
        response = client.get(path, headers=headers)
        if rule.endpoint == "messages.events" and response.status_code == 200:
            with app.app_context():
                realtime.here().hub.bye()
        return response
    fields = {name: value.format(**known) for name, value in FIELDS.get(rule.endpoint, {}).items()}
    return client.post(path, data=fields | {"csrf_token": token}, headers=headers)


def _token(client: Any) -> str:
    import re

    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/sign-in").get_data(as_text=True))
    assert found
    return found[1]


def _png() -> io.BytesIO:
    data = io.BytesIO()
    Image.new("RGB", (40, 30), "teal").save(data, "PNG")
    data.seek(0)
    return data


def _everything() -> dict[str, list[Any]]:
    tables = [table for table in db.metadata.sorted_tables if not table.name.startswith("audit_")]
    return {table.name: sorted(map(repr, db.session.execute(table.select()).all())) for table in tables}
