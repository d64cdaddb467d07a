"""What each rule does to what is written: messages, edits and names, in rooms and between two people."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import func, select

from chat.core import clock, ids
from chat.core.audit import AuditRow
from chat.core.bus import transaction
from chat.core.database import db
from chat.messages.models import HeldMessage, Message
from chat.moderation.rules import screen
from chat.moderation.rules.models import Rule, RuleHit
from chat.rooms import service as rooms
from tests.conftest import Cast, Member

SENTENCE = "No lenses here."
#: For each kind what is typed into its form, and below a message that it is about.
KINDS: dict[str, dict[str, str]] = {
    "words": {"words": "lenses"},
    "pattern": {"patterns": r"\d{4} \d{4}"},
    "links": {"mode": "all", "hosts": ""},
    "newcomers": {"minutes": "1440"},  # the cast is as old as the run of the tests
    "mentions": {"most": "2"},
    "repeats": {"seconds": "30"},
    "flood": {"most": "1", "seconds": "10"},
    "capitals": {"letters": "12", "percent": "70"},
}
TEXTS = {
    "words": "cheap lenses",
    "pattern": "call 0170 5550",
    "links": "see https://lens.example",
    "newcomers": "hello",
    "mentions": "@a @b @c",
    "repeats": "hello again",
    "flood": "hello once more",
    "capitals": "BUY THIS NOW PLEASE",
}
AFTER_ANOTHER = ("repeats", "flood")


def make(who: Member, kind: str = "words", action: str = "block", **fields: str) -> str:
    """Make a rule as a moderator would; return its id."""
    form = {"kind": kind, "name": f"Rule of {kind}", "action": action, "mute_minutes": "60", "sentence": SENTENCE}
    answer = who.post("/moderation/rules", **(form | KINDS[kind] | fields))
    assert answer.status_code == 303, answer.text
    with who.client.application.app_context():
        return str(db.session.execute(select(Rule.id).order_by(Rule.created_at.desc())).scalars().first())


def write(who: Member, room: str, text: str, client_id: str = "") -> Any:
    return who.post(f"/rooms/{room}/messages", htmx=True, body=text, client_id=client_id or ids.new())


def at_once(sent: Sequence[tuple[Member, Callable[[Member], Any]]]) -> list[int]:
    """Have people send requests at the same moment, each in a thread and from a browser of its own; return the statuses.

    They are more than the database has connections for. Whoever is told to come again (503) does so, as a page would.
    """
    ready = Barrier(len(sent), timeout=30)

    def one(each: tuple[Member, Callable[[Member], Any]]) -> int:
        who, send = each[0].elsewhere(), each[1]
        ready.wait()
        while (status := int(send(who).status_code)) == 503:
            time.sleep(0.1)
        return status

    with ThreadPoolExecutor(len(sent)) as threads:
        return list(threads.map(one, sent))


def bodies(cast: Cast) -> list[str]:
    with cast.app.app_context():
        return list(db.session.execute(select(Message.body).order_by(Message.seq)).scalars())


def hits(cast: Cast) -> list[tuple[str, bool]]:
    """Return what was done, and whether a message is named."""
    with cast.app.app_context():
        found = db.session.execute(select(RuleHit.action, RuleHit.message_id).order_by(RuleHit.id))
        return [(action, message_id is not None) for action, message_id in found]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("action", ["block", "hold", "alert", "mute"])
def test_each_kind_does_what_it_is_to_do(cast: Cast, kind: str, action: str):
    make(cast.mia, kind, action)
    before = []
    if kind in AFTER_ANOTHER:
        assert write(cast.bob, cast.room, TEXTS[kind]).status_code == 201
        before = [TEXTS[kind]]
    answer = write(cast.bob, cast.room, TEXTS[kind])
    assert answer.status_code == {"block": 422, "hold": 202, "alert": 201, "mute": 403}[action]
    assert bodies(cast) == before + [TEXTS[kind]] * (action == "alert")
    assert hits(cast) == [(action, action == "alert")]
    if action in ("block", "mute"):
        assert SENTENCE in answer.text
    with cast.app.app_context():
        held = db.session.execute(select(HeldMessage.body, HeldMessage.state, HeldMessage.sentence)).all()
        assert held == ([(TEXTS[kind], "waiting", SENTENCE)] if action == "hold" else [])
    muted = write(cast.bob, cast.room, "something else entirely")
    if kind not in ("newcomers", "flood"):
        assert muted.status_code == (403 if action == "mute" else 201)
    if action == "mute":
        assert "You are muted" in muted.text
        page = cast.bob.get("/standing").text
        assert f"A rule of this site: Rule of {kind}" in page
        assert "Alice" not in page


@pytest.mark.parametrize("kind", [each for each in KINDS if each not in ("newcomers", "flood")])
def test_what_it_is_not_about_is_posted(cast: Cast, kind: str):
    make(cast.mia, kind)
    assert write(cast.bob, cast.room, "a calm word").status_code == 201
    assert hits(cast) == []


def test_without_a_script_the_text_is_still_in_the_box(cast: Cast):
    make(cast.mia)
    answer = cast.bob.post(f"/rooms/{cast.room}/messages", body="cheap lenses", client_id=ids.new())
    assert answer.status_code == 422
    assert SENTENCE in answer.text
    assert re.search(r"<textarea[^>]*>cheap lenses</textarea>", answer.text)


def test_those_who_moderate_are_let_through(cast: Cast):
    make(cast.ada)
    assert write(cast.mia, cast.room, "cheap lenses").status_code == 201
    assert write(cast.alice, cast.room, "cheap lenses").status_code == 422, "who owns a room does not moderate it"
    with cast.app.app_context():
        rooms.appoint(cast.room, cast.bob.id, "moderator", cast.ada.id, "knows")
        db.session.remove()
    assert write(cast.bob, cast.room, "cheap lenses").status_code == 201


def test_an_outsider_is_told_nothing_of_the_rules_of_a_room(cast: Cast):
    make(cast.mia, room=cast.room, action="mute")
    answer = write(cast.mallory, cast.room, "cheap lenses")
    assert answer.status_code == 404
    assert SENTENCE not in answer.text
    assert hits(cast) == []
    assert "muted" not in cast.mallory.get("/standing").text.lower()


def test_a_rule_of_a_room_holds_there_only(cast: Cast):
    make(cast.mia, room=cast.room)
    assert write(cast.alice, cast.room, "cheap lenses").status_code == 422
    assert write(cast.alice, cast.open_room, "cheap lenses").status_code == 201


def test_the_strongest_decides(cast: Cast):
    for action in ("alert", "block", "hold"):
        make(cast.mia, action=action)
    assert write(cast.bob, cast.room, "cheap lenses").status_code == 422
    assert hits(cast) == [("block", False)]


def test_between_two_people_a_rule_refuses_and_does_nothing_else(cast: Cast):
    with cast.app.app_context():
        direct = rooms.find_direct(cast.alice.id, cast.bob.id)
        db.session.remove()
    rule = make(cast.mia, action="hold")
    assert write(cast.bob, direct, "cheap lenses").status_code == 201
    assert hits(cast) == []
    cast.mia.post(f"/moderation/rules/{rule}/off")
    make(cast.mia, action="alert")
    assert write(cast.bob, direct, "cheap lenses").status_code == 201
    assert hits(cast) == []
    make(cast.mia, action="mute")
    assert write(cast.bob, direct, "cheap lenses").status_code == 422
    assert hits(cast) == [], "not even that it was refused is written down"
    assert write(cast.bob, direct, "something else").status_code == 201
    for page in ("/moderation/held", "/moderation/rules"):
        assert "cheap" not in cast.mia.get(page).text


@pytest.mark.parametrize(("action", "status"), [("block", 422), ("hold", 422), ("mute", 403), ("alert", 303)])
def test_an_edit_is_held_against_the_rules(cast: Cast, action: str, status: int):
    make(cast.mia, action=action)
    link = write(cast.bob, cast.room, "a fine day").headers["Location"]
    message = link.rsplit("/", 1)[1]
    answer = cast.bob.post(f"/messages/{message}/edit", body="cheap lenses")
    assert answer.status_code == status
    assert bodies(cast) == ["cheap lenses" if action == "alert" else "a fine day"]
    assert hits(cast) == [(action, action == "alert")]
    if action != "alert":
        assert "cheap lenses" in answer.text, "what was typed is still there"


def test_nobody_is_muted_for_editing_what_is_not_theirs(cast: Cast):
    make(cast.mia, action="mute")
    message = write(cast.alice, cast.room, "a fine day").headers["Location"].rsplit("/", 1)[1]
    assert cast.bob.post(f"/messages/{message}/edit", body="cheap lenses").status_code == 403
    assert hits(cast) == []


def test_names_and_purposes_are_held_against_the_rules(cast: Cast):
    make(cast.mia, action="hold")
    profile = {"name": "Lenses & Sons", "status": "", "theme": "auto"}
    answer = cast.bob.post("/profile", **profile)
    assert answer.status_code == 422
    assert SENTENCE in answer.text
    assert 'value="Lenses &amp; Sons"' in answer.text, "what was typed is still there"
    assert "Lenses" not in cast.alice.get(f"/rooms/{cast.room}/members").text
    assert cast.bob.post("/profile", **(profile | {"name": "Bob", "status": "l e n s e s"})).status_code == 422
    assert cast.bob.post("/rooms", name="lenses", kind="open", purpose="").status_code == 422
    assert cast.bob.post("/rooms", name="fine", kind="open", purpose="LENSES").status_code == 422
    answer = cast.alice.post(f"/rooms/{cast.room}/settings", name="lеnsеs", purpose="")
    assert answer.status_code == 422
    assert cast.alice.post(f"/rooms/{cast.room}/settings", name="lamp", purpose="").status_code == 303
    assert cast.mia.post("/profile", **profile).status_code == 303, "a moderator"
    new = cast.app.test_client()
    form = {"name": "Lenses", "email": "new@example.org", "password": "a good long password"}
    page = new.get("/sign-up").text
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert token is not None
    assert new.post("/sign-up", data=form | {"csrf_token": token[1]}).status_code == 422


def test_a_name_that_a_rule_would_hold_is_not_said_to_wait(cast: Cast):
    make(cast.mia, action="hold", sentence="")
    answer = cast.bob.post("/profile", name="Lenses", status="", theme="auto")
    assert answer.status_code == 422
    assert "This has a word that is not used here." in answer.text
    assert "A moderator looks at it" not in answer.text


@pytest.mark.parametrize("kind", AFTER_ANOTHER)
def test_a_message_is_not_compared_with_itself(cast: Cast, kind: str):
    """Another process, whose clock is ahead, has stored a later one meanwhile."""
    make(cast.mia, kind)
    other = write(cast.bob, cast.room, "said by another process").headers["Chat-Message"]
    with cast.app.app_context(), transaction():
        db.session.execute(
            db.update(Message).where(Message.id == other).values(created_at=clock.now() + timedelta(seconds=2))
        )
    expected = 422 if kind == "flood" else 201
    assert write(cast.bob, cast.room, "something new").status_code == expected


@pytest.mark.parametrize("app", ["sqlite", "postgresql"], indirect=True)
def test_of_fifty_at_once_no_more_come_through_than_a_flood_allows(cast: Cast):
    make(cast.mia, "flood", most="3", seconds="30")
    answers = at_once([(cast.bob, partial(write, room=cast.room, text=f"number {n}")) for n in range(50)])
    assert sorted(answers) == [201] * 3 + [422] * 47
    assert len(bodies(cast)) == 3


def test_what_waits_counts_for_a_flood(cast: Cast):
    make(cast.mia, action="hold")
    make(cast.mia, "flood", most="2", seconds="30")
    for status in (202, 202, 422):
        assert write(cast.bob, cast.room, "cheap lenses").status_code == status, "the stronger one decides"
    assert write(cast.bob, cast.room, "fine").status_code == 422


def test_the_same_client_id_again_is_the_same_message(cast: Cast):
    first = write(cast.bob, cast.room, "cheap lenses", "client-0001")
    assert first.status_code == 201
    make(cast.mia)
    again = write(cast.bob, cast.room, "cheap lenses", "client-0001")
    assert again.status_code == 201
    assert again.headers["Chat-Message"] == first.headers["Chat-Message"]
    assert again.headers["Idempotent-Replayed"] == "true"
    assert len(bodies(cast)) == 1


def test_a_rule_holds_at_once_and_is_gone_at_once(cast: Cast):
    rule = make(cast.mia)
    assert write(cast.bob, cast.room, "cheap lenses").status_code == 422
    assert cast.mia.post(f"/moderation/rules/{rule}/off").status_code == 303
    assert write(cast.bob, cast.room, "cheap lenses").status_code == 201
    assert cast.mia.post(f"/moderation/rules/{rule}/on").status_code == 303
    assert write(cast.bob, cast.room, "cheap lenses").status_code == 422
    form = {"name": "Others", "action": "block", "words": "mirrors", "sentence": "No mirrors."}
    assert cast.mia.post(f"/moderation/rules/{rule}", **form).status_code == 303
    assert write(cast.bob, cast.room, "cheap lenses").status_code == 201
    assert "No mirrors." in write(cast.bob, cast.room, "cheap mirrors").text
    asked = cast.mia.get(f"/moderation/rules/{rule}/delete").get_data(as_text=True)
    assert "cannot be brought back" in asked
    assert cast.mia.post(f"/moderation/rules/{rule}/delete").status_code == 303
    assert write(cast.bob, cast.room, "cheap mirrors").status_code == 201
    with cast.app.app_context():
        actions = select(AuditRow.action).where(AuditRow.action.startswith("rule.")).order_by(AuditRow.number)
        assert list(db.session.execute(actions).scalars()) == [
            "rule.made",
            "rule.switched",
            "rule.switched",
            "rule.changed",
            "rule.deleted",
        ]


def test_another_process_finds_it_within_a_second(cast: Cast):
    """What no message told of: the table is looked at."""
    rule = make(cast.mia)
    with cast.app.app_context():
        db.session.execute(db.update(Rule).where(Rule.id == rule).values(enabled=False))
        db.session.commit()
        assert write(cast.bob, cast.room, "cheap lenses").status_code == 422
        screen.cache.look()
    assert write(cast.bob, cast.room, "cheap lenses").status_code == 201


@pytest.mark.parametrize(("action", "status"), [("alert", 201), ("hold", 202), ("block", 422), ("mute", 403)])
def test_a_rule_that_another_process_has_just_deleted_breaks_nothing(cast: Cast, action: str, status: int):
    rule = make(cast.mia, action=action)
    with cast.app.app_context():
        db.session.execute(db.delete(Rule).where(Rule.id == rule))
        db.session.commit()
    assert write(cast.bob, cast.room, "cheap lenses").status_code == status
    assert hits(cast) == []


def test_a_change_of_a_process_whose_clock_is_behind_is_found(cast: Cast):
    make(cast.mia)
    rule = make(cast.mia, words="mirrors")
    with cast.app.app_context():
        behind = {"settings": {"words": ["doors"], "allow": []}, "updated_at": clock.now() - timedelta(hours=1)}
        db.session.execute(db.update(Rule).where(Rule.id == rule).values(**behind))
        db.session.commit()
        screen.cache.look()
    assert write(cast.bob, cast.room, "cheap doors").status_code == 422


def test_a_rule_that_cannot_be_read_stops_nobody(cast: Cast, caplog: pytest.LogCaptureFixture):
    rule = make(cast.mia)
    with cast.app.app_context():
        db.session.execute(db.update(Rule).where(Rule.id == rule).values(settings={}, updated_at=func.now()))
        db.session.commit()
        screen.cache.look()
    assert write(cast.bob, cast.room, "cheap lenses").status_code == 201
    assert f"rule {rule} cannot be read" in caplog.text


@pytest.mark.parametrize(
    ("kind", "fields", "wrong"),
    [
        ("words", {"words": ""}, "at least one word"),
        ("words", {"words": "***"}, "is no word"),
        ("words", {"words": "a*b"}, "is no word"),
        ("words", {"words": "x" * 61}, "60 letters at most"),
        ("words", {"words": "\n".join(f"w{n}" for n in range(1001))}, "1,000 words at most; these are 1,001"),
        ("words", {"words": "a", "allow": "\n".join(f"w{n}" for n in range(101))}, "100 words at most"),
        ("pattern", {"patterns": "("}, "is no regular expression"),
        ("pattern", {"patterns": "a*"}, "is found in every text"),
        ("pattern", {"patterns": "(a+)+$"}, "takes too long"),
        ("pattern", {"patterns": "(?:a{1000}){999}b"}, "make it too large"),
        ("pattern", {"patterns": "(?:(?:a{1000}){1000}){1000}"}, "make it too large"),
        ("pattern", {"patterns": "(" * 80 + "a" + "){9}" * 35}, "is no regular expression"),
        ("pattern", {"patterns": "(?V0)a"}, "is no regular expression"),
        ("words", {"words": "a", "room": "no id"}, "you do not moderate it"),
        ("pattern", {"patterns": "x" * 261}, "260 characters at most"),
        ("pattern", {"patterns": "\n".join("abcdefghijk")}, "10 patterns at most; these are 11"),
        ("links", {"mode": "only"}, "at least one site"),
        ("links", {"mode": "only", "hosts": "not a site"}, "is no site"),
        ("flood", {"most": "0"}, "A number from 1 to 100"),
        ("words", {"words": "a", "name": ""}, "Give it a name"),
        ("words", {"words": "a", "action": "explode"}, "Choose what it does"),
        ("words", {"words": "a", "action": "mute", "mute_minutes": "99999"}, "A number from 1 to 40,320"),
        ("words", {"words": "a", "sentence": "x" * 201}, "200 characters at most"),
    ],
)
def test_a_rule_that_is_none_is_refused_and_nothing_is_lost(cast: Cast, kind: str, fields: dict[str, str], wrong: str):
    form = {"kind": kind, "name": "A name", "action": "block", "mute_minutes": "60"} | KINDS[kind] | fields
    answer = cast.mia.post("/moderation/rules", **form)
    assert answer.status_code == 422
    assert wrong in answer.text
    if form["name"]:
        assert 'value="A name"' in answer.text
    with cast.app.app_context():
        assert db.session.execute(select(func.count()).select_from(Rule)).scalar_one() == 0


def test_who_moderates_one_room_makes_rules_for_it_alone(cast: Cast):
    with cast.app.app_context():
        rooms.appoint(cast.room, cast.bob.id, "moderator", cast.ada.id, "knows")
        db.session.remove()
    everywhere = make(cast.ada)
    form = {"kind": "words", "name": "Mine", "action": "block", "words": "mirrors"}
    assert cast.bob.post("/moderation/rules", **form).status_code == 422
    assert cast.bob.post("/moderation/rules", **form, room=cast.open_room).status_code == 422
    assert cast.bob.post("/moderation/rules", **form, room=cast.room).status_code == 303
    page = cast.bob.get("/moderation/rules").text
    assert "Rule of words" in page, "they see what holds in their room"
    assert f"/moderation/rules/{everywhere}" not in page
    assert cast.bob.get(f"/moderation/rules/{everywhere}").status_code == 404
    assert cast.bob.post(f"/moderation/rules/{everywhere}/delete").status_code == 404


def test_who_tries_for_ever_fills_no_table(cast: Cast, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(screen, "_MOST_HITS", 3)
    make(cast.mia)
    for _ in range(5):
        assert write(cast.bob, cast.room, "cheap lenses").status_code == 422
    write(cast.alice, cast.room, "cheap lenses")
    assert len(hits(cast)) == 4


def test_a_message_that_is_edited_again_is_told_of_once(cast: Cast):
    make(cast.mia, action="alert")
    message = write(cast.bob, cast.room, "cheap lenses").headers["Location"].rsplit("/", 1)[1]
    for number in range(3):
        assert cast.bob.post(f"/messages/{message}/edit", body=f"cheap lenses, {number}").status_code == 303
    assert hits(cast) == [("alert", True)]


@pytest.mark.parametrize(
    ("word", "status"), [("*x*", 422), ("xy*", 422), ("*xyz*", 303), ("xy", 303), ("*賭*", 303), ("*\u3164*", 422)]
)
def test_a_wildcard_is_not_in_every_other_word(cast: Cast, word: str, status: int):
    form = {"name": "Short", "kind": "words", "action": "block", "words": word}
    assert cast.ada.post("/moderation/rules", **form).status_code == status
