"""Security events in words, for administrators."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice

from sqlalchemy import Select, select, tuple_

from chat.accounts import queries as accounts
from chat.accounts.contexts import ActivityContext
from chat.core import keyset
from chat.core.database import db
from chat.core.security_events import KINDS, SecurityEvent
from chat.moderation.removed.contexts import SecurityPage
from chat.moderation.removed.queries import Asked
from chat.rooms.contexts import Choice, FilterContext

PAGE = 60
#: Rows read at a time for a table.
_STRETCH = 500
#: Columns by which events are filtered, by their field in the address.
_ASKED = {"kind": SecurityEvent.kind, "person": SecurityEvent.user_id, "network": SecurityEvent.network}


def page(asked: Asked) -> SecurityPage:
    """Return the events that a filter lets through, latest first.

    :param asked: ``kind``, ``person`` by id, ``network``, and days.
    """
    found = list(islice(_found(asked, PAGE + 1), PAGE + 1))
    shown = tuple(found[:PAGE])
    more = keyset.write(shown[-1].at, shown[-1].id) if len(found) > PAGE else ""
    return SecurityPage(shown, _filters(asked.query), dict(asked.query), more)


def rows(asked: Asked) -> Iterator[ActivityContext]:
    """Yield every event that a filter lets through, latest first, a few hundred at a time."""
    return _found(asked, _STRETCH)


# -- inside


def _found(asked: Asked, stretch: int) -> Iterator[ActivityContext]:
    statement, after = _chosen(asked), keyset.read(asked.after)
    while True:
        part = statement if after is None else statement.where(tuple_(SecurityEvent.at, SecurityEvent.id) < after)
        found = accounts.activity(db.session.execute(part.limit(stretch)).scalars().all())
        db.session.remove()  # whoever takes the lines may be slow
        yield from found
        if len(found) < stretch:
            return
        after = found[-1].at, found[-1].id


def _chosen(asked: Asked) -> Select[SecurityEvent]:
    statement = select(SecurityEvent).order_by(SecurityEvent.at.desc(), SecurityEvent.id.desc())
    for name, field in _ASKED.items():
        if name in asked.query:
            statement = statement.where(field == asked.query[name])
    if asked.since is not None:
        statement = statement.where(SecurityEvent.at >= asked.since)
    if asked.until is not None:
        statement = statement.where(SecurityEvent.at < asked.until)
    return statement


def _filters(query: Mapping[str, str]) -> tuple[FilterContext, ...]:
    kinds = tuple(Choice(kind, words) for kind, (words, _) in sorted(KINDS.items(), key=lambda each: each[1]))
    people = accounts.people([query["person"]]) if "person" in query else {}
    person = tuple(Choice(each.id, each.name) for each in people.values())
    network = (Choice(query["network"], query["network"]),) if "network" in query else ()
    return (
        FilterContext("kind", "What", kinds, query.get("kind", "")),
        FilterContext("person", "Account", person, query.get("person", "")),
        FilterContext("network", "Network", network, query.get("network", "")),
        FilterContext("since", "From", (), query.get("since", ""), day=True),
        FilterContext("until", "To", (), query.get("until", ""), day=True),
    )
