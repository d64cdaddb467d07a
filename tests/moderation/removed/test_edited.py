"""What edits changed: for moderators as a list, for an author of their own message."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from chat.core import audit
from chat.core.database import db
from chat.moderation.removed import queries
from tests.conftest import Cast
from tests.moderation.removed.test_removed import say


def edited(cast: Cast, first: str = "at the harbour", second: str = "at the station") -> str:
    message = say(cast.alice, cast.room, first)
    assert cast.alice.post(f"/messages/{message}/edit", body=second).status_code == 303
    return message


def looks(cast: Cast) -> list[str]:
    with cast.app.app_context():
        return list(db.session.execute(select(audit.AuditRow.action).order_by(audit.AuditRow.number)).scalars())


def test_a_moderator_sees_what_was_changed_and_it_is_written_down(cast: Cast):
    edited(cast)
    page = cast.mia.get("/moderation/edited").text
    assert "at the <del>harbour</del><ins>station</ins>" in page.replace("\n", "")
    assert looks(cast) == ["hidden.listed"]


def test_what_is_removed_is_in_the_other_list(cast: Cast):
    message = edited(cast)
    cast.mia.post(f"/messages/{message}/delete", reason="Scam")
    assert "Nothing was edited yet." in cast.mia.get("/moderation/edited").text
    assert cast.mia.get(f"/messages/{message}/versions").status_code == 404
    assert cast.alice.get(f"/messages/{message}/versions").status_code == 404


def test_it_is_filtered_and_goes_on(cast: Cast, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(queries, "EDITED_PAGE", 2)
    for number in range(3):
        edited(cast, f"one {number}", f"two {number}")
    page = cast.mia.get(f"/moderation/edited?room={cast.room}").text
    assert [f"</del><ins>two</ins> {number}" in page for number in range(3)] == [False, True, True]
    path = page.partition('href="/moderation/edited?after=')[2].partition('"')[0].replace("&amp;", "&")
    assert "</del><ins>two</ins> 0" in cast.mia.get(f"/moderation/edited?after={path}").text
    assert "Nothing like this was edited." in cast.mia.get(f"/moderation/edited?person={cast.bob.id}").text


def test_the_author_sees_the_versions_of_their_own(cast: Cast):
    message = edited(cast)
    cast.alice.post(f"/messages/{message}/edit", body="at the station, at six")
    page = cast.alice.get(f"/messages/{message}/versions").text
    assert "at the harbour" in page
    assert "<ins>, at six</ins>" in page
    assert "hidden.read" not in looks(cast), "it is their own text"
    cast.mia.get(f"/messages/{message}/versions")
    assert looks(cast) == ["hidden.read"]
    for who in (cast.bob, cast.mallory):
        answer = who.get(f"/messages/{message}/versions")
        assert answer.status_code == 404
        assert "harbour" not in answer.text


def test_what_was_never_edited_has_none(cast: Cast):
    message = say(cast.alice, cast.room, "as it is")
    assert cast.alice.get(f"/messages/{message}/versions").status_code == 404


def test_a_direct_room_is_in_no_list_and_has_its_authors_versions(cast: Cast):
    room = cast.alice.post("/rooms/direct", person=cast.bob.id).headers["Location"].rsplit("/", 1)[1]
    message = say(cast.alice, room, "canary one")
    cast.alice.post(f"/messages/{message}/edit", body="canary two")
    for who in (cast.mia, cast.ada):
        assert "canary" not in who.get("/moderation/edited").text
        assert who.get(f"/messages/{message}/versions").status_code == 404
    assert "canary" in cast.alice.get(f"/messages/{message}/versions").text


def test_what_somebody_typed_stays_text(cast: Cast):
    message = edited(cast, "one <script>alert(1)</script>", "two <img src=x onerror=alert(2)>")
    for page in (cast.mia.get("/moderation/edited").text, cast.alice.get(f"/messages/{message}/versions").text):
        assert "<script>alert" not in page
        assert "<img src=x" not in page


def test_without_script_the_page_of_a_message_leads_there(cast: Cast):
    message = edited(cast)
    path = f"/rooms/{cast.room}/messages/{message}"
    for who, seen in ((cast.alice, True), (cast.mia, True), (cast.bob, False)):
        assert (f'href="/messages/{message}/versions"' in who.get(path).text) is seen
