"""Pictures that were chosen and never sent: kept for a day, for drafts, and then forgotten."""

from datetime import timedelta
from io import BytesIO
from pathlib import Path

from chat.core import clock, jobs
from chat.messages.listeners import forget_unsent
from tests.conftest import Cast
from tests.pictures.samples import fetch, png, post, seen, upload


def _sweep(cast: Cast) -> None:
    with cast.app.app_context():
        forget_unsent()
        jobs.run_due("destroy_picture")


def test_it_forgets_after_a_day_what_was_never_sent(cast: Cast, monkeypatch, tmp_path: Path):
    unsent, sent, deleted = (upload(cast, png()) for _ in range(3))
    post(cast, sent)
    cast.alice.post(f"/messages/{post(cast, deleted)}/delete", htmx=True)
    cast.alice.post("/profile", name="Alice", status="", theme="auto", picture=(BytesIO(png()), "me.png"))
    _sweep(cast)
    assert seen(cast, unsent)
    late = clock.now() + timedelta(hours=25)
    monkeypatch.setattr(clock, "now", lambda: late)
    _sweep(cast)
    assert fetch(cast.alice, f"/pictures/{unsent}/full").status_code == 404
    assert seen(cast, sent)
    assert "/avatars/" in cast.alice.get("/profile").text
    assert len(list(tmp_path.glob("pictures/**/*-full.webp"))) == 3, "a deleted message may come back with its picture"
