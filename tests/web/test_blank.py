"""What is nothing to see is nothing that was written, wherever a text is asked for."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from chat.accounts.models import User
from chat.core.database import db
from chat.core.names import is_blank
from tests.conftest import Cast

BLANKS = [
    "\u3164", "\u115f\u1160", "\uffa0", "\u200b", "\u2800", "\u00ad", "\u034f", "\ufe0f", "\U000e0041\U000e007f", "\u2060",
    "\u180b\u180e", "\u17b4\u17b5", "\u061c", "\U000e0100", "\u3000", "\x85\x9f", "\u2028", "\U0001d159", "\U0001d173",
    "\ufff0", "\U000e0fff", "\u00a0 \t\u2063",
]  # fmt: skip


def test_a_text_of_nothing_is_none(cast: Cast):
    """Each field says what it would say of an empty one; what may be empty is stored as empty."""
    alice, ada, mia = cast.alice, cast.ada, cast.mia
    alice.post(f"/rooms/{cast.room}/messages", body="hello", client_id="client-1")
    message = alice.get(f"/rooms/{cast.room}").get_data(as_text=True).split('id="message_')[1][:16]
    token = cast.nobody.get("/sign-up").get_data(as_text=True).split('name="csrf_token" value="')[1].split('"')[0]
    account = {"csrf_token": token, "email": "blank@example.org", "password": "a boat beyond the bay"}
    rule = {"kind": "words", "action": "block"}
    mute = {"person": cast.bob.id, "kind": "mute", "duration": "1h"}
    for blank in BLANKS:
        assert is_blank(blank)
        answers = {
            "sign-up": cast.nobody.post("/sign-up", data=account | {"name": blank}),
            "message": alice.post(f"/rooms/{cast.room}/messages", body=blank, client_id="client-2"),
            "edit": alice.post(f"/messages/{message}/edit", body=blank),
            "name": alice.post("/profile", name=blank, status="", theme="auto"),
            "room": alice.post("/rooms", name=blank, kind="open"),
            "room renamed": alice.post(f"/rooms/{cast.room}/settings", name=blank, purpose=""),
            "reason of a removal": mia.post(f"/messages/{message}/delete", reason=blank),
            "report": cast.bob.post(f"/messages/{message}/report", reason="other", comment=blank),
            "mute": ada.post("/moderation/sanctions", **mute, reason=blank),
            "role": ada.post(f"/moderation/people/{cast.bob.id}/role", role="moderator", reason=blank),
            "rule": ada.post("/moderation/rules", **rule, name=blank, words="casino"),
            "word of a rule": ada.post("/moderation/rules", **rule, name="A", words=blank),
            "hold": ada.post("/moderation/holds", name=blank, reason=blank),
        }
        wrong = {field: answer.status_code for field, answer in answers.items() if answer.status_code != 422}
        assert not wrong, ascii(blank)
        assert alice.post("/profile", name="Alice", status=blank, theme="auto").status_code == 303
        with cast.app.app_context():
            assert db.session.execute(select(User.status).where(User.id == alice.id)).scalar_one() == ""


@pytest.mark.parametrize(
    "text", ["a", ".", "\u0301", "\u0600", "🏳️\u200d🌈", "ㅤx", "\U000f0000", "ᅟᅠ한", "\u1680x"], ids=ascii
)
def test_a_text_with_something_in_it_is_one(text: str):
    assert not is_blank(text)
