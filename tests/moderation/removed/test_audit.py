"""The audit log: nothing is lost from it, and whatever is changed in it is named."""

from __future__ import annotations

import csv
import io
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from chat.core import audit
from chat.core.bus import transaction
from chat.core.database import db, is_sqlite
from chat.moderation.removed.words import ACTIONS
from tests.conftest import Cast, dispose

#: Both databases: the chain grows under the lock of a row, which each of them takes in its own way.
BOTH = pytest.mark.parametrize("app", ["sqlite", "postgresql"], indirect=True)


def act(count: int) -> None:
    for number in range(count):
        with transaction():
            audit.write(
                "role.changed", "a" * 16, person_id="b" * 16, reason=f"reason {number}", before={"role": "member"}
            )


def act_and_fail() -> None:
    with transaction():
        audit.write("role.changed", None)
        raise ZeroDivisionError


def attack(statement: str) -> None:
    """Do what somebody does who owns the database: without the triggers."""
    triggers = ("audit_log_no_update", "audit_log_no_delete") if is_sqlite(db.engine) else ("audit_log_fixed",)
    with db.engine.begin() as connection:
        for name in triggers:
            connection.execute(
                text(f"DROP TRIGGER IF EXISTS {name}" + ("" if is_sqlite(db.engine) else " ON audit_log"))
            )
        for each in statement.split(";"):
            connection.execute(text(each))


@BOTH
def test_a_chain_that_nobody_touched_is_whole(app: Flask):
    with app.app_context():
        assert audit.verify() == audit.Verdict(0)
        act(5)
        assert audit.verify() == audit.Verdict(5)


@BOTH
@pytest.mark.parametrize(
    ("change", "row"),
    {
        "another reason": ("UPDATE audit_log SET reason = 'none' WHERE number = 3", 3),
        "another actor": ("UPDATE audit_log SET actor_id = 'cccccccccccccccc' WHERE number = 2", 2),
        "another moment": ("UPDATE audit_log SET at = (SELECT at FROM audit_log WHERE number = 1) WHERE number = 4", 4),
        "a row less": ("DELETE FROM audit_log WHERE number = 3", 3),
        "the first rows less": ("DELETE FROM audit_log WHERE number < 3", 1),
        "the last rows less": ("DELETE FROM audit_log WHERE number > 3", 4),
        "the last rows less, and the end moved": (
            "DELETE FROM audit_log WHERE number > 3;"
            "UPDATE audit_head SET number = 3, last = (SELECT seal FROM audit_log WHERE number = 3)",
            4,
        ),
        "all of it gone": ("DELETE FROM audit_log; DELETE FROM audit_head", 1),
        "all of it gone, with a new end": (
            "DELETE FROM audit_log; UPDATE audit_head SET number = 0, last = '', seal = ''",
            1,
        ),
        "two rows exchanged": (
            "UPDATE audit_log SET number = 99 WHERE number = 2; UPDATE audit_log SET number = 2 WHERE number = 3;"
            "UPDATE audit_log SET number = 3 WHERE number = 99",
            2,
        ),
        "a row more": (
            "INSERT INTO audit_log SELECT 6, at, actor_id, action, target_id, person_id, room_id, reason, before, after,"
            "address, request_id, seal FROM audit_log WHERE number = 5",
            6,
        ),
    }.values(),
)
def test_what_was_changed_by_sql_is_named(app: Flask, change: str, row: int):
    with app.app_context():
        act(5)
        attack(change)
        found = audit.verify()
        assert (found.number, found.rows) == (row, row - 1), found


def test_an_anchor_shows_that_an_older_state_was_put_back(app: Flask):
    """Somebody who keeps a copy of the tables and puts it back later leaves a chain that is whole, and too short."""
    with app.app_context():
        act(3)
        head = db.session.execute(text("SELECT number, last, seal FROM audit_head")).one()
        act(3)
        anchor = audit.Anchor(*db.session.execute(text("SELECT number, last FROM audit_head")).one())
        db.session.remove()
        attack(
            "DELETE FROM audit_log WHERE number > 3;"
            f"UPDATE audit_head SET number = 3, last = '{head.last}', seal = '{head.seal}'"
        )
        assert audit.verify() == audit.Verdict(3)
        assert audit.verify((anchor,)).number == 6


@BOTH
def test_an_old_end_that_was_put_back_is_found_by_the_command_itself(app: Flask, tmp_path: Path):
    with app.app_context():
        act(3)
        head = db.session.execute(text("SELECT number, last, seal FROM audit_head")).one()
        act(1)
        db.session.remove()
        attack(
            "DELETE FROM audit_log WHERE number > 3;"
            f"UPDATE audit_head SET number = 3, last = '{head.last}', seal = '{head.seal}'"
        )
        own = audit.anchors_file()
    found = app.test_cli_runner().invoke(args=["audit", "verify"])
    assert found.exit_code == 1
    assert "row 4 is another one than was written down elsewhere" in found.output
    assert own.stat().st_mode & 0o077 == 0
    kept = tmp_path / "shipped.log"
    kept.write_text('{"event": "' + own.read_text().splitlines()[-1].partition(" ")[2] + '"}\n')
    own.unlink()
    runner = app.test_cli_runner()
    assert runner.invoke(args=["audit", "verify"]).exit_code == 0, "nothing else tells of it"
    assert runner.invoke(args=["audit", "verify", "--log", str(kept)]).exit_code == 1


