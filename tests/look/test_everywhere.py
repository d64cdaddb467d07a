"""A look that was changed at one process is shown by the other."""

from __future__ import annotations

import re

from tests.conftest import populate
from tests.people import Person
from tests.services import Site, wait_for


def test_the_other_process_shows_it(pair: tuple[Site, Site]):
    town = populate(*pair)
    other: Person = town.bob
    assert other.url != town.alice.url
    assert town.alice.post("/moderation/look/draft", name="Skerry Light", accent="#7a3cc2").status_code == 303
    seen = town.alice.page("/moderation/look/preview").select_one("[name=seen]")["value"]
    assert town.alice.post("/moderation/look", seen=seen).status_code == 303
    assert "Skerry Light" in town.alice.get("/rooms").text
    wait_for(lambda: "Skerry Light" in other.get("/rooms").text, 2, "the name at the other process")
    found = re.search(r'href="(/look/\w+\.css)"', other.get("/rooms").text)
    assert found
    for each in (town.alice, other):
        answer = each.get(found[1])
        assert "#7a3cc2" in answer.text
        assert "immutable" in answer.headers["Cache-Control"]
