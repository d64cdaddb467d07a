"""What two people say to each other is nobody's business. Threat row 41: plant a word, look everywhere, find it nowhere.

And what one of them reported is seen on its case, and nowhere else: that message, the lines they chose, and no other word.
"""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from PIL import Image
from sqlalchemy import select, update

from chat.core import audit, metrics
from chat.core.bus import transaction
from chat.core.database import db
from chat.messages import service as messages
from chat.moderation.reports.models import ReportCase
from chat.notices.models import Notice
from chat.rooms import service as rooms
from chat.rooms.models import Membership
from tests.conftest import Cast, Member
from tests.moderation.reports.test_report import cases, direct, report, say, text

#: Which table has the ids that an argument of an address takes.
TABLES = {"person_id": "users", "session_id": "login_sessions", "case_id": "report_cases"}
#: What else arguments take.
VALUES = {"number": ["1", "2", "3"], "size": ["full", "thumb"], "digest": ["any"], "path": ["icons/icons.svg"]}
#: How lists are asked: by the room, by either of the two, by anything that may be searched for.
QUERIES = ("", "room={room}", "person={alice}", "actor={alice}", "moderator={alice}", "search=canary", "q=canary")


class World:
    """Alice and bob in a direct room, where everything that can happen to a message has happened to one."""

    def __init__(self, cast: Cast) -> None:
        self.cast = cast
        self.room = direct(cast.alice, cast.bob)
        self.before = say(cast.bob, self.room, "canary-before the rest")
        self.line = say(cast.bob, self.room, "canary-line, chosen")
        self.reported = say(cast.alice, self.room, "canary-first, soon edited")
        cast.alice.post(f"/messages/{self.reported}/edit", body="canary-reported, the one")
        self.after = say(cast.bob, self.room, "canary-after it")
        self.deleted = say(cast.alice, self.room, "canary-deleted in a hurry")
        cast.alice.post(f"/messages/{self.deleted}/delete")
        picture = ("image", (io.BytesIO(png()), "canary-file.png", "image/png"))
        sent = cast.alice.post(
            f"/rooms/{self.room}/messages", body="canary-picture", client_id="picture-of-it", image=picture[1]
        )
        assert sent.status_code == 303
        self.last = say(cast.alice, self.room, "canary-last of all")

    def staff(self) -> dict[str, Member]:
        """Return an administrator, a moderator, and somebody who moderates a room."""
        return {"administrator": self.cast.ada, "moderator": self.cast.mia, "of a room": self.cast.mallory}


def png() -> bytes:
    data = io.BytesIO()
    Image.new("RGB", (40, 30), "teal").save(data, "PNG")
    return data.getvalue()


@pytest.fixture
def world(cast: Cast) -> World:
    hers = cast.mallory.post("/rooms", name="tide tables", kind="group").headers["Location"].rsplit("/", 1)[1]
    with cast.app.app_context(), transaction():
        rooms.grant(hers, cast.alice.id, cast.mallory.id)
        mine = (Membership.room_id == hers, Membership.user_id == cast.mallory.id)
        db.session.execute(update(Membership).where(*mine).values(role="moderator"))
    cast.app.extensions["sessions"].forget_person(cast.mallory.id)
    removed = say(cast.alice, cast.room, "something else")
    cast.mia.post(f"/messages/{removed}/delete", reason="so that lists are not empty")
    everywhere(cast)
    return World(cast)


def everywhere(cast: Cast) -> None:
    """Have everything that moderators do concern alice, or both, wherever it can."""
    for action in ("hold", "alert"):
        rule = {"kind": "words", "name": action, "action": action, "words": "*anary*\nlenses"}
        assert cast.ada.post("/moderation/rules", **rule).status_code == 303
    waits = {"body": "lenses", "client_id": "so-that-it-waits"}
    assert "#held_" in cast.alice.post(f"/rooms/{cast.room}/messages", **waits).headers["Location"]
    hold = {"name": "Case 14", "person": cast.alice.id, "reason": "a court"}
    assert cast.ada.post("/moderation/holds", **hold).status_code == 303
    say(cast.alice, cast.room, "a flood")
    sweep = {"person": cast.alice.id, "room": cast.room, "span": "1h", "reason": "a flood"}
    assert cast.mia.post("/moderation/sweeps", **sweep).status_code == 303
    mute = {"person": cast.bob.id, "kind": "mute", "room": cast.room, "duration": "1h", "reason": "a flood"}
    assert cast.mia.post("/moderation/sanctions", **mute).status_code == 303


def known_ids(app: Flask) -> dict[str, list[str]]:
    """Return the ids of everything that there is, by table."""
    with app.app_context():
        return {
            table.name: [str(row[0]) for row in db.session.execute(select(table.c.id))]
            for table in db.metadata.sorted_tables
            if "id" in table.c
        }


