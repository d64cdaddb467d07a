"""Rules within reach, and what one would have done in the last days."""

from __future__ import annotations

import time
from collections import Counter, defaultdict, deque
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, cast

from markupsafe import Markup, escape
from sqlalchemy import ColumnElement, Row, func, or_, select

from chat.accounts.contexts import PersonContext
from chat.accounts.models import User
from chat.core import clock, permissions
from chat.core.database import db
from chat.core.errors import NotFound
from chat.core.threads import Threads, turn
from chat.messages.models import Message
from chat.moderation.rules import matching
from chat.moderation.rules.contexts import Bar, Example, RuleContext, RuleDeletePage, RulesPage, Trial
from chat.moderation.rules.matching import Finder, Said, Span
from chat.moderation.rules.models import Rule, RuleHit
from chat.moderation.rules.words import ACTIONS, KINDS
from chat.rooms.contexts import Choice, RoomContext
from chat.rooms.models import Membership, Room
from chat.rooms.queries import Reach

#: Days that a trial looks back, messages it looks at, and of them at a time, beside the event loop.
DAYS = 30
SEARCHED = 50_000
_AT_ONCE = 50
_trying = Threads(1)
#: Seconds after which it says what it has found so far.
_LONGEST = 10.0
#: Fewest messages of a room that a trial looks at, however many rooms there are.
_PER_ROOM = 200
#: Rooms that a form offers.
_CHOICES = 500
#: Messages that a trial shows, and characters of each.
EXAMPLES = 20
_SHOWN = 200


def listed(reach: Reach, deleted: bool = False) -> RulesPage:
    """Return the rules that hold within reach: those of every room, and of the rooms themselves."""
    since = clock.now() - timedelta(days=DAYS)
    hits = (
        select(func.count())
        .where(RuleHit.rule_id == Rule.id, RuleHit.at >= since, _seen(reach, RuleHit.room_id))
        .scalar_subquery()
    )
    statement = (
        select(Rule, Room.name, hits)
        .outerjoin(Room, Room.id == Rule.room_id)
        .where(_within(reach))
        .order_by(Rule.room_id.is_not(None), Room.folded_name, Rule.name, Rule.id)
    )
    found = tuple(
        RuleContext(
            rule.id, rule.name, KINDS[rule.kind].words, KINDS[rule.kind].icon, ACTIONS[rule.action][0], room, rule.enabled,
            number, rule.room_id is not None or reach.may_everywhere("rule.site"),
        )
        for rule, room, number in db.session.execute(statement)
    )  # fmt: skip
    return RulesPage(found, deleted)


def get_rule(rule_id: str, reach: Reach) -> Rule:
    """Return a rule that somebody may change.

    :raises NotFound: there is none of that id, or it is not within reach.
    """
    found = select(Rule).outerjoin(Room, Room.id == Rule.room_id).where(Rule.id == rule_id, _within(reach))
    rule = db.session.execute(found.execution_options(populate_existing=True)).scalar_one_or_none()
    if rule is None or not (rule.room_id is not None or reach.may_everywhere("rule.site")):
        raise NotFound("This rule is gone, or you cannot change it.")
    return rule


def delete_form(rule_id: str, reach: Reach) -> RuleDeletePage:
    """Return the words of a rule, for the question whether it is to be deleted.

    :raises NotFound: there is no such rule within reach.
    """
    rule = get_rule(rule_id, reach)
    room = db.session.execute(select(Room.name).where(Room.id == rule.room_id)).scalar() or ""
    words, does = KINDS[rule.kind].words, ACTIONS[rule.action][0]
    return RuleDeletePage(rule.id, rule.name, words, does, room, rule.action == "alert")


def require_room(room_id: str | None, reach: Reach) -> None:
    """Refuse a room that is not within reach, and every room to those who moderate some.

    :raises NotFound: it is not.
    """
    if room_id is None:
        allowed = reach.may_everywhere("rule.site")
    else:
        inside = select(Room.id).where(Room.id == room_id, reach.condition())
        allowed = db.session.execute(inside).scalar() is not None
    if not allowed:
        raise NotFound("This room is gone, or you do not moderate it.")


def rooms(reach: Reach, chosen: str = "") -> tuple[Choice, ...]:
    """Return the rooms within reach, by name.

    :param chosen: a room that is among them, however many there are; empty for none.
    """
    statement = select(Room.id, Room.name).where(reach.condition())
    first = statement.order_by(Room.id != chosen, Room.folded_name, Room.id).limit(_CHOICES)
    return tuple(Choice(*row) for row in db.session.execute(first))


# -- trials


def trial(reach: Reach, kind: str, settings: dict[str, Any], room_id: str | None, text: str) -> Trial:
    """Hold a rule against what was written in the last days within reach, and against a text.

    What stands there now is looked at, not what was deleted; of those who moderate nothing is, for rules do not hold for them.

    :param text: to try; empty for none.
    """
    find = matching.finder(kind, settings)
    now = clock.now()
    since = now - timedelta(days=DAYS)
    search = _Search(reach, find, room_id, since)
    search.run()
    per_day = Counter(row.created_at.date() for row, _ in search.found)
    most = max(per_day.values(), default=1)
    days = [(since + timedelta(days=n + 1)).date() for n in range(DAYS)]
    bars = tuple(Bar(day, per_day[day], round(100 * per_day[day] / most)) for day in days)
    latest = sorted(search.found, key=lambda each: each[0].created_at, reverse=True)[:EXAMPLES]
    spans = _trying.run(find, Said(text, now, now)) if text else None
    return Trial(
        search.searched, DAYS, len(search.found), len({row.author_id for row, _ in search.found}), bars,
        tuple(_example(row, places) for row, places in latest), search.cut, search.timed_out,
        marked(text, spans or []) if text else None, spans is not None,
    )  # fmt: skip


