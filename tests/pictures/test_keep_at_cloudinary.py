"""Pictures at Cloudinary, by its own SDK against a server that checks what it signs: the same pages, another place."""

import re
import time
from collections.abc import Callable
from io import BytesIO
from urllib.parse import urlsplit

import pytest
import requests
from flask import Flask
from PIL import Image
from sqlalchemy import func, select

from chat.core import clock, jobs
from chat.core.database import db
from chat.core.jobs import Job
from chat.pictures import storage
from chat.pictures.models import Picture
from tests.conftest import Cast, make_cast
from tests.emulators.running import CLOUDINARY_AUTH_KEY, Emulators
from tests.pictures.samples import encoded, fetch, moving, photograph, png, post, send, upload

MakeApp = Callable[..., tuple[Flask, dict[str, str]]]


@pytest.fixture
def cast(make_app: MakeApp, emulators: Emulators) -> Cast:
    return make_cast(*make_app(**emulators.cloudinary))


def _address(cast: Cast, picture: str, size: str = "full") -> str:
    """Return where a member is sent for a picture."""
    response = fetch(cast.bob, f"/pictures/{picture}/{size}")
    assert (response.status_code, response.headers["Cache-Control"]) == (302, "private, no-cache")
    return response.headers["Location"]


def _image(address: str) -> Image.Image:
    response = requests.get(address, timeout=5)
    assert response.status_code == 200, response.headers.get("X-Cld-Error")
    assert response.headers["Content-Type"] == "image/webp"
    return Image.open(BytesIO(response.content))


def _status(address: str) -> int:
    return requests.get(address, timeout=5).status_code


def _run_jobs(cast: Cast) -> None:
    with cast.app.app_context():
        for kind in ("hide_pictures", "destroy_picture"):
            jobs.run_due(kind)


def _later(monkeypatch, **time: float) -> None:
    from datetime import timedelta

    moment = clock.now() + timedelta(**time)
    monkeypatch.setattr(clock, "now", lambda: moment)


def test_it_keeps_the_picture_where_only_signed_addresses_lead(cast: Cast, emulators: Emulators):
    picture = upload(cast, encoded(photograph(2400, 1800), "JPEG"))
    post(cast, picture)
    (asset,) = emulators.assets()
    assert (asset["type"], asset["format"], asset["width"], asset["height"]) == ("authenticated", "webp", 2048, 1536)
    full, thumb = _address(cast, picture), _address(cast, picture, "thumb")
    assert _image(full).size == (2048, 1536)
    assert _image(thumb).size == (853, 640)
    assert len({_status(address) for address in (full, thumb)}) == 1
    for address in (full, thumb):
        signature = re.search("s--(.{8})--/", address)[1]
        assert _status(address.replace(signature, signature[::-1])) == 401
        assert _status(address.replace(f"s--{signature}--/", "")) == 401
    assert _status(thumb.replace("w_880", "w_2048")) == 401, "a signature holds for one transformation"


def test_it_asks_who_it_is_before_it_says_where(cast: Cast):
    picture = upload(cast, png())
    for member in (cast.bob, cast.mallory, cast.ada):
        assert fetch(member, f"/pictures/{picture}/full").status_code == 404
    post(cast, picture)
    assert fetch(cast.bob, f"/pictures/{picture}/full").status_code == 302
    assert fetch(cast.mallory, f"/pictures/{picture}/full").status_code == 404


def test_it_lets_pages_show_pictures_from_there_and_from_nowhere_else(cast: Cast, emulators: Emulators):
    policy = cast.alice.get("/rooms").headers["Content-Security-Policy"]
    assert re.search("img-src ([^;]*)", policy)[1].split() == ["'self'", "blob:", emulators.url]
    picture = upload(cast, png())
    post(cast, picture)
    assert _address(cast, picture).startswith(emulators.url + "/")


def test_it_keeps_what_moves_moving(cast: Cast):
    picture = upload(cast, moving(5, 300, 200))
    post(cast, picture)
    for size in ("full", "thumb"):
        image = _image(_address(cast, picture, size))
        assert (image.n_frames, image.size) == (5, (300, 200))


def test_it_makes_old_addresses_useless_when_the_message_is_deleted(cast: Cast):
    picture = upload(cast, png())
    message = post(cast, picture)
    before = _address(cast, picture)
    cast.alice.post(f"/messages/{message}/delete", htmx=True)
    _run_jobs(cast)
    assert _status(before) == 404
    cast.alice.post(f"/messages/{message}/restore", htmx=True)
    after = _address(cast, picture)
    assert (after != before, _status(after), _status(before)) == (True, 200, 404)


@pytest.mark.parametrize("kind", ["lost", "error", "cut", "garbage"])
def test_it_hides_in_the_end_whatever_went_wrong(cast: Cast, emulators: Emulators, monkeypatch, kind: str):
    """Also when the renaming was done and only its answer was lost: the old name is unknown then, and the new one ours."""
    picture = upload(cast, png())
    message = post(cast, picture)
    before = _address(cast, picture)
    emulators.fail("cloudinary", kind)
    cast.alice.post(f"/messages/{message}/delete", htmx=True)
    _run_jobs(cast)
    _later(monkeypatch, seconds=61)
    _run_jobs(cast)
    assert _status(before) == 404
    assert _unfinished(cast) == 0
    monkeypatch.undo()
    cast.alice.post(f"/messages/{message}/restore", htmx=True)
    assert _status(_address(cast, picture)) == 200


