"""What a rule would have done, shown before it holds."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from chat.core import clock, ids
from chat.core.audit import AuditRow
from chat.core.bus import transaction
from chat.core.database import db
from chat.messages import service as messages
from chat.messages.models import Message
from chat.moderation.rules import queries
from chat.rooms import service as rooms
from tests.conftest import Cast
from tests.moderation.rules.test_rules import KINDS, TEXTS, make, write


def trial(cast: Cast, kind: str = "words", **fields: str) -> str:
    form = {"kind": kind, "name": "", "action": "block"} | KINDS[kind] | fields
    answer = cast.mia.post("/moderation/rules/trial", htmx=True, **form)
    assert answer.status_code == 200, answer.text
    return str(answer.text)


def number(page: str) -> int:
    found = re.search(r"<h2[^>]*><span[^>]*>([\d,]+) messages? of", page)
    return int(found[1].replace(",", "")) if found else 0


@pytest.mark.parametrize("kind", KINDS)
def test_it_finds_what_the_rule_finds(cast: Cast, kind: str):
    """The same messages, once before the rule and once under it."""
    said = [TEXTS[kind], "a calm word", TEXTS[kind], "another word", TEXTS["words"], TEXTS["capitals"]]
    for text in said:
        assert write(cast.alice, cast.room, text).status_code == 201
    expected = number(trial(cast, kind))
    make(cast.mia, kind, "alert")
    alerted = sum(write(cast.bob, cast.room, text).status_code == 201 for text in said)
    assert alerted == len(said)
    page = cast.mia.get("/moderation/held").text
    assert page.count("/moderation/held/alerts/") == expected > 0


def test_it_shows_where_in_the_text(cast: Cast):
    write(cast.bob, cast.room, "cheap <b>l e n s e s</b> here")
    page = trial(cast)
    assert "1 message of 1 person" in page
    assert "cheap &lt;b&gt;<mark>l e n s e s</mark>&lt;/b&gt; here" in page
    assert 'height="46.0"' in page, "a bar for today"


def test_it_changes_nothing(cast: Cast):
    trial(cast)
    assert write(cast.bob, cast.room, "cheap lenses").status_code == 201
    assert "There are no rules" in cast.mia.get("/moderation/rules").text


def test_it_looks_at_what_one_may_read_and_no_further(cast: Cast):
    with cast.app.app_context():
        alice, bob = cast.alice, cast.bob
        direct = rooms.find_direct(alice.id, bob.id)
        closed = rooms.create_room("closed", "group", "", alice.id)
        for room in (direct, closed, cast.room, cast.room, cast.open_room):
            messages.post_message(room, alice.person, f"cheap lenses in {room}", ids.new())
        gone = messages.post_message(cast.room, alice.person, "lenses, deleted", ids.new())
        messages.delete_message(gone.message_id, alice.id, "member")
        old = messages.post_message(cast.room, alice.person, "lenses of old", ids.new())
        messages.post_message(cast.room, cast.mia.person, "lenses of a moderator", ids.new())
        with transaction():
            moment = clock.now() - timedelta(days=31)
            db.session.execute(update(Message).where(Message.id == old.message_id).values(created_at=moment))
        db.session.remove()
    page = trial(cast)
    assert number(page) == 3
    for word in (direct, closed, "deleted", "of old", "of a moderator"):
        assert word not in page
    assert number(trial(cast, room=cast.room)) == 2
    answer = cast.mia.post("/moderation/rules/trial", htmx=True, kind="words", words="lenses", room=closed)
    assert "you do not moderate it" in answer.text


def test_a_text_can_be_tried(cast: Cast):
    page = trial(cast, text="cheap lеnsеs <i>")
    assert "This text is what it looks for." in page
    assert "cheap <mark>lеnsеs</mark> &lt;i&gt;" in page
    assert "This text is not what it looks for." in trial(cast, text="mirrors")


def test_what_it_shows_is_written_down_first(cast: Cast, break_audit_log: Callable[[], None]):
    """An administrator reaches groups that they are not in: nobody reads there unnoticed."""
    with cast.app.app_context():
        closed = rooms.create_room("closed", "group", "", cast.alice.id)
        said = messages.post_message(closed, cast.alice.person, "cheap lenses", ids.new()).message_id
        db.session.remove()
    form = {"kind": "words", "words": "lenses", "name": "", "action": "block"}
    answer = cast.ada.post("/moderation/rules/trial", htmx=True, **form)
    assert "cheap <mark>lenses</mark>" in answer.text
    with cast.app.app_context():
        row = db.session.execute(select(AuditRow).where(AuditRow.action == "hidden.listed")).scalar_one()
        assert (row.actor_id, json.loads(row.after)) == (cast.ada.id, {"tried": [said]})

    break_audit_log()
    answer = cast.ada.post("/moderation/rules/trial", htmx=True, **form)
    assert answer.status_code == 500
    assert "lenses" not in answer.text


def test_it_looks_at_so_many_and_says_so(cast: Cast, monkeypatch: pytest.MonkeyPatch):
    for text in ("one", "two", "three"):
        for room in (cast.room, cast.open_room):
            assert write(cast.alice, room, f"lenses, {text}").status_code == 201
    page = trial(cast)
    assert "6 messages were looked at" in page
    assert "the latest of each room" not in page
    monkeypatch.setattr(queries, "SEARCHED", 2)
    monkeypatch.setattr(queries, "_PER_ROOM", 2)
    page = trial(cast)
    assert "2 messages were looked at in the rooms that you moderate, the latest of each room" in page
    monkeypatch.setattr(queries, "_LONGEST", -1.0)
    page = trial(cast)
    assert "0 messages were looked at in the rooms that you moderate; then 10 seconds were over" in page
    assert "the latest of each room" not in page


def test_the_room_of_a_rule_is_among_many(cast: Cast, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(queries, "_CHOICES", 1)
    for room in (cast.room, cast.open_room):
        rule = make(cast.mia, room=room)
        assert re.search(rf'value="{room}" selected', cast.mia.get(f"/moderation/rules/{rule}").text)


def test_it_says_what_is_wrong_with_the_rule(cast: Cast):
    assert "at least one word" in trial(cast, words="")
    assert "takes too long" in trial(cast, "pattern", patterns="(a+)+$")


def test_without_a_script_it_is_on_the_page_of_the_form(cast: Cast):
    write(cast.bob, cast.room, "cheap lenses")
    form = {"kind": "words", "name": "Mine", "action": "mute", "words": "lenses", "mute_minutes": "7"}
    page = cast.mia.post("/moderation/rules/trial", **form).text
    assert number(page) == 1
    assert 'value="Mine"' in page
    assert re.search(r'value="mute" required checked', page)
    rule = make(cast.mia, name="Kept")
    page = cast.mia.post("/moderation/rules/trial", **form, rule=rule).text
    assert f'action="/moderation/rules/{rule}"' in page
