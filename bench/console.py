"""What every page of the moderators' console costs with a million messages, a tenth of them deleted.

A site of 300 people and 300 rooms of very different sizes, over 90 days. Removals by four moderators, 20 sweeps of 50 to 5,000
messages, edits, reports, sanctions, what waits, and 200,000 rows of the audit log are written straight into the database; then
each page is asked for by an administrator, and by a moderator who reaches the open rooms and some of the others.
"""

from __future__ import annotations

import http.client
import os
import random
import statistics
import time
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import event, func, insert, select, text, update

from bench.stage import TEXTS, Guest, Stage, take_sides
from chat.accounts.models import User
from chat.core import clock, ids
from chat.core.audit import AuditHead, AuditRow
from chat.core.bus import transaction
from chat.core.database import db
from chat.messages.models import HeldMessage, Message, MessageVersion
from chat.moderation.reports.models import Report, ReportCase
from chat.moderation.rules.models import Rule, RuleHit
from chat.moderation.sanctions.models import Sanction
from chat.moderation.sweeps.models import Sweep
from chat.rooms.models import Room

#: ``CONSOLE_MESSAGES`` chooses another number, to try something out.
MESSAGES = int(os.environ.get("CONSOLE_MESSAGES", "1000000"))
PEOPLE, ROOMS, DAYS = 300, 300, 90
AUDITED, CASES, SANCTIONS, EDITED, WAITING, HITS = 200_000, 3000, 2000, 5000, 200, 20_000
SWEEPS = [50, 80, 120, 200, 300, 500, 800, 1200, 2000, 3000, 5000] + [60] * 9
#: Requests per page, after two that are not counted.
ASKED = 30


def run() -> str:
    """Return a table for each database."""
    take_sides()
    return "\n".join(_run(database) for database in ("sqlite", "postgresql"))


def _run(database: str) -> str:
    with Stage(database) as stage:
        town = Town(stage)
        started = time.perf_counter()
        town.fill()
        filled = time.perf_counter() - started
        rows = [
            f"| {database}: {MESSAGES:,} messages, {town.deleted:,} deleted (filled in {filled:.0f} s) "
            "| administrator p50 ms | p95 | queries | KB | moderator p50 ms | p95 | queries |",
            "| --- | --- | --- | --- | --- | --- | --- | --- |",
        ]
        for name, path in town.pages().items():
            cells = []
            for who in (town.admin, town.moderator):
                taken, size = _ask(stage, who, path)
                cells += [f"{statistics.median(taken):.0f}", f"{sorted(taken)[int(len(taken) * 0.95)]:.0f}"]
                cells.append(str(_queries(stage, who, path)))
                if who is town.admin:
                    cells.append(f"{size / 1024:.0f}")
            rows.append(f"| {name} | {' | '.join(cells)} |")
        return "\n".join(rows) + "\n"


def _ask(stage: Stage, who: Guest, path: str) -> tuple[list[float], int]:
    """Return how long each request took, in milliseconds, and the bytes of an answer before compression."""
    connection = http.client.HTTPConnection("127.0.0.1", stage.port, timeout=120)
    taken, size = [], 0
    for number in range(ASKED + 2):
        started = time.perf_counter()
        connection.request("GET", path, headers={"Cookie": f"confab-session={who.secret}; tz=Europe/Zurich"})
        answer = connection.getresponse()
        size = len(answer.read())
        if answer.status not in (200, 404):
            raise RuntimeError(f"{path}: {answer.status}")
        if number > 1:
            taken.append((time.perf_counter() - started) * 1000)
    connection.close()
    return taken, size


def _queries(stage: Stage, who: Guest, path: str) -> int:
    """Return how many statements a page asks the database, those of the audit log among them."""
    seen: list[str] = []

    def note(*args: Any) -> None:
        seen.append(args[2])

    client = stage.app.test_client()
    client.set_cookie("confab-session", who.secret)
    client.get(path)  # what a process looks up once
    with stage.app.app_context():
        engine = db.engine
        event.listen(engine, "before_cursor_execute", note)
        client.get(path)
        event.remove(engine, "before_cursor_execute", note)
        db.session.remove()
    return len(seen)


