"""What a name may hold, whose names nobody may take, and how two that look alike are told apart."""

from __future__ import annotations

import pytest
from bs4 import BeautifulSoup
from flask_migrate import downgrade, upgrade
from sqlalchemy import select, text

from chat.accounts import service
from chat.accounts.models import User
from chat.core import names
from chat.core.database import db
from tests.conftest import Cast, Member
from tests.people import PASSWORD
from tests.services import ROOT

both = pytest.mark.parametrize("app", ["sqlite", "postgresql"], indirect=True)
#: What one reads as Ada Lindqvist, who administers the site.
LIKE_ADA = [
    "Ada Lindqvist", "ada lindqvist", "ADA LINDQVIST", "Ada\u200b Lindqvist", "Ada\u034f Lindqvist",
    "Ada\u3164Lindqvist", "Аdа Lіndqvіst", "Ada L1ndqvist", "Ada Iindqvist", "Adа Lindqviѕt",
    "Ａｄａ　Ｌｉｎｄｑｖｉｓｔ", "𝓐𝓭𝓪 𝓛𝓲𝓷𝓭𝓺𝓿𝓲𝓼𝓽", "Åda Líndqvist", "ꓮda Lindqvist", "Ꭺda Lindqvist", "Ada.Lindqvist",
    "AdaLindqvist", "Ada Lindqvist #k3fm", "Ada Lindqvi\u0282t", "\u202eAda Lindqvist",
]  # fmt: skip


def rename(who: Member, name: str):
    return who.post("/profile", name=name, status="", theme="auto")


def called(cast: Cast, person: Member) -> str:
    with cast.app.app_context():
        return str(db.session.execute(select(User.name).where(User.id == person.id)).scalar_one())


def test_nobody_is_called_like_those_who_run_the_site(cast: Cast):
    page = cast.nobody.get("/sign-up").get_data(as_text=True)
    token = page.split('name="csrf_token" value="')[1].split('"')[0]
    for name in LIKE_ADA:
        answer = rename(cast.mallory, name)
        assert answer.status_code == 422, name
        assert "Somebody who runs this site" in answer.get_data(as_text=True)
        account = {"csrf_token": token, "name": name, "email": "x@example.org", "password": PASSWORD}
        answer = cast.nobody.post("/sign-up", data=account)
        assert answer.status_code == 422, name
        assert "Somebody who runs this site" in answer.get_data(as_text=True)
    assert called(cast, cast.mallory) == "Mallory Finch"
    made = cast.app.test_cli_runner().invoke(
        args=["user", "add", "Аda Lindqvist", "x@example.org", "--password-stdin"], input=PASSWORD + "\n"
    )
    assert made.exit_code == 1
    assert "Somebody who runs this site" in made.output
    assert rename(cast.ada, "Ada Lindqvist").status_code == 303, "herself"


@pytest.mark.parametrize("name", ["Ada Lindquist-Berg", "Adam Lindqvist", "Ida Holm"])
def test_a_name_that_only_begins_like_one_is_taken(cast: Cast, name: str):
    assert rename(cast.mallory, name).status_code == 303
    assert called(cast, cast.mallory) == name


@both
@pytest.mark.parametrize("name", ["Alice Okafor", "Alice\u2060 Okafor", "Аlice Окafor", "A1ice Okafor"])
def test_who_looks_like_somebody_is_told_apart_wherever_they_are_shown(cast: Cast, name: str):
    cast.bob.post(f"/rooms/{cast.room}/messages", body="give me the key", client_id="client-1")
    assert rename(cast.bob, name).status_code == 303
    tag = f"#{cast.bob.id[:4]}"
    for path in (f"/rooms/{cast.room}", f"/rooms/{cast.room}/members", f"/moderation/people/{cast.bob.id}"):
        shown = BeautifulSoup(cast.mia.get(path).get_data(as_text=True), "html.parser").get_text()
        assert tag in shown, path
    cast.bob.post(f"/rooms/{cast.room}/messages", body="the key", client_id="client-2")
    preview = BeautifulSoup(cast.mia.get("/rooms").get_data(as_text=True), "html.parser")
    assert tag in preview.select_one(f'[data-room="{cast.room}"]').get_text()
    form = BeautifulSoup(cast.bob.get("/profile").get_data(as_text=True), "html.parser")
    assert "#" not in form.select_one("#name")["value"]
    assert tag in form.select_one("#name-hint").text
    assert called(cast, cast.alice) == "Alice Okafor", "who was here first keeps the name as it is"
    assert rename(cast.bob, called(cast, cast.bob)).status_code == 303
    assert called(cast, cast.bob).count("#") == 1
    assert rename(cast.bob, f"Bob de Vos {tag}").status_code == 303
    assert called(cast, cast.bob) == "Bob de Vos"


def test_what_tells_apart_cannot_be_borrowed(cast: Cast):
    rename(cast.bob, "Alice Okafor")
    rename(cast.mallory, called(cast, cast.bob))
    assert called(cast, cast.mallory).endswith(f" #{cast.mallory.id[:4]}")


