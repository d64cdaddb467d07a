"""A site with something of everything in it, and where on it each page template is to be seen."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import Town
from tests.people import Person, Said
from tests.pictures.samples import png
from tests.services import ROOT

LONG_WORD = "donaudampfschifffahrtsgesellschaftskapitaensmuetzenabzeichenordn"
CODE = "```\nbeam = (t % (period / 4)) < 0.6  # four panels, one beam each, in a line that is far too long for a phone\n```"


@dataclass
class Village:
    """Ines administers, Bob and Yuki talk to her; some pages are only there because somebody said or did something."""

    ines: Person
    bob: Person
    #: Somebody who is in no room at all.
    newcomer: Person
    room: str
    #: A room in which nothing was said, and whose name is as long as a name may be.
    empty_room: str
    direct: str
    #: An open room that Ines is not in.
    other_room: str
    own: Said
    theirs: Said
    #: Bob's, changed by him and then removed by Ines.
    removed: Said


def furnish(town: Town) -> Village:
    """Fill a site."""
    ines, bob = town.alice, town.bob
    yuki = Person(town.site.url, "有井 ゆき").sign_up()
    yuki.post(
        "/profile",
        name=yuki.name,
        status="測量 and a status that is as long as a status may be, for whoever reads it to the end of the line",
        theme="auto",
    )
    room = ines.make_room("lamp-room", "open")
    ines.add(room, bob)
    bob.add(room, yuki)
    bob.say(
        room, "The clockwork is back.\n\n- oil on *Monday*\n- wind to **forty**\n\n1. lamp\n2. lens\n\n> with mercury?"
    )
    bob.say(room, CODE)
    bob.say(room, f"https://lampkeepers.example/{LONG_WORD}/{LONG_WORD}?page=12 and `{LONG_WORD}{LONG_WORD}`")
    yuki.say(room, "レンズの寸法を測り直しました。")
    yuki.say(room, "أراك يوم الخميس. Lift at 14:00!")
    for shown in (1, 2, 5):
        picture = ("image", ("picture.png", png(600, 400), "image/png"))
        answer = bob.post(f"/rooms/{room}/messages", body="", client_id=secrets.token_hex(8), files=[picture] * shown)
        assert answer.status_code == 303, answer.text
    gone = bob.say(room, "My number is 0170 555 0198")
    assert bob.post(f"/messages/{gone.id}/edit", body="My number is 0170 555 0199").status_code == 303
    assert ines.post(f"/messages/{gone.id}/delete", reason="private details").status_code == 303
    ines.get(f"/rooms/{room}")
    own = ines.say(room, "Lift starts at 14:00.")
    assert ines.post(f"/messages/{own.id}/edit", body="Lift starts at **14:00** sharp.").status_code == 303
    ines.say(room, "شكرا جزيلا!")
    theirs = bob.say(room, "Inside the shim range, so no panic.")
    empty_room = ines.make_room(LONG_WORD)
    ines.add(empty_room, bob)
    direct = yuki.post("/rooms/direct", person=ines.id).headers["Location"].rsplit("/", 1)[1]
    yuki.say(direct, "おはよう! The new ring is 1,842 mm across.")
    ines.say(direct, "I can be there at two")
    ines.say(direct, "with the long ladder")
    other_room = bob.make_room("tide tables", "open")
    newcomer = Person(town.site.url, "Zoe Lindqvist").sign_up()
    return Village(ines, bob, newcomer, room, empty_room, direct, other_room, own, theirs, gone)


#: By template: who looks, and where. None is somebody who is not signed in.
PAGES: dict[str, Callable[[Village], tuple[Person | None, str]]] = {
    "accounts/devices.html": lambda v: (v.ines, "/devices"),
    "accounts/profile.html": lambda v: (v.ines, "/profile"),
    "accounts/sign_in.html": lambda v: (None, "/sign-in"),
    "accounts/sign_up.html": lambda v: (None, "/sign-up"),
    "errors/error.html": lambda v: (v.ines, "/nowhere"),
    "messages/delete.html": lambda v: (v.ines, f"/messages/{v.own.id}/delete"),
    "messages/edit.html": lambda v: (v.ines, f"/messages/{v.own.id}/edit"),
    "moderation/audit.html": lambda v: (v.ines, "/moderation/audit/1"),
    "moderation/removed.html": lambda v: (v.ines, "/moderation/removed"),
    "moderation/removed_one.html": lambda v: (v.ines, f"/moderation/removed/{v.removed.id}"),
    "rooms/index.html": lambda v: (v.ines, "/rooms"),
    "rooms/join.html": lambda v: (v.ines, f"/rooms/{v.other_room}"),
    "rooms/members.html": lambda v: (v.ines, f"/rooms/{v.room}/members"),
    "rooms/new.html": lambda v: (v.ines, "/rooms/new"),
    "rooms/settings.html": lambda v: (v.ines, f"/rooms/{v.room}/settings"),
    "rooms/show.html": lambda v: (v.ines, f"/rooms/{v.room}"),
}
#: Pages of the same templates that look different.
MORE: dict[str, Callable[[Village], tuple[Person | None, str]]] = {
    "a conversation of two": lambda v: (v.ines, f"/rooms/{v.direct}"),
    "a room without a word": lambda v: (v.ines, f"/rooms/{v.empty_room}"),
    "a message by its link": lambda v: (v.ines, f"/rooms/{v.room}/messages/{v.theirs.id}"),
    "removing somebody's message": lambda v: (v.ines, f"/messages/{v.theirs.id}/delete"),
    "nobody of that name": lambda v: (v.ines, "/rooms?search=zzz"),
    "rooms and people on a phone": lambda v: (v.ines, "/rooms#find"),
    "no rooms yet": lambda v: (v.newcomer, "/rooms"),
}
EVERYWHERE = PAGES | MORE


def page_templates() -> set[str]:
    """Return the templates that are pages of the site: no layouts, no parts, no mail."""
    folder = ROOT / "templates"
    found = {path.relative_to(folder) for path in folder.rglob("*.html") if not path.name.startswith("_")}
    return {str(path) for path in found if Path(path).parts[0] not in {"layouts", "mail", "shared"}}
