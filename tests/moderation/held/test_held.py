"""Messages that wait for a moderator: who sees them, what is decided, and that nobody else learns of them."""

from __future__ import annotations

import io
import json
import re
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import delete, func, insert, select, update

from chat.core import clock, ids
from chat.core.audit import AuditRow
from chat.core.bus import transaction
from chat.core.database import db
from chat.core.jobs import Job
from chat.messages import listeners
from chat.messages import service as messages
from chat.messages.contexts import PictureContext
from chat.messages.models import Attachment, HeldMessage, Message
from chat.moderation.keeping import service as keeping
from chat.moderation.rules.models import Rule
from chat.moderation.sanctions import service as sanctions
from chat.pictures.models import Picture
from chat.rooms import service as rooms
from chat.rooms.queries import Reach
from tests.conftest import Cast, Member
from tests.moderation.rules.test_rules import SENTENCE, at_once, bodies, hits, make, write
from tests.pictures.samples import png

TEXT = "cheap lenses"


def hold(cast: Cast, text: str = TEXT, client_id: str = "") -> str:
    """Have bob write something that waits; return its id."""
    make(cast.mia, action="hold")
    answer = write(cast.bob, cast.room, text, client_id)
    assert answer.status_code == 202, answer.text
    return str(answer.headers["Chat-Held"])


def actions(cast: Cast, prefix: str = "") -> list[str]:
    with cast.app.app_context():
        found = select(AuditRow.action).where(AuditRow.action.startswith(prefix)).order_by(AuditRow.number)
        return list(db.session.execute(found).scalars())


def test_its_author_sees_it_waiting_and_others_do_not(cast: Cast):
    held = hold(cast)
    for page in (f"/rooms/{cast.room}", f"/rooms/{cast.room}/held"):
        own = cast.bob.get(page).text
        assert f'id="held_{held}"' in own
        assert TEXT in own
        assert SENTENCE in own
        assert "Take it back" in own
        for other in (cast.alice, cast.mia):
            assert TEXT not in other.get(page).text
    for nobody in (cast.alice, cast.mallory, cast.ada):
        assert f"held_{held}" not in nobody.get(f"/rooms/{cast.room}/held").text
    for page in (f"/rooms/{cast.room}/messages", "/rooms", "/rooms/list"):
        assert TEXT not in cast.alice.get(page).text
        assert TEXT not in cast.mia.get(page).text
    assert bodies(cast) == []


def test_without_a_script_it_leads_to_where_it_waits(cast: Cast):
    make(cast.mia, action="hold")
    answer = cast.bob.post(f"/rooms/{cast.room}/messages", body=TEXT, client_id=ids.new())
    assert answer.status_code == 303
    path, anchor = answer.headers["Location"].split("#")
    assert f'id="{anchor}"' in cast.bob.get(path).text


def test_a_moderator_sees_in_the_room_that_it_waits_and_asks_for_the_text(cast: Cast):
    held = hold(cast)
    page = cast.mia.get(f"/rooms/{cast.room}").text
    assert 'Waits for review: <span dir="auto">Rule of words</span>' in page
    assert TEXT not in page
    assert actions(cast, "hidden.") == []
    assert cast.mia.get(f"/moderation/held/{held}").status_code == 303
    shown = cast.mia.get(f"/moderation/held/{held}", headers={"HX-Request": "true"}).text
    assert TEXT in shown
    assert actions(cast, "hidden.") == ["hidden.read"]


def test_the_queue_shows_the_text_and_that_is_written_down_first(cast: Cast):
    held = hold(cast)
    page = cast.mia.get("/moderation/held").text
    assert TEXT in page
    assert "1 message waits" in page
    with cast.app.app_context():
        row = db.session.execute(select(AuditRow).where(AuditRow.action == "hidden.listed")).scalar_one()
        assert json.loads(row.after) == {"held": [held]}
        assert TEXT not in str(vars(row))
    assert cast.bob.get("/moderation/held").status_code == 404


