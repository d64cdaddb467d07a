"""The console of removed messages: who sees which, that every look is written down first, and putting back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import BytesIO

import pytest
from sqlalchemy import select, update

from chat.core import audit, clock, log
from chat.core.bus import transaction
from chat.core.database import db
from chat.messages.models import Message
from chat.moderation.removed import queries
from chat.pictures.models import Picture
from tests.conftest import Cast, Member
from tests.pictures.samples import png


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


@pytest.mark.parametrize("path", ["/moderation/removed", "/moderation/edited", "/moderation/reports"])
@pytest.mark.parametrize(
    "place", ["", ".", "x.y", "999999999999.000000.{}", "1e9.{}", "-1.000000.{}", "1790000000.000000.{}'"]
)
def test_a_place_that_is_none_is_the_first_page(cast: Cast, path: str, place: str):
    answer = cast.mia.get(path, query_string={"after": place.format("a" * 16)})
    assert answer.status_code == 200


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


def test_every_look_is_in_the_audit_log_before_it_is_shown(cast: Cast, break_audit_log: Callable[[], None]):
    message = removed(cast)
    cast.mia.get("/moderation/removed")
    cast.mia.get(f"/moderation/removed/{message}")
    assert actions(cast)[1:] == ["hidden.listed", "hidden.listed", "hidden.read"]

    break_audit_log()
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


def test_a_removal_is_noted_whatever_helps_to_render_it(cast: Cast, monkeypatch: pytest.MonkeyPatch):
    """``subject`` spares whoever renders an event a query. Whether it is there must decide over nothing else."""
    write = log.write
    monkeypatch.setattr(log, "write", lambda *events: write(*(replace(each, subject="at hand") for each in events)))
    message = removed(cast)
    assert cast.mia.post(f"/moderation/removed/{message}/restore").status_code == 303
    assert cast.mia.post(f"/moderation/removed/{message}/undo").status_code == 303
    assert actions(cast) == ["message.removed", "message.restored", "message.removed"]


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


def ago(cast: Cast, message: str, **span: float) -> None:
    with cast.app.app_context(), transaction():
        moment = clock.now() - timedelta(**span)
        db.session.execute(update(Message).where(Message.id == message).values(deleted_at=moment))


def test_it_is_filtered_by_room_people_kind_and_day(cast: Cast):
    first, second = removed(cast, "number one."), say(cast.alice, cast.open_room, "number two.")
    cast.alice.post(f"/messages/{second}/delete")
    ago(cast, first, days=3)
    today, before = (f"{clock.now() - timedelta(days=days):%Y-%m-%d}" for days in (0, 2))
    for query, seen in (
        (f"room={cast.room}", (True, False)),
        (f"person={cast.alice.id}", (True, True)),
        (f"person={cast.bob.id}", (False, False)),
        (f"moderator={cast.mia.id}", (True, False)),
        ("by=author", (False, True)),
        ("by=moderator", (True, False)),
        ("by=sweep", (False, False)),
        (f"since={before}", (False, True)),
        (f"until={before}", (True, False)),
        (f"since={today}&until={today}", (False, True)),
        ("since=nonsense", (True, True)),
    ):
        page = cast.mia.get(f"/moderation/removed?{query}").text
        assert ("number one." in page, "number two." in page) == seen, query
        assert f"{sum(seen)} found" in page


def test_a_day_is_one_of_the_readers_zone(cast: Cast):
    message = removed(cast, "late in the evening")
    with cast.app.app_context(), transaction():
        moment = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)
        db.session.execute(update(Message).where(Message.id == message).values(deleted_at=moment))
    asked = "/moderation/removed?since=2026-03-02&until=2026-03-02"
    assert "late in the evening" not in cast.mia.get(asked).text
    cast.mia.client.set_cookie("tz", "Europe/Berlin")
    assert "late in the evening" in cast.mia.get(asked).text


def test_five_lines_more_are_a_press_away(cast: Cast):
    for number in range(12):
        say(cast.bob, cast.room, f"before {number}.")
    message = removed(cast)
    page = cast.mia.get(f"/moderation/removed/{message}").text
    path = page.partition("Show five lines more")[0].rpartition('href="')[2].partition('"')[0]
    page = cast.mia.get(path.replace("&amp;", "&")).text
    assert [f"before {number}." in page for number in range(12)] == [False] * 2 + [True] * 10


def test_restoring_goes_on_to_the_next_one_and_can_be_undone(cast: Cast):
    older, newer = removed(cast, "the older"), removed(cast, "the newer", reason="Private details")
    answer = cast.mia.post(f"/moderation/removed/{newer}/restore?by=moderator")
    assert answer.headers["Location"] == f"/moderation/removed/{older}?by=moderator&restored={newer}"
    page = cast.mia.get(answer.headers["Location"]).text
    assert "Put back what" in page
    assert cast.mia.post(f"/moderation/removed/{newer}/undo").status_code == 303
    tombstone = cast.bob.get(f"/rooms/{cast.room}").text
    assert "Private details" in tombstone
    assert "the newer" not in tombstone
    assert cast.mia.post(f"/moderation/removed/{newer}/undo").status_code == 409
    assert actions(cast)[-3:] == ["hidden.listed", "hidden.read", "message.removed"]


def test_undoing_gives_what_an_author_deleted_back_to_its_author(cast: Cast):
    message = say(cast.alice, cast.room, "I take this back")
    cast.alice.post(f"/messages/{message}/delete")
    cast.mia.post(f"/moderation/removed/{message}/restore")
    cast.mia.post(f"/moderation/removed/{message}/undo")
    assert "Message deleted by its author" in cast.bob.get(f"/rooms/{cast.room}").text


def test_only_who_restored_it_undoes_that(cast: Cast):
    message = removed(cast)
    cast.mia.post(f"/moderation/removed/{message}/restore")
    assert cast.ada.post(f"/moderation/removed/{message}/undo").status_code == 409
    assert cast.bob.post(f"/moderation/removed/{message}/undo").status_code == 404
    assert "a hidden word" in cast.bob.get(f"/rooms/{cast.room}").text


def test_the_author_is_told_of_both_and_nobody_else(cast: Cast):
    message = removed(cast)
    assert "was removed: Scam or spam. It is kept for 30 days; you can appeal." in cast.alice.get("/standing").text
    cast.mia.post(f"/moderation/removed/{message}/restore")
    page = cast.alice.get("/standing").text
    assert "was put back." in page
    assert "Mia" not in page
    for who in (cast.bob, cast.mallory):
        assert "was removed" not in who.get("/standing").text


def test_restoring_notifies_nobody_again(cast: Cast):
    """No unread, no place at the end of the list: for others it is where it was, as if it had never been away."""
    message = removed(cast, "an old word")
    say(cast.alice, cast.room, "a newer word")
    cast.bob.post(f"/rooms/{cast.room}/read", seq="99")
    before = cast.bob.get("/rooms/list", headers={"HX-Request": "true"}).text
    cast.mia.post(f"/moderation/removed/{message}/restore")
    assert cast.bob.get("/rooms/list", headers={"HX-Request": "true"}).text == before
    page = cast.bob.get(f"/rooms/{cast.room}/messages").text
    assert page.index("an old word") < page.index("a newer word")


def picture_in_removed(cast: Cast) -> tuple[str, str]:
    answer = cast.alice.post(
        f"/rooms/{cast.room}/messages",
        htmx=True,
        body="",
        client_id="a-picture",
        image=(BytesIO(png(60, 40)), "lamp.png"),
    )
    message = answer.headers["Location"].rsplit("/", 1)[1]
    cast.mia.post(f"/messages/{message}/delete", reason="Private details")
    with cast.app.app_context():
        (picture,) = db.session.execute(select(Picture.id).where(Picture.owner_id == cast.alice.id)).scalars()
    return message, picture


def test_a_hidden_picture_is_shown_on_a_press_and_that_is_written_down(cast: Cast):
    message, picture = picture_in_removed(cast)
    path = f"/moderation/removed/{message}/pictures/{picture}"
    page = cast.mia.get(f"/moderation/removed/{message}").text
    assert f'href="{path}"' in page
    assert f'src="{path}"' not in page
    assert "hidden.pictured" not in actions(cast)
    part = cast.mia.get(path, headers={"HX-Request": "true"})
    assert f'<img class="hidden-picture__image" src="{path}"' in part.text
    assert "hidden.pictured" not in actions(cast), "no byte of it has left"
    answer = cast.mia.get(path)
    assert answer.mimetype == "image/jpeg" or answer.mimetype.startswith("image/")
    assert actions(cast)[-1] == "hidden.pictured"
    for who in (cast.alice, cast.bob, cast.mallory):
        assert who.get(path).status_code == 404
        assert who.get(f"/pictures/{picture}/full").status_code == 404
    assert cast.ada.get(f"/moderation/removed/{picture}/pictures/{picture}").status_code == 404


def test_a_look_at_a_picture_that_cannot_be_written_down_is_none(cast: Cast, break_audit_log: Callable[[], None]):
    """Threat row 40."""
    message, picture = picture_in_removed(cast)

    break_audit_log()
    for path in (f"/moderation/removed/{message}/pictures/{picture}", f"/moderation/removed/{message}/peek"):
        answer = cast.mia.get(path, headers={} if "pictures" in path else {"HX-Request": "true"})
        assert answer.status_code == 500
        assert answer.mimetype == "text/html"


def test_it_is_shown_in_place_and_that_is_written_down(cast: Cast):
    message = removed(cast)
    path = f"/moderation/removed/{message}/peek"
    part = cast.mia.get(path, headers={"HX-Request": "true"}).text
    assert "a hidden word" in part
    assert "You are reading hidden text. This look is in the audit log." in part
    assert actions(cast)[-1] == "hidden.read"
    assert cast.mia.get(path).headers["Location"] == f"/moderation/removed/{message}"
    for who in (cast.alice, cast.bob, cast.mallory):
        assert who.get(path, headers={"HX-Request": "true"}).status_code == 404
    cast.mia.post(f"/moderation/removed/{message}/restore")
    assert cast.mia.get(path, headers={"HX-Request": "true"}).status_code == 404
