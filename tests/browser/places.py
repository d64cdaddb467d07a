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
    #: Somebody who is banned everywhere, and by what.
    barred: Person
    sanction: str
    #: What somebody wrote and Ines removed in one go.
    sweep: str
    #: A rule.
    rule: str
    #: A legal hold, and where a receipt of a purge is.
    hold: str
    receipt: str
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
    #: Bob's code, reported by two people; what Yuki wrote to Bob alone, reported by him with a line; and Bob himself.
    case: str
    direct_case: str
    person_case: str
    #: What Bob reported of Yuki's; and what she wrote to Ines.
    reported: Said
    greeting: Said


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
    room = ines.make_room("lamp gallery", "open")  # no other room looks like it
    ines.add(room, bob)
    bob.add(room, yuki)
    bob.say(
        room, "The clockwork is back.\n\n- oil on *Monday*\n- wind to **forty**\n\n1. lamp\n2. lens\n\n> with mercury?"
    )
    code = bob.say(room, CODE)
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
    greeting = yuki.say(direct, "おはよう! The new ring is 1,842 mm across.")
    ines.say(direct, "I can be there at two")
    ines.say(direct, "with the long ladder")
    other_room = bob.make_room("tide tables", "open")
    newcomer = Person(town.site.url, "Zoe Lindqvist").sign_up()
    direct_other = bob.post("/rooms/direct", person=yuki.id).headers["Location"].rsplit("/", 1)[1]
    line = bob.say(direct_other, "No, and I said so on Monday.")
    reported = yuki.say(direct_other, f"Answer me or I come to the lamp-room. {LONG_WORD}")
    comment = f"She has done this to two others this week.\n\n{LONG_WORD}{LONG_WORD}"
    for who, path, more in (
        (yuki, f"/messages/{code.id}/report", {"reason": "other", "comment": comment}),
        (ines, f"/messages/{code.id}/report", {"reason": "spam"}),
        (bob, f"/messages/{reported.id}/report", {"reason": "violence", "line": line.id}),
        (yuki, f"/people/{bob.id}/report", {"reason": "harassment"}),
    ):
        assert who.post(path, **more).status_code == 303
    queue = ines.page("/moderation/reports")
    person_case, direct_case, case = (str(row["data-case"]) for row in queue.select("[data-case]")[:3])
    ines.post(f"/moderation/reports/{case}/assignee", to="me")
    yuki.post(f"/rooms/{room}/messages", body="An aside", client_id=secrets.token_hex(8))
    barred = Person(town.site.url, "Kit Marlow").sign_up()
    for person, more in (
        (
            barred,
            {
                "kind": "ban",
                "duration": "none",
                "reason": f"Selling tickets that nobody ever got. {LONG_WORD}",
                "note": "Third account",
            },
        ),
        (yuki, {"kind": "mute", "duration": "24h", "room": room, "reason": "Flooding"}),
    ):
        assert ines.post("/moderation/sanctions", person=person.id, **more).status_code == 303
    barred.sign_in()
    sanction = str(barred.page("/standing").select_one("[name=sanction]")["value"])
    assert (
        barred.post("/standing/appeals", sanction=sanction, body=f"My account was taken over. {LONG_WORD}").status_code
        == 303
    )
    purged = bob.say(room, "A card number")
    assert ines.post(f"/messages/{purged.id}/delete", reason="private details").status_code == 303
    receipt = ines.post(f"/moderation/removed/{purged.id}/purge", reason="A card number").headers["Location"]
    flooder = Person(town.site.url, "Dee Fontaine").sign_up()
    assert flooder.post(f"/rooms/{room}/join").status_code == 303
    for number in range(4):
        flooder.say(room, f"{number + 1} of 4: two berths left, write me before they are gone {LONG_WORD}")
    flood = {"person": flooder.id, "span": "1h", "reason": "A flood of advertisements"}
    sweep = ines.post("/moderation/sweeps", **flood).headers["Location"].rsplit("/", 1)[1]
    held = ines.post("/moderation/holds", name=f"Case 14 {LONG_WORD}"[:100], person=yuki.id, reason="A court order")
    hold = held.headers["Location"].rsplit("/", 1)[1]
    words = {"kind": "words", "name": f"Berths and {LONG_WORD}"[:64], "action": "hold", "words": "berth*", "room": room}
    assert ines.post("/moderation/rules", **words).status_code == 303
    alert = {"kind": "links", "name": "Links", "action": "alert", "mode": "all", "room": room}
    assert ines.post("/moderation/rules", **alert).status_code == 303
    rule = str(ines.page("/moderation/rules").select_one(".line__title a")["href"]).rsplit("/", 1)[1]
    picture = ("image", ("picture.png", png(600, 400), "image/png"))
    waits = {"body": f"A berth is free on the Marie. {LONG_WORD}{LONG_WORD}", "client_id": secrets.token_hex(8)}
    assert bob.post(f"/rooms/{room}/messages", **waits, files=[picture]).status_code == 303
    newcomer.post(f"/rooms/{room}/join")
    newcomer.post(f"/rooms/{room}/messages", body="Berths, cheap!", client_id=secrets.token_hex(8))
    newcomer.post(f"/rooms/{room}/leave")
    bob.say(room, "The tables are at https://tides.example/lamp-room")
    office = {"office": f"appoint:{room}", "why": "Knows the lamp"}
    assert ines.post(f"/moderation/people/{yuki.id}/office", **office).status_code == 303
    draft = {"name": f"Skerry Light {LONG_WORD}"[:64], "accent": "#ffcc00", "css": ".bar { letter-spacing: 0; }"}
    logo = ("logo", ("logo.png", png(300, 200), "image/png"))
    assert ines.post("/moderation/look/draft", **draft, files=[logo]).status_code == 303
    return Village(
        ines, bob, barred, sanction, sweep, rule, hold, receipt, newcomer, room, empty_room, direct, other_room, own, theirs,
        gone, case, direct_case, person_case, reported, greeting,
    )  # fmt: skip


