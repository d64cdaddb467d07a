"""A mute everywhere is a mute of everything that others read: no route that publishes text takes any."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest

from chat.core import ids
from chat.moderation.sanctions.ranges import PUBLISHING
from tests.conftest import Cast, Member
from tests.pictures.samples import png

#: Every other route that takes a form, and what speaks for it. A new one is published or belongs here.
QUIET = {
    "one's own affairs": """accounts.sign_in accounts.sign_out accounts.sign_up accounts.set_up accounts.delete_picture
        accounts.update_email accounts.update_password accounts.end_device accounts.end_other_devices
        look.switch_safe_mode messages.discard_picture
        messages.delete messages.read messages.renew_ticket messages.withdraw presence.active rooms.join rooms.leave
        sanctions.mark_read""",
    "shown to nobody while one is muted": "presence.typing",
    "said to moderators, which has to stay possible": """reports.create_for_message reports.create_for_person
        sanctions.appeal""",
    "acts of moderators and owners, who answer for them": """rooms.remove_member""",
}
_OFFICES = ("held.", "keeping.", "look.", "moderation.", "reports.", "rules.", "sanctions.", "staff.", "sweeps.")


def mute(cast: Cast, who: Member, room: str = "") -> None:
    fields = {"person": who.id, "kind": "mute", "room": room, "duration": "1h", "reason": "adverts"}
    assert cast.ada.post("/moderation/sanctions", **fields).status_code == 303


def test_every_route_that_takes_a_form_is_one_or_the_other(cast: Cast):
    forms = {rule.endpoint for rule in cast.app.url_map.iter_rules() if "POST" in (rule.methods or ())}
    quiet = {each for names in QUIET.values() for each in names.split()}
    left = {each for each in forms - PUBLISHING - quiet if not each.startswith(_OFFICES)}
    assert left == set(), (
        "say in QUIET why nobody reads what these take, or have them ask accounts.service.require_may_publish"
    )
    assert forms >= PUBLISHING


@pytest.fixture
def attempts(cast: Cast) -> dict[str, tuple[str, dict[str, Any]]]:
    """Make what each route that publishes is about, and return what bob sends it."""
    said = cast.bob.post(f"/rooms/{cast.room}/messages", htmx=True, body="before", client_id=ids.new())
    message = said.headers["Location"].rsplit("/", 1)[1]
    gone = cast.bob.post(f"/rooms/{cast.room}/messages", htmx=True, body="gone", client_id=ids.new())
    deleted = gone.headers["Location"].rsplit("/", 1)[1]
    cast.bob.post(f"/messages/{deleted}/delete")
    mine = cast.bob.post("/rooms", name="bobs", kind="group").headers["Location"].rsplit("/", 1)[1]
    return {
        "accounts.update_profile": ("/profile", {"name": "Cheap Tickets", "status": "at example.org", "theme": "dark"}),
        "messages.create": (f"/rooms/{cast.room}/messages", {"body": "an advert", "client_id": "muted-client"}),
        "messages.restore": (f"/messages/{deleted}/restore", {}),
        "messages.update": (f"/messages/{message}/edit", {"body": "an advert"}),
        "messages.upload": (f"/rooms/{cast.room}/pictures", {"image": (BytesIO(png(60, 40)), "advert.png")}),
        "rooms.add_member": (f"/rooms/{cast.room}/members", {"email": "stranger@example.org"}),
        "rooms.create": ("/rooms", {"name": "Cheap Tickets", "kind": "open", "purpose": "at example.org"}),
        "rooms.direct": ("/rooms/direct", {"person": cast.mallory.id}),
        "rooms.update_settings": (f"/rooms/{mine}/settings", {"name": "Cheap Tickets", "purpose": "at example.org"}),
    }


@pytest.mark.parametrize("app", ["sqlite", "postgresql"], indirect=True)
def test_no_route_that_publishes_takes_anything(cast: Cast, attempts: dict[str, tuple[str, dict[str, Any]]]):
    assert attempts.keys() == PUBLISHING
    mute(cast, cast.bob)
    for endpoint, (path, fields) in attempts.items():
        answer = cast.bob.post(path, **fields)
        page = answer.get_data(as_text=True)
        assert answer.status_code == 403, endpoint
        assert "You are muted until" in page, endpoint
        for name in fields.keys() & {"name", "status", "purpose", "body", "email"}:
            assert str(fields[name]) in page, (endpoint, "what was typed is still there")
    listed = cast.mallory.get("/rooms").get_data(as_text=True)
    assert "Cheap Tickets" not in listed


def test_a_picture_of_ones_face_is_one_too(cast: Cast):
    mute(cast, cast.bob)
    fields = {"name": cast.bob.name, "status": "", "theme": "dark", "picture": (BytesIO(png(60, 40)), "advert.png")}
    assert cast.bob.post("/profile", **fields).status_code == 403


def test_by_id_and_by_an_address_that_has_an_account(cast: Cast):
    mute(cast, cast.bob)
    for fields in ({"person": cast.mallory.id}, {"email": "mallory@example.org"}):
        assert cast.bob.post(f"/rooms/{cast.room}/members", **fields).status_code == 403


def test_what_stays_possible(cast: Cast):
    before = cast.bob.post("/rooms/direct", person=cast.alice.id).headers["Location"]
    said = cast.alice.post(f"/rooms/{cast.room}/messages", htmx=True, body="rude", client_id=ids.new())
    message = said.headers["Location"].rsplit("/", 1)[1]
    mute(cast, cast.bob)
    assert cast.bob.post("/profile", name=cast.bob.name, status="", theme="dark").status_code == 303
    assert cast.bob.post("/profile/picture/delete").status_code == 303
    assert cast.bob.post("/rooms/direct", person=cast.alice.id).headers["Location"] == before
    assert cast.bob.post(f"/rooms/{cast.open_room}/join").status_code == 303
    assert cast.bob.post(f"/messages/{message}/report", reason="spam", comment="help").status_code == 303
    assert cast.bob.post(f"/people/{cast.alice.id}/report", reason="spam").status_code == 303
    page = cast.bob.get("/standing").get_data(as_text=True)
    sanction = page.split('name="sanction" value="')[1].split('"')[0]
    assert cast.bob.post("/standing/appeals", sanction=sanction, body="Why?").status_code == 303


def test_when_it_is_over_all_of_it_is_taken_again(cast: Cast):
    mute(cast, cast.bob)
    listed = cast.ada.get("/moderation/sanctions").get_data(as_text=True)
    sanction = listed.split("/lift")[0].rsplit("/", 1)[1]
    assert cast.ada.post(f"/moderation/sanctions/{sanction}/lift", reason="a mistake").status_code == 303
    assert cast.bob.post("/profile", name="Bob", status="back", theme="dark").status_code == 303
    assert cast.bob.post("/rooms", name="mine", kind="open").status_code == 303


def test_an_owner_muted_in_a_room_renames_it_not_and_others_as_ever(cast: Cast):
    mute(cast, cast.alice, cast.room)
    refused = cast.alice.post(f"/rooms/{cast.room}/settings", name="an advert", purpose="")
    assert refused.status_code == 403
    assert "an advert" in refused.get_data(as_text=True)
    invited = cast.alice.post(f"/rooms/{cast.room}/members", email="stranger@example.org")
    assert invited.status_code == 403
    assert cast.alice.post(f"/rooms/{cast.open_room}/settings", name="for all", purpose="").status_code == 303
    assert cast.alice.post("/profile", name="Alice", status="here", theme="dark").status_code == 303
