"""The queue of reports: who sees which, what a case shows, and how it is decided. Both sides learn the outcome."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from chat.core import audit, clock
from chat.core.bus import transaction
from chat.core.database import db
from chat.core.errors import Conflict
from chat.messages.models import Message
from chat.moderation.reports import queries, service
from chat.notices.models import Notice
from chat.rooms import service as rooms
from chat.rooms.models import Membership
from chat.rooms.queries import Reach
from tests.conftest import Cast, Member
from tests.moderation.reports.test_report import at_once, both, cases, direct, report, say, text


@pytest.fixture
def mod(cast: Cast) -> Member:
    """Mallory, made moderator of a room of hers and of no other."""
    room = cast.mallory.post("/rooms", name="tide tables", kind="group").headers["Location"].rsplit("/", 1)[1]
    with cast.app.app_context(), transaction():
        rooms.grant(room, cast.alice.id, cast.mallory.id)
        make_moderator(room, cast.mallory)
    cast.app.extensions["sessions"].forget_person(cast.mallory.id)
    return cast.mallory


def make_moderator(room: str, who: Member) -> None:
    mine = (Membership.room_id == room, Membership.user_id == who.id)
    db.session.execute(update(Membership).where(*mine).values(role="moderator"))


def a_case(cast: Cast, body: str = "buy two tickets", room: str = "", by: Member | None = None) -> tuple[str, str]:
    """Have bob, or somebody, report a message of alice's; return the message and the case."""
    message = say(cast.alice, room or cast.room, body)
    assert report(by or cast.bob, message, comment="about it").status_code == 303
    return message, next(case.id for case in cases(cast.app) if case.message_id == message)


def told(cast: Cast, who: Member) -> list[str]:
    with cast.app.app_context():
        mine = select(Notice.sentence).where(Notice.person_id == who.id).order_by(Notice.created_at, Notice.id)
        return list(db.session.execute(mine).scalars())


def rows(cast: Cast) -> list[audit.AuditRow]:
    with cast.app.app_context():
        found = list(db.session.execute(select(audit.AuditRow).order_by(audit.AuditRow.number)).scalars())
        db.session.expunge_all()
        return found


def actions(cast: Cast) -> list[str]:
    return [row.action for row in rows(cast)]


def decide(who: Member, case: str, decision: str, htmx: bool = False, **fields: str) -> Any:
    return who.post(f"/moderation/reports/{case}/{decision}", htmx=htmx, **fields)


# -- who sees what


def test_it_shows_whom_it_is_about_where_why_and_how_many_reported_it(cast: Cast):
    message, case = a_case(cast)
    report(cast.mia, message, reason="hate")
    page = cast.mia.get("/moderation/reports")
    for each in ("Alice Okafor", "in lamp-room", "buy two tickets", "Spam or scam", "Hate", "2 reports"):
        assert each in text(page)
    assert f'data-case="{case}"' in page.text
    assert 'Reported<span class="badge">1</span>' in page.text
    detail = cast.mia.get(f"/moderation/reports/{case}")
    for each in ("Bob de Vos", "Mia Haddad", "about it", "Spam or scam", "buy two tickets"):
        assert each in text(detail)


def test_nobody_else_has_a_queue(cast: Cast):
    _, case = a_case(cast)
    for who in (cast.alice, cast.bob, cast.mallory):
        for path in ("", f"/{case}", f"/{case}/keep", f"/{case}/remove", f"/{case}/escalate"):
            assert who.get(f"/moderation/reports{path}").status_code == 404
        for act in ("keep", "remove", "escalate", "reopen", "assignee"):
            assert decide(who, case, act, reason="because").status_code == 404
    assert cases(cast.app)[0].state == "open"


