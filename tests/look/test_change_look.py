"""Changing what the site looks like: through a draft and its preview, by administrators, with a row in the audit log."""

from __future__ import annotations

import json
import re
from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from PIL import Image
from sqlalchemy import select, update

from chat.accounts.models import User
from chat.core.audit import AuditRow
from chat.core.bus import transaction
from chat.core.database import db
from chat.look import site
from chat.look.models import NAME_LIMIT, Look
from chat.look.styles import LIMIT
from tests.conftest import Cast, Member
from tests.moderation.rules.test_rules import at_once
from tests.pictures.samples import png

NAME, ACCENT, CSS = "Skerry Light", "#7a3cc2", ".brand__name { font-style: italic; }"


def try_out(who: Member, **fields: Any) -> Any:
    return who.post("/moderation/look/draft", **fields)


def change(who: Member, **fields: Any) -> None:
    """Try a look out and save it, as the two pages do."""
    answer = try_out(who, **fields)
    assert answer.status_code == 303, answer.text
    assert answer.headers["Location"] == "/moderation/look/preview"
    assert save(who).headers["Location"] == "/moderation/look?saved=1"


def save(who: Member, preview: str = "") -> Any:
    """Press the button of a preview that was opened before, or is opened now."""
    page = preview or who.get("/moderation/look/preview").text
    return who.post("/moderation/look", seen=re.findall(r'name="seen" value="([^"]+)"', page)[0])


def page(who: Any, path: str = "/rooms") -> str:
    return str(who.get(path).get_data(as_text=True))


def sheet(who: Any, path: str = "/rooms") -> str:
    """Return the site's own style sheet, as a page names it; empty where it names none."""
    found = re.search(r'href="(/look/\w+\.css)"', page(who, path))
    return who.get(found[1]).get_data(as_text=True) if found else ""


def rows(app: Flask) -> list[AuditRow]:
    with app.app_context():
        return list(db.session.execute(select(AuditRow).where(AuditRow.action == "look.changed")).scalars())


def test_everybody_sees_the_name_the_accent_and_the_styles(cast: Cast):
    change(cast.ada, name=NAME, accent=ACCENT, css=CSS)
    for who in (cast.bob, cast.mallory):
        assert f'<span class="brand__name">{NAME}</span>' in page(who)
        assert f"· {NAME}</title>" in page(who, "/profile")
        assert "--accent:light-dark(#7a3cc2," in sheet(who)
        assert "font-style: italic" in sheet(who)
    assert NAME in page(cast.nobody, "/sign-in")
    assert "--accent:" in sheet(cast.nobody, "/sign-in")


def test_nobody_sees_a_draft(cast: Cast):
    try_out(cast.ada, name=NAME, accent=ACCENT, css=CSS)
    for who in (cast.bob, cast.mia, cast.ada):
        assert NAME not in page(who)
        assert sheet(who) == ""
    shown = page(cast.ada, "/moderation/look/preview")
    assert f"· {NAME}" in shown or f">{NAME}<" in shown
    draft = re.search(r'href="(/moderation/look/preview\.css\?v=\w+)"', shown)
    assert draft
    assert "italic" in cast.ada.get(draft[1]).text
    assert cast.mia.get(draft[1]).status_code == 404
    assert not rows(cast.app)
    assert "/moderation/look/drop" in page(cast.ada, "/moderation/look")
    asked = page(cast.ada, "/moderation/look/drop")
    assert "cannot be brought back" in asked
    assert "italic" in asked, "its styles can be copied"
    assert cast.ada.post("/moderation/look/drop").status_code == 303
    for path in ("/moderation/look/preview", "/moderation/look/drop"):
        assert cast.ada.get(path).status_code == 303
    assert cast.ada.post("/moderation/look").headers["Location"] == "/moderation/look"
    assert not rows(cast.app)


@pytest.mark.parametrize("who", ["bob", "mallory", "mia"])
def test_only_administrators_may(cast: Cast, who: str):
    member = cast.everybody()[who]
    assert member.get("/moderation/look").status_code == 404
    for path in ("draft", "reset", "drop"):
        assert member.post(f"/moderation/look/{path}", name=NAME).status_code == 404
    assert member.post("/moderation/look").status_code == 404
    assert "/moderation/look" not in page(member)
    with cast.app.app_context():
        assert not db.session.execute(select(Look.id)).all()