def test_a_row_that_replaces_another_is_named(app: Flask):
    """SQLite's triggers say nothing of it; the chain does."""
    with app.app_context():
        act(3)
        with db.engine.begin() as connection:
            connection.execute(
                text(
                    "INSERT OR REPLACE INTO audit_log SELECT number, at, actor_id, action, target_id, person_id, room_id,"
                    "'none', before, after, address, request_id, seal FROM audit_log WHERE number = 2"
                )
            )
        assert audit.verify().number == 2


def test_the_log_is_told_of_an_end_once(app: Flask, caplog: pytest.LogCaptureFixture):
    with app.app_context(), caplog.at_level("INFO"):
        act(2)
        audit.anchor()
        audit.anchor()
        act(1)
        audit.anchor()
    assert [each.getMessage().split()[2].split(":")[0] for each in caplog.records if "anchor" in each.getMessage()] == [
        "2", "3",
    ]  # fmt: skip


@BOTH
@pytest.mark.parametrize("change", ["UPDATE audit_log SET reason = 'none'", "DELETE FROM audit_log"])
def test_the_database_refuses_what_is_no_addition(app: Flask, change: str):
    with app.app_context():
        act(1)
        with pytest.raises(DBAPIError, match="only added to"), db.engine.begin() as connection:
            connection.execute(text(change))
        assert audit.verify() == audit.Verdict(1)


@BOTH
def test_what_is_rolled_back_leaves_no_hole(app: Flask):
    with app.app_context():
        act(1)
        with pytest.raises(ZeroDivisionError):
            act_and_fail()
        act(1)
        assert audit.verify() == audit.Verdict(2)


@BOTH
def test_two_hundred_at_once_are_one_chain(app: Flask):
    failed: list[BaseException] = []

    def many() -> None:
        try:
            with app.app_context():
                act(20)
                db.session.remove()
        except BaseException as problem:
            failed.append(problem)

    threads = [threading.Thread(target=many) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    with app.app_context():
        assert audit.verify() == audit.Verdict(200)


def test_the_command_says_how_it_is(app: Flask):
    with app.app_context():
        act(4)
    runner = app.test_cli_runner()
    assert runner.invoke(args=["audit", "verify"]).output == "The audit log is whole: 4 rows.\n"
    with app.app_context():
        attack("UPDATE audit_log SET reason = 'none' WHERE number = 3")
    found = runner.invoke(args=["audit", "verify"])
    assert found.exit_code == 1
    assert "row 3 is not what was written. 2 rows before it are whole." in found.output


def test_another_key_makes_no_chain(make_app: Callable[..., tuple[Flask, dict[str, str]]]):
    """Without SECRET_KEY nobody can write a row that counts."""
    app, _ = make_app()
    with app.app_context():
        act(1)
        app.config["SECRET_KEY"] = "f" * 64
        act(1)
        assert audit.verify().number == 1
    dispose(app)


# -- in the console


def remove(cast: Cast, reason: str = "Scam") -> str:
    said = cast.alice.post(f"/rooms/{cast.room}/messages", htmx=True, body="an unkind word", client_id="abcdefgh")
    message = str(said.headers["Location"].rsplit("/", 1)[1])
    assert cast.mia.post(f"/messages/{message}/delete", reason=reason).status_code == 303
    return message


def test_what_a_moderator_did_is_in_it(cast: Cast):
    message = remove(cast)
    cast.mia.post(f"/messages/{message}/restore")
    page = cast.ada.get("/moderation/audit").text
    assert "Removed a message" in page
    assert "Restored a message" in page
    assert "Scam" in page
    assert "Mia Haddad" in page
    assert "an unkind word" not in page


def test_what_an_author_did_to_their_own_is_not(cast: Cast):
    said = cast.alice.post(f"/rooms/{cast.room}/messages", htmx=True, body="oops", client_id="abcdefgh")
    message = said.headers["Location"].rsplit("/", 1)[1]
    cast.alice.post(f"/messages/{message}/delete")
    cast.alice.post(f"/messages/{message}/restore")
    with cast.app.app_context():
        assert audit.verify().rows == 0


def test_it_says_from_where_and_by_which_request(cast: Cast):
    message = remove(cast)
    with cast.app.app_context():
        row = db.session.get(audit.AuditRow, 1)
        assert row is not None
        assert (row.address, row.target_id, row.person_id) == ("127.0.0.1", message, cast.alice.id)
        assert len(row.request_id) == 8


def test_it_can_be_filtered(cast: Cast):
    remove(cast)
    cast.mia.get("/moderation/removed")
    only = cast.ada.get("/moderation/audit?action=hidden.listed").text
    rows = only.partition("<tbody>")[2]
    assert "Listed hidden text" in rows
    assert "Removed a message" not in rows
    assert "Nothing like this was done." in cast.ada.get(f"/moderation/audit?actor={cast.bob.id}").text


def test_it_can_be_taken_away_as_a_table(cast: Cast):
    remove(cast, reason="=1+1")
    answer = cast.ada.get("/moderation/audit.csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["did"] for row in rows] == ["Exported the audit log", "Removed a message"]
    assert rows[1]["reason"] == "'=1+1", "nothing that a spreadsheet would run"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="audit.csv"'


def test_every_action_has_words(cast: Cast):
    message = remove(cast)
    cast.mia.get("/moderation/removed")
    cast.mia.get(f"/moderation/removed/{message}")
    cast.mia.post(f"/moderation/removed/{message}/restore")
    cast.ada.get("/moderation/audit.csv")
    with cast.app.app_context():
        assert set(db.session.execute(db.select(audit.AuditRow.action)).scalars()) <= set(ACTIONS)