def test_each_reaches_the_cases_of_their_rooms_and_staff_of_the_site_those_of_persons(cast: Cast, mod: Member):
    with cast.app.app_context():
        closed = rooms.create_room("a closed one", "group", "", cast.alice.id)
        rooms.grant(closed, cast.bob.id, cast.alice.id)
        (hers,) = db.session.execute(select(Membership.room_id).where(Membership.user_id == mod.id)).scalars()
        rooms.join(cast.open_room, cast.bob.id)
    found = {
        "closed": a_case(cast, "one", closed)[1],
        "open": a_case(cast, "two", cast.open_room)[1],
        "lamp-room": a_case(cast, "three")[1],
        "hers": a_case(cast, "four", hers, by=mod)[1],
        "direct": a_case(cast, "five", direct(cast.alice, cast.bob))[1],
    }
    cast.bob.post(f"/people/{cast.alice.id}/report", reason="spam")
    found["person"] = next(case.id for case in cases(cast.app) if case.message_id is None)
    for who, expected in (
        (cast.ada, set(found)),
        (cast.mia, {"open", "lamp-room", "direct", "person"}),
        (mod, {"hers"}),
    ):
        page = who.get("/moderation/reports").text
        assert {name for name, case in found.items() if f'data-case="{case}"' in page} == expected
        assert f'Reported<span class="badge">{len(expected)}</span>' in page
        for name, case in found.items():
            status = 200 if name in expected else 404
            assert who.get(f"/moderation/reports/{case}").status_code == status, (who.name, name)
            if status == 404:
                for act in ("keep", "remove", "escalate", "reopen", "assignee"):
                    assert decide(who, case, act, reason="because").status_code == 404
    assert mod.get("/moderation/reports?room=direct").text.count("data-case") == 0


def test_nobody_handles_what_is_about_themselves(cast: Cast):
    message = say(cast.mia, cast.room, "said by a moderator")
    report(cast.bob, message)
    cast.bob.post(f"/people/{cast.mia.id}/report", reason="spam")
    for case in cases(cast.app):
        assert cast.mia.get(f"/moderation/reports/{case.id}").status_code == 404
        assert decide(cast.mia, case.id, "keep").status_code == 404
        assert cast.ada.get(f"/moderation/reports/{case.id}").status_code == 200
    assert "said by a moderator" not in cast.mia.get("/moderation/reports").text


def test_filters_narrow_it(cast: Cast):
    with cast.app.app_context():
        rooms.join(cast.open_room, cast.bob.id)
    one, other = a_case(cast, "in the lamp-room")[1], a_case(cast, "in the open", cast.open_room)[1]
    cast.bob.post(f"/people/{cast.alice.id}/report", reason="violence")
    (person,) = [case.id for case in cases(cast.app) if case.message_id is None]
    cast.mia.post(f"/moderation/reports/{one}/assignee", to="me")
    decide(cast.ada, person, "escalate", reason="look")
    for who, query, expected in (
        (cast.ada, f"room={cast.room}", {one}),
        (cast.ada, "room=people", {person}),
        (cast.ada, "reason=violence", {person}),
        (cast.mia, "who=mine", {one}),
        (cast.mia, "who=nobody", {other}),
        (cast.ada, "who=escalated", {person}),
        (cast.mia, "who=escalated", set()),
        (cast.ada, "state=closed", set()),
        (cast.ada, f"room={'a' * 16}", set()),
    ):
        page = who.get(f"/moderation/reports?{query}").text
        assert {each for each in (one, other, person) if f'data-case="{each}"' in page} == expected, query