#: By template: who looks, and where. None is somebody who is not signed in.
PAGES: dict[str, Callable[[Village], tuple[Person | None, str]]] = {
    "accounts/devices.html": lambda v: (v.ines, "/devices"),
    "accounts/end_others.html": lambda v: (v.ines, "/devices/end-others"),
    "accounts/email.html": lambda v: (v.ines, "/profile/email"),
    "accounts/password.html": lambda v: (v.ines, "/profile/password"),
    "accounts/profile.html": lambda v: (v.ines, "/profile"),
    "accounts/sign_in.html": lambda v: (None, "/sign-in"),
    "accounts/sign_up.html": lambda v: (None, "/sign-up"),
    "errors/error.html": lambda v: (v.ines, "/nowhere"),
    "messages/delete.html": lambda v: (v.ines, f"/messages/{v.own.id}/delete"),
    "messages/edit.html": lambda v: (v.ines, f"/messages/{v.own.id}/edit"),
    "moderation/audit.html": lambda v: (v.ines, "/moderation/audit/1"),
    "moderation/edited.html": lambda v: (v.ines, "/moderation/edited"),
    "moderation/removed.html": lambda v: (v.ines, f"/moderation/removed/{v.removed.id}"),
    "moderation/security.html": lambda v: (v.ines, "/moderation/security"),
    "moderation/versions.html": lambda v: (v.ines, f"/messages/{v.own.id}/versions"),
    "keeping/hold.html": lambda v: (v.ines, f"/moderation/holds/{v.hold}"),
    "keeping/hold_new.html": lambda v: (v.ines, "/moderation/holds/new"),
    "keeping/keeping.html": lambda v: (v.ines, "/moderation/keeping"),
    "keeping/purge.html": lambda v: (v.ines, f"/moderation/removed/{v.removed.id}/purge"),
    "keeping/receipt.html": lambda v: (v.bob, v.receipt),
    "keeping/retention.html": lambda v: (v.ines, "/moderation/keeping/retention?days=1"),
    "look/drop.html": lambda v: (v.ines, "/moderation/look/drop"),
    "look/look.html": lambda v: (v.ines, "/moderation/look"),
    "look/preview.html": lambda v: (v.ines, "/moderation/look/preview"),
    "look/safe_mode.html": lambda v: (v.newcomer, "/-/safe-mode"),
    "held/held.html": lambda v: (v.ines, "/moderation/held"),
    "reports/case.html": lambda v: (v.ines, f"/moderation/reports/{v.case}"),
    "reports/decide.html": lambda v: (v.ines, f"/moderation/reports/{v.case}/remove"),
    "reports/new.html": lambda v: (v.ines, f"/messages/{v.theirs.id}/report"),
    "reports/queue.html": lambda v: (v.ines, "/moderation/reports"),
    "reports/sent.html": lambda v: (v.bob, f"/messages/{v.reported.id}/report"),
    "rooms/index.html": lambda v: (v.ines, "/rooms"),
    "rooms/join.html": lambda v: (v.ines, f"/rooms/{v.other_room}"),
    "rooms/leave.html": lambda v: (v.ines, f"/rooms/{v.room}/leave"),
    "rooms/members.html": lambda v: (v.ines, f"/rooms/{v.room}/members"),
    "rooms/new.html": lambda v: (v.ines, "/rooms/new"),
    "rooms/settings.html": lambda v: (v.ines, f"/rooms/{v.room}/settings"),
    "rooms/show.html": lambda v: (v.ines, f"/rooms/{v.room}"),
    "rules/kinds.html": lambda v: (v.ines, "/moderation/rules/new"),
    "rules/delete.html": lambda v: (v.ines, f"/moderation/rules/{v.rule}/delete"),
    "rules/rule.html": lambda v: (v.ines, f"/moderation/rules/{v.rule}"),
    "rules/rules.html": lambda v: (v.ines, "/moderation/rules"),
    "sweeps/new.html": lambda v: (v.ines, f"/moderation/sweeps/new?person={v.bob.id}"),
    "sweeps/sweep.html": lambda v: (v.ines, f"/moderation/sweeps/{v.sweep}"),
    "staff/people.html": lambda v: (v.ines, "/moderation/people"),
    "staff/person.html": lambda v: (v.ines, f"/moderation/people/{v.bob.id}"),
    "staff/room.html": lambda v: (v.ines, f"/moderation/rooms/{v.room}"),
    "staff/rooms.html": lambda v: (v.ines, "/moderation/rooms"),
    "staff/roles.html": lambda v: (v.ines, "/moderation/roles"),
    "staff/why.html": lambda v: (v.ines, f"/moderation/why?person={v.bob.id}&permission=message.remove&room={v.room}"),
    "sanctions/appeals.html": lambda v: (v.ines, "/moderation/appeals"),
    "sanctions/barred.html": lambda v: (v.barred, "/standing"),
    "sanctions/lift.html": lambda v: (v.ines, f"/moderation/sanctions/{v.sanction}/lift"),
    "sanctions/new.html": lambda v: (v.ines, f"/moderation/sanctions/new?person={v.bob.id}"),
    "sanctions/sanctions.html": lambda v: (v.ines, "/moderation/sanctions"),
    "sanctions/standing.html": lambda v: (v.bob, "/standing"),
}
#: Pages of the same templates that look different.
MORE: dict[str, Callable[[Village], tuple[Person | None, str]]] = {
    "what was removed": lambda v: (v.ines, "/moderation/removed"),
    "nothing like it was removed": lambda v: (v.ines, "/moderation/removed?by=author&since=2026-01-01"),
    "a room where one's own waits": lambda v: (v.bob, f"/rooms/{v.room}"),
    "a rule about numbers": lambda v: (v.ines, "/moderation/rules/new?kind=capitals"),
    "a conversation of two": lambda v: (v.ines, f"/rooms/{v.direct}"),
    "a room without a word": lambda v: (v.ines, f"/rooms/{v.empty_room}"),
    "a message by its link": lambda v: (v.ines, f"/rooms/{v.room}/messages/{v.theirs.id}"),
    "removing somebody's message": lambda v: (v.ines, f"/messages/{v.theirs.id}/delete"),
    "a report of a direct conversation": lambda v: (v.ines, f"/moderation/reports/{v.direct_case}"),
    "a report of a person": lambda v: (v.ines, f"/moderation/reports/{v.person_case}"),
    "reporting in a direct room": lambda v: (v.ines, f"/messages/{v.greeting.id}/report"),
    "nobody of that name": lambda v: (v.ines, "/rooms?search=zzz"),
    "rooms and people on a phone": lambda v: (v.ines, "/rooms#find"),
    "no rooms yet": lambda v: (v.newcomer, "/rooms"),
}
EVERYWHERE = PAGES | MORE
#: Pages that answer a form, or wait for a second moderator: the tests of those look at them.
ELSEWHERE = {"errors/outdated.html", "keeping/approve.html"}


def page_templates() -> set[str]:
    """Return the templates that are pages of the site: no layouts, no parts, no mail, nothing for developers."""
    folder = ROOT / "templates"
    found = {path.relative_to(folder) for path in folder.rglob("*.html") if not path.name.startswith("_")}
    return {
        str(path) for path in found if Path(path).parts[0] not in {"layouts", "mail", "shared", "patterns"}
    } - ELSEWHERE