def test_it_destroys_what_was_taken_back(cast: Cast, emulators: Emulators):
    picture = upload(cast, png())
    assert len(emulators.assets()) == 1
    emulators.fail("cloudinary", "hang", seconds=5)
    started = time.monotonic()
    assert cast.alice.post(f"/pictures/{picture}/delete").status_code == 204
    assert time.monotonic() - started < 1, "nobody waits for Cloudinary to forget"
    emulators.reset()
    picture = upload(cast, png())
    cast.alice.post(f"/pictures/{picture}/delete")
    _run_jobs(cast)
    assert emulators.assets() == []


@pytest.mark.parametrize("kind", ["error", "limited", "unavailable", "garbage", "cut", "hang", "lost"])
def test_it_says_so_when_cloudinary_does_not_take_it(cast: Cast, emulators: Emulators, monkeypatch, kind: str):
    monkeypatch.setattr(storage, "TIMEOUT", 0.5)
    cast.app.extensions["pictures"]["cloudinary"] = storage.Cloudinary(cast.app.config["SETTINGS"])
    emulators.fail("cloudinary", kind, seconds=60)
    started = time.monotonic()
    response = send(cast.alice, cast.room, png())
    assert time.monotonic() - started < 30, "nobody waits for an answer that does not come"
    assert (response.status_code, "cannot be stored just now" in response.text) == (503, True), response.text
    assert response.headers["Retry-After"] == "10"
    assert _rows(cast) == 0
    _run_jobs(cast)
    assert emulators.assets() == [], "what had arrived all the same is destroyed"
    assert send(cast.alice, cast.room, png()).status_code == 201


def test_it_says_so_when_the_secret_is_wrong(make_app: MakeApp, emulators: Emulators, caplog):
    wrong = emulators.cloudinary["CLOUDINARY_URL"].replace("a676b6", "b676b6")
    cast = make_cast(*make_app(**emulators.cloudinary | {"CLOUDINARY_URL": wrong}))
    assert send(cast.alice, cast.room, png()).status_code == 503
    assert "Invalid Signature" in caplog.text, "the operator learns why"
    assert "b676b67565c6767a6767d6767f676fe1" not in caplog.text


def test_it_holds_no_connection_to_the_database_meanwhile(cast: Cast, monkeypatch):
    keeper, held = cast.app.extensions["pictures"]["cloudinary"], []
    keep = keeper.keep

    def watched(*args: object) -> None:
        held.append(db.engine.pool.checkedout())
        keep(*args)

    monkeypatch.setattr(keeper, "keep", watched)
    upload(cast, png())
    assert held == [0]


def test_it_serves_what_is_on_disk_after_a_move_to_cloudinary_and_back(make_app: MakeApp, emulators: Emulators):
    app, ids = make_app()
    cast = make_cast(app, ids)
    on_disk = upload(cast, png())
    post(cast, on_disk)
    storage.init_app(_with(app, **emulators.cloudinary))
    at_cloudinary = upload(cast, png())
    post(cast, at_cloudinary)
    assert fetch(cast.bob, f"/pictures/{on_disk}/full").status_code == 200
    assert fetch(cast.bob, f"/pictures/{at_cloudinary}/full").status_code == 302
    storage.init_app(_with(app, CLOUDINARY_URL=""))
    gone = fetch(cast.bob, f"/pictures/{at_cloudinary}/full")
    assert (gone.status_code, "switched off here" in gone.text) == (503, True)


def _with(app: Flask, **settings: str) -> Flask:
    from dataclasses import replace

    app.config["SETTINGS"] = replace(app.config["SETTINGS"], **settings)
    return app


# -- with a token key, addresses end


@pytest.fixture
def tokens(make_app: MakeApp, emulators: Emulators) -> Cast:
    return make_cast(*make_app(**emulators.cloudinary, CLOUDINARY_AUTH_KEY=CLOUDINARY_AUTH_KEY))


def test_it_gives_an_address_that_ends_in_ten_minutes(tokens: Cast, monkeypatch):
    picture = upload(tokens, png(1000, 900))
    post(tokens, picture)
    for size in ("full", "thumb"):
        address = _address(tokens, picture, size)
        until = int(re.search(r"exp=(\d+)", address)[1])
        assert 290 < until - time.time() <= 600
        assert _image(address)
        assert _status(address.replace(f"exp={until}", f"exp={until + 600}")) == 401
        assert _status(address.partition("?")[0]) == 401
    other = upload(tokens, png())
    post(tokens, other)
    query = urlsplit(_address(tokens, picture)).query
    assert _status(f"{_address(tokens, other).partition('?')[0]}?{query}") == 401, "a token is for one picture"
    _later(monkeypatch, minutes=-11)
    assert _status(_address(tokens, picture)) == 401


def test_it_gives_the_same_address_for_some_minutes(tokens: Cast, monkeypatch):
    picture = upload(tokens, png())
    post(tokens, picture)
    start = clock.now().replace(minute=20, second=0, microsecond=0)
    addresses = []
    for seconds in (1, 150, 299, 301):
        moment = start.replace(minute=20 + seconds // 60, second=seconds % 60)
        monkeypatch.setattr(clock, "now", lambda moment=moment: moment)
        addresses.append(_address(tokens, picture))
    assert addresses[0] == addresses[1] == addresses[2] != addresses[3]


def _rows(cast: Cast) -> int:
    with cast.app.app_context():
        return db.session.execute(select(func.count()).select_from(Picture)).scalar_one()


def _unfinished(cast: Cast) -> int:
    kinds = ("hide_pictures", "destroy_picture")
    with cast.app.app_context():
        statement = select(func.count()).select_from(Job).where(Job.kind.in_(kinds), Job.run_at.is_not(None))
        return db.session.execute(statement).scalar_one()