class Town:
    """The site."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.chance = random.Random(4)  # the same site every time
        self.guests = stage.invite(PEOPLE)
        self.admin, self.moderator = self.guests[0], self.guests[1]
        self.staff = self.guests[:4]
        self.now = clock.now()
        self.deleted = 0
        self.rooms: list[str] = []
        self.swept: list[str] = []
        self.cases: list[str] = []
        self.some: dict[str, str] = {}

    def fill(self) -> None:
        """Write all of it."""
        with self.stage.app.app_context():
            self._people()
            self._rooms()
            self._about()
            self._audit()
            if self.stage.database == "postgresql":  # as its autovacuum would have by then
                with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                    connection.execute(text("VACUUM ANALYZE"))
            db.session.remove()

    def pages(self) -> dict[str, str]:
        """Return the pages by what they are called."""
        person, room = self.guests[9].id, self.rooms[0]
        since = (self.now - timedelta(days=60)).date().isoformat()
        removed = "/moderation/removed"
        return {
            "reported": "/moderation/reports",
            "reported, closed": "/moderation/reports?state=closed",
            "one report": f"/moderation/reports/{self.cases[0]}",
            "held": "/moderation/held",
            "removed": removed,
            "removed, in the largest room": f"{removed}?room={room}",
            "removed, of one person": f"{removed}?person={person}",
            "removed, by one moderator": f"{removed}?moderator={self.moderator.id}",
            "removed, by authors": f"{removed}?by=author",
            "removed, in sweeps": f"{removed}?by=sweep",
            "removed, two months ago": f"{removed}?until={since}",
            "removed, all filters": f"{removed}?room={room}&person={person}&by=moderator&since={since}",
            "one removed message": f"{removed}/{self.some['removed']}",
            "… with 50 lines around it": f"{removed}/{self.some['removed']}?around=50",
            "edited": "/moderation/edited",
            "edited, of one person": f"/moderation/edited?person={person}",
            "a sweep of 5,000": f"/moderation/sweeps/{self.swept[SWEEPS.index(5000)]}",
            "a new sweep": f"/moderation/sweeps/new?person={person}&span=7d",
            "sanctions": "/moderation/sanctions",
            "sanctions, all": "/moderation/sanctions?state=all",
            "appeals": "/moderation/appeals",
            "people": "/moderation/people?search=guest",
            "a person": f"/moderation/people/{person}",
            "roles": "/moderation/roles",
            "why may they": f"/moderation/why?person={person}&permission=message.remove&room={room}",
            "rules": "/moderation/rules",
            "keeping": "/moderation/keeping",
            "a shorter retention": "/moderation/keeping/retention?days=1",
            "audit log": "/moderation/audit",
            "audit log, of one person": f"/moderation/audit?person={person}",
            "audit log, one action": "/moderation/audit?action=message.restored",
        }

    # -- inside

    def _write(self, model: Any, rows: list[dict[str, Any]]) -> None:
        with transaction():
            for start in range(0, len(rows), 5000):
                db.session.connection().execute(insert(model), rows[start : start + 5000])

    def _people(self) -> None:
        with transaction():
            for guest, role in zip(self.staff, ("administrator", "moderator", "moderator", "moderator"), strict=True):
                db.session.execute(update(User).where(User.id == guest.id).values(role=role))
            for number, guest in enumerate(self.guests):
                joined = self.now - timedelta(days=100, minutes=number)
                db.session.execute(update(User).where(User.id == guest.id).values(created_at=joined))

    def _rooms(self) -> None:
        weights = [1 / (number + 3) for number in range(ROOMS)]
        for number, weight in enumerate(weights):
            size = round(MESSAGES * weight / sum(weights))
            members = self.chance.sample(self.guests[4:], 40)
            kind = "group" if number % 5 in (1, 3) else "open"
            if kind == "open" or number % 3 == 0:
                members.append(self.moderator)
            place = self.stage.open(members, 0, f"Room {number}", kind)
            self.rooms.append(place.id)
            self._talk(place.id, members, size)
        for number, size in enumerate(SWEEPS):
            self._sweep(self.rooms[number % 7], min(size, MESSAGES // 200))

    def _talk(self, room_id: str, members: list[Guest], size: int) -> None:
        step = timedelta(days=DAYS) / max(1, size)
        begun = self.now - timedelta(days=DAYS)
        for start in range(0, size, 20_000):
            rows = [
                self._message(room_id, members, number, begun + step * number)
                for number in range(start + 1, min(size, start + 20_000) + 1)
            ]
            self._write(Message, rows)
        with transaction():
            last = select(Message.id).where(Message.room_id == room_id, Message.seq == size).scalar_subquery()
            values = {"head": size, "posted": size, "active_at": self.now, "last_message_id": last}
            db.session.execute(update(Room).where(Room.id == room_id).values(**values))

    def _message(self, room_id: str, members: list[Guest], number: int, at: datetime) -> dict[str, Any]:
        message_id, author = ids.new(), self.chance.choice(members)
        row = {
            "id": message_id, "room_id": room_id, "seq": number, "number": number, "author_id": author.id,
            "client_id": message_id, "body": f"{number}: {TEXTS[number % len(TEXTS)]}", "digest": "none", "pictures": 0,
            "created_at": at, "edited_at": None, "deleted_at": None, "deleted_by": None, "delete_reason": "",
        }  # fmt: skip
        if self.chance.random() < 0.1 - sum(SWEEPS) / 1e6:
            self.deleted += 1
            own = self.chance.random() < 0.3
            row |= {
                "deleted_at": min(self.now, at + timedelta(minutes=self.chance.randrange(1, 3000))),
                "deleted_by": author.id if own else self.chance.choice(self.staff).id,
                "delete_reason": "" if own else self.chance.choice(("Scam", "Be kind", "Private details")),
            }
            self.some["removed"] = message_id if not own and room_id == self.rooms[0] else self.some.get("removed", "")
        return row

    def _sweep(self, room_id: str, size: int) -> None:
        sweep_id, person, actor = ids.new(), self.chance.choice(self.guests[4:]), self.chance.choice(self.staff)
        standing = select(Message.id).where(Message.room_id == room_id, Message.deleted_at.is_(None))
        chosen = db.session.execute(
            standing.order_by(Message.seq).offset(self.chance.randrange(1000)).limit(size)
        ).scalars()
        at = self.now - timedelta(days=self.chance.randrange(DAYS), minutes=1)
        row = {
            "id": sweep_id, "actor_id": actor.id, "person_id": person.id, "room_id": room_id, "since": at - timedelta(hours=1),
            "reason": "A flood", "messages": size, "created_at": at, "finished_at": at,
        }  # fmt: skip
        self._write(Sweep, [row])
        values = {
            "deleted_at": at,
            "deleted_by": actor.id,
            "delete_reason": "A flood",
            "sweep_id": sweep_id,
            "author_id": person.id,
        }
        found = list(chosen)
        with transaction():
            for start in range(0, len(found), 500):
                some = Message.id.in_(found[start : start + 500])
                db.session.execute(
                    update(Message).where(some).values(**values).execution_options(synchronize_session=False)
                )
        self.deleted += len(found)
        self.swept.append(sweep_id)

    def _about(self) -> None:
        """Write what was edited, reported, sanctioned and held."""
        standing = select(Message.id, Message.room_id, Message.author_id, Message.created_at, Message.body).where(
            Message.deleted_at.is_(None), Message.room_id.in_(self.rooms[:50])
        )
        rows = db.session.execute(standing.limit(EDITED + CASES)).all()
        edited, reported = rows[:EDITED], rows[EDITED:]
        self._write(
            MessageVersion,
            [
                {"message_id": row.id, "version": 1, "body": f"{row.body} once", "created_at": row.created_at}
                for row in edited
            ],
        )
        with transaction():
            for start in range(0, len(edited), 500):
                some = Message.id.in_([row.id for row in edited[start : start + 500]])
                db.session.execute(
                    update(Message)
                    .where(some)
                    .values(edited_at=Message.created_at)
                    .execution_options(synchronize_session=False)
                )
        cases, reports = [], []
        for number, row in enumerate(reported):
            case_id, at = ids.new(), self.now - timedelta(minutes=20 * number)
            closed = number % 10 != 0
            cases.append(
                {
                    "id": case_id, "subject": f"m:{row.id}", "message_id": row.id, "person_id": row.author_id,
                    "room_id": row.room_id, "state": "kept" if closed else "open", "reports": 1, "reported_at": at,
                    "closed_at": at if closed else None, "closed_by": self.admin.id if closed else None,
                    "escalation": "", "answer": "",
                }
            )  # fmt: skip
            reporter = self.guests[10 + number % 200]
            reports.append(
                {"case_id": case_id, "reporter_id": reporter.id, "reason": "spam", "comment": "", "created_at": at}
            )
        self._write(ReportCase, cases)
        self._write(Report, reports)
        self.cases = [case["id"] for case in cases]
        self._write(
            Sanction,
            [
                {
                    "id": (sanction_id := ids.new()), "kind": "mute", "person_id": self.guests[10 + n % 280].id,
                    "target": sanction_id, "scope": self.rooms[n % 50], "room_id": self.rooms[n % 50],
                    "reason": "Flooding", "note": "", "imposed_by": self.moderator.id,
                    "created_at": self.now - timedelta(hours=n),
                    "lifted_at": self.now if n % 4 else None, "lift_reason": "",
                }
                for n in range(SANCTIONS)
            ],
        )  # fmt: skip
        rule = {
            "id": ids.new(), "name": "Words", "kind": "words", "action": "hold", "mute_minutes": 0, "sentence": "",
            "settings": {"words": ["berths"], "allow": []}, "enabled": True, "created_at": self.now, "updated_at": self.now,
        }  # fmt: skip
        self._write(Rule, [rule | {"id": ids.new(), "name": f"Words {n}"} for n in range(19)] + [rule])
        self._write(
            RuleHit,
            [
                {"rule_id": rule["id"], "action": "block", "person_id": self.guests[n % 280].id, "room_id": self.rooms[n % 300],
                 "at": self.now - timedelta(minutes=n)}
                for n in range(HITS)
            ],
        )  # fmt: skip
        self._write(
            HeldMessage,
            [
                {
                    "id": ids.new(), "room_id": self.rooms[n % 10], "author_id": self.guests[10 + n % 280].id,
                    "client_id": f"held-{n:08}", "body": TEXTS[n % 4], "digest": "none", "pictures": [],
                    "created_at": self.now - timedelta(minutes=n), "sentence": "", "label": "Words", "rule_id": rule["id"],
                    "state": "waiting", "reason": "",
                }
                for n in range(WAITING)
            ],
        )  # fmt: skip

    def _audit(self) -> None:
        """Write rows without a chain, for nothing here checks it; its end is where the next row goes on."""
        actions = ("hidden.listed", "message.removed", "message.restored", "hidden.read", "report.kept")
        for start in range(1, AUDITED + 1, 20_000):
            self._write(
                AuditRow,
                [
                    {
                        "number": n, "at": self.now - timedelta(minutes=(AUDITED - n) // 2), "actor_id": self.staff[n % 4].id,
                        "action": actions[n % 5], "target_id": None, "person_id": self.guests[n % PEOPLE].id,
                        "room_id": self.rooms[n % ROOMS], "reason": "Scam", "before": "", "after": "", "address": "127.0.0.1",
                        "request_id": "bench", "seal": "none",
                    }
                    for n in range(start, min(AUDITED, start + 19_999) + 1)
                ],
            )  # fmt: skip
        with transaction():
            db.session.execute(update(AuditHead).values(number=AUDITED, last="none"))
        assert db.session.execute(select(func.count()).select_from(AuditRow)).scalar_one() >= AUDITED
