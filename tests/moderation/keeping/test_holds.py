"""Legal holds: what they cover is never destroyed, and handed over sealed."""

from __future__ import annotations

import io
import json
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from chat.core import clock
from chat.core.audit import AuditRow
from chat.core.database import db
from chat.core.errors import ChatError
from chat.messages.models import Message
from chat.moderation.keeping import service
from chat.moderation.keeping.models import Hold
from chat.rooms.queries import Reach
from tests.conftest import Cast, make_cast
from tests.moderation.keeping.test_purge import post, purge, remove
from tests.moderation.keeping.test_retention import age, destroyed, tick
from tests.moderation.rules.test_rules import make as make_rule
from tests.pictures.samples import png


def hold(cast: Cast, **fields: str) -> Any:
    return cast.ada.post("/moderation/holds", **{"name": "Case 14", "reason": "court order"} | fields)


def the_hold(cast: Cast) -> str:
    with cast.app.app_context():
        return str(db.session.execute(select(Hold.id)).scalar_one())


@pytest.mark.parametrize("covers", ["person", "room", "since"])
def test_what_it_covers_is_destroyed_by_nobody(cast: Cast, covers: str):
    message = post(cast.bob, cast.room, "evidence")
    other = post(cast.alice, cast.room, "not evidence")
    values = {"person": cast.bob.id, "room": cast.room, "since": f"{clock.now():%Y-%m-%d}"}
    assert hold(cast, **{covers: values[covers]}).status_code == 303
    for each in (message, other):
        remove(cast.mia, each)
        assert "evidence" not in cast.bob.get(f"/rooms/{cast.room}").get_data(as_text=True) or each == message
    refused = purge(cast.mia, message)
    assert refused.status_code == 409
    assert "under a legal hold" in refused.get_data(as_text=True)
    age(cast, 60, message, other)
    tick(cast)
    assert message not in destroyed(cast)
    assert (other in destroyed(cast)) == (covers == "person")
    assert "Case 14" in cast.mia.get(f"/moderation/removed/{message}").get_data(as_text=True)
    released = cast.ada.post(f"/moderation/holds/{the_hold(cast)}/release", reason="settled")
    assert released.status_code == 303
    tick(cast)
    assert message in destroyed(cast)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({}, "it cannot cover nothing"),
        ({"name": "", "since": "2026-01-01"}, "Give it a name"),
        ({"since": "2026-02-01", "until": "2026-01-01"}, "The end is before the beginning"),
        ({"since": "yesterday"}, "Choose a day"),
        ({"since": "2026-01-01", "reason": ""}, "Say why"),
    ],
)
def test_what_is_no_hold_is_refused_in_words(cast: Cast, fields: dict[str, str], sentence: str):
    response = hold(cast, **fields)
    assert response.status_code == 422
    assert sentence in response.get_data(as_text=True)


def test_holds_are_for_administrators(cast: Cast):
    hold(cast, person=cast.bob.id)
    found = the_hold(cast)
    for member in (cast.mia, cast.alice, cast.bob, cast.mallory):
        assert member.get(f"/moderation/holds/{found}").status_code == 404
        assert member.post(f"/moderation/holds/{found}/release", reason="mine").status_code == 404
        assert member.post(f"/moderation/holds/{found}/export").status_code == 404
        assert "Case 14" not in member.get("/moderation/keeping").get_data(as_text=True)


