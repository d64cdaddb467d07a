"""The invitation: an e-mail with a link that works once, leads to this site whatever a request says, and is kept nowhere."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from chat.accounts.models import Invitation
from chat.core.database import db
from tests.conftest import Cast, make_cast
from tests.notifications.mailbox import forget_jobs, job, outbox, parts, run, sign_up

MakeApp = Callable[..., tuple[Flask, dict[str, str]]]
NEWCOMER = "ines@example.org"


@pytest.fixture
def cast(make_app: MakeApp) -> Cast:
    made = make_cast(*make_app(BASE_URL="http://localhost:8000", SITE_NAME="Skerry Light"))
    forget_jobs(made.app)
    return made


def _invite(cast: Cast, email: str = NEWCOMER, **headers: str) -> int:
    answer = cast.alice.post(f"/rooms/{cast.room}/members", email=email, headers=headers)
    return int(answer.status_code)


def _link(cast: Cast, folder: Path) -> str:
    """Return the link of the one invitation, which text and HTML must have in common."""
    run(cast.app)
    (mail,) = outbox(folder)
    text, html = parts(mail)
    (link,) = re.findall(r"http\S+", text)
    assert link in html
    return link


def test_it_says_who_invites_and_to_what(cast: Cast, tmp_path: Path):
    assert _invite(cast) == 303
    link = _link(cast, tmp_path)
    (mail,) = outbox(tmp_path)
    assert (mail["To"], mail["Subject"]) == (NEWCOMER, "An invitation to Skerry Light")
    assert all("Alice Okafor" in body and "lamp-room" in body for body in parts(mail))
    assert re.fullmatch(r"http://localhost:8000/sign-up\?invitation=[\w-]{43}", link)


def test_it_leads_into_the_room_once(cast: Cast, tmp_path: Path):
    _invite(cast)
    link = _link(cast, tmp_path)
    path, token = link.removeprefix("http://localhost:8000"), link.partition("=")[2]
    newcomer = cast.app.test_client()
    page = newcomer.get(path).get_data(as_text=True)
    assert "Alice Okafor" in page
    client, answer = sign_up(cast.app, email=NEWCOMER, token=token)
    assert answer.status_code == 303
    assert client.get(f"/rooms/{cast.room}").status_code == 200
    _, again = sign_up(cast.app, email="eve@example.org", token=token)
    other = cast.app.test_client()
    assert again.status_code in {303, 403, 404, 409, 422}
    assert other.get(f"/rooms/{cast.room}").status_code == 303
    with cast.app.app_context():
        assert db.session.execute(select(Invitation)).scalar_one().used_by is not None


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "127.0.0.1:8000"},
        {"X-Forwarded-Host": "evil.example"},
        {"X-Forwarded-Proto": "https", "Forwarded": "host=evil.example"},
        {"X-Original-URL": "http://evil.example/"},
    ],
)
def test_it_leads_here_whatever_the_request_says(cast: Cast, headers: dict[str, str], tmp_path: Path):
    session = cast.alice.client.get_cookie("confab-session")
    cast.alice.client.set_cookie("confab-session", session.value, domain="127.0.0.1")
    assert _invite(cast, **headers) == 303
    assert _link(cast, tmp_path).startswith("http://localhost:8000/sign-up?")


def test_it_is_not_made_for_another_host(cast: Cast, tmp_path: Path):
    assert _invite(cast, Host="evil.example") == 400
    run(cast.app)
    assert outbox(tmp_path) == []


def test_it_is_kept_as_a_hash_alone_once_it_is_sent(cast: Cast, tmp_path: Path):
    _invite(cast)
    token = _link(cast, tmp_path).partition("=")[2]
    assert job(cast.app, "invitation_mail").payload == {}
    with cast.app.app_context():
        rows = db.session.execute(select(Invitation.secret_hash)).scalars().all()
    assert token not in rows


def test_it_is_not_sent_when_it_was_used_meanwhile(cast: Cast, tmp_path: Path):
    _invite(cast)
    token = job(cast.app, "invitation_mail").payload["token"]
    sign_up(cast.app, email=NEWCOMER, token=token)
    run(cast.app, "invitation_mail")
    assert outbox(tmp_path) == []
    assert job(cast.app, "invitation_mail").finished_at is not None


def test_it_adds_who_has_an_account_without_an_e_mail(cast: Cast, tmp_path: Path):
    assert _invite(cast, email="mallory@example.org") == 303
    run(cast.app)
    assert outbox(tmp_path) == []
    assert cast.mallory.get(f"/rooms/{cast.room}").status_code == 200


BREAKING = "Eve\r\nBcc: victim@example.org\r\n\r\nBuy lamps"


@pytest.mark.parametrize("way", ["the profile", "the command line"])
def test_a_name_adds_no_header(cast: Cast, way: str, tmp_path: Path):
    if way == "the profile":
        assert cast.alice.post("/profile", name=BREAKING, status="", theme="auto").status_code == 303
        _invite(cast)
    else:
        made = cast.app.test_cli_runner().invoke(
            args=["user", "add", BREAKING, NEWCOMER, "--password-stdin"], input="a quiet lamp over the bay\n"
        )
        assert made.exit_code == 0, made.output
    run(cast.app)
    (mail,) = outbox(tmp_path)
    assert {name.lower() for name in mail.keys()} == {"from", "to", "subject", "mime-version", "content-type"}  # noqa: SIM118
    assert mail["To"] == NEWCOMER
    assert "Eve Bcc victim example. org Buy lamps" in " ".join(parts(mail)[0].split() + str(mail["Subject"]).split())


def test_the_name_of_a_room_adds_no_header(cast: Cast, tmp_path: Path):
    settings = {"name": "lamps\r\nBcc: victim@example.org", "purpose": "", "kind": "group"}
    assert cast.alice.post(f"/rooms/{cast.room}/settings", **settings).status_code == 303
    _invite(cast)
    run(cast.app)
    (mail,) = outbox(tmp_path)
    assert "bcc" not in {name.lower() for name in mail.keys()}  # noqa: SIM118
    assert "lamps Bcc victim example. org" in " ".join(parts(mail)[0].split())


@pytest.mark.parametrize(
    "email",
    ["eve@example.org\r\nBcc: victim@example.org", "eve@example.org,victim@example.org", "Eve <eve@example.org>"],
)
def test_an_address_is_one_address(cast: Cast, email: str, tmp_path: Path):
    assert _invite(cast, email=email) == 422
    run(cast.app)
    assert outbox(tmp_path) == []
