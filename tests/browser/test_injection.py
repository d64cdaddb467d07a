"""Three hundred attacks in every field that somebody else gets to see, on every page that shows it, in a real browser.

Nothing may run, nothing may be asked of another host, no policy may be violated (the `windows` fixture fails on that), and no
element may come out of text but the few that messages may have.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Windows, connected, shows, until
from tests.browser.payloads import CANARY, PAYLOADS
from tests.conftest import Town, populate
from tests.people import Person
from tests.services import Site

#: Three hundred of each: half a minute on a machine that does nothing else.
pytestmark = pytest.mark.timeout(400)

#: Puts the attacks where people could put them, by the services that the forms call.
FILL = """
import json, sys
from app import create_app
from chat.core import ids
from chat.accounts import service as accounts
from chat.accounts.queries import get_user
from chat.messages import service as messages
from chat.moderation.reports import service as reports
from chat.moderation.reports.models import ReportCase
from chat.moderation.reports.service import Filing
from chat.moderation.keeping import service as keeping
from chat.look import service as look
from chat.rooms.queries import Reach
from chat.moderation.rules import service as rules
from chat.moderation.sanctions import service as sanctions
from chat.moderation.sanctions.models import Sanction
from chat.moderation.sweeps import service as sweeps
from chat.rooms import service as rooms
from chat.core.database import db
from chat.accounts import passwords
from sqlalchemy import select, update
from chat.accounts.models import User
from chat.core.bus import transaction

work = json.load(open(sys.argv[1]))
app = create_app()
with app.app_context():
    bob = get_user(work["bob"]).context
    alike = passwords.hashed("a quiet lamp over the bay")
    accounts.passwords.hashed = lambda password: alike
    people = []
    for n, text in enumerate(work["payloads"]):
        user = accounts.add_user(f"{n} {text}"[:64], f"person{n}@example.org", "a quiet lamp over the bay", "member")
        accounts.change_profile(user, f"{n} {text}"[:64], text[:100], "auto")
        people.append(user)
        rooms.grant(work["room"], user, work["alice"])
        room = rooms.create_room(f"{n} {text}"[:64], "open", text[:250], user)
        if n % 10 == 0:
            rooms.join(room, work["alice"])
            messages.post_message(room, get_user(user).context, text, ids.new())
        if n % 6 == 0:
            direct = rooms.find_direct(work["alice"], user)
            messages.post_message(direct, get_user(user).context, text, ids.new())
    for text in work["payloads"]:
        told = messages.post_message(work["room"], bob, text, ids.new())
    for n, text in enumerate(work["payloads"]):
        if n % 4 == 0:
            posted = messages.post_message(work["room"], get_user(people[n]).context, text, ids.new())
            messages.delete_message(posted.message_id, work["alice"], "administrator", text)
        accounts.start_session(work["alice"], text, text)
    for person, text in list(zip(people, work["payloads"]))[::6]:
        reports.report_message(told.message_id, person, "member", Filing("other", text))
    case = db.session.execute(select(ReportCase.id)).scalar_one()
    mine = Reach(work["alice"], "administrator")
    quarantine = rooms.create_room("quarantine", "open", "", work["alice"])
    for n, text in enumerate(work["payloads"]):
        line = " ".join(text.split())
        rooms.join(quarantine, people[n])
        if n < 90:
            action, minutes = ("hold", 43200) if n % 2 else ("alert", 43200)
            fields = {"kind": "newcomers", "settings": {"minutes": minutes}, "room_id": quarantine if n else work["room"]}
            rule = rules.make_rule(mine, name=line[:64], action=action, mute_minutes=0, sentence=line[:200], **fields)
        elif n < 120:
            sanctions.impose("mute", people[n], line[:512], note=line[:500], reach=mine)
            sanctions.appeal(people[n], text[:1000], sanction_id=db.session.execute(
                select(Sanction.id).where(Sanction.person_id == people[n])).scalar_one())
        elif n < 160:
            messages.send_message(quarantine, get_user(people[n]).context, text, ids.new())
        elif n < 170:
            keeping.make_hold(line[:100], people[n], None, None, None, line[:512], work["alice"])
        if n % 30 == 0 and not 90 <= n < 120:
            said = messages.post_message(work["room"], get_user(people[n]).context, "once", ids.new())
            messages.edit_message(said.message_id, people[n], text)
    sweep = sweeps.start(people[210], work["room"], "1h", " ".join(work["payloads"][5].split())[:512], mine)
    look.draft(work["alice"], name=" ".join(work["payloads"][0].split())[:64], accent="", css="", logo=None)
    print(json.dumps({
        "direct": direct, "last": posted.message_id, "told": told.message_id, "case": case, "open": room, "rule": rule,
        "quarantine": quarantine, "sweep": sweep, "person": people[95],
    }))
