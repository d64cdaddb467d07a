"""The page and its cursor: what the page lacks comes by the stream, so no message may fall between the two."""

from __future__ import annotations

import threading

import pytest

from chat.core.database import db
from chat.messages import queries, service
from tests.conftest import Cast
from tests.messages.test_timeline import seqs_of, soup

both = pytest.mark.parametrize("app", ["sqlite", "postgresql"], indirect=True)


@both
@pytest.mark.parametrize(
    ("path", "find"),
    [("/messages", "latest"), ("/messages?around=999", "around"), ("?around=999", "around"), ("", "opening")],
)
def test_what_is_posted_while_the_page_is_read_comes_after_its_cursor(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, path: str, find: str
):
    found, seqs = getattr(queries, find), []

    def post(text: str) -> None:
        with cast.app.app_context():
            seqs.append(service.post_message(cast.room, cast.bob.person, text, f"client-{text}").seq)
            db.session.remove()

    def slow(*arguments, **options):
        page = found(*arguments, **options)
        somebody_else = threading.Thread(target=post, args=("meanwhile",))
        somebody_else.start()
        somebody_else.join(5)
        return page

    post("before")
    monkeypatch.setattr(queries, find, slow)
    page = soup(cast.alice, f"/rooms/{cast.room}{path}")
    cursor = int(page.find(attrs={"data-cursor": True})["data-cursor"].rsplit(".", 1)[1])
    assert len(seqs) == 2
    assert [seq for seq in seqs if seq <= cursor and seq not in seqs_of(page)] == []
