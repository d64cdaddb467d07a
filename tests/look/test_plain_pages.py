"""No style of the site or of a theme reaches a page on which one signs in, changes an account or acts for the site."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup
from flask import Flask

from tests.conftest import make_cast

#: Lays a button that destroys over the whole page.
CSS = 'form[action$="/approve"] button { position: fixed; inset: 0; opacity: 0; z-index: 9999 }'


def sheets(page: str) -> list[str]:
    return [str(each["href"]) for each in BeautifulSoup(page, "html.parser").select('link[rel="stylesheet"]')]


@pytest.fixture
def styled(make_app: Callable[..., tuple[Flask, dict[str, str]]], tmp_path: Path) -> Any:
    theme = tmp_path / "theme"
    (theme / "static").mkdir(parents=True)
    (theme / "static/theme.css").write_text("@layer theme { .button { opacity: 0; } }")
    app, ids = make_app(THEME_DIR=str(theme))
    cast = make_cast(app, ids)
    fields = {"name": "Skerry Light", "accent": "#7a3cc2", "css": CSS}
    assert cast.ada.post("/moderation/look/draft", **fields).status_code == 303
    page = cast.ada.get("/moderation/look/preview").get_data(as_text=True)
    seen = BeautifulSoup(page, "html.parser").select_one("[name=seen]")
    assert seen is not None
    assert cast.ada.post("/moderation/look", seen=seen["value"]).status_code == 303
    return cast


def test_a_room_has_both_and_the_console_and_the_account_have_neither(styled: Any):
    def own(path: str, who: Any) -> tuple[bool, str]:
        found = sheets(who.get(path).get_data(as_text=True))
        look = "".join(who.get(each).get_data(as_text=True) for each in found if each.startswith("/look/"))
        return any("theme.css" in each for each in found), look

    for path in ("/rooms", "/rooms/new"):
        theme, look = own(path, styled.ada)
        assert theme, (path, sheets(styled.ada.get(path).get_data(as_text=True)))
        assert "z-index" in look, path
    app = styled.app
    plain = [
        rule.rule for rule in app.url_map.iter_rules() if rule.rule.startswith("/moderation") and not rule.arguments
    ]
    paths = [f"/moderation/people/{styled.bob.id}", f"/moderation/rooms/{styled.room}"]
    paths += ["/profile", "/profile/password", "/profile/email", "/devices", "/devices/end-others", "/standing"]
    for path in (*plain, *paths):
        if path == "/moderation/look/preview":
            continue
        page = styled.ada.get(path)
        if page.mimetype != "text/html" or page.status_code != 200:
            continue
        theme, look = own(path, styled.ada)
        assert not theme, path
        assert "z-index" not in look, path
        assert "--accent:" in look, (path, "the accent may stay")
        assert "Skerry Light" in page.get_data(as_text=True), path
    for path in ("/sign-in", "/sign-up", "/setup?token=guessed"):
        theme, look = own(path, styled.nobody)
        assert not theme, path
        assert "z-index" not in look, path