"""


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Town, dict[str, str]]]:
    folder = tmp_path_factory.mktemp("attacked")
    site = Site(folder, SQLITE_SYNCHRONOUS="normal")  # thousands of small transactions
    town = populate(site)
    work = {"payloads": PAYLOADS, "bob": town.bob.id, "alice": town.alice.id, "room": town.room}
    (folder / "work.json").write_text(json.dumps(work))
    done = site._run("-c", FILL, str(folder / "work.json"))
    assert done.returncode == 0, done.stderr[-2000:]
    yield town, json.loads(done.stdout)
    site.stop()
    assert "Traceback" not in site.output(), site.output()[-3000:]


@pytest.fixture
def page(attacked: tuple[Town, dict[str, str]], windows: Windows) -> Iterator[Page]:
    """Alice's browser, which watches what it is made to do."""
    with watched(attacked[0], attacked[0].alice, windows) as page:
        yield page


@pytest.fixture
def bobs(attacked: tuple[Town, dict[str, str]], windows: Windows) -> Iterator[Page]:
    """Bob's: it loads in no time, for his list of rooms is not as long as that of alice."""
    with watched(attacked[0], attacked[0].bob, windows) as page:
        yield page


@contextmanager
def watched(town: Town, person: Person, windows: Windows) -> Iterator[Page]:
    context = windows.context(person)
    asked: list[str] = []
    dialogs: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    page = context.new_page()
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    yield page
    assert not dialogs
    strangers = [url for url in asked if not url.startswith((town.site.url, "blob:", "data:"))]
    assert not strangers


def harmless(page: Page) -> None:
    """Expect that nothing ran, and that text has become text."""
    found = page.evaluate(
        """() => ({
          attacked: window.attacked,
          handlers: [...document.querySelectorAll("*")].filter((each) =>
            [...each.attributes].some((one) => /^(hx-)?on/.test(one.name) || /attacked|canary/.test(one.value)
              && !["title", "alt", "value", "placeholder", "href", "aria-label", "data-name"].includes(one.name))).length,
          foreign: [...document.querySelectorAll(`iframe, object, embed, base, video, math, hx-partial, style,
              form[action*=canary], [hx-get*=canary], [sse-connect*=canary], [data-hx-get],
              .message__text [class], .message__text [id], .message__text [hx-get], .message__text form,
              .message__text img, .message__text svg, .message__text template`)]
            .filter((each) => !each.matches(".message__edited")).map((each) => each.outerHTML.slice(0, 200)),
          scripts: [...document.scripts].filter((each) => !each.src.startsWith(location.origin)).length,
          links: [...document.querySelectorAll("a[href]")].filter((each) =>
            !["http:", "https:", "mailto:"].includes(each.protocol)).map((each) => each.outerHTML),
          timeline: document.querySelectorAll("#timeline").length,
          composer: document.querySelectorAll("#composer").length,
        })"""
    )
    assert found["attacked"] is None
    assert found["handlers"] == 0
    assert found["foreign"] == []
    assert found["scripts"] == 0
    assert found["links"] == []
    assert found["timeline"] <= 1
    assert found["composer"] <= 1


def test_there_are_three_hundred_of_them():
    assert len(set(PAYLOADS)) == 300
    assert sum(CANARY in each for each in PAYLOADS) > 50


@pytest.mark.parametrize(
    "path",
    ["/rooms", "/rooms?search=%3Cscript%3Ewindow.attacked%3D1%3C/script%3E", "/devices",
     "/devices/end-others", "/rooms/{room}/members", "/rooms/{room}/leave", "/rooms/{open}/leave",
     "/rooms/{room}/members?invited=%22%3E%3Cscript%3Ewindow.attacked%3D1%3C/script%3E", "/rooms/{open}", "/rooms/{direct}",
     "/messages/{told}/report", "/moderation/reports", "/moderation/reports/{case}", "/moderation/reports/{case}/remove",
     "/rooms/{quarantine}", "/moderation/held", "/moderation/rules", "/moderation/rules/{rule}",
     "/moderation/rules/{rule}/delete", "/moderation/removed",
     "/moderation/removed/{last}", "/moderation/edited", "/moderation/sanctions", "/moderation/appeals", "/moderation/people",
     "/moderation/people/{person}", "/moderation/keeping", "/moderation/sweeps/{sweep}", "/moderation/audit",
     "/moderation/look", "/moderation/look/drop", "/moderation/look/preview",
     "/sign-up?invitation=%22%3E%3Cscript%3E", "/%3Cscript%3Ewindow.attacked%3D1%3C/script%3E"],
)  # fmt: skip
def test_pages_show_them_as_text(attacked: tuple[Town, dict[str, str]], page: Page, windows: Windows, path: str):
    town, made = attacked
    windows.allow("status of 404")
    page.goto(town.site.url + path.format(room=town.room, **made))
    page.wait_for_load_state("load")
    harmless(page)


