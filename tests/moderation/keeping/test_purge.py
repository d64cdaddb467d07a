"""Destroying the text of a removed message for good."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from chat.core import ids, jobs
from chat.core.audit import AuditRow
from chat.core.database import db
from chat.core.errors import ChatError
from chat.messages.models import Message, MessageVersion
from chat.moderation.keeping import service
from chat.moderation.keeping.models import Purge
from chat.pictures.models import Picture
from chat.rooms.queries import Reach
from tests.conftest import Cast, Member
from tests.pictures.samples import fetch, png

CANARY = "canary-0170-555-0198"
OLDER = "canary-of-the-first-version"


def post(who: Member, room: str, body: str, client_id: str = "", **files: Any) -> str:
    response = who.post(f"/rooms/{room}/messages", htmx=True, body=body, client_id=client_id or ids.new(), **files)
    assert response.status_code == 201, response.get_data(as_text=True)
    return str(response.headers["Location"]).rsplit("/", 1)[1]


def remove(who: Member, message: str, reason: str = "private details") -> None:
    assert who.post(f"/messages/{message}/delete", htmx=True, reason=reason).status_code == 200


def purge(who: Member, message: str, reason: str = "a telephone number") -> Any:
    return who.post(f"/moderation/removed/{message}/purge", reason=reason)


def work(cast: Cast) -> None:
    with cast.app.app_context():
        for kind in ("hide_pictures", "destroy_picture", "scrub"):
            jobs.run_due(kind)


def everything(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def removed(cast: Cast) -> str:
    """A message of bob's with a picture, edited and then removed by mia."""
    message = post(cast.bob, cast.room, OLDER, "purged-client", image=(BytesIO(png(60, 40)), "lamp.png"))
    assert cast.bob.post(f"/messages/{message}/edit", htmx=True, body=CANARY).status_code == 200
    remove(cast.mia, message)
    return message


def test_the_text_is_nowhere_afterwards(cast: Cast, removed: str, tmp_path: Path):
    with cast.app.app_context():
        picture = db.session.execute(select(Picture.id)).scalar_one()
    files = list(tmp_path.rglob("*.webp"))
    assert files
    assert fetch(cast.mia, f"/moderation/removed/{removed}").status_code == 200
    assert CANARY.encode() in everything(tmp_path)
    assert purge(cast.mia, removed).status_code == 303
    work(cast)
    assert CANARY.encode() not in everything(tmp_path)
    assert OLDER.encode() not in everything(tmp_path)
    assert not any(path.exists() for path in files)
    for member in cast.everybody().values():
        for path in (
            f"/rooms/{cast.room}", f"/rooms/{cast.room}/messages", f"/rooms/{cast.room}/messages/{removed}",
            "/rooms", "/standing", "/moderation/removed", f"/moderation/removed/{removed}",
            "/moderation/audit", "/moderation/audit.csv",
            "/moderation/keeping", f"/pictures/{picture}/full", "/metrics",
        ):  # fmt: skip
            body = fetch(member, path).get_data()
            assert CANARY.encode() not in body, (member.name, path)
            assert OLDER.encode() not in body, (member.name, path)
    assert fetch(cast.alice, f"/pictures/{picture}/full").status_code == 404
    page = cast.alice.get(f"/rooms/{cast.room}").get_data(as_text=True)
    assert "Purged by a moderator" in page


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_no_table_has_it(make_app: Callable[..., tuple[Flask, dict[str, str]]], database: str):
    app, known = make_app(database)
    from tests.conftest import make_cast

    cast = make_cast(app, known)
    message = post(cast.bob, cast.room, OLDER)
    cast.bob.post(f"/messages/{message}/edit", htmx=True, body=CANARY)
    remove(cast.mia, message)
    purge(cast.mia, message)
    work(cast)
    with app.app_context():
        for table in db.metadata.sorted_tables:
            rows = repr(db.session.execute(table.select()).all())
            assert CANARY not in rows, table.name
            assert OLDER not in rows, table.name
        kept = db.session.get_one(Message, message)
        assert (kept.body, kept.pictures) == ("", 0)
        assert db.session.execute(select(func.count()).select_from(MessageVersion)).scalar_one() == 0