def test_a_long_list_goes_on(cast: Cast, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(queries, "PAGE", 2)
    for number in range(5):
        a_case(cast, f"number {number}.")
    for decision in ("", "keep"):
        path = "/moderation/reports" + ("?state=closed" if decision else "")
        if decision:
            for case in sorted(cases(cast.app), key=lambda case: case.reported_at):
                decide(cast.mia, case.id, decision)
        seen: list[int] = []
        while path:
            page = cast.mia.get(path).text
            seen += [number for number in reversed(range(5)) if f"number {number}." in page]
            path = page.partition('href="/moderation/reports?after=')[2].partition('"')[0].replace("&amp;", "&")
            path = path and f"/moderation/reports?after={path}"
        assert seen == [4, 3, 2, 1, 0]


# -- what a case shows


def test_a_message_is_in_its_place_with_five_lines_around(cast: Cast):
    for number in range(7):
        say(cast.bob, cast.room, f"before {number}.")
    message = say(cast.alice, cast.room, "in the middle")
    for number in range(7):
        say(cast.bob, cast.room, f"after {number}.")
    report(cast.bob, message)
    page = cast.mia.get(f"/moderation/reports/{cases(cast.app)[0].id}").text
    shown = [f"{side} {number}." in page for side in ("before", "after") for number in range(7)]
    assert shown == [False, False, True, True, True, True, True, True, True, True, True, True, False, False]
    assert actions(cast) == [], "nothing hidden was shown"


def test_an_edit_does_not_hide_what_was_reported(cast: Cast):
    message = say(cast.alice, cast.room, "it said this first")
    cast.alice.post(f"/messages/{message}/edit", body="then something vile")
    report(cast.bob, message)
    cast.alice.post(f"/messages/{message}/edit", body="all is well")
    page = text(cast.mia.get(f"/moderation/reports/{cases(cast.app)[0].id}"))
    assert "then something vile" in page
    assert "This is what it said when it was reported. Edited since: all is well" in page
    assert "it said this first" not in page


def test_a_look_at_what_is_deleted_is_written_down_first(cast: Cast, break_audit_log: Callable[[], None]):
    message, case = a_case(cast, "a hidden word")
    cast.alice.post(f"/messages/{message}/delete")
    assert "a hidden word" not in cast.mia.get("/moderation/reports").text
    page = cast.mia.get(f"/moderation/reports/{case}")
    assert "a hidden word" in page.text
    assert "Deleted by its author" in text(page)
    (row,) = rows(cast)
    assert (row.action, row.actor_id, row.target_id, row.person_id) == (
        "report.read", cast.mia.id, message, cast.alice.id,
    )  # fmt: skip

    break_audit_log()
    answer = cast.mia.get(f"/moderation/reports/{case}")
    assert answer.status_code == 500
    assert "a hidden word" not in answer.text


def test_what_somebody_typed_stays_text(cast: Cast):
    attack = "<script>alert(1)</script><img src=x onerror=alert(2)>"
    message = say(cast.alice, cast.room, attack)
    report(cast.bob, message, reason="other", comment=attack)
    (case,) = cases(cast.app)
    decide(cast.mia, case.id, "escalate", reason=attack)
    decide(cast.ada, case.id, "remove", reason=attack, answer=attack)
    paths = [
        "/moderation/reports?state=closed",
        f"/moderation/reports/{case.id}",
        f"/moderation/reports/{case.id}/keep",
    ]
    for who, path in [(cast.ada, path) for path in paths] + [(cast.bob, "/standing"), (cast.alice, "/standing")]:
        page = who.get(path).text
        assert "<script>alert" not in page
        assert "<img src=x" not in page


# -- deciding


def test_a_case_is_taken_and_given_back(cast: Cast):
    _, case = a_case(cast)
    assert cast.mia.post(f"/moderation/reports/{case}/assignee", to="me").status_code == 303
    assert "Mia Haddad has it" in text(cast.ada.get("/moderation/reports"))
    assert "Give it back" in text(cast.mia.get(f"/moderation/reports/{case}"))
    assert cast.ada.post(f"/moderation/reports/{case}/assignee", to="me").status_code == 303
    assert cast.ada.post(f"/moderation/reports/{case}/assignee", to="nobody").status_code == 303
    assert "Nobody yet" in text(cast.mia.get(f"/moderation/reports/{case}"))
    assert actions(cast) == ["report.assigned"] * 3


def test_keeping_tells_the_reporters_and_the_author(cast: Cast):
    _, case = a_case(cast)
    answer = decide(cast.mia, case, "keep", answer="It is a joke among friends.")
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/moderation/reports?done={case}")
    assert "Kept a message by Alice Okafor in lamp-room." in text(cast.mia.get(answer.headers["Location"]))
    reporter, author = told(cast, cast.bob), told(cast, cast.alice)
    assert reporter == [
        "You reported a message in lamp-room. A moderator looked at it and kept it. They say: It is a joke among friends."
    ]
    assert author == ["A message of yours in lamp-room was reported. A moderator looked at it and kept it."]
    assert "tickets" not in "".join(reporter + author)
    assert "Mia" not in "".join(reporter + author)
    assert "Bob" not in "".join(author)
    assert "buy two tickets" in cast.bob.get(f"/rooms/{cast.room}").text
    assert actions(cast) == ["report.kept"]
    page = text(cast.mia.get("/moderation/reports?state=closed"))
    assert "Kept" in page
    assert "1 report" not in page


def test_removing_needs_a_reason_that_everybody_reads(cast: Cast):
    _, case = a_case(cast)
    for htmx in (False, True):
        refused = decide(cast.mia, case, "remove", htmx=htmx, answer="thank you")
        assert refused.status_code == 422
        assert "Say why" in text(refused)
        assert "thank you" in refused.text, "what was typed is still there"
    assert decide(cast.mia, case, "remove", reason="x" * 513).status_code == 422
    assert decide(cast.mia, case, "keep", answer="x" * 513).status_code == 422
    assert decide(cast.mia, case, "remove", reason="Scam", answer="thank you").status_code == 303
    room = text(cast.bob.get(f"/rooms/{cast.room}"))
    assert "buy two tickets" not in room
    assert "Removed by a moderator: Scam" in room
    assert told(cast, cast.bob) == [
        "You reported a message in lamp-room. A moderator looked at it and removed it. They say: thank you"
    ]
    (author,) = told(cast, cast.alice)
    assert author.startswith(
        "A message of yours in lamp-room was reported. A moderator looked at it and removed it: Scam."
    )
    assert "appeal" in author
    assert actions(cast) == ["message.removed", "report.removed"]
    assert rows(cast)[1].reason == "Scam"


def test_an_administrator_removes_in_a_room_they_are_not_in(cast: Cast):
    _, case = a_case(cast)
    assert decide(cast.ada, case, "remove", reason="Scam").status_code == 303
    assert "Removed by a moderator: Scam" in text(cast.bob.get(f"/rooms/{cast.room}"))


def test_what_its_author_deleted_needs_no_removing(cast: Cast):
    message, case = a_case(cast)
    cast.alice.post(f"/messages/{message}/delete")
    assert "The message is deleted already." in text(cast.mia.get(f"/moderation/reports/{case}/remove"))
    assert decide(cast.mia, case, "remove").status_code == 303
    assert "saw that its author had deleted it" in told(cast, cast.bob)[0]
    assert "you had deleted it yourself" in told(cast, cast.alice)[0]


def test_a_case_about_a_person_is_closed_as_acted_on(cast: Cast):
    cast.bob.post(f"/people/{cast.alice.id}/report", reason="other", comment="writes to everybody")
    (case,) = cases(cast.app)
    page = cast.mia.get(f"/moderation/reports/{case.id}")
    assert f'href="/moderation/sanctions/new?person={cast.alice.id}"' in page.text
    assert decide(cast.mia, case.id, "remove").status_code == 303
    assert told(cast, cast.bob) == ["You reported Alice Okafor. A moderator looked at it and acted on it."]
    assert "what was decided is under Your standing" in told(cast, cast.alice)[0]
    assert "Acted on" in text(cast.mia.get("/moderation/reports?state=closed"))


def test_a_closed_case_is_not_decided_a_second_time(cast: Cast):
    _, case = a_case(cast)
    decide(cast.ada, case, "keep")
    for htmx in (False, True):
        late = decide(cast.mia, case, "remove", reason="Scam", answer="thank you", htmx=htmx)
        assert late.status_code == 409
        assert "Somebody else has closed this case: the message was kept." in text(late)
        assert 'value="Scam"' in late.text, "nothing that was typed is lost"
        assert 'value="thank you"' in late.text
    assert decide(cast.mia, case, "escalate", reason="look").status_code == 409
    assert cast.mia.post(f"/moderation/reports/{case}/assignee", to="me").status_code == 409
    assert "buy two tickets" in cast.bob.get(f"/rooms/{cast.room}").text
    assert actions(cast) == ["report.kept"]


@both
def test_two_who_close_it_at_once_are_one(cast: Cast):
    message, case = a_case(cast)
    mia, ada = Reach(cast.mia.id, "moderator"), Reach(cast.ada.id, "administrator")
    calls: list[Callable[[], None]] = [lambda: service.keep(case, mia, ""), lambda: service.remove(case, ada, "Scam")]
    problems = at_once(cast.app, calls * 4)
    assert [type(problem) for problem in problems] == [Conflict] * 7
    (closed,) = cases(cast.app)
    with cast.app.app_context():
        gone = db.session.execute(select(Message.deleted_at).where(Message.id == message)).scalar() is not None
    assert gone == (closed.state == "removed")
    assert len(told(cast, cast.bob)) == len(told(cast, cast.alice)) == 1
    with cast.app.app_context():
        assert audit.verify().problem == ""


# -- escalating, and taking back


def test_what_is_escalated_is_for_administrators(cast: Cast):
    _, case = a_case(cast)
    cast.mia.post(f"/moderation/reports/{case}/assignee", to="me")
    assert decide(cast.mia, case, "escalate").status_code == 422
    done = decide(cast.mia, case, "escalate", reason="Somebody may be in danger").headers["Location"]
    page = cast.mia.get(done)
    assert "Escalated a message by Alice Okafor in lamp-room to administrators." in text(page)
    assert "data-case" not in page.text
    assert cast.mia.get(f"/moderation/reports/{case}").status_code == 404
    assert decide(cast.mia, case, "keep").status_code == 404
    detail = text(cast.ada.get(f"/moderation/reports/{case}"))
    assert "Somebody may be in danger" in detail
    assert "Nobody yet" in detail
    assert decide(cast.ada, case, "escalate", reason="again").status_code == 409
    assert decide(cast.ada, case, "keep").status_code == 303


def test_who_escalated_takes_it_back_for_a_moment_and_an_administrator_gives_it_back(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
):
    _, case = a_case(cast)
    decide(cast.mia, case, "escalate", reason="look")
    assert decide(cast.mia, case, "reopen").status_code == 303
    assert cast.mia.get(f"/moderation/reports/{case}").status_code == 200
    decide(cast.mia, case, "escalate", reason="look")
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(minutes=3))
    assert decide(cast.mia, case, "reopen").status_code == 404
    assert decide(cast.ada, case, "reopen").status_code == 303
    assert cast.mia.get(f"/moderation/reports/{case}").status_code == 200
    assert decide(cast.mia, case, "reopen").status_code == 409, "there is nothing to take back"


