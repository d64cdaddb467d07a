"""A theme has another template for one room, or for one kind of room; the most specific name wins."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from chat.core.database import db
from chat.messages.contexts import MessageContext
from chat.realtime.frames import _renderers
from chat.web.templating import for_room
from tests.conftest import Cast, make_cast


def themed(folder: Path, **files: str) -> str:
    for name, source in files.items():
        path = folder / "theme/templates" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
    (folder / "theme").mkdir(exist_ok=True)
    return str(folder / "theme")


@pytest.fixture
def dress(make_app: Callable, tmp_path: Path) -> Callable[..., Cast]:
    def make(**files: str) -> Cast:
        app, ids = make_app(THEME_DIR=themed(tmp_path, **files))
        return make_cast(app, ids)

    return make


def page(cast: Cast, room: str) -> str:
    return cast.alice.get(f"/rooms/{room}").get_data(as_text=True)


def block(text: str) -> str:
    return '{% extends "default/rooms/show.html" %}{% block notices %}' + text + "{% endblock %}"


def test_one_block_is_replaced_and_the_rest_stays(dress: Callable[..., Cast]):
    cast = dress(**{"rooms/show.html": block("be kind in {{ room.name }}")})
    html = page(cast, cast.room)
    assert "be kind in lamp-room" in html
    assert 'id="body"' in html


def test_a_kind_has_its_own_page(dress: Callable[..., Cast]):
    cast = dress(**{"rooms/show.html": block("for all"), "rooms/show-open.html": block("for open ones")})
    assert "for open ones" in page(cast, cast.open_room)
    assert "for all" in page(cast, cast.room)


def test_a_room_has_its_own_page_and_messages(make_app: Callable, tmp_path: Path):
    theme = tmp_path / "theme"
    themed(tmp_path, **{"messages/_message-group.html": '<li class="message">of a group: {{ message.html }}</li>'})
    app, ids = make_app(THEME_DIR=str(theme))
    themed(tmp_path, **{f"rooms/show-{ids['room']}.html": block("for this one")})
    app, ids = make_app(THEME_DIR=str(theme))
    cast = make_cast(app, ids)
    for room in (cast.room, cast.open_room):
        assert cast.alice.post(f"/rooms/{room}/messages", body="hello", client_id=f"theme-{room}").status_code == 303
    assert "for this one" in page(cast, cast.room)
    assert "of a group: <p>hello</p>" in page(cast, cast.room), "on the page"
    assert "of a group" not in page(cast, cast.open_room)


def test_what_everybody_is_sent_is_that_of_the_room(dress: Callable[..., Cast]):
    """Rendered without a request, and without anybody who looks."""
    cast = dress(**{"messages/_message-group.html": "<li>of a group: {{ message.html }}</li>"})
    with cast.app.app_context():
        found = [for_room("messages/_message.html", room) for room in (cast.room, cast.open_room)]
        assert found == ["messages/_message-group.html", "messages/_message.html"]
        event = type("Posted", (), {"room_id": cast.room, "ref_id": "m", "subject": MessageContext.sample()})()
        (html,) = _renderers["message.posted"]([event])
        assert html.startswith("<li>of a group: <p>Lift")
        db.session.remove()


def test_nobody_asks_for_the_kind_where_no_theme_has_one(dress: Callable[..., Cast]):
    cast = dress(**{"rooms/show.html": block("for all")})
    cast.app.extensions["own_templates"].kind_of = None
    assert "for all" in page(cast, cast.room)


def test_a_page_says_what_was_considered_while_somebody_develops(
    dress: Callable[..., Cast], monkeypatch: pytest.MonkeyPatch
):
    files = {"rooms/show-group.html": block("for groups")}
    assert "<!--" not in page(dress(**files), dress(**files).room)
    monkeypatch.setenv("FLASK_DEBUG", "1")
    cast = dress(**files)
    html = page(cast, cast.room)
    names = f"rooms/show-{cast.room}.html, rooms/show-group.html, rooms/show.html"
    assert f"<!-- rooms/show-group.html of the theme, of {names} -->" in html
    assert f"<!-- messages/_composer.html as shipped, of messages/_composer-{cast.room}.html, " in html
    assert "<!-- rooms/index.html as shipped -->" in cast.alice.get("/rooms").get_data(as_text=True)
