"""Reporting a message or a person: by dialog, by page, without script; once for each reporter, one case for each subject."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from sqlalchemy import func, select, update
from sqlalchemy.exc import TimeoutError

from chat.accounts import service as accounts
from chat.accounts.models import User
from chat.core.bus import transaction
from chat.core.database import db
from chat.moderation.reports import service
from chat.moderation.reports.models import Report, ReportCase, ReportLine
from chat.moderation.reports.service import AlreadyReported, Filing
from chat.rooms import service as rooms
from tests.conftest import Cast, Member

both = pytest.mark.parametrize("app", ["sqlite", "postgresql"], indirect=True)


def say(who: Member, room: str, body: str) -> str:
    said = who.post(f"/rooms/{room}/messages", htmx=True, body=body, client_id=f"c{abs(hash((body, room))):019d}")
    assert said.status_code == 201
    return str(said.headers["Location"].rsplit("/", 1)[1])


def direct(one: Member, other: Member) -> str:
    return str(one.post("/rooms/direct", person=other.id).headers["Location"].rsplit("/", 1)[1])


def report(who: Member, message: str, reason: str = "spam", **fields: Any):
    return who.post(f"/messages/{message}/report", reason=reason, **fields)


def cases(app: Flask) -> list[ReportCase]:
    with app.app_context():
        found = list(db.session.execute(select(ReportCase)).scalars())
        db.session.expunge_all()
        return found


def count(app: Flask, table: type[Any]) -> int:
    with app.app_context():
        return db.session.execute(select(func.count()).select_from(table)).scalar_one()


def change_role(cast: Cast, who: Member, role: str) -> None:
    with cast.app.app_context(), transaction():
        db.session.execute(update(User).where(User.id == who.id).values(role=role))


def text(answer: Any) -> str:
    return " ".join(BeautifulSoup(answer.text, "html.parser").get_text(" ").split())


def test_a_message_is_reported_from_its_page_without_script(cast: Cast):
    message = say(cast.alice, cast.room, "buy two tickets")
    permalink = cast.bob.get(f"/rooms/{cast.room}/messages/{message}").text
    assert f'href="/messages/{message}/report"' in permalink
    page = cast.bob.get(f"/messages/{message}/report")
    assert "Report this message?" in text(page)
    assert "buy two tickets" in page.text
    sent = report(cast.bob, message, comment="the third today")
    assert (sent.status_code, sent.headers["Location"]) == (303, f"/messages/{message}/report")
    assert "You reported a message by Alice Okafor on" in text(cast.bob.get(sent.headers["Location"]))
    (case,) = cases(cast.app)
    assert (case.person_id, case.room_id, case.reports, case.state) == (cast.alice.id, cast.room, 1, "open")


def test_in_a_dialog_it_is_answered_there(cast: Cast):
    message = say(cast.alice, cast.room, "buy two tickets")
    form = cast.bob.get(f"/messages/{message}/report", headers={"HX-Request": "true"}).text
    assert form.startswith("<confirm-dialog>")
    assert "<html" not in form
    sent = report(cast.bob, message, htmx=True)
    assert sent.status_code == 200
    assert "You reported a message by Alice Okafor" in text(sent)


def test_what_was_typed_comes_back_with_what_is_wrong(cast: Cast):
    message = say(cast.alice, cast.room, "buy two tickets")
    for fields, sentence in (
        ({"reason": "", "comment": "some words"}, "Choose what comes nearest."),
        ({"reason": "<b>", "comment": "some words"}, "Choose what comes nearest."),
        ({"reason": "other", "comment": "  "}, "Say in a few words what it is."),
        ({"reason": "spam", "comment": "x" * 1001}, "A comment has 1,000 characters at most; this one has 1,001."),
    ):
        for htmx in (False, True):
            answer = cast.bob.post(f"/messages/{message}/report", htmx=htmx, **fields)
            assert answer.status_code == 422
            assert sentence in text(answer)
            assert fields["comment"].strip() in answer.text
    assert cases(cast.app) == []


def test_a_second_time_is_answered_kindly(cast: Cast):
    message = say(cast.alice, cast.room, "buy two tickets")
    report(cast.bob, message)
    for htmx in (False, True):
        again = report(cast.bob, message, reason="hate", htmx=htmx)
        assert again.status_code == 409
        assert "You reported this already" in text(again)
        assert "Moderators look at it" in text(again)
        assert "<form" in again.text, "or the dialog would not show it"
    assert (count(cast.app, Report), cases(cast.app)[0].reports) == (1, 1)


def test_reports_by_several_people_are_one_case(cast: Cast):
    message = say(cast.alice, cast.room, "buy two tickets")
    for who in (cast.bob, cast.mia):
        assert report(who, message).status_code == 303
    (case,) = cases(cast.app)
    assert case.reports == 2


def test_who_cannot_see_a_message_cannot_report_it(cast: Cast):
    message = say(cast.alice, cast.room, "buy two tickets")
    with cast.app.app_context():
        rooms.revoke(cast.room, cast.bob.id, cast.alice.id)
    between = say(cast.alice, direct(cast.alice, cast.mia), "between two")
    for who, what in ((cast.mallory, message), (cast.bob, message), (cast.ada, message), (cast.ada, between)):
        assert who.get(f"/messages/{what}/report").status_code == 404
        assert report(who, what).status_code == 404
    assert cases(cast.app) == []


def test_nobody_reports_themselves_nor_what_is_deleted(cast: Cast):
    message = say(cast.alice, cast.room, "buy two tickets")
    assert report(cast.alice, message).status_code == 403
    assert cast.alice.get(f"/people/{cast.alice.id}/report").status_code == 403
    assert cast.alice.post(f"/people/{cast.alice.id}/report", reason="spam").status_code == 403
    cast.alice.post(f"/messages/{message}/delete")
    assert cast.bob.get(f"/messages/{message}/report").status_code == 409
    assert report(cast.bob, message).status_code == 409
    assert cases(cast.app) == []


def test_a_bot_does_not_report(cast: Cast):
    message = say(cast.alice, cast.room, "buy two tickets")
    change_role(cast, cast.bob, "bot")
    assert report(cast.bob, message).status_code == 403


def test_a_person_is_reported_from_the_list_of_members_and_from_a_direct_room(cast: Cast):
    link = f'href="/people/{cast.alice.id}/report"'
    assert link in cast.bob.get(f"/rooms/{cast.room}/members").text
    assert link in cast.bob.get(f"/rooms/{direct(cast.bob, cast.alice)}").text
    assert link not in cast.alice.get(f"/rooms/{cast.room}/members").text
    sent = cast.bob.post(f"/people/{cast.alice.id}/report", reason="other", comment="writes to everybody")
    assert sent.status_code == 303
    assert "You reported Alice Okafor on" in text(cast.bob.get(sent.headers["Location"]))
    assert cast.bob.post(f"/people/{cast.alice.id}/report", reason="spam").status_code == 409
    assert cast.bob.post("/people/aaaaaaaaaaaaaaaa/report", reason="spam").status_code == 404
    (case,) = cases(cast.app)
    assert (case.person_id, case.message_id, case.room_id) == (cast.alice.id, None, None)


def test_a_guest_reports_whom_they_share_a_room_with(cast: Cast):
    change_role(cast, cast.bob, "guest")
    assert cast.bob.post(f"/people/{cast.mallory.id}/report", reason="spam").status_code == 404
    assert cast.bob.post(f"/people/{cast.alice.id}/report", reason="spam").status_code == 303


def test_a_report_of_what_was_decided_opens_it_again(cast: Cast):
    message = say(cast.alice, cast.room, "buy two tickets")
    report(cast.bob, message)
    (case,) = cases(cast.app)
    assert cast.ada.post(f"/moderation/reports/{case.id}/keep").status_code == 303
    assert "Moderators have looked at it" in text(cast.bob.get(f"/messages/{message}/report"))
    assert report(cast.mia, message).status_code == 303
    (case,) = cases(cast.app)
    assert (case.state, case.closed_at, case.reports) == ("open", None, 2)


def test_lines_are_taken_from_a_direct_room_alone_and_only_those_around(cast: Cast):
    room = direct(cast.alice, cast.bob)
    said = [say(cast.alice, room, f"line {number}") for number in range(14)]
    gone = said[8]
    cast.alice.post(f"/messages/{gone}/delete")
    elsewhere = say(cast.alice, direct(cast.alice, cast.mia), "to somebody else")
    page = cast.bob.get(f"/messages/{said[7]}/report").text
    offered = [message for message in said if f'value="{message}"' in page]
    assert offered == said[2:7] + [said[number] for number in (9, 10, 11, 12)]
    assert "checked" not in page
    lines = [said[0], said[2], said[9], gone, said[13], elsewhere, said[7], "'--"]
    assert report(cast.bob, said[7], line=lines).status_code == 303
    with cast.app.app_context():
        assert set(db.session.execute(select(ReportLine.message_id)).scalars()) == {said[2], said[9]}
    in_room = say(cast.alice, cast.room, "in a room"), say(cast.alice, cast.room, "in a room too")
    assert report(cast.bob, in_room[0], line=[in_room[1]]).status_code == 303
    assert count(cast.app, ReportLine) == 2


def test_nobody_reports_more_than_twenty_things_an_hour(make_app: Callable[..., tuple[Flask, dict[str, str]]]):
    from tests.conftest import make_cast

    app, known = make_app(RATE_LIMITS=True)
    cast = make_cast(app, known)
    messages = [say(cast.alice, cast.room, f"number {number}") for number in range(3)]
    for _ in range(19):
        cast.bob.post(f"/messages/{messages[0]}/report", reason="spam")
    assert report(cast.bob, messages[1]).status_code == 303
    late = report(cast.bob, messages[2])
    assert late.status_code == 429
    assert int(late.headers["Retry-After"]) > 0
    assert report(cast.mia, messages[2]).status_code == 303, "others are not concerned"


def at_once(app: Flask, calls: list[Callable[[], None]]) -> list[BaseException]:
    """Run many things at the same moment, each with a connection of its own, as one becomes free; return what went wrong."""
    start, problems = threading.Barrier(len(calls)), []

    def run(call: Callable[[], None]) -> None:
        start.wait()
        while True:
            try:
                with app.app_context():
                    return call()
            except TimeoutError:
                continue
            except BaseException as problem:
                return problems.append(problem)

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return problems


@both
def test_fifty_first_reports_at_once_are_one_case_and_fifty_by_one_person_are_one_report(cast: Cast):
    message, other = say(cast.alice, cast.room, "buy two tickets"), say(cast.alice, cast.room, "and two more")
    with cast.app.app_context():
        people = [accounts.add_user(f"P {n}", f"p{n}@example.org", "a good long password", "member") for n in range(50)]
        for person in people:
            rooms.grant(cast.room, person, cast.alice.id)

    def filing(subject: str, person: str) -> Callable[[], None]:
        return lambda: service.report_message(subject, person, "member", Filing("spam"))

    assert at_once(cast.app, [filing(message, person) for person in people]) == []
    problems = at_once(cast.app, [filing(other, people[0]) for _ in range(50)])
    assert [type(problem) for problem in problems] == [AlreadyReported] * 49
    assert sorted((case.message_id, case.reports) for case in cases(cast.app)) == sorted([(message, 50), (other, 1)])
    assert count(cast.app, Report) == 51