def test_reopening_puts_back_what_was_removed_with_it(cast: Cast):
    _, case = a_case(cast)
    done = decide(cast.mia, case, "remove", reason="Scam").headers["Location"]
    page = cast.mia.get(done).text
    assert f'action="/moderation/reports/{case}/reopen"' in page
    assert "Reopen and put the message back" in text(cast.mia.get(f"/moderation/reports/{case}"))
    assert decide(cast.mia, case, "reopen").status_code == 303
    assert "buy two tickets" in cast.bob.get(f"/rooms/{cast.room}").text
    assert cases(cast.app)[0].state == "open"
    assert actions(cast)[-2:] == ["message.restored", "report.reopened"]


def test_reopening_leaves_alone_what_was_removed_before_or_destroyed(cast: Cast, app: Flask):
    before, one = a_case(cast, "removed before")
    cast.mia.post(f"/messages/{before}/delete", reason="Scam")
    decide(cast.ada, one, "remove")
    assert decide(cast.ada, one, "reopen").status_code == 303
    purged, other = a_case(cast, "destroyed since")
    decide(cast.mia, other, "remove", reason="Scam")
    with app.app_context(), transaction():
        gone = update(Message).where(Message.id == purged).values(body="", purged_at=clock.now())
        db.session.execute(gone)
    assert "Its text was destroyed." in text(cast.mia.get(f"/moderation/reports/{other}"))
    assert decide(cast.mia, other, "reopen").status_code == 303
    with app.app_context():
        still = select(Message.id).where(Message.id.in_([before, purged]), Message.deleted_at.is_not(None))
        assert len(db.session.execute(still).all()) == 2


def test_only_the_case_that_somebody_closed_themselves_is_offered_for_undoing(cast: Cast):
    _, case = a_case(cast)
    decide(cast.ada, case, "keep")
    assert "Undo" not in cast.mia.get(f"/moderation/reports?done={case}").text
    for wrong in ("a" * 16, "'", cast.room):
        assert cast.mia.get(f"/moderation/reports?done={wrong}").status_code == 200
