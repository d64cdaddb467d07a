"""The console of removed messages: who sees which, that every look is written down first, and putting back."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from chat import audit
from chat.database import db
from chat.moderation import queries
from tests.conftest import Cast, Member


def say(who: Member, room: str, body: str) -> str:
    said = who.post(f"/rooms/{room}/messages", htmx=True, body=body, client_id=f"c{abs(hash(body)):019d}")
    assert said.status_code == 201
    return str(said.headers["Location"].rsplit("/", 1)[1])


def removed(cast: Cast, body: str = "a hidden word", reason: str = "Scam or spam") -> str:
    message = say(cast.alice, cast.room, body)
    assert cast.mia.post(f"/messages/{message}/delete", reason=reason).status_code == 303
    return message


def actions(cast: Cast) -> list[str]:
    with cast.app.app_context():
        return list(db.session.execute(select(audit.AuditRow.action).order_by(audit.AuditRow.number)).scalars())


def test_a_moderator_sees_what_was_removed_with_who_when_and_why(cast: Cast):
    removed(cast)
    page = cast.mia.get("/moderation/removed").text
    for each in ("a hidden word", "Alice Okafor", "lamp-room", "Scam or spam", "By Mia Haddad"):
        assert each in page


def test_what_an_author_deleted_is_there_too(cast: Cast):
    message = say(cast.alice, cast.room, "wrong room, sorry")
    cast.alice.post(f"/messages/{message}/delete")
    page = cast.mia.get("/moderation/removed?by=author").text
    assert "wrong room, sorry" in page
    assert "By its author" in page
    assert "Nothing like this was removed." in cast.mia.get("/moderation/removed?by=moderator").text


def test_it_is_shown_in_its_place_with_five_lines_around(cast: Cast):
    for number in range(7):
        say(cast.bob, cast.room, f"before {number}.")
    message = removed(cast)
    for number in range(7):
        say(cast.bob, cast.room, f"after {number}.")
    page = cast.mia.get(f"/moderation/removed/{message}").text
    shown = [f"{side} {number}." in page for side in ("before", "after") for number in range(7)]
    assert shown == [False, False, True, True, True, True, True, True, True, True, True, True, False, False]


def test_edits_are_shown_as_what_was_added_and_taken_out(cast: Cast):
    message = say(cast.alice, cast.room, "two tickets at the harbour office")
    cast.alice.post(f"/messages/{message}/edit", body="two tickets at tickets-now")
    cast.mia.post(f"/messages/{message}/delete", reason="Scam")
    page = cast.mia.get(f"/moderation/removed/{message}").text
    assert "<del>the harbour office</del>" in page.replace("</del> <del>", " ") or "<del>the</del>" in page
    assert "<ins>" in page


def test_what_somebody_typed_stays_text_in_a_difference(cast: Cast):
    message = say(cast.alice, cast.room, "one <script>alert(1)</script>")
    cast.alice.post(f"/messages/{message}/edit", body="two <img src=x onerror=alert(2)>")
    cast.mia.post(f"/messages/{message}/delete", reason="<b>why</b>")
    for path in (f"/moderation/removed/{message}", "/moderation/removed"):
        page = cast.mia.get(path).text
        for each in ("<script>alert", "<img src=x", "<b>why"):
            assert each not in page


def test_every_look_is_in_the_audit_log_before_it_is_shown(cast: Cast, monkeypatch: pytest.MonkeyPatch):
    message = removed(cast)
    cast.mia.get("/moderation/removed")
    cast.mia.get(f"/moderation/removed/{message}")
    assert actions(cast)[1:] == ["hidden.listed", "hidden.read"]

    def broken(*_: object, **__: object) -> int:
        raise RuntimeError("no room in the log")

    monkeypatch.setattr(audit, "write", broken)
    monkeypatch.setitem(cast.app.config, "PROPAGATE_EXCEPTIONS", False)
    for path in ("/moderation/removed", f"/moderation/removed/{message}"):
        answer = cast.mia.get(path)
        assert answer.status_code == 500
        assert "a hidden word" not in answer.text


def test_nobody_else_has_a_console(cast: Cast):
    message = removed(cast)
    for member in (cast.alice, cast.bob, cast.mallory):
        for path in ("/moderation", "/moderation/removed", f"/moderation/removed/{message}", "/moderation/audit"):
            assert member.get(path).status_code == 404
        assert member.post(f"/moderation/removed/{message}/restore").status_code == 404
        assert "/moderation" not in member.get("/rooms").text
    assert cast.mia.get("/moderation/audit").status_code == 404, "how moderators act is for administrators to see"


def test_a_moderator_reaches_their_rooms_and_the_open_ones_an_administrator_all(cast: Cast):
    closed = cast.alice.post("/rooms", name="a closed one", kind="group").headers["Location"].rsplit("/", 1)[1]
    in_closed, in_open = (
        say(cast.alice, closed, "said behind a door"),
        say(cast.alice, cast.open_room, "said in the open"),
    )
    for message in (in_closed, in_open):
        cast.alice.post(f"/messages/{message}/delete")
    moderator, administrator = (who.get("/moderation/removed").text for who in (cast.mia, cast.ada))
    assert ("said behind a door" in moderator, "said in the open" in moderator) == (False, True)
    assert ("said behind a door" in administrator, "said in the open" in administrator) == (True, True)
    assert cast.mia.get(f"/moderation/removed/{in_closed}").status_code == 404
    assert cast.ada.get(f"/moderation/removed/{in_closed}").status_code == 200


def test_what_two_people_say_to_each_other_is_nobodys_business(cast: Cast):
    """Threat row 41: neither lists nor the audit log nor its table know of a direct room's messages."""
    room = cast.alice.post("/rooms/direct", person=cast.bob.id).headers["Location"].rsplit("/", 1)[1]
    message = say(cast.alice, room, "canary between two")
    cast.alice.post(f"/messages/{message}/delete")
    for who in (cast.mia, cast.ada):
        for path in ("/moderation/removed", f"/moderation/removed?room={room}", f"/moderation/removed/{message}"):
            assert "canary" not in who.get(path).text
        assert who.get(f"/moderation/removed/{message}").status_code == 404
        assert who.post(f"/moderation/removed/{message}/restore").status_code == 404
    for path in ("/moderation/audit", "/moderation/audit.csv"):
        assert "canary" not in cast.ada.get(path).text


