"""What somebody calls themselves is nothing for a stranger's mailbox: no subject, no link, no advert."""

from __future__ import annotations

from pathlib import Path

import pytest

from chat.core.names import harmless
from tests.conftest import Cast
from tests.notifications.mailbox import forget_jobs, outbox, parts, run, sign_up

HOSTILE = {
    "B <iframe srcdoc=x>": "B iframe srcdoc x",
    "https://evil.example/win": "https evil. example win",
    "evil.com": "evil. com",
    "www.evil.com now": "www. evil. com now",
    "mail me@evil.com": "mail me evil. com",
    "evil。com": "evil com",
    "ｅｖｉｌ．ｃｏｍ": "evil. com",
    "Call +49 170 555-0198": "Call …",
    "[Win](//evil.com)": "Win evil. com",
    "=?utf-8?q?Win?=": "utf-8 q Win",
    "evil\u2024com": "evil. com",
    "You have won a prize, come and fetch it today, it is free": "You have won a prize come and fetch it t…",
    "Dr. J. R. O'Brien-Łukasz": "Dr. J. R. O'Brien-Łukasz",
    "有井 ゆき": "有井 ゆき",
    "नमस्ते": "नमस्ते",
    "علی\u200cرضا": "علی\u200cرضا",
}


@pytest.mark.parametrize(("name", "said"), HOSTILE.items())
def test_a_name_is_said_without_what_mail_programs_make_links_of(name: str, said: str):
    assert harmless(name) == said


@pytest.mark.parametrize("name", ["B <iframe srcdoc=x>", "evil.com", "Win at https://evil.com/x"])
def test_no_e_mail_has_it_in_the_subject_or_as_a_link(cast: Cast, name: str, tmp_path: Path):
    forget_jobs(cast.app)
    cast.alice.post("/profile", name=name, status="", theme="auto")
    cast.alice.post(f"/rooms/{cast.room}/settings", name=f"{name} room", purpose="")
    assert cast.alice.post(f"/rooms/{cast.room}/members", email="stranger@example.org").status_code == 303
    sign_up(cast.app, email="victim@example.org", name=f"{name} too")
    run(cast.app)
    mails = outbox(tmp_path)
    assert sorted(mail["Subject"] for mail in mails) == ["An invitation to Confab", "Welcome to Confab"]
    for mail in mails:
        for part in parts(mail):
            assert "evil.com" not in part
            assert "<iframe" not in part
            assert "iframe srcdoc" not in part or "iframe srcdoc x" in part