def test_the_same_form_sent_again_brings_nothing_back(cast: Cast, removed: str):
    purge(cast.mia, removed)
    again = cast.bob.post(f"/rooms/{cast.room}/messages", htmx=True, body="another", client_id="purged-client")
    assert again.status_code == 422
    with cast.app.app_context():
        assert db.session.execute(select(func.count()).select_from(Message)).scalar_one() == 1
    plain = post(cast.bob, cast.room, CANARY, "plain-client")
    remove(cast.mia, plain)
    purge(cast.mia, plain)
    repeat = cast.bob.post(f"/rooms/{cast.room}/messages", htmx=True, body=CANARY, client_id="plain-client")
    assert repeat.status_code == 201
    assert repeat.headers["Idempotent-Replayed"] == "true"
    assert CANARY not in cast.bob.get(f"/rooms/{cast.room}").get_data(as_text=True)


def test_it_cannot_be_put_back_or_purged_twice(cast: Cast, removed: str):
    purge(cast.mia, removed)
    assert cast.mia.post(f"/messages/{removed}/restore", htmx=True).status_code == 409
    assert cast.mia.post(f"/moderation/removed/{removed}/restore").status_code in (404, 409)
    assert purge(cast.ada, removed).status_code == 409


def test_what_is_not_removed_or_out_of_reach_is_not_purged(cast: Cast, removed: str):
    standing = post(cast.bob, cast.room, "still here")
    assert purge(cast.mia, standing).status_code == 404
    for member in (cast.alice, cast.bob, cast.mallory):
        assert purge(member, removed).status_code == 404
        assert member.get(f"/moderation/removed/{removed}/purge").status_code == 404
    direct = cast.alice.post("/rooms/direct", person=cast.bob.id).headers["Location"].rsplit("/", 1)[1]
    private = post(cast.alice, direct, "between us")
    cast.alice.post(f"/messages/{private}/delete", htmx=True)
    assert purge(cast.ada, private).status_code == 404


def test_it_needs_a_reason_and_keeps_what_was_typed(cast: Cast, removed: str):
    assert purge(cast.mia, removed, "").status_code == 422
    long = purge(cast.mia, removed, "x" * 513)
    assert long.status_code == 422
    assert "x" * 513 in long.get_data(as_text=True)
    form = cast.mia.get(f"/moderation/removed/{removed}/purge").get_data(as_text=True)
    assert "1 earlier version and 1 picture are destroyed" in form


def test_the_author_gets_a_receipt_that_can_be_checked(cast: Cast, removed: str, tmp_path: Path):
    response = purge(cast.mia, removed)
    path = response.headers["Location"]
    assert path.startswith("/receipts/")
    assert "destroyed for good: a telephone number" in cast.bob.get("/standing").get_data(as_text=True)
    page = cast.bob.get(path).get_data(as_text=True)
    assert "Mia" not in page
    assert cast.alice.get(path).status_code == 404
    assert cast.mallory.get(path).status_code == 404
    file = tmp_path / "receipt.json"
    file.write_bytes(cast.bob.get(f"{path}.json").get_data())
    told = json.loads(json.loads(file.read_text())["receipt"])
    assert (told["message"], told["versions"], told["files"], told["reason"]) == (removed, 1, 1, "a telephone number")
    runner = cast.app.test_cli_runner()
    assert "unchanged" in runner.invoke(args=["keeping", "verify", str(file)]).output
    file.write_text(file.read_text().replace("a telephone number", "no reason at all"))
    changed = runner.invoke(args=["keeping", "verify", str(file)])
    assert changed.exit_code == 1
    assert "The seal does not fit" in changed.output