def test_the_export_has_all_of_it_sealed_and_no_direct_room(cast: Cast, tmp_path: Path):
    message = post(cast.bob, cast.room, "first words", image=(io.BytesIO(png(60, 40)), "lamp.png"))
    cast.bob.post(f"/messages/{message}/edit", htmx=True, body="second words")
    remove(cast.mia, message)
    post(cast.alice, cast.room, "of somebody else")
    direct = cast.alice.post("/rooms/direct", person=cast.bob.id).headers["Location"].rsplit("/", 1)[1]
    post(cast.bob, direct, "canary between two")
    hold(cast, person=cast.bob.id)
    response = cast.ada.post(f"/moderation/holds/{the_hold(cast)}/export")
    data = response.get_data()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        lines = [json.loads(line) for line in archive.read("messages.jsonl").splitlines()]
        everything = b"".join(archive.read(name) for name in archive.namelist())
        pictures = [name for name in archive.namelist() if name.startswith("pictures/")]
    assert [line["id"] for line in lines] == [message]
    assert lines[0]["body"] == "second words"
    assert [version["body"] for version in lines[0]["versions"]] == ["first words"]
    assert len(pictures) == 1
    assert b"canary" not in everything
    file = tmp_path / "hold.zip"
    file.write_bytes(data)
    runner = cast.app.test_cli_runner()
    assert runner.invoke(args=["keeping", "verify", str(file)]).exit_code == 0
    forged = tmp_path / "forged.zip"
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(forged, "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(b"second words", b"kinder words"))
    found = runner.invoke(args=["keeping", "verify", str(forged)])
    assert found.exit_code == 1
    assert "messages.jsonl is not what was exported" in found.output
    with cast.app.app_context():
        assert (
            db.session.execute(select(AuditRow.actor_id).where(AuditRow.action == "hold.exported")).scalar_one()
            == cast.ada.id
        )


def test_the_export_has_what_was_held_and_not_posted(cast: Cast):
    make_rule(cast.mia, action="hold")
    held = {}
    for end in ("waiting", "refused", "withdrawn"):
        fields = {
            "body": f"lenses, {end}",
            "client_id": f"client-{end}",
            "image": (io.BytesIO(png(60, 40)), "lens.png"),
        }
        answer = cast.bob.client.post(f"/rooms/{cast.room}/messages", data=fields | {"csrf_token": cast.bob.token})
        held[end] = answer.headers["Chat-Held"]
    cast.mia.post(f"/moderation/held/{held['refused']}/refuse", reason="an advertisement")
    cast.bob.post(f"/held/{held['withdrawn']}/withdraw")
    hold(cast, person=cast.bob.id)
    data = cast.ada.post(f"/moderation/holds/{the_hold(cast)}/export").get_data()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        lines = [json.loads(line) for line in archive.read("messages.jsonl").splitlines()]
        files = [name for name in archive.namelist() if name.startswith("pictures/")]
    assert {line["held"]: (line["id"], line["body"]) for line in lines} == {
        end: (held[end], f"lenses, {end}") for end in held
    }
    assert len(files) == 3
    assert {line["held"]: line["reason"] for line in lines}["refused"] == "an advertisement"


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_a_hold_and_purges_at_the_same_time(make_app: Callable[..., tuple[Flask, dict[str, str]]], database: str):
    """Whatever is destroyed is destroyed before the hold: after it nothing is."""
    app, known = make_app(database)
    cast = make_cast(app, known)
    messages = [post(cast.bob, cast.room, f"evidence {n}") for n in range(12)]
    for each in messages:
        remove(cast.mia, each)
    gate, moments = threading.Barrier(5), {}

    def destroy(mine: list[str]) -> None:
        with app.app_context():
            gate.wait()
            for each in mine:
                try:
                    service.purge(each, "a race", Reach(known["mia"], "moderator"))
                except ChatError:
                    pass
                db.session.remove()

    def make() -> None:
        with app.app_context():
            gate.wait()
            service.make_hold("Race", known["bob"], None, None, None, "court order", known["ada"])
            moments["destroyed"] = destroyed(cast)
            db.session.remove()

    threads = [threading.Thread(target=destroy, args=(messages[n::4],)) for n in range(4)] + [
        threading.Thread(target=make)
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert destroyed(cast) == moments["destroyed"], "what was destroyed when the hold was made is all there ever is"
    with app.app_context():
        bodies = db.session.execute(select(Message.body).where(Message.purged_at.is_(None))).scalars().all()
    assert all(body.startswith("evidence") for body in bodies)
