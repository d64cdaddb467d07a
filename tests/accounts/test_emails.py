"""An e-mail address is one and the same however it is written, whichever door it comes in by."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from chat.accounts import emails, queries, service
from chat.accounts.models import Invitation
from chat.core.database import db
from chat.core.errors import Invalid
from tests.accounts.test_known_browsers import sign_in
from tests.conftest import Cast, Town
from tests.notifications.mailbox import sign_up
from tests.people import PASSWORD

ONE = "victor@bücher.example"
SPELLINGS = [
    "Victor@Bücher.EXAMPLE",
    "victor@xn--bcher-kva.example",
    "victor@bu\u0308cher.example",
    " victor@ｂücher.example ",
]


@pytest.mark.parametrize("text", SPELLINGS)
def test_it_has_one_form(text: str):
    assert emails.normal(text.strip()) == ONE
    assert emails.normal(ONE) == ONE


@pytest.mark.parametrize(
    "text",
    ["vic\u034ftor@example.org", "victor\u3164@example.org", "victor\ufe0f@example.org", "vic\u200btor@example.org",
     "victor\u115f@example.org", "vic\u00adtor@example.org", "ｖictor@example.org", "victor@exam\u200bple.org", "ﬁ@example.org",
     "", "victor", "victor@", "@example.org", "victor@" + "a." * 130 + "org"],
)  # fmt: skip
def test_what_hides_something_is_none(text: str):
    with pytest.raises(Invalid, match="no e-mail address"):
        emails.normal(text)


@pytest.mark.parametrize("text", SPELLINGS)
def test_one_signs_in_with_any(cast: Cast, text: str):
    _, answer = sign_up(cast.app, email=SPELLINGS[0])
    assert answer.status_code == 303
    assert sign_in(cast.app.test_client(), text).status_code == 303


@pytest.mark.parametrize("text", SPELLINGS)
def test_nobody_else_signs_up_with_another(cast: Cast, text: str):
    sign_up(cast.app, email=ONE)
    _, answer = sign_up(cast.app, "Victor Two", email=text)
    assert answer.status_code == 422
    answer = cast.alice.post("/profile/email", email=text, current_password=PASSWORD)
    assert answer.status_code == 422


@pytest.mark.parametrize("text", SPELLINGS)
def test_an_invitation_is_for_the_one(cast: Cast, text: str):
    assert cast.alice.post(f"/rooms/{cast.room}/members", email=text).status_code == 303
    with cast.app.app_context():
        assert db.session.execute(select(Invitation.email)).scalars().all() == [ONE]
        service.add_user("Victor Lind", SPELLINGS[1], PASSWORD, "member")
        found = queries.user_by_email(text.strip())
        assert found is not None
        assert found.email == ONE


def test_guesses_are_counted_together(make_app):
    app, _ = make_app(RATE_LIMITS=True)
    answers = [sign_in(app.test_client(), SPELLINGS[n % 3], f"guess {n}").status_code for n in range(7)]
    assert answers == [422] * 5 + [429] * 2


def test_the_command_line_knows_any(town: Town):
    done = town.site.flask("user", "role", f" {town.bob.email.upper()}".strip(), "moderator")
    assert done.returncode == 0, done.stderr
    page = town.alice.page("/moderation/security?kind=role.changed")
    assert [cell.get_text(strip=True) for cell in page.select("tbody .table__person bdi")] == [town.bob.name]