def addresses(app: Flask, room: str, alice: str) -> Iterator[str]:
    """Yield every address that can be asked for, with every id that there is in its place."""
    ids = known_ids(app)
    everything = [each for found in ids.values() for each in found]
    adapter = app.url_map.bind("localhost")
    for rule in app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()) or rule.endpoint == "messages.events":
            continue
        made: list[dict[str, str]] = [{}]
        for name in sorted(rule.arguments):
            table = TABLES.get(name, f"{name.removesuffix('_id')}s")
            values = VALUES.get(name) or ids.get(table, everything) or ["a" * 16]
            if match := re.search(rf"<any\(([\w, ]+)\):{name}>", rule.rule):
                values = match[1].split(", ")
            made = [one | {name: value} for one in made for value in values]
        for values in made:
            path = adapter.build(rule.endpoint, values)
            for query in QUERIES if not values else QUERIES[:1]:
                yield path + (f"?{query.format(room=room, alice=alice)}" if query else "")


def crawl(world: World) -> dict[str, dict[str, set[str]]]:
    """Ask for everything as each of the staff; return the canaries that were seen, by who and path."""
    seen: dict[str, dict[str, set[str]]] = {}
    asked = 0
    for name, who in world.staff().items():
        for path in addresses(world.cast.app, world.room, world.cast.alice.id):
            response = who.get(path)
            asked += 1
            found = set(re.findall(r"canary-\w+", response.get_data().decode("utf-8", "replace")))
            if found:
                seen.setdefault(name, {}).setdefault(path, set()).update(found)
            response.close()
    assert asked > 300, "it has looked at next to nothing"
    return seen


def everything_said(cast: Cast) -> list[str]:
    """Return what the audit log and people's notices hold, all of it."""
    with cast.app.app_context():
        log = [repr(tuple(row)) for row in db.session.execute(audit.AuditRow.__table__.select())]  # type: ignore[attr-defined]
        return log + list(db.session.execute(select(Notice.sentence)).scalars())


def note(*_: Any) -> None:
    raise RuntimeError("in the middle of it")


