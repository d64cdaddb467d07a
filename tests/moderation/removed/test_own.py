"""Nobody decides over what they wrote themselves, moderator or not."""

from __future__ import annotations

import random

from tests.conftest import Cast, Member
from tests.moderation.removed.test_removed import say
from tests.moderation.rules.test_rules import bodies


def removed(cast: Cast, by: Member, text: str = "abuse") -> str:
    said = say(cast.mia, cast.room, text)
    if by is not cast.mia:
        cast.alice.post(f"/rooms/{cast.room}/members", person=by.id)
    assert by.post(f"/messages/{said}/delete", reason="abuse").status_code == 303
    return said


def test_a_moderator_does_not_put_back_what_another_one_removed_of_theirs(cast: Cast):
    said = removed(cast, cast.ada)
    for path in (f"/messages/{said}/restore", f"/moderation/removed/{said}/restore"):
        assert cast.mia.post(path).status_code == 403
    assert cast.ada.post(f"/moderation/removed/{said}/restore").status_code == 303


def test_what_they_deleted_themselves_they_put_back(cast: Cast):
    said = removed(cast, cast.mia)
    assert cast.mia.post(f"/messages/{said}/restore").status_code == 303


def test_a_moderator_does_not_destroy_what_they_wrote(cast: Cast):
    for by in (cast.mia, cast.ada):
        said = removed(cast, by, f"abuse, removed by {by.name}")
        assert cast.mia.post(f"/moderation/removed/{said}/purge", reason="tidy").status_code == 403
    assert all(each.startswith("abuse") for each in bodies(cast))


def test_a_moderator_does_not_undo_a_sweep_of_theirs(cast: Cast):
    say(cast.mia, cast.room, "abuse")
    form = {"person": cast.mia.id, "span": "1h", "reason": "abuse"}
    sweep = cast.ada.post("/moderation/sweeps", **form).headers["Location"]
    assert cast.mia.post(f"{sweep}/undo").status_code == 403
    assert cast.ada.post(f"{sweep}/undo").status_code == 303


def test_a_long_text_of_equal_lines_is_shown_as_two(cast: Cast):
    chance = random.Random(1)
    one, other = ("\n".join(chance.choice("ab") for _ in range(4990)) for _ in range(2))
    said = say(cast.bob, cast.room, one)
    assert cast.bob.post(f"/messages/{said}/edit", body=other).status_code == 303
    page = cast.bob.get(f"/messages/{said}/versions").text
    assert page.count("<ins") == page.count("<del") == 1
