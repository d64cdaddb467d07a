"""Times are bounded once: in forms, filters and addresses, in every zone, and what is stored beyond breaks no page."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import update

from chat.core import clock
from chat.core.database import db
from chat.moderation.sanctions.models import Sanction
from chat.web import zones
from tests.conftest import Cast, Member

ZONES = ["UTC", "America/New_York", "Europe/Berlin", "Asia/Tokyo", "Pacific/Kiritimati", "Pacific/Pago_Pago"]
both = pytest.mark.parametrize("app", ["sqlite", "postgresql"], indirect=True)


def mute(cast: Cast, until: str, **more: str):
    fields = {"person": cast.bob.id, "kind": "mute", "duration": "until", "until": until, "reason": "flooding"} | more
    return cast.ada.post("/moderation/sanctions", **fields)


def in_zone(zone: str, *people: Member) -> None:
    for each in people:
        each.client.set_cookie("tz", zone)


@pytest.mark.parametrize("until", ["9999-12-31T23:59", "2200-01-01T00:00", "0001-01-01T00:00", "1969-12-31T23:59"])
def test_a_moment_that_no_calendar_of_ours_has_is_refused_in_words(cast: Cast, until: str):
    for zone in ZONES:
        in_zone(zone, cast.ada)
        answer = mute(cast, until)
        assert answer.status_code == 422, zone
        page = answer.get_data(as_text=True)
        assert "Choose a day from 1970 to 2199" in page
        assert f'value="{until}"' in page, "what was typed is still there"


def test_what_has_an_end_in_two_hundred_years_is_taken(cast: Cast):
    in_zone("America/New_York", cast.ada)
    assert mute(cast, "2199-12-31T23:59").status_code == 303
    assert "2199" in cast.ada.get("/moderation/sanctions").get_data(as_text=True)


@pytest.mark.parametrize("day", ["9999-12-31", "0001-01-01"])
def test_a_day_beyond_is_no_filter_and_no_hold(cast: Cast, day: str):
    for zone in ZONES:
        in_zone(zone, cast.ada)
        assert cast.ada.get(f"/moderation/removed?since={day}&until={day}").status_code == 200
        assert cast.ada.get(f"/moderation/edited?since={day}&until={day}").status_code == 200
        answer = cast.ada.post("/moderation/holds", name="Case", since=day, until=day, reason="asked for")
        assert answer.status_code == 422
        assert "Choose a day from 1970 to 2199." in answer.get_data(as_text=True)


@both
def test_what_is_stored_already_breaks_no_page(cast: Cast):
    assert mute(cast, "2030-01-01T00:00").status_code == 303
    with cast.app.app_context():
        db.session.execute(update(Sanction).values(expires_at=datetime(9999, 12, 31, 23, 59, tzinfo=UTC)))
        db.session.commit()
    for zone in ZONES:
        in_zone(zone, cast.ada, cast.bob)
        for who, path in (
            (cast.ada, "/moderation/sanctions"),
            (cast.ada, f"/moderation/people/{cast.bob.id}"),
            (cast.bob, "/standing"),
        ):
            page = who.get(path)
            assert page.status_code == 200, (zone, path)
            assert "9999" in page.get_data(as_text=True)


@pytest.mark.parametrize(
    ("zone", "text", "moment"),
    [
        (
            "Europe/Berlin",
            "2026-03-29T02:30",
            "2026-03-29T01:30",
        ),  # does not come: half an hour after two, which is three
        ("Europe/Berlin", "2026-10-25T02:30", "2026-10-25T00:30"),  # comes twice: the first
        ("Europe/Berlin", "2026-10-25T03:30", "2026-10-25T02:30"),
        ("Asia/Kathmandu", "2026-01-01T00:00", "2025-12-31T18:15"),
        ("Pacific/Apia", "2011-12-30T12:00", "2011-12-30T22:00"),  # a day that Samoa left out
        ("Nowhere/Land", "2026-01-01T00:00", "2026-01-01T00:00"),
    ],
)
def test_an_hour_is_that_of_the_zone(cast: Cast, zone: str, text: str, moment: str):
    with cast.app.test_request_context(headers={"Cookie": f"tz={zone}"}):
        assert zones.iso(zones.from_reader(text))[:16] == moment


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", "2026-03-29", 23),
        ("Europe/Berlin", "2026-10-25", 25),
        ("Africa/Cairo", "2026-04-24", 23),
        ("UTC", "2026-04-24", 24),
    ],
)
def test_a_day_is_as_long_as_it_is_there(cast: Cast, zone: str, day: str, hours: int):
    """Removed until a day: up to where the next one begins."""
    with cast.app.test_request_context(headers={"Cookie": f"tz={zone}"}):
        length = zones.day_from_reader(day, 1) - zones.day_from_reader(day)
        assert length.total_seconds() == hours * 3600


def test_a_moment_is_written_so_that_scripts_can_read_it():
    assert zones.iso(datetime(1, 1, 1, tzinfo=UTC)) == "0001-01-01T00:00:00.000Z"
    assert zones.iso(clock.FOREVER) == "9999-01-01T00:00:00.000Z"