def test_approving_posts_it_at_the_end_in_its_authors_name(cast: Cast):
    held = hold(cast, client_id="client-0001")
    write(cast.alice, cast.room, "said meanwhile")
    answer = cast.mia.post(f"/moderation/held/{held}/approve")
    assert answer.status_code == 303
    assert bodies(cast) == ["said meanwhile", TEXT]
    page = cast.mia.get(answer.headers["Location"]).text
    assert "Posted what <bdi>Bob de Vos</bdi> wrote" in page
    assert "Nothing waits." in page
    with cast.app.app_context():
        message = db.session.execute(select(Message).where(Message.body == TEXT)).scalar_one()
        assert (message.author_id, message.client_id) == (cast.bob.id, "client-0001")
        assert db.session.execute(select(HeldMessage.body, HeldMessage.digest)).one() == ("", "")
    assert "was looked at and is posted" in cast.bob.get("/standing").text
    assert f"held_{held}" not in cast.bob.get(f"/rooms/{cast.room}/held").text
    again = write(cast.bob, cast.room, TEXT, "client-0001")
    assert again.status_code == 201, "the same sending finds what became of it"
    assert len(bodies(cast)) == 2
    assert actions(cast, "held.") == ["held.approved"]


def test_approving_does_not_say_that_its_author_has_read_the_room(cast: Cast):
    held = hold(cast)
    write(cast.alice, cast.room, "said meanwhile")
    cast.mia.post(f"/moderation/held/{held}/approve")
    assert re.search(r'data-live="unread:[^"]*"[^>]*>\s*2|>2<', cast.bob.get("/rooms/list").text)


def test_refusing_needs_a_reason_which_the_author_reads(cast: Cast):
    held = hold(cast, client_id="client-0001")
    answer = cast.mia.post(f"/moderation/held/{held}/refuse", reason="")
    assert answer.status_code == 422
    assert "Say why" in answer.text
    assert cast.mia.post(f"/moderation/held/{held}/refuse", reason="x" * 513).status_code == 422
    answer = cast.mia.post(f"/moderation/held/{held}/refuse", reason="an advertisement")
    assert answer.status_code == 303
    assert bodies(cast) == []
    standing = cast.bob.get("/standing").text
    assert "was not let through: an advertisement" in standing
    assert "Mia" not in standing
    assert f"held_{held}" not in cast.bob.get(f"/rooms/{cast.room}/held").text
    again = write(cast.bob, cast.room, TEXT, "client-0001")
    assert again.status_code == 422
    assert "did not let this message through: an advertisement" in again.text


def test_a_refusal_can_be_undone_for_ten_minutes(cast: Cast):
    held = hold(cast)
    page = cast.mia.get(cast.mia.post(f"/moderation/held/{held}/refuse", reason="a slip").headers["Location"]).text
    assert f"/moderation/held/{held}/back" in page
    assert f"/moderation/held/{held}/back" not in cast.ada.get(f"/moderation/held?decided={held}").text
    cast.mia.post(f"/moderation/held/{held}/back")
    assert f"held_{held}" in cast.bob.get(f"/rooms/{cast.room}/held").text
    cast.mia.post(f"/moderation/held/{held}/refuse", reason="after all")
    with cast.app.app_context(), transaction():
        db.session.execute(update(HeldMessage).values(decided_at=clock.now() - timedelta(minutes=11)))
    cast.mia.post(f"/moderation/held/{held}/back")
    assert f"held_{held}" not in cast.bob.get(f"/rooms/{cast.room}/held").text


@pytest.mark.parametrize("app", ["sqlite", "postgresql"], indirect=True)
def test_of_many_who_decide_at_once_one_has_decided(cast: Cast):
    held = hold(cast)

    def decide(how: str, who: Member) -> Any:
        return who.post(f"/moderation/held/{held}/{how}", reason="an advertisement")

    answers = at_once([(cast.mia, partial(decide, "approve" if n % 2 else "refuse")) for n in range(10)])
    assert sorted(answers) == [303] + [409] * 9
    decided = actions(cast, "held.")
    assert len(decided) == 1
    assert bodies(cast) == [TEXT] * (decided == ["held.approved"])