def test_a_moderator_of_before_sees_nothing_more(cast: Cast):
    from chat.accounts import service

    removed(cast)
    with cast.app.app_context():
        service.change_role(cast.mia.id, "member")
    assert cast.mia.get("/moderation/removed").status_code == 404


def test_restoring_puts_it_back_and_is_answered_for(cast: Cast):
    message = removed(cast)
    assert cast.mia.post(f"/moderation/removed/{message}/restore").status_code == 303
    assert "a hidden word" in cast.bob.get(f"/rooms/{cast.room}").text
    assert actions(cast) == ["message.removed", "message.restored"]
    assert cast.mia.post(f"/moderation/removed/{message}/restore").status_code == 404


def test_an_administrator_restores_in_a_room_they_are_not_in(cast: Cast):
    message = removed(cast)
    assert cast.ada.post(f"/moderation/removed/{message}/restore").status_code == 303
    assert "a hidden word" in cast.bob.get(f"/rooms/{cast.room}").text


def test_a_long_list_goes_on(cast: Cast, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(queries, "PAGE", 2)
    for number in range(5):
        removed(cast, f"number {number}.")
    seen, path = [], "/moderation/removed?by=moderator"
    while path:
        page = cast.mia.get(path).text
        seen += [number for number in reversed(range(5)) if f"number {number}." in page]
        path = page.partition('href="/moderation/removed?after=')[2].partition('"')[0].replace("&amp;", "&")
        path = path and f"/moderation/removed?after={path}"
    assert seen == [4, 3, 2, 1, 0]