def test_nobody_but_the_two_finds_a_word_of_it(world: World, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    assert crawl(world) == {}
    assert "canary" in world.cast.bob.get(f"/rooms/{world.room}").text, "the two do"
    assert "canary" not in "".join(everything_said(world.cast))
    assert "canary" not in metrics.text().decode()
    assert "canary" not in caplog.text


def test_a_rule_is_tried_on_none_of_it(world: World):
    for who in (world.cast.ada, world.cast.mia):
        answer = who.post("/moderation/rules/trial", htmx=True, kind="words", words="canary*", action="block")
        assert "Nothing in 30 days" in answer.text
        form = {"kind": "words", "words": "canary*", "action": "block", "room": world.room}
        assert "canary-" not in who.post("/moderation/rules/trial", htmx=True, **form).text


def test_an_error_tells_nobody_what_was_said(
    world: World, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    """The page of an error, and its traceback in the log, when sending, editing and reading fail half-way."""
    caplog.set_level(logging.DEBUG)
    cast = world.cast
    monkeypatch.setitem(cast.app.config, "PROPAGATE_EXCEPTIONS", False)
    monkeypatch.setattr(messages.log, "write", note)
    sent = cast.alice.post(f"/rooms/{world.room}/messages", body="canary-unsent", client_id="never-stored")
    changed = cast.alice.post(f"/messages/{world.last}/edit", body="canary-changed")
    monkeypatch.undo()
    monkeypatch.setitem(cast.app.config, "PROPAGATE_EXCEPTIONS", False)
    monkeypatch.setattr("chat.messages.queries.group", note)
    shown = cast.alice.get(f"/rooms/{world.room}")
    for answer in (sent, changed, shown):
        assert answer.status_code == 500
        assert "canary" not in answer.text
    assert "in the middle of it" in caplog.text
    assert "canary" not in caplog.text


def test_of_what_was_reported_that_message_and_the_chosen_lines_are_on_its_case_and_nowhere_else(
    world: World, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.DEBUG)
    cast = world.cast
    sent = report(cast.bob, world.reported, reason="harassment", line=[world.line])
    assert sent.status_code == 303
    (case,) = cases(cast.app)
    # What happens afterwards is not what was reported.
    cast.alice.post(f"/messages/{world.reported}/edit", body="canary-later")
    cast.bob.post(f"/messages/{world.line}/edit", body="canary-other")
    cast.bob.post(f"/messages/{world.line}/delete")
    shown = {"canary-reported", "canary-line"}
    seen = crawl(world)
    assert set(seen) == {"administrator", "moderator"}, "who moderates a room does not see it"
    for name, pages in seen.items():
        assert all(path.partition("?")[0] == f"/moderation/reports/{case.id}" for path in pages), (name, pages)
        assert all(found == shown for found in pages.values()), pages
    assert "canary" not in "".join(everything_said(cast))
    assert "canary" not in caplog.text
    page = text(cast.mia.get(f"/moderation/reports/{case.id}"))
    assert "A direct conversation" in page
    assert "in the audit log, and both people were told" in page


def test_every_look_is_written_down_and_both_are_told_once(world: World, break_audit_log: Callable[[], None]):
    cast = world.cast
    report(cast.bob, world.reported, reason="harassment", line=[world.line, world.after])
    (case,) = cases(cast.app)
    cast.mia.get("/moderation/reports")
    assert told(cast) == {}, "the queue shows nothing of it"
    for who in (cast.mia, cast.ada, cast.mia):
        assert "canary-reported" in who.get(f"/moderation/reports/{case.id}").text
    sentence = (
        "A message in your conversation was reported, and a moderator read it and the 2 lines around it that the reporter"
        " chose. Nothing else was shown."
    )
    assert told(cast) == {cast.alice.id: [sentence], cast.bob.id: [sentence]}
    assert "A message in your conversation was reported" in cast.alice.get("/standing").text
    with cast.app.app_context():
        looks = select(audit.AuditRow).where(audit.AuditRow.action == "report.read")
        found = list(db.session.execute(looks).scalars())
        assert [row.actor_id for row in found] == [cast.mia.id, cast.ada.id, cast.mia.id]
        assert {row.target_id for row in found} == {world.reported}
        for message in (world.reported, world.line, world.after):
            assert all(message in row.after for row in found)

    break_audit_log()
    unseen = cast.ada.get(f"/moderation/reports/{case.id}")
    assert unseen.status_code == 500
    assert "canary" not in unseen.text


def test_removing_takes_that_message_alone_and_can_be_taken_back(world: World):
    cast = world.cast
    report(cast.bob, world.reported, reason="harassment", line=[world.line])
    (case,) = cases(cast.app)
    assert cast.mia.post(f"/moderation/reports/{case.id}/remove", reason="Harassment").status_code == 303
    room = text(cast.bob.get(f"/rooms/{world.room}"))
    assert "Removed by a moderator: Harassment" in room
    assert "canary-reported" not in room
    assert all(word in room for word in ("canary-before", "canary-line", "canary-after", "canary-last"))
    assert "You reported a message in a direct conversation." in told(cast)[cast.bob.id][-1]
    assert "A message of yours in a direct conversation was reported." in told(cast)[cast.alice.id][-1]
    for who in (cast.mia, cast.ada):
        assert who.post(f"/moderation/removed/{world.reported}/restore").status_code == 404
        assert who.post(f"/messages/{world.line}/delete", reason="more").status_code == 404
    assert cast.mia.post(f"/moderation/reports/{case.id}/reopen").status_code == 303
    assert "canary-reported" in cast.bob.get(f"/rooms/{world.room}").text


def test_a_picture_is_shown_when_it_was_reported_and_each_look_is_written_down(world: World):
    cast = world.cast
    ids = known_ids(cast.app)
    (picture,) = ids["pictures"]
    report(cast.bob, world.reported, reason="harassment")
    (case,) = cases(cast.app)
    path = f"/moderation/reports/{case.id}/pictures/{picture}"
    assert cast.mia.get(path).status_code == 404, "this is not of what was reported"
    with cast.app.app_context():
        from chat.messages.models import Attachment

        (message,) = db.session.execute(select(Attachment.message_id)).scalars()
    report(cast.bob, message, reason="sexual")
    (other,) = [each for each in cases(cast.app) if each.message_id == message]
    path = f"/moderation/reports/{other.id}/pictures/{picture}"
    page = cast.mia.get(f"/moderation/reports/{other.id}").text
    assert f'href="{path}"' in page
    assert "<img" not in page.partition('class="reported"')[2].partition("</ol>")[0], "nothing is shown before a press"
    with cast.app.app_context():
        before = len(db.session.execute(select(audit.AuditRow.number)).all())
    shown = cast.mia.get(path)
    assert shown.status_code == 200
    assert shown.mimetype == "image/webp"
    shown.close()
    with cast.app.app_context():
        assert len(db.session.execute(select(audit.AuditRow.number)).all()) == before + 1
    for who in (cast.mallory, cast.alice, cast.bob):
        assert who.get(path).status_code == 404


def test_the_name_of_a_direct_room_is_in_no_row(world: World):
    """It is called by the other person, and who talks to whom is nobody's business either."""
    cast = world.cast
    report(cast.bob, world.reported, reason="harassment")
    page = cast.ada.get("/moderation/reports").text
    assert "in a direct conversation" in page
    assert "Bob de Vos" not in page.partition('class="box box--lines cases"')[2].partition("</ol>")[0]


def told(cast: Cast) -> dict[str, list[str]]:
    with cast.app.app_context():
        found: dict[str, list[str]] = {}
        statement = select(Notice.person_id, Notice.sentence).where(Notice.kind == "report").order_by(Notice.created_at)
        for person_id, sentence in db.session.execute(statement):
            found.setdefault(person_id, []).append(sentence)
        return found


def test_a_case_is_opened_for_the_first_time_once(world: World):
    """The mark that both were told is set with a condition, not read before it is written."""
    cast = world.cast
    report(cast.bob, world.reported, reason="harassment")
    cast.mia.get(f"/moderation/reports/{cases(cast.app)[0].id}")
    with cast.app.app_context():
        looked = db.session.execute(select(ReportCase.looked_at)).scalar_one()
    cast.ada.get(f"/moderation/reports/{cases(cast.app)[0].id}")
    with cast.app.app_context():
        assert db.session.execute(select(ReportCase.looked_at)).scalar_one() == looked