@pytest.mark.parametrize("app", ["sqlite", "postgresql"], indirect=True)
def test_approving_what_its_author_sends_at_the_same_moment_is_a_conflict(cast: Cast):
    """The same picture: whoever is second has an answer, and the database takes the picture once."""
    make(cast.mia, action="hold")
    path = f"/rooms/{cast.room}/messages"
    fields = {"body": TEXT, "client_id": ids.new(), "image": (io.BytesIO(png(64, 64)), "lens.png")}
    assert cast.bob.client.post(path, data=fields | {"csrf_token": cast.bob.token}).status_code == 303
    with cast.app.app_context():
        held, pictures = db.session.execute(select(HeldMessage.id, HeldMessage.pictures)).one()
        other = messages.post_message(cast.room, cast.bob.person, "elsewhere", ids.new())
        sent = {"picture_id": pictures[0], "message_id": other.message_id, "position": 0}

    def found_before(picture_id: str, owner_id: str) -> PictureContext:
        """Return it as unsent, and have it sent at once."""
        return PictureContext(picture_id, 64, 64)

    with cast.app.app_context(), transaction():
        db.session.execute(insert(Attachment).values(**sent))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("chat.messages.queries.own_unsent", found_before)
        answer = cast.mia.post(f"/moderation/held/{held}/approve")
    assert answer.status_code == 409
    assert "Its author was writing just now." in answer.text
    assert bodies(cast) == ["elsewhere"]
    assert cast.mia.post(f"/moderation/held/{held}/approve").status_code == 303, "without the picture"


def test_an_author_sees_their_own_among_many(cast: Cast):
    make(cast.mia, action="hold")
    now = clock.now()
    with cast.app.app_context(), transaction():
        for _ in range(60):
            values = {"body": "x", "digest": "x", "pictures": [], "created_at": now, "sentence": "", "label": "x"}
            who = {"id": ids.new(), "room_id": cast.room, "author_id": cast.alice.id, "client_id": ids.new()}
            db.session.execute(insert(HeldMessage).values(state="waiting", **(values | who)))
    held = write(cast.bob, cast.room, TEXT).headers["Chat-Held"]
    assert f'id="held_{held}"' in cast.bob.get(f"/rooms/{cast.room}/held").text


def test_the_author_takes_it_back(cast: Cast):
    held = hold(cast)
    for other in (cast.alice, cast.mia):
        assert other.post(f"/held/{held}/withdraw").status_code == 404
    assert cast.bob.post(f"/held/{held}/withdraw").status_code == 303
    assert cast.bob.post(f"/held/{held}/withdraw").status_code == 404
    assert cast.mia.post(f"/moderation/held/{held}/approve").status_code == 409
    assert cast.mia.post(f"/moderation/held/{held}/back").status_code == 303
    for who, page in ((cast.bob, f"/rooms/{cast.room}/held"), (cast.mia, "/moderation/held")):
        assert TEXT not in who.get(page).text


@pytest.mark.parametrize("end", ["waiting", "refused", "withdrawn"])
def test_pictures_of_what_was_held_are_kept_with_it(cast: Cast, end: str):
    """A legal hold would be worth nothing if their author could take them away."""
    make(cast.mia, action="hold")
    fields = {"body": TEXT, "client_id": ids.new(), "image": (io.BytesIO(png(64, 64)), "lens.png")}
    path = f"/rooms/{cast.room}/messages"
    assert cast.bob.client.post(path, data=fields | {"csrf_token": cast.bob.token}).status_code == 303
    with cast.app.app_context():
        held, (picture,) = db.session.execute(select(HeldMessage.id, HeldMessage.pictures)).one()
    if end == "refused":
        assert cast.mia.post(f"/moderation/held/{held}/refuse", reason="an advertisement").status_code == 303
    if end == "withdrawn":
        assert cast.bob.post(f"/held/{held}/withdraw").status_code == 303
    answer = cast.bob.post(f"/pictures/{picture}/delete")
    assert answer.status_code == 409
    assert "it is kept with it" in answer.text
    hold_id = cast.ada.post("/moderation/holds", name="Case", person=cast.bob.id, reason="a court").headers["Location"]

    def kept(days: int) -> tuple[str, int, int]:
        """Return what is left of the text, and how many pictures and jobs that scrub there are."""
        with cast.app.app_context():
            with transaction():
                moment = clock.now() - timedelta(days=days)
                db.session.execute(update(HeldMessage).values(decided_at=moment))
                db.session.execute(update(Picture).values(created_at=moment))
            keeping.destroy_overdue()
            listeners.forget_unsent()
            body = db.session.execute(select(HeldMessage.body)).scalar_one()
            count = db.session.execute(select(func.count()).select_from(Picture)).scalar_one()
            scrubs = db.session.execute(select(func.count()).select_from(Job).where(Job.kind == "scrub")).scalar_one()
            return body, count, scrubs

    assert kept(31) == (TEXT, 1, 0)
    assert cast.ada.post(f"{hold_id}/release", reason="settled").status_code == 303
    assert kept(31) == ((TEXT, 1, 0) if end == "waiting" else ("", 0, 1))


