"""What the operator does to accounts from the command line."""

from __future__ import annotations

import pytest

from tests.conftest import Town
from tests.people import PASSWORD
from tests.services import wait_for


@pytest.fixture
def town(quarter: Town) -> Town:
    return quarter


def test_a_role_is_changed(town: Town):
    said = town.alice.say(town.room, "private details")
    remove = lambda: town.bob.post(f"/messages/{said.id}/delete", htmx=True, reason="private").status_code  # noqa: E731
    assert remove() == 403
    done = town.site.flask("user", "role", town.bob.email, "moderator")
    assert done.returncode == 0, done.stderr
    town.bob.sign_in()
    assert remove() in {200, 204}


def test_a_forgotten_password_is_replaced(town: Town):
    done = town.site.flask("user", "password", town.bob.email, "--password-stdin", input="another quiet lamp\n")
    assert done.returncode == 0, done.stderr
    wait_for(lambda: town.bob.get("/rooms").status_code == 303, 5, what="being signed out everywhere")
    town.bob.get("/sign-in")
    assert town.bob.post("/sign-in", email=town.bob.email, password=PASSWORD).status_code == 422
    town.bob.sign_in("another quiet lamp")


def test_mistakes_are_said_in_a_sentence(town: Town):
    for arguments, sentence in (
        (("role", "nobody@example.org", "member"), "no account with the address nobody@example.org"),
        (("role", town.bob.email, "king"), "'king' is not one of"),
        (("password", town.bob.email, "--password-stdin"), "8 to 128 characters"),
    ):
        done = town.site.flask("user", *arguments, input="short\n")
        assert done.returncode != 0
        assert sentence in done.stderr
        assert "Traceback" not in done.stderr
