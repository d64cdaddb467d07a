"""Every route, for every role: what they get. Written down in authorisation.yaml, held against the running application."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from flask import Flask
from PIL import Image
from werkzeug.routing import Rule

from app import create_app
from chat import ids, pictures, realtime
from chat.accounts import queries as people
from chat.accounts import service as accounts
from chat.database import db
from chat.messages import queries, service
from chat.rooms import service as rooms
from tests.conftest import Cast, configured, dispose, make_cast
from tests.services import ROOT

ROLES = ["nobody", "expired", "outsider", "former", "member", "owner", "moderator", "administrator"]
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
    "accounts.update_profile": {"name": "Somebody", "status": "", "theme": "dark"},
    "messages.create": {"body": "hello", "client_id": "matrix-client-id"},
    "messages.update": {"body": "changed"},
    "messages.delete": {"reason": "private details"},
    "messages.read": {"seq": "1"},
    "rooms.add_member": {"person": "{mallory}"},
    "rooms.create": {"name": "another", "kind": "open"},
    "rooms.direct": {"person": "{alice}"},
    "rooms.update_settings": {"name": "renamed", "purpose": ""},
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
            "moderator": cast.mia, "administrator": cast.ada,
        }[role]  # fmt: skip
        if role == "expired":
            with cast.app.app_context():
                accounts.end_other_sessions(member.id, "none")
        if role == "former":
            with cast.app.app_context():
                rooms.revoke(cast.room, member.id, cast.alice.id)
        return member.client, member.token


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
        accounts.change_picture(alice.id, face)
        shown = queries.own_unsent(picture, alice.id)
        assert shown is not None
        message = service.post_message(known["room"], alice, "hello", ids.new(), [shown])
        accounts.start_session(alice.id, "phone", "127.0.0.1")
        (device,) = people.sessions_of(alice.id, "")
        db.session.remove()
        db.engine.dispose()
    values = {
        "room_id": known["room"], "message_id": message.message_id, "picture_id": picture, "person_id": known["mia"],
        "session_id": device.id, "size": "thumb", "role": "member", "number": "1", "digest": "any", "path": "icons/icons.svg",
        "face_of": alice.id,
    }  # fmt: skip
    return folder, known, values


@pytest.fixture
def world(prepared: Prepared, tmp_path: Path) -> Iterator[World]:
    folder, known, values = prepared
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    app = create_app(configured(tmp_path))
    app.extensions["test_ids"] = known
    yield World(make_cast(app, known), values)
    dispose(app)


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
@pytest.mark.parametrize("endpoint", sorted(EXPECTED))
def test_it_answers_each_role_as_written(world: World, endpoint: str, role: str):
    app = world.cast.app
    _, method, rule = next(each for each in rules(app) if each[0] == endpoint)
    client, token = world.client(role)
    response = _ask(app, client, token, method, rule, world.values)
    expected = EXPECTED[endpoint][ROLES.index(role)]
    assert response.status_code == expected, response.get_data(as_text=True)[:300]
    if role in {"nobody", "expired"} and expected == 303 and endpoint not in {"accounts.sign_out", "rooms.home"}:
        assert response.headers["Location"].startswith("/sign-in")
    response.close()


def test_what_is_missing_or_of_another_kind_is_not_there(world: World):
    """For every id in every address: one that does not exist, and ids of other kinds of things, are 404 for all."""
    app = world.cast.app
    for endpoint, method, rule in list(rules(app)):
        for name in sorted(rule.arguments & {"room_id", "message_id", "picture_id", "session_id"}):
            others = {key: value for key, value in world.values.items() if key.endswith("_id") and key != name}
            for wrong in ["a" * 16, *others.values()]:
                for member in (world.cast.alice, world.cast.mallory):
                    response = _ask(app, member.client, member.token, method, rule, world.values | {name: wrong})
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
        assert queries.latest(world.cast.room).items[-1].message.deletion is None


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
    app: Flask, client: Any, token: str, method: str, rule: Rule, values: dict[str, str], headers: Any = None
) -> Any:
    if rule.endpoint == "accounts.avatar":
        values = values | {"person_id": values["face_of"]}
    path = app.url_map.bind("localhost").build(rule.endpoint, {name: values[name] for name in rule.arguments})
    if rule.endpoint == "messages.events":
        path += f"?room={values['room_id']}"
    if method == "GET":
        response = client.get(path, headers=headers)
        if rule.endpoint == "messages.events" and response.status_code == 200:
            with app.app_context():
                realtime.here().hub.bye()
        return response
    cast = {"alice": app.extensions["test_ids"]["alice"], "mallory": app.extensions["test_ids"]["mallory"]}
    fields = {name: value.format(**cast) for name, value in FIELDS.get(rule.endpoint, {}).items()}
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