def test_a_change_is_in_the_audit_log_with_what_was_before(cast: Cast):
    change(cast.ada, name=NAME, accent=ACCENT)
    change(cast.ada, name="Skerry", accent=ACCENT, css=CSS)
    first, second = rows(cast.app)
    assert first.actor_id == cast.ada.id
    assert json.loads(first.before) == {"name": "", "accent": ""}
    assert json.loads(first.after) == {"name": NAME, "accent": ACCENT}
    assert json.loads(second.before) == {"name": NAME, "css": ""}
    told = json.loads(second.after)
    assert told["name"] == "Skerry"
    assert re.fullmatch(rf"{len(CSS)} characters, [0-9a-f]{{16}}", told["css"])
    assert "Changed the look of the site" in page(cast.ada, "/moderation/audit")


def test_saving_what_is_so_already_says_nothing(cast: Cast):
    change(cast.ada, name=NAME)
    try_out(cast.ada, name=NAME)
    assert "looks already" in page(cast.ada, "/moderation/look/preview")
    save(cast.ada)
    assert len(rows(cast.app)) == 1


@pytest.mark.parametrize("app", ["sqlite", "postgresql"], indirect=True)
def test_pressing_many_times_is_one_change(cast: Cast):
    try_out(cast.ada, name=NAME)
    preview = cast.ada.get("/moderation/look/preview").text
    assert at_once([(cast.ada, lambda who: save(who, preview))] * 8) == [303] * 8
    with cast.app.app_context():
        assert [each for (each,) in db.session.execute(select(Look.id))] == ["site"]
    assert len(rows(cast.app)) == 1


def test_what_somebody_else_saved_meanwhile_is_not_undone_unseen(cast: Cast):
    other = cast.mia
    with cast.app.app_context(), transaction():
        db.session.execute(update(User).where(User.id == other.id).values(role="administrator"))
    try_out(cast.ada, name=NAME)
    opened = cast.ada.get("/moderation/look/preview").text
    assert "This changes the name." in opened
    change(other, accent=ACCENT)
    answer = save(cast.ada, opened)
    assert answer.status_code == 409
    assert "Nothing was saved" in answer.text
    assert "This changes the name and the accent." in answer.text, "as it is now"
    assert ACCENT in sheet(cast.bob)
    assert save(cast.ada, answer.text).status_code == 303, "who saw that may save it"
    assert NAME in page(cast.bob)


def test_a_preview_saves_what_it_showed_and_nothing_of_another_tab(cast: Cast):
    try_out(cast.ada, name=NAME)
    first = cast.ada.get("/moderation/look/preview").text
    try_out(cast.ada, name="Another")
    assert save(cast.ada, first).status_code == 409
    assert "Another" not in page(cast.bob)


def test_a_reset_is_a_preview_too_and_leaves_nothing(cast: Cast):
    change(cast.ada, name=NAME, accent=ACCENT, css=CSS, logo=(BytesIO(png(300, 200)), "logo.png"))
    assert cast.ada.post("/moderation/look/reset").headers["Location"] == "/moderation/look/preview"
    assert NAME in page(cast.bob), "not yet"
    save(cast.ada)
    assert NAME not in page(cast.bob)
    assert sheet(cast.bob) == ""
    assert "/look/" not in page(cast.bob)
    assert json.loads(rows(cast.app)[-1].after) == {"name": "", "accent": "", "css": "", "logo": ""}


# -- the logo


def test_a_logo_is_made_safe_and_everybody_may_see_it(cast: Cast):
    change(cast.ada, logo=(BytesIO(png(300, 200)), "logo.png"))
    for who, path in ((cast.bob, "/rooms"), (cast.nobody, "/sign-in")):
        found = re.search(r'<img class="logo" src="(/look/\w+\.webp)"', page(who, path))
        assert found
        answer = who.get(found[1])
        assert answer.mimetype == "image/webp"
        assert "immutable" in answer.headers["Cache-Control"]
        assert "sandbox" in answer.headers["Content-Security-Policy"]
        with Image.open(BytesIO(answer.data)) as image:
            assert image.size == (200, 200)
    change(cast.ada, name=NAME)
    assert 'class="logo" src="/look/' in page(cast.bob), "another name leaves it as it is"
    change(cast.ada, name=NAME, no_logo="yes")
    assert 'class="logo" src="/look/' not in page(cast.bob)
    assert cast.bob.get(found[1]).status_code == 404


