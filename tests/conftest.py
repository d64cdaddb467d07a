"""What tests share: the application on a fresh database, a cast of people, and real servers.

The cast: alice owns a group room, bob belongs to it, mallory is outside, mia moderates and belongs, ada administers the
site. ``app`` and ``cast`` are for tests of one process without sockets; ``site`` and ``pair`` run Confab as people do.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_migrate import upgrade
from jinja2 import BytecodeCache, Environment
from jinja2.bccache import Bucket

from app import create_app
from chat.accounts import passwords, service
from chat.accounts.contexts import PersonContext
from chat.core.database import db
from chat.rooms import service as rooms
from config import Config
from tests.emulators.running import Emulators
from tests.people import PASSWORD, Person, Stream
from tests.services import ROOT, SECRET, Postgres, Redis, Site

CAST = {
    "ada": ("Ada Lindqvist", "administrator"),
    "alice": ("Alice Okafor", "member"),
    "bob": ("Bob de Vos", "member"),
    "mallory": ("Mallory Finch", "member"),
    "mia": ("Mia Haddad", "moderator"),
}


# -- the application in this process


def configured(folder: Path, **settings: Any) -> Config:
    return Config(**{"SECRET_KEY": SECRET, "INSTANCE_PATH": str(folder), "RATE_LIMITS": False} | settings)


def _populate(app: Flask) -> dict[str, str]:
    """Fill an empty database with the cast and their room; return ids by name."""
    with app.app_context():
        upgrade(directory=str(ROOT / "migrations"))
        ids = {key: service.add_user(name, f"{key}@example.org", PASSWORD, role) for key, (name, role) in CAST.items()}
        ids["room"] = rooms.create_room("lamp-room", "group", "Lens and clockwork", ids["alice"])
        for key in ("bob", "mia"):
            rooms.grant(ids["room"], ids[key], ids["alice"])
        ids["open_room"] = rooms.create_room("everyone", "open", "", ids["alice"])
        db.session.remove()
        db.engine.dispose()
    return ids


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    folder = tmp_path_factory.mktemp("template")
    ids = _populate(create_app(configured(folder)))
    return folder / "confab.sqlite3", ids


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    server = Postgres()
    yield server
    server.remove()


@pytest.fixture(scope="session")
def postgres_template(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    url = postgres.create("confab_template")
    return _populate(create_app(configured(tmp_path_factory.mktemp("pg"), DATABASE_URL=url)))


@pytest.fixture(scope="session")
def redis_server() -> Iterator[Redis]:
    server = Redis()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def emulators_process() -> Iterator[Emulators]:
    process = Emulators()
    yield process
    process.stop()


@pytest.fixture
def emulators(emulators_process: Emulators) -> Emulators:
    """Cloudinary and Resend, with nothing in them."""
    emulators_process.reset()
    return emulators_process


_databases = iter(range(1, 1_000_000))


@pytest.fixture
def make_app(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., tuple[Flask, dict[str, str]]]]:
    """Make applications on a copy of the populated database: ``make_app(database="sqlite", **settings)``."""
    made: list[Callable[[], None]] = []

    def make(database: str = "sqlite", **settings: Any) -> tuple[Flask, dict[str, str]]:
        if database == "sqlite":
            file, ids = request.getfixturevalue("sqlite_template")
            shutil.copy(file, tmp_path / "confab.sqlite3")
            app = create_app(configured(tmp_path, **settings))
        else:
            ids = request.getfixturevalue("postgres_template")
            server: Postgres = request.getfixturevalue("postgres")
            name = f"confab_{next(_databases)}"
            app = create_app(configured(tmp_path, DATABASE_URL=server.create(name, "confab_template"), **settings))
            made.append(lambda: server.drop(name))
        made.insert(0, lambda: dispose(app))
        return app, ids

    yield make
    for clean_up in made:
        clean_up()


def dispose(app: Flask) -> None:
    """End what an application may have started in this process."""
    app.extensions["realtime"].stop()
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


@dataclass
class Member:
    """Somebody of the cast, with a signed-in client."""

    id: str
    name: str
    client: FlaskClient
    token: str

    @property
    def person(self) -> PersonContext:
        return PersonContext(self.id, self.name)

    def elsewhere(self) -> Member:
        """Return the same person at another window, for requests at the same time: a client has one at a time."""
        client = self.client.application.test_client()
        client._cookies = dict(self.client._cookies or {})
        return replace(self, client=client)

    def get(self, path: str, **options: Any) -> Any:
        return self.client.get(path, **options)

    def post(self, path: str, htmx: bool = False, headers: dict[str, str] | None = None, **data: Any) -> Any:
        """Send a form as a page would: with the token, and with ``htmx`` as htmx does."""
        sent = {"X-CSRFToken": self.token} | ({"HX-Request": "true"} if htmx else {}) | (headers or {})
        return self.client.post(path, data=data, headers=sent)


@dataclass
class Cast:
    """Everybody, and the two rooms they have."""

    app: Flask
    ada: Member
    alice: Member
    bob: Member
    mallory: Member
    mia: Member
    nobody: FlaskClient
    #: A group room of alice, bob and mia.
    room: str
    #: An open room that only alice has joined.
    open_room: str

    def everybody(self) -> dict[str, Member]:
        return {key: getattr(self, key) for key in CAST}


@pytest.fixture(params=["sqlite"])
def app(request: pytest.FixtureRequest, make_app: Callable[..., tuple[Flask, dict[str, str]]]) -> Flask:
    made, ids = make_app(request.param)
    made.extensions["test_ids"] = ids
    return made


@pytest.fixture
def cast(app: Flask) -> Cast:
    return make_cast(app, app.extensions["test_ids"])


@pytest.fixture
def break_audit_log(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Have the audit log take no more rows from when this is called on: what is not written down must not be shown."""

    def full(*_: object, **__: object) -> int:
        raise RuntimeError("no room in the log")

    def break_it() -> None:
        monkeypatch.setattr("chat.core.audit.write", full)
        monkeypatch.setitem(app.config, "PROPAGATE_EXCEPTIONS", False)

    return break_it