def test_a_trial_marks_them_as_text(attacked: tuple[Town, dict[str, str]], page: Page):
    town, _ = attacked
    for kind, field in (("words", "*script*\n*attacked*\n*canary*"), ("pattern", "<[a-z]+\n&\\w+;\n[\"']")):
        page.goto(f"{town.site.url}/moderation/rules/new?kind={kind}")
        page.locator("textarea.lines").first.fill(field)
        page.get_by_label("Try it on a text").fill(PAYLOADS[0])
        page.get_by_role("button", name="See what it would have done").click()
        page.locator("#trial mark").first.wait_for()
        harmless(page)


def test_the_whole_timeline_shows_them_as_text(attacked: tuple[Town, dict[str, str]], page: Page):
    town, _ = attacked
    seen: set[int] = set()
    last = 0
    while len(seen) < 300:
        page.goto(f"{town.site.url}/rooms/{town.room}?after={last}")
        harmless(page)
        shown = "[...document.querySelectorAll('#timeline .message')].map((each) => Number(each.dataset.seq))"
        seen |= set(page.evaluate(shown))
        assert max(seen) > last, "there is no more"
        last = max(seen)


def test_forms_show_them_as_text(attacked: tuple[Town, dict[str, str]], bobs: Page):
    town, _ = attacked
    for text in PAYLOADS[:60]:
        said = town.bob.say(town.room, text)
        bobs.goto(f"{town.site.url}/messages/{said.id}/edit")
        harmless(bobs)
        bobs.goto(f"{town.site.url}/messages/{said.id}/delete")
        harmless(bobs)


def test_refused_forms_give_them_back_as_text(attacked: tuple[Town, dict[str, str]], bobs: Page, windows: Windows):
    town, _ = attacked
    windows.allow("status of 422")
    bobs.goto(f"{town.site.url}/rooms/new")
    for text in PAYLOADS[:60]:
        bobs.locator("[name=name]").evaluate("(field) => field.removeAttribute('maxlength')")
        bobs.locator("[name=name]").fill((text + " " + "x" * 70).replace("\n", " "))
        bobs.locator("form.form button").click()
        bobs.wait_for_load_state("load")
        harmless(bobs)


def test_the_stream_shows_them_as_text(attacked: tuple[Town, dict[str, str]], page: Page):
    town, _ = attacked
    town.alice.say(town.room, "all read")  # so that her page opens at its end
    page.goto(f"{town.site.url}/rooms/{town.room}")
    connected(page)
    for text in PAYLOADS:
        said = town.bob.say(town.room, text)
    until(page, "(id) => document.getElementById(id) !== null", f"message_{said.id}")
    harmless(page)
    town.bob.get("/profile")
    for text in PAYLOADS[::15]:
        town.bob.post("/profile", name=text[:64], status=text[:100], theme="auto")
        town.bob.post(f"/rooms/{town.room}/typing")
        town.bob.say(town.room, "with another name")
    last = town.bob.say(town.room, "the very last words")
    shows(page, "the very last words")
    town.bob.post(f"/messages/{last.id}/edit", body=PAYLOADS[0])
    until(page, "(id) => document.getElementById(id).querySelector('.message__edited') !== null", f"message_{last.id}")
    harmless(page)


def test_nothing_is_written_where_it_does_not_belong(attacked: tuple[Town, dict[str, str]]):
    """The log of the site holds no word of a message, and no secret."""
    town, _ = attacked
    output = Path(town.site.folder / "site.log").read_text()
    assert "<script" not in output
    assert "canary" not in output
    assert "quiet lamp" not in output
    for cookie in town.alice.http.cookies:
        assert cookie.value not in output
