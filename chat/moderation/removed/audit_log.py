"""The audit log in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from sqlalchemy import Select, select

from chat.accounts import queries as accounts
from chat.accounts.contexts import PersonContext
from chat.accounts.models import User
from chat.core.audit import AuditRow
from chat.core.database import db
from chat.core.errors import NotFound
from chat.moderation.removed import queries
from chat.moderation.removed.contexts import AuditContext, AuditPage
from chat.moderation.removed.words import ACTIONS
from chat.rooms import kinds
from chat.rooms.contexts import Choice, FilterContext
from chat.rooms.models import Room

PAGE = 40
#: People offered in a filter.
_CHOICES = 200

#: By what the audit log is filtered.
_ASKED = {"actor": AuditRow.actor_id, "action": AuditRow.action, "person": AuditRow.person_id, "room": AuditRow.room_id}


def page(asked: Mapping[str, str], number: int | None = None) -> AuditPage:
    """Return the rows of the audit log that a filter lets through, latest first.

    :param asked: ``actor``, ``person`` and ``room`` by id, ``action``, ``after`` as ``more`` gave it.
    :param number: of the row to show in full.
    :raises NotFound: there is no such row.
    """
    query = _chosen(asked)
    statement = _select_audit(query).limit(PAGE + 1)
    after = asked.get("after", "")
    if after.isascii() and after.isdigit() and len(after) < 19:
        statement = statement.where(AuditRow.number < int(after))
    found = db.session.execute(statement).scalars().all()
    shown = _in_words(found[:PAGE])
    detail = None
    if number is not None:
        row = db.session.get(AuditRow, number)
        if row is None:
            raise NotFound("There is no such entry.")
        (detail,) = _in_words([row])
    more = str(shown[-1].number) if len(found) > PAGE else ""
    return AuditPage(shown, _audit_filters(query), query, more, detail)


def rows(asked: Mapping[str, str]) -> Iterator[AuditContext]:
    """Yield every row that a filter lets through, oldest last, a few hundred at a time."""
    query = _chosen(asked)
    statement = _select_audit(query).limit(500)
    while lines := _in_words(db.session.execute(statement).scalars().all()):
        db.session.remove()  # whoever takes the lines may be slow
        yield from lines
        statement = statement.where(AuditRow.number < lines[-1].number)


# -- inside


def _chosen(asked: Mapping[str, str]) -> dict[str, str]:
    return {name: asked[name] for name in _ASKED if asked.get(name)}


def _audit_filters(query: Mapping[str, str]) -> tuple[FilterContext, ...]:
    office = select(User.id, User.name).where(User.role != "member").order_by(User.folded_name).limit(_CHOICES)
    actors = dict(db.session.execute(office).all())
    people = accounts.people([query[name] for name in ("actor", "person") if name in query])
    if query.get("actor") in people:
        actors[query["actor"]] = people[query["actor"]].name
    concerned = {query["person"]: people[query["person"]].name} if query.get("person") in people else {}
    actions = tuple(Choice(name, words) for name, (words, _) in sorted(ACTIONS.items(), key=lambda each: each[1]))
    return (
        FilterContext("actor", "Who", queries.by_name(actors), query.get("actor", "")),
        FilterContext("action", "What", actions, query.get("action", "")),
        FilterContext("person", "On whom", queries.by_name(concerned), query.get("person", "")),
    )


def _select_audit(query: Mapping[str, str]) -> Select[AuditRow]:
    statement = select(AuditRow).order_by(AuditRow.number.desc())
    for name, value in query.items():
        statement = statement.where(_ASKED[name] == value)
    return statement


def _in_words(rows: Sequence[AuditRow]) -> tuple[AuditContext, ...]:
    people = accounts.people({each for row in rows for each in (row.actor_id, row.person_id) if each})
    room_ids = {row.room_id for row in rows if row.room_id}
    named = select(Room.id, Room.name).where(Room.id.in_(sorted(room_ids)), Room.kind.in_(kinds.moderated()))
    rooms = dict(db.session.execute(named).all()) if room_ids else {}
    return tuple(_line(row, people, rooms) for row in rows)


def _line(row: AuditRow, people: Mapping[str, PersonContext], rooms: Mapping[str, str]) -> AuditContext:
    did, sign = ACTIONS.get(row.action, (row.action, "circle-alert"))
    return AuditContext(
        row.number,
        row.at,
        people.get(row.actor_id or ""),
        did,
        sign,
        people.get(row.person_id or ""),
        rooms.get(row.room_id or "", ""),
        row.target_id or "",
        row.reason,
        row.before,
        row.after,
        row.address,
        row.seal,
    )