def marked(text: str, spans: Sequence[Span], limit: int = 10_000) -> Markup:
    """Return a text with marks around some places, from a little before the first one on."""
    start = max(0, spans[0][0] - limit // 4) if spans and len(text) > limit else 0
    end = start + limit
    parts, at = [escape("…" if start else "")], start
    for first, last in spans:
        if first >= end:
            break
        parts += [escape(text[at:first]), Markup("<mark>%s</mark>") % text[first : min(last, end)]]
        at = min(last, end)
    return Markup("").join([*parts, escape(text[at:end]), escape("…" if end < len(text) else "")])


_Found = tuple[Row[*tuple[Any, ...]], list[Span]]


class _Search:
    """A rule held against the messages of rooms, in the order in which rooms were written in last."""

    def __init__(self, reach: Reach, find: Finder, room_id: str | None, since: datetime) -> None:
        self._find = find
        self._since = since
        self._ends = time.monotonic() + _LONGEST
        chosen = [Room.id == room_id] if room_id else []
        active = select(Room.id).where(reach.condition(), Room.active_at >= since, *chosen)
        most = SEARCHED // _PER_ROOM
        rooms = db.session.execute(active.order_by(Room.active_at.desc(), Room.id).limit(most + 1)).scalars().all()
        self._rooms = rooms[:most]
        #: Messages that the rule would have been about, with what it would have found in them.
        self.found: list[_Found] = []
        #: How many were looked at.
        self.searched = 0
        #: Whether some were not, for there are too many; and whether it took too long.
        self.cut = len(rooms) > most
        self.timed_out = False

    def run(self) -> None:
        """Look at them, until it is too late."""
        most = SEARCHED // max(1, len(self._rooms))
        exempt = _exempt(self._rooms)
        for room_id in self._rooms:
            rows = self._latest(room_id, most)
            self.cut = self.cut or len(rows) == most
            theirs = [row for row in rows if not {(None, row.author_id), (room_id, row.author_id)} & exempt]
            earlier: dict[str, deque[tuple[datetime, str]]] = defaultdict(lambda: deque(maxlen=200))
            for start in range(0, len(theirs), _AT_ONCE):
                if self._late():
                    return
                chunk = theirs[start : start + _AT_ONCE]
                self.found += _trying.run(_tried, self._find, chunk, earlier)
                self.searched += len(chunk)
            if self._late():
                return

    def _late(self) -> bool:
        self.timed_out = time.monotonic() > self._ends
        return self.timed_out

    def _latest(self, room_id: str, most: int) -> list[Row[*tuple[Any, ...]]]:
        """Return what stands in a room, oldest first: the latest of it."""
        statement = (
            select(
                Message.id, Message.seq, Message.author_id, Message.body, Message.created_at, Room.id.label("room_id"),
                Room.kind, Room.name.label("room"), User.name, User.picture_id, User.created_at.label("author_since"),
            )
            .join(Room, Room.id == Message.room_id)
            .join(User, User.id == Message.author_id)
            .where(Message.room_id == room_id, Message.deleted_at.is_(None))
            .order_by(Message.seq.desc())
        )  # fmt: skip
        found: list[Row[*tuple[Any, ...]]] = []
        while len(found) < most and not self._late():
            step = statement.where(Message.seq < found[-1].seq) if found else statement
            rows = db.session.execute(step.limit(min(1000, most - len(found)))).all()
            found += [row for row in rows if row.created_at >= self._since]
            if len(rows) < 1000 or rows[-1].created_at < self._since:
                break
            turn()
        return found[::-1]


def _tried(
    find: Finder, rows: Sequence[Row[*tuple[Any, ...]]], earlier: dict[str, deque[tuple[datetime, str]]]
) -> list[_Found]:
    """Return those of some messages of a room that a rule would have been about, and note what each author said."""
    found = []
    for row in rows:
        before = earlier[row.author_id]
        spans = find(Said(row.body, row.created_at, row.author_since, before))
        before.appendleft((row.created_at, row.body))
        if spans is not None:
            found.append((row, spans))
    return found


def _exempt(room_ids: Sequence[str]) -> set[tuple[str | None, str]]:
    """Return those for whom rules do not hold: in a room, or in every one, which is None."""
    staff = permissions.site_roles("held.decide")
    people: set[tuple[str | None, str]] = {
        (None, user_id) for user_id in db.session.execute(select(User.id).where(User.role.in_(staff))).scalars()
    }
    appointed = select(Membership.room_id, Membership.user_id).where(
        Membership.role == "moderator", Membership.room_id.in_(room_ids)
    )
    return people | {(room_id, user_id) for room_id, user_id in db.session.execute(appointed)}


def _example(row: Row[*tuple[Any, ...]], spans: Sequence[Span]) -> Example:
    return Example(
        RoomContext(row.room_id, row.kind, row.room),
        row.id,
        PersonContext(row.author_id, row.name, row.picture_id),
        row.created_at,
        marked(row.body, spans, _SHOWN),
    )


def _within(reach: Reach) -> ColumnElement[bool]:
    """Return what a row of ``Rule``, joined with its room, has to be."""
    return or_(Rule.room_id.is_(None), reach.condition())


def _seen(reach: Reach, room_id: Any) -> ColumnElement[bool]:
    return cast("ColumnElement[bool]", room_id.in_(select(Room.id).where(reach.condition())))