def test_who_comes_to_run_the_site_comes_first(cast: Cast):
    rename(cast.bob, "Alice Okafor")
    with cast.app.app_context():
        service.change_role(cast.bob.id, "moderator")
    assert called(cast, cast.bob) == "Alice Okafor"
    assert called(cast, cast.alice) == f"Alice Okafor #{cast.alice.id[:4]}"
    assert cast.alice.post("/profile", name=called(cast, cast.alice), status="here", theme="auto").status_code == 303


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Al\u200bice", "Alice"), ("Al\u202eice", "Alice"), ("Al\u3164ice", "Alice"), ("Alice\u2028Berg", "Alice Berg"),
        ("Z" + "\u0301" * 200, "Ź\u0301\u0301\u0301"), ("A" + "\u0489" * 100, "A"), ("\u0301Alice", "Alice"),
        ("👩\u200d🚀 Sam", "👩\u200d🚀 Sam"), ("علی\u200cرضا", "علی\u200cرضا"), ("e\u0301lodie", "élodie"), ("a\u0007b", "ab"),
        ("Nguyễn Đức", "Nguyễn Đức"), ("क्\u200dषमा", "क्\u200dषमा"), ("Ａｄ\u00a0 o", "Ａｄ o"),
    ],
)  # fmt: skip
def test_a_name_is_kept_without_what_nobody_sees(cast: Cast, typed: str, kept: str):
    assert rename(cast.bob, typed).status_code == 303
    assert called(cast, cast.bob) == kept


@both
def test_its_length_is_what_people_see(cast: Cast):
    assert rename(cast.bob, "नि" * 63 + "a").status_code == 303, "128 characters as computers count"
    assert rename(cast.bob, "नि" * 65).status_code == 422
    assert "this one has 65" in rename(cast.bob, "n" * 65).get_data(as_text=True)
    assert "too many parts" in rename(cast.bob, "a" + "👨\u200d👩\u200d👧\u200d👦" * 60).get_data(as_text=True)
    assert rename(cast.bob, "!!! 🎉").status_code == 422


@both
def test_rooms_and_people_of_before_are_folded_and_told_apart_again(cast: Cast):
    with cast.app.app_context():
        folder = str(ROOT / "migrations")
        downgrade(directory=folder, revision="5c0e7b41d2aa")
        for person, name in ((cast.bob, "Ada Lindqvist"), (cast.mallory, "Søren"), (cast.mia, "Søren")):
            statement = text("UPDATE users SET name = :name, folded_name = 'old' WHERE id = :id")
            db.session.execute(statement, {"name": name, "id": person.id})
        db.session.commit()
        upgrade(directory=folder)
        found = {row.id: row for row in db.session.execute(select(User)).scalars()}
        assert found[cast.ada.id].name == "Ada Lindqvist"
        assert found[cast.bob.id].name == f"Ada Lindqvist #{cast.bob.id[:4]}"
        assert found[cast.mia.id].name == "Søren", "who moderates comes first"
        assert found[cast.mallory.id].folded_name.startswith("soren #")


# -- rooms


def test_a_room_that_looks_like_an_open_one_is_told_apart(cast: Cast):
    for name in ("everyone", "Everyone", "еvегyonе", "every\u200bone"):
        room = cast.mallory.post("/rooms", name=name, kind="open").headers["Location"].rsplit("/", 1)[1]
        title = BeautifulSoup(cast.mallory.get(f"/rooms/{room}").get_data(as_text=True), "html.parser").title
        assert f"#{room[:4]}" in title.get_text(), name
    title = BeautifulSoup(cast.alice.get(f"/rooms/{cast.open_room}").get_data(as_text=True), "html.parser").title
    assert "#" not in title.get_text()


def test_a_group_is_nobody_elses_business(cast: Cast):
    """Somebody outside learns nothing of the name of a room that they do not see."""
    room = cast.mallory.post("/rooms", name="lamp-room", kind="group").headers["Location"].rsplit("/", 1)[1]
    title = BeautifulSoup(cast.mallory.get(f"/rooms/{room}").get_data(as_text=True), "html.parser").title
    assert "#" not in title.get_text()


# -- looking for people


@both
def test_people_are_found_by_what_one_types(cast: Cast):
    """Each is found by what stands behind it, and the page is sorted by it, too."""
    known = {
        "Søren": "soren", "Łukasz": "lukasz", "Işık": "isik", "Đorđe": "dorde", "Þór": "thor", "Élodie": "elodie",
        "Groß": "gross", "Ærø": "aero", "Œuvre": "oeuvre", "Ħal": "hal", "Ŧim": "tim", "Ŋaro": "naro",
        "İlker": "ilker", "Nguyễn Đức Ưng": "duc ung", "Άννα": "αννα", "Ёлкина": "елкина", "Ｓａｍ": "sam",
        "O\u2019Brien": "o'brien", "Jean\u2011Luc": "jean-luc", "Ɓala": "bala", "Ďurčo": "durco", "Ĳssel": "ijssel",
        "e\u0301tienne": "etienne", "Ɠuro": "guro", "Ǥaas": "gaas",
    }  # fmt: skip
    for name, typed in known.items():
        assert rename(cast.bob, name).status_code == 303, name
        for search in (typed, typed.upper(), name):
            page = cast.ada.get("/moderation/people", query_string={"search": search}).get_data(as_text=True)
            assert f"/moderation/people/{cast.bob.id}" in page, (name, search)


def test_the_table_of_look_alikes_is_there():
    with_marks = names.likeness("Rőöt Ądmin")
    assert with_marks == names.likeness("Root Admin") == names.likeness("ᖇᗝᗝT ᗩDᗰIᑎ")
    assert names.likeness("Иван") != names.likeness("Роман")