def make_cast(app: Flask, ids: dict[str, str]) -> Cast:
    from chat.core import keys

    members = {}
    for key, (name, _) in CAST.items():
        client = app.test_client()
        with app.app_context():
            secret = service.start_session(
                ids[key], "Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Firefox/153.0", "127.0.0.1"
            )
            client.set_cookie("confab-session", secret)
            token = _csrf_for(secret, keys)
            db.session.remove()
        members[key] = Member(ids[key], name, client, token)
    return Cast(app=app, nobody=app.test_client(), room=ids["room"], open_room=ids["open_room"], **members)


def _csrf_for(secret: str, keys: Any) -> str:
    import base64

    from chat.web import security

    mask = bytes(range(1, 13))
    masked = security._masked(security._csrf_seal(secret), mask)
    return base64.urlsafe_b64encode(mask + masked).decode().rstrip("=")


@pytest.fixture(autouse=True, scope="session")
def cheap_hashes() -> Iterator[None]:
    """Hash passwords quickly in this process; the processes under test hash as they should."""
    from argon2 import PasswordHasher

    before = passwords._hasher
    passwords._hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    yield
    passwords._hasher = before


class CompiledTemplates(BytecodeCache):
    """Keeps the code of templates in this process: each application has an environment of its own, and compiles anew."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], Any] = {}

    def get_bucket(self, environment: Environment, name: str, filename: str | None, source: str) -> Bucket:
        """Return the entry of a template, apart for environments whose extensions change what is compiled."""
        key = "|".join([self.get_cache_key(name, filename), *sorted(environment.extensions)])
        bucket = Bucket(environment, key, self.get_source_checksum(source))
        self.load_bytecode(bucket)
        return bucket

    def load_bytecode(self, bucket: Bucket) -> None:
        """Take the code that is kept, if there is any."""
        bucket.code = self._kept.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep the code."""
        self._kept[bucket.key, bucket.checksum] = bucket.code


@pytest.fixture(autouse=True, scope="session")
def compiled_templates() -> Iterator[None]:
    """Compile each template once for all applications of this process."""
    cache, create = CompiledTemplates(), Flask.create_jinja_environment

    def with_cache(app: Flask) -> Any:
        environment = create(app)
        environment.bytecode_cache = cache
        return environment

    Flask.create_jinja_environment = with_cache  # type: ignore[method-assign]
    yield
    Flask.create_jinja_environment = create  # type: ignore[method-assign]


# -- Confab as a process


@pytest.fixture(autouse=True)
def closed_streams() -> Iterator[None]:
    """Close what a test has opened, also when it fails."""
    yield
    while Stream.opened:
        Stream.opened.pop().close()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """The embedded form: SQLite, one process, nothing else."""
    made = Site(tmp_path / "site")
    yield made
    made.stop()
    _expect_calm(made)


@pytest.fixture
def pair(tmp_path: Path, postgres: Postgres, redis_server: Redis) -> Iterator[tuple[Site, Site]]:
    """The scaled form: two processes on PostgreSQL and Redis."""
    name = f"pair_{next(_databases)}"
    shared = {"DATABASE_URL": postgres.create(name), "REDIS_URL": redis_server.url}
    first = Site(tmp_path / "one", **shared)
    second = Site(tmp_path / "two", **shared)
    yield first, second
    for made in (first, second):
        made.stop()
        _expect_calm(made)
    postgres.drop(name)


def _expect_calm(made: Site) -> None:
    """A traceback in the log of a site fails the test that caused it."""
    calm(made.output())


def calm(output: str) -> None:
    """Fail if there is a traceback in what a site wrote, and show it."""
    start = output.find("Traceback")
    assert start < 0, output[max(0, start - 500) : start + 6000]


@dataclass
class Town:
    """People of a running site: alice owns a group room, bob belongs to it, mallory is outside; alice administers."""

    site: Site
    alice: Person
    bob: Person
    mallory: Person
    room: str


def populate(first: Site, second: Site | None = None) -> Town:
    """Make accounts and a room through the pages."""
    alice = Person(first.url, "Alice Okafor").set_up(first.setup_link)
    bob = Person((second or first).url, "Bob de Vos").sign_up()
    mallory = Person((second or first).url, "Mallory Finch").sign_up()
    room = alice.make_room()
    alice.add(room, bob)
    return Town(first, alice, bob, mallory, room)


@pytest.fixture
def town(site: Site) -> Town:
    return populate(site)


@pytest.fixture(scope="session")
def shared_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site for all tests that leave it as they found it. Starting one takes seconds."""
    made = Site(tmp_path_factory.mktemp("shared") / "site")
    yield made
    made.stop()
    _expect_calm(made)


@pytest.fixture
def quarter(shared_site: Site) -> Town:
    """A town on the shared site: its people and its room are of this test alone, and nobody administers."""
    alice, bob, mallory = (Person(shared_site.url).sign_up() for _ in range(3))
    room = alice.make_room()
    alice.add(room, bob)
    return Town(shared_site, alice, bob, mallory, room)