def test_pictures_that_are_kept_leave_room_for_those_that_are_not(cast: Cast, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(listeners.queries, "kept_pictures", lambda: {f"kept{n:012}" for n in range(600)})
    moment = clock.now() - timedelta(days=2)
    with cast.app.app_context():
        with transaction():
            for name in [*(f"kept{n:012}" for n in range(600)), "unusedunusedunus"]:
                values = {
                    "owner_id": cast.bob.id,
                    "width": 1,
                    "height": 1,
                    "created_at": moment,
                    "storage": "disk",
                    "key": name,
                }
                db.session.execute(insert(Picture).values(id=name, **values))
        listeners.forget_unsent()
        assert db.session.execute(select(func.count()).select_from(Picture)).scalar_one() == 600


def test_what_waits_is_the_same_when_it_is_sent_again(cast: Cast):
    held = hold(cast, client_id="client-0001")
    again = write(cast.bob, cast.room, TEXT, "client-0001")
    assert again.status_code == 202
    assert again.headers["Chat-Held"] == held
    assert again.headers["Idempotent-Replayed"] == "true"
    assert write(cast.bob, cast.room, "other lenses", "client-0001").status_code == 422
    assert hits(cast) == [("hold", False)]


def test_pictures_wait_too_and_are_seen_by_those_who_decide(cast: Cast):
    make(cast.mia, action="hold")
    picture = (io.BytesIO(png(64, 64)), "lens.png")
    path = f"/rooms/{cast.room}/messages"
    fields = {"body": TEXT, "client_id": ids.new(), "image": picture, "csrf_token": cast.bob.token}
    assert cast.bob.client.post(path, data=fields).status_code == 303
    with cast.app.app_context():
        held, pictures = db.session.execute(select(HeldMessage.id, HeldMessage.pictures)).one()
        with transaction():
            db.session.execute(update(Picture).values(created_at=clock.now() - timedelta(days=2)))
        listeners.forget_unsent()
        assert db.session.execute(select(Picture.id)).scalars().all() == pictures
    (shown,) = pictures
    assert cast.alice.get(f"/pictures/{shown}/full").status_code == 404
    assert cast.alice.get(f"/moderation/held/{held}/pictures/{shown}").status_code == 404
    assert cast.mia.get(f"/moderation/held/{held}/pictures/{shown}").status_code == 200
    assert actions(cast, "hidden.") == ["hidden.pictured"]
    cast.mia.post(f"/moderation/held/{held}/approve")
    assert cast.alice.get(f"/pictures/{shown}/full").status_code == 200


def send_picture(who: Member, room: str, text: str, picture: str = "", client_id: str = "") -> Any:
    """Send a message with a picture: a new one, or one that was uploaded before."""
    fields: dict[str, Any] = {"body": text, "client_id": client_id or ids.new(), "csrf_token": who.token}
    fields["picture" if picture else "image"] = picture or (io.BytesIO(png(64, 64)), "lens.png")
    return who.client.post(f"/rooms/{room}/messages", data=fields, headers={"HX-Request": "true"})


def test_a_picture_of_what_waits_is_in_no_other_message(cast: Cast):
    """Else what a moderator looks at would be shown already, or be destroyed with what was refused."""
    make(cast.mia, action="hold")
    client_id = ids.new()
    held = send_picture(cast.bob, cast.room, TEXT, client_id=client_id)
    assert held.status_code == 202
    with cast.app.app_context():
        ((picture,),) = db.session.execute(select(HeldMessage.pictures)).scalars()
        rooms.join(cast.open_room, cast.bob.id)
    for room, text in ((cast.open_room, "harmless"), (cast.room, "harmless"), (cast.room, TEXT)):
        answer = send_picture(cast.bob, room, text, picture)
        assert answer.status_code == 422
        assert "Choose the file once more." in answer.text
    again = send_picture(cast.bob, cast.room, TEXT, picture, client_id)
    assert again.status_code == 202
    assert again.headers["Chat-Held"] == held.headers["Chat-Held"]
    cast.mia.post(f"/moderation/held/{held.headers['Chat-Held']}/refuse", reason="an advertisement")
    assert send_picture(cast.bob, cast.room, "harmless", picture).status_code == 422
    with cast.app.app_context():
        assert db.session.execute(select(func.count()).select_from(Attachment)).scalar() == 0


def test_it_waits_when_it_is_sent_again_after_its_rule_is_gone(cast: Cast):
    rule = make(cast.mia, action="hold")
    client_id = ids.new()
    held = send_picture(cast.bob, cast.room, TEXT, client_id=client_id)
    with cast.app.app_context():
        ((picture,),) = db.session.execute(select(HeldMessage.pictures)).scalars()
    assert cast.mia.post(f"/moderation/rules/{rule}/delete").status_code == 303
    again = send_picture(cast.bob, cast.room, TEXT, picture, client_id)
    assert (again.status_code, again.headers["Chat-Held"]) == (202, held.headers["Chat-Held"])


@pytest.mark.parametrize("app", ["sqlite", "postgresql"], indirect=True)
def test_of_one_picture_in_many_messages_at_once_one_is_kept(cast: Cast):
    make(cast.mia, action="hold")
    with cast.app.app_context():
        rooms.join(cast.open_room, cast.bob.id)
    assert send_picture(cast.bob, cast.room, "harmless").status_code == 201
    with cast.app.app_context(), transaction():
        picture = db.session.execute(select(Attachment.picture_id)).scalar_one()
        db.session.execute(delete(Attachment))
    sent = [(cast.room, TEXT), (cast.open_room, "harmless"), (cast.open_room, TEXT), (cast.room, "harmless")] * 2
    calls = [(cast.bob, partial(_again, room, text, picture)) for room, text in sent]
    assert sorted(at_once(calls)) in ([status, *[422] * 7] for status in (201, 202))


@pytest.mark.parametrize("app", ["sqlite", "postgresql"], indirect=True)
def test_a_picture_is_held_or_taken_back_never_both(cast: Cast):
    make(cast.mia, action="hold")
    assert send_picture(cast.bob, cast.room, "harmless").status_code == 201
    with cast.app.app_context(), transaction():
        picture = db.session.execute(select(Attachment.picture_id)).scalar_one()
        db.session.execute(delete(Attachment))
    calls = [(cast.bob, partial(_again, cast.room, TEXT, picture)), (cast.bob, partial(_discard, picture))] * 3
    statuses = at_once(calls)
    with cast.app.app_context():
        held = db.session.execute(select(HeldMessage.pictures)).scalars().all()
        kept = db.session.execute(select(Picture.id)).scalars().all()
    assert (held, kept) in (([[picture]], [picture]), ([], [])), statuses
    assert not [each for each in statuses if each >= 500]


def _discard(picture: str, who: Member) -> Any:
    return who.post(f"/pictures/{picture}/delete")


def _again(room: str, text: str, picture: str, who: Member) -> Any:
    return send_picture(who, room, text, picture)


def test_it_cannot_be_approved_for_whoever_may_not_write_there(cast: Cast):
    held = hold(cast)
    with cast.app.app_context():
        sanction = sanctions.impose("mute", cast.bob.id, "loud", room_id=cast.room)
    answer = cast.mia.post(f"/moderation/held/{held}/approve")
    assert answer.status_code == 409
    assert "Bob de Vos is muted in this room." in answer.text
    with cast.app.app_context():
        sanctions.lift(sanction, "enough", Reach(cast.mia.id, "moderator"))
        rooms.revoke(cast.room, cast.bob.id, cast.alice.id)
    answer = cast.mia.post(f"/moderation/held/{held}/approve")
    assert answer.status_code == 409
    assert "no longer in this room" in answer.text
    assert cast.mia.post(f"/moderation/held/{held}/refuse", reason="gone").status_code == 303
    assert bodies(cast) == []


def test_nobody_decides_over_their_own(cast: Cast):
    held = hold(cast)
    with cast.app.app_context():
        rooms.appoint(cast.room, cast.bob.id, "moderator", cast.ada.id, "knows")
        db.session.remove()
    assert "Somebody else decides over your message." in cast.bob.get("/moderation/held").text
    for what in ("approve", "refuse"):
        assert cast.bob.post(f"/moderation/held/{held}/{what}", reason="mine").status_code == 403


def test_what_a_rule_told_of_is_listed_until_somebody_has_seen_it(cast: Cast):
    make(cast.mia, action="alert")
    link = write(cast.bob, cast.room, TEXT).headers["Location"]
    page = cast.mia.get("/moderation/held").text
    assert "Posted, and worth a look" in page
    assert f'href="{link}"' in page
    assert TEXT not in page
    (path,) = re.findall(r'action="(/moderation/held/alerts/\d+)"', page)
    assert cast.bob.post(path).status_code == 404
    assert cast.mia.post(path).status_code == 303
    assert "worth a look" not in cast.mia.get("/moderation/held").text


def test_what_rules_told_of_can_be_seen_all_at_once(cast: Cast):
    make(cast.mia, action="alert")
    for number in range(32):
        assert write(cast.bob, cast.room, f"{TEXT} {number}").status_code == 201
    page = cast.mia.get("/moderation/held").text
    assert "30 of 32, oldest first." in page
    assert re.search(r'held"[^>]*>(?:(?!</a>).)*\b32\b', page, re.DOTALL), "the same number as in the bar"
    until = re.search(r'name="until" value="(\d+)"', page)
    assert until is not None
    for other in (cast.bob, cast.mallory):
        assert other.post("/moderation/held/alerts", until=until[1]).status_code == 404
    with cast.app.app_context():
        rooms.join(cast.open_room, cast.mallory.id)
        rooms.appoint(cast.open_room, cast.mallory.id, "moderator", cast.ada.id, "knows")
        db.session.remove()
    assert cast.mallory.post("/moderation/held/alerts", until=until[1]).status_code == 303
    assert "30 of 32" in cast.mia.get("/moderation/held").text, "who moderates another room has seen none of these"
    assert cast.mia.post("/moderation/held/alerts", until=until[1]).status_code == 303
    page = cast.mia.get("/moderation/held").text
    assert page.count("/moderation/held/alerts/") == 2, "those that they were not shown"
    assert cast.mia.post("/moderation/held/alerts", until="x").status_code == 303
    assert "worth a look" in cast.mia.get("/moderation/held").text


def test_who_is_told_of_for_ever_fills_no_table(cast: Cast, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("chat.moderation.rules.screen._MOST_HITS", 3)
    make(cast.mia, action="alert")
    for number in range(5):
        assert write(cast.bob, cast.room, f"{TEXT} {number}").status_code == 201
    assert len(hits(cast)) == 3


def test_the_text_of_a_refused_one_is_kept_as_long_as_that_of_a_removed_one(cast: Cast):
    held = hold(cast)
    cast.mia.post(f"/moderation/held/{held}/refuse", reason="an advertisement")

    def text(days: int) -> str:
        with cast.app.app_context():
            with transaction():
                db.session.execute(update(HeldMessage).values(decided_at=clock.now() - timedelta(days=days)))
            keeping.destroy_overdue()
            return "".join(db.session.execute(select(HeldMessage.body, HeldMessage.digest)).one())

    assert text(29).startswith(TEXT)
    hold_id = cast.ada.post("/moderation/holds", name="Case", person=cast.bob.id, reason="a court").headers["Location"]
    assert text(31).startswith(TEXT), "nothing of what a legal hold covers is destroyed"
    assert cast.ada.post(f"{hold_id}/release", reason="settled").status_code == 303
    page = cast.ada.get("/moderation/keeping/retention?days=30").text
    assert re.search(r'preview__number">1</b>', page), "what will be destroyed is counted"
    assert text(31) == ""
    with cast.app.app_context():
        row = db.session.execute(select(AuditRow).where(AuditRow.action == "retention.purged")).scalar_one()
        assert json.loads(row.after) == {"held": [held]}
    assert 'preview__number">0</b>' in cast.ada.get("/moderation/keeping/retention?days=30").text


@pytest.mark.parametrize("end", ["purged", "overdue"])
def test_a_hold_on_what_was_refused_outlasts_what_was_posted_later(cast: Cast, end: str):
    """The same text, refused first and sent again when the rule was gone: only the first is of the days of the hold."""
    client_id = ids.new()
    held = hold(cast, client_id=client_id)
    cast.mia.post(f"/moderation/held/{held}/refuse", reason="an advertisement")
    with cast.app.app_context(), transaction():
        db.session.execute(update(HeldMessage).values(created_at=clock.now() - timedelta(days=90)))
        rule = db.session.execute(select(Rule.id)).scalar_one()
    cast.mia.post(f"/moderation/rules/{rule}/delete")
    assert write(cast.bob, cast.room, TEXT, client_id).status_code == 201
    with cast.app.app_context():
        (posted,) = db.session.execute(select(Message.id)).scalars()
    cast.mia.post(f"/messages/{posted}/delete", reason="an advertisement")
    until = (clock.now() - timedelta(days=80)).date().isoformat()
    case = cast.ada.post("/moderation/holds", name="Case", until=until, reason="a court").headers["Location"]

    def copy() -> str:
        with cast.app.app_context():
            return db.session.execute(select(HeldMessage.body)).scalar_one()

    if end == "purged":
        assert cast.ada.post(f"/moderation/removed/{posted}/purge", reason="a number").status_code == 303
    else:
        with cast.app.app_context(), transaction():
            moment = clock.now() - timedelta(days=40)
            db.session.execute(update(Message).values(deleted_at=moment))
            db.session.execute(update(HeldMessage).values(decided_at=moment))
        overdue(cast)
    with cast.app.app_context():
        assert db.session.execute(select(Message.body)).scalar_one() == ""
    assert copy() == TEXT
    cast.ada.post(f"{case}/release", reason="settled")
    with cast.app.app_context(), transaction():
        db.session.execute(update(HeldMessage).values(decided_at=clock.now() - timedelta(days=40)))
    overdue(cast)
    assert copy() == ""


def overdue(cast: Cast) -> None:
    with cast.app.app_context():
        keeping.destroy_overdue()


def test_nobody_fills_the_queue_alone(cast: Cast):
    make(cast.mia, action="hold")
    answers = [write(cast.bob, cast.room, f"lenses, number {n}", "first-of-them" * (n == 0)) for n in range(21)]
    assert [each.status_code for each in answers] == [202] * 20 + [422]
    assert "20 messages of yours wait for a moderator." in answers[-1].text
    again = write(cast.bob, cast.room, "lenses, number 0", "first-of-them")
    assert again.headers["Idempotent-Replayed"] == "true"
    assert write(cast.alice, cast.room, TEXT).status_code == 202


@pytest.mark.parametrize("kind", ["ban", "suspend"])
def test_it_cannot_be_approved_for_whoever_is_shut_out(cast: Cast, kind: str):
    held = hold(cast)
    end = clock.now() + timedelta(hours=1)
    with cast.app.app_context():
        sanctions.impose(kind, cast.bob.id, "spam", expires_at=end, reach=Reach(cast.ada.id, "administrator"))
    answer = cast.mia.post(f"/moderation/held/{held}/approve")
    assert answer.status_code == 409
    assert "shut out of this site" in answer.text
    assert bodies(cast) == []


def test_another_message_under_the_same_client_id_is_not_taken_for_it(cast: Cast):
    held = hold(cast, client_id="client-0001")
    assert write(cast.bob, cast.room, "hello", "client-0001").status_code == 201
    assert cast.mia.post(f"/moderation/held/{held}/approve").status_code == 303
    assert bodies(cast) == ["hello", TEXT]
