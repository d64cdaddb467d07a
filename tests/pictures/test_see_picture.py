"""Seeing a picture: who may see the message may see it, at every single request; a browser may do nothing else with it."""

import pytest

from tests.conftest import Cast
from tests.pictures.samples import fetch, png, post, seen, upload


def _statuses(cast: Cast, picture: str) -> dict[str, int]:
    """Return what each of the cast is answered, if it is the same for both sizes."""
    found = {}
    for key, member in cast.everybody().items():
        answers = {fetch(member, f"/pictures/{picture}/{size}").status_code for size in ("full", "thumb")}
        assert len(answers) == 1
        found[key] = answers.pop()
    return found


@pytest.fixture
def picture(cast: Cast) -> str:
    return upload(cast, png(1000, 700))


def test_it_is_for_its_owner_until_it_is_sent(cast: Cast, picture: str):
    assert _statuses(cast, picture) == {"ada": 404, "alice": 200, "bob": 404, "mallory": 404, "mia": 404}


def test_it_is_for_the_members_once_it_is_sent(cast: Cast, picture: str):
    post(cast, picture)
    assert _statuses(cast, picture) == {"ada": 404, "alice": 200, "bob": 200, "mallory": 404, "mia": 200}


def test_it_is_for_nobody_without_a_session(cast: Cast, picture: str):
    post(cast, picture)
    for size in ("full", "thumb"):
        plain = cast.nobody.get(f"/pictures/{picture}/{size}")
        assert (plain.status_code, plain.headers["Location"].partition("?")[0]) == (303, "/sign-in")
        assert cast.nobody.get(f"/pictures/{picture}/{size}", headers={"HX-Request": "true"}).status_code == 401


def test_it_ends_for_who_leaves(cast: Cast, picture: str):
    post(cast, picture)
    assert seen(cast, picture, member=cast.bob)
    assert cast.bob.post(f"/rooms/{cast.room}/leave").status_code == 303
    assert fetch(cast.bob, f"/pictures/{picture}/full").status_code == 404


def test_it_ends_for_who_is_removed_even_for_ones_own(cast: Cast):
    picture = upload(cast, png(), member=cast.bob)
    post(cast, picture, member=cast.bob)
    assert cast.alice.post(f"/rooms/{cast.room}/members/{cast.bob.id}/remove").status_code == 303
    assert _statuses(cast, picture) == {"ada": 404, "alice": 200, "bob": 404, "mallory": 404, "mia": 200}


def test_it_belongs_to_the_room_it_was_sent_to(cast: Cast):
    picture = upload(cast, png())
    post(cast, picture, room=cast.open_room)
    assert _statuses(cast, picture) == {"ada": 404, "alice": 200, "bob": 404, "mallory": 404, "mia": 404}
    cast.mallory.post(f"/rooms/{cast.open_room}/join")
    assert seen(cast, picture, member=cast.mallory)


def test_it_is_gone_with_its_message_and_back_with_it(cast: Cast, picture: str):
    message = post(cast, picture)
    assert cast.alice.post(f"/messages/{message}/delete", htmx=True).status_code == 200
    assert set(_statuses(cast, picture).values()) == {404}
    assert cast.alice.post(f"/messages/{message}/restore", htmx=True).status_code == 200
    assert _statuses(cast, picture)["bob"] == 200


def test_it_is_gone_when_it_was_taken_back(cast: Cast, picture: str):
    assert cast.alice.post(f"/pictures/{picture}/delete").status_code == 204
    assert set(_statuses(cast, picture).values()) == {404}
    assert cast.alice.post(f"/pictures/{picture}/delete").status_code == 404


def test_it_cannot_be_taken_back_once_it_was_sent(cast: Cast, picture: str):
    post(cast, picture)
    assert cast.alice.post(f"/pictures/{picture}/delete").status_code == 404
    assert seen(cast, picture, member=cast.bob)


@pytest.mark.parametrize("size", ["full", "thumb"])
def test_it_can_only_be_looked_at(cast: Cast, picture: str, size: str):
    answer = fetch(cast.alice, f"/pictures/{picture}/{size}")
    assert {
        "Content-Type": "image/webp",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Content-Disposition": "inline",
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "private, no-cache",
    }.items() <= dict(answer.headers).items()


def test_it_is_sent_once_and_asked_about_every_time(cast: Cast, picture: str):
    post(cast, picture)
    first = fetch(cast.bob, f"/pictures/{picture}/full")
    tag = first.headers["ETag"]
    assert tag != fetch(cast.bob, f"/pictures/{picture}/thumb").headers["ETag"]
    again = fetch(cast.bob, f"/pictures/{picture}/full", headers={"If-None-Match": tag})
    assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", tag)
    assert again.headers["Cache-Control"] == "private, no-cache"
    cast.bob.post(f"/rooms/{cast.room}/leave")
    assert fetch(cast.bob, f"/pictures/{picture}/full", headers={"If-None-Match": tag}).status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "/pictures/../../../etc/passwd/full",
        "/pictures/..%2f..%2f..%2fetc%2fpasswd/full",
        "/pictures/%00/full",
        "/pictures/aaaaaaaaaaaaaaaa/full",
        "/pictures/aaaaaaaaaaaaaaaa/raw",
        "/static/../instance/pictures/",
        "/avatars/..%2f..%2fsecret_key",
    ],
)
def test_it_has_no_other_way_in(cast: Cast, picture: str, path: str):
    assert fetch(cast.alice, path).status_code == 404


def test_it_is_no_face(cast: Cast, picture: str):
    post(cast, picture)
    assert fetch(cast.alice, f"/avatars/{picture}").status_code == 404