def test_where_two_are_needed_somebody_else_agrees(cast: Cast, removed: str):
    assert cast.ada.post("/moderation/keeping/approval", two="yes").status_code == 303
    assert purge(cast.mia, removed).headers["Location"] == "/moderation/keeping"
    assert CANARY in cast.mia.get(f"/moderation/removed/{removed}").get_data(as_text=True)
    assert purge(cast.ada, removed).status_code == 409, "it waits already"
    with cast.app.app_context():
        waiting = db.session.execute(select(Purge.id)).scalar_one()
    assert cast.mia.post(f"/moderation/purges/{waiting}/approve").status_code == 403
    assert cast.bob.post(f"/moderation/purges/{waiting}/approve").status_code == 404
    listed = cast.ada.get("/moderation/keeping").get_data(as_text=True)
    assert "a telephone number" in listed
    assert CANARY not in listed
    form = cast.ada.get(f"/moderation/purges/{waiting}/approve").get_data(as_text=True)
    assert "Nobody can bring it back" in form
    for word in ("", "yes"):
        refused = cast.ada.post(f"/moderation/purges/{waiting}/approve", word=word)
        assert refused.status_code == 422
        assert "Type the word destroy" in refused.get_data(as_text=True)
    assert cast.ada.post(f"/moderation/purges/{waiting}/approve", word="Destroy").status_code == 303
    assert cast.ada.post(f"/moderation/purges/{waiting}/approve").status_code == 404
    assert "Purged by a moderator" in cast.alice.get(f"/rooms/{cast.room}").get_data(as_text=True)
    with cast.app.app_context():
        row = db.session.execute(select(AuditRow).where(AuditRow.action == "message.purged")).scalar_one()
        assert (row.actor_id, json.loads(row.before)["requested_by"]) == (cast.ada.id, cast.mia.id)


def test_a_refused_one_stays_and_can_be_asked_for_again(cast: Cast, removed: str):
    cast.ada.post("/moderation/keeping/approval", two="yes")
    purge(cast.mia, removed)
    with cast.app.app_context():
        waiting = db.session.execute(select(Purge.id)).scalar_one()
    assert cast.ada.post(f"/moderation/purges/{waiting}/refuse").status_code == 303
    assert purge(cast.mia, removed).status_code == 303
    assert cast.mia.post(f"/moderation/removed/{removed}/restore").status_code == 303, "nothing is destroyed yet"
    with cast.app.app_context():
        again = db.session.execute(select(Purge.id)).scalar_one()
    assert cast.ada.post(f"/moderation/purges/{again}/approve", word="destroy").status_code in (404, 409)


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_of_many_who_agree_at_once_one_destroys_it(
    make_app: Callable[..., tuple[Flask, dict[str, str]]], database: str
):
    app, known = make_app(database)
    from tests.conftest import make_cast

    cast = make_cast(app, known)
    message = post(cast.bob, cast.room, CANARY)
    remove(cast.mia, message)
    cast.ada.post("/moderation/keeping/approval", two="yes")
    purge(cast.mia, message)
    with app.app_context():
        waiting = db.session.execute(select(Purge.id)).scalar_one()
    outcomes: list[str] = []
    gate = threading.Barrier(8)

    def agree() -> None:
        with app.app_context():
            gate.wait()
            try:
                service.approve(waiting, Reach(known["ada"], "administrator"))
                outcomes.append("done")
            except ChatError:
                outcomes.append("late")
            db.session.remove()

    threads = [threading.Thread(target=agree) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(outcomes) == ["done"] + ["late"] * 7
    with app.app_context():
        assert db.session.execute(select(func.count()).where(AuditRow.action == "message.purged")).scalar_one() == 1


def test_what_is_destroyed_is_told_to_every_stream_and_replay(cast: Cast, removed: str):
    purge(cast.mia, removed)
    with cast.app.app_context():
        from chat.core import log
        from chat.realtime.frames import render

        frames = render(log.read(cast.room, 0))
    about = [frame for frame in frames if frame.ref_id == removed]
    assert [frame.name for frame in about] == ["message.posted", "message.edited", "message.deleted", "message.purged"]
    assert all("Purged by a moderator" in frame.html and not re.search("canary", frame.html) for frame in about)