@pytest.mark.parametrize("data", [b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>", b"GIF89a", b""])
def test_what_is_no_picture_is_refused(cast: Cast, data: bytes):
    answer = try_out(cast.ada, name=NAME, logo=(BytesIO(data), "logo.svg"))
    assert answer.status_code == 422
    assert f'value="{NAME}"' in answer.text, "the other fields are still there"
    assert "field--wrong" in answer.text
    with cast.app.app_context():
        assert not db.session.execute(select(Look.id)).all()


# -- what is refused


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("name", "!!!", "letters or digits"),
        ("name", "x" * (NAME_LIMIT + 1), f"{NAME_LIMIT} characters"),
        ("accent", "red", "#rrggbb"),
        ("accent", "#12345", "#rrggbb"),
        ("accent", "#000;}a{b:c", "#rrggbb"),
        ("css", "a { color: red } }", "Line 1 is not CSS"),
        ("css", "@import 'x.css';", "@import"),
        ("css", "a {\n  background: url(//canary.example/x)\n}", "Line 2 has url"),
        ("css", "a{}" * LIMIT, "characters at most"),
    ],
)
def test_a_field_that_is_wrong_comes_back_with_why(cast: Cast, field: str, value: str, said: str):
    answer = try_out(cast.ada, **{field: value})
    assert answer.status_code == 422
    assert said in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert not rows(cast.app)


def test_a_short_accent_is_written_out(cast: Cast):
    change(cast.ada, accent="#73C")
    assert json.loads(rows(cast.app)[0].after) == {"accent": "#7733cc"}


def test_an_accent_that_cannot_be_read_says_what_becomes_of_it(cast: Cast):
    try_out(cast.ada, accent="#ffcc00")
    shown = page(cast.ada, "/moderation/look/preview")
    assert "#ffcc00 cannot be read everywhere as it is" in shown
    assert "in the light look" in shown
    assert "in the dark one" not in shown, "there it can"


# -- around it


def test_safe_mode_shows_the_site_without_its_styles_and_can_be_left(cast: Cast):
    change(cast.ada, name=NAME, accent=ACCENT, css="* { display: none }")
    assert "display: none" in sheet(cast.ada, "/rooms")
    assert "display: none" not in sheet(cast.ada, "/moderation/look")
    asked = page(cast.ada, "/-/safe-mode")
    assert "Turn safe mode on" in asked
    assert "display: none" not in sheet(cast.ada, "/-/safe-mode")
    answer = cast.ada.post("/-/safe-mode", on="1")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/moderation/look")
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "Max-Age" not in cookie, "it ends with the browser"
    for path in ("/rooms", "/moderation/look"):
        assert sheet(cast.ada, path) == ""
        assert "Leave safe mode" in page(cast.ada, path)
    assert sheet(cast.bob), "nobody else is in it"
    assert cast.ada.post("/-/safe-mode").status_code == 303
    assert sheet(cast.ada)


def test_who_is_signed_out_signs_in_without_the_styles_too(cast: Cast):
    change(cast.ada, css="* { display: none }")
    token = re.search(r'name="csrf_token" value="([^"]+)"', page(cast.nobody, "/-/safe-mode"))
    assert token
    answer = cast.nobody.post("/-/safe-mode", data={"csrf_token": token[1], "on": "1"})
    assert answer.headers["Location"] == "/sign-in?next=/moderation/look"
    assert sheet(cast.nobody, answer.headers["Location"]) == ""
    assert "Leave safe mode" in page(cast.nobody, "/sign-in")


def test_who_may_mend_nothing_is_led_to_their_rooms(cast: Cast):
    assert cast.bob.post("/-/safe-mode", on="1").headers["Location"] == "/rooms"


def test_an_address_of_before_is_answered_and_not_kept(cast: Cast):
    change(cast.ada, accent=ACCENT)
    found = re.search(r'href="(/look/\w+\.css)"', page(cast.bob))
    assert found
    assert "immutable" in cast.bob.get(found[1]).headers["Cache-Control"]
    change(cast.ada, accent="#0a6b68")
    answer = cast.bob.get(found[1])
    assert "#0a6b68" in answer.text
    assert answer.headers["Cache-Control"] == "no-cache"
    assert answer.headers["Content-Type"].startswith("text/css")
    assert "style-src 'self'" in answer.headers["Content-Security-Policy"]


def test_styles_that_this_release_does_not_take_stop_no_page(cast: Cast):
    change(cast.ada, accent=ACCENT, css=CSS)
    with cast.app.app_context():
        db.session.execute(Look.__table__.update().values(css="@import 'x'", version="b" * 16))
        db.session.commit()
        site.cache.look()
    assert "--accent:" in sheet(cast.bob)
    assert "@import" not in sheet(cast.bob)


def test_mail_has_the_name(cast: Cast):
    with cast.app.app_context():
        assert site.name() == "Confab"
    change(cast.ada, name=NAME)
    with cast.app.app_context():
        assert site.name() == NAME
