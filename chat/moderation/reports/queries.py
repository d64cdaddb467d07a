"""What was reported, within the reach of whoever handles it.

Of a direct room nothing is read here but the message that was reported and the lines that its reporter chose, and those
as they were when it was reported: what was said before or after stays between the two.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, func, or_, select, tuple_
from sqlalchemy import case as choose
from sqlalchemy.orm import aliased

from chat.accounts.contexts import PersonContext
from chat.accounts.models import User
from chat.core import ids, keyset, permissions
from chat.core.database import db
from chat.core.errors import NotFound
from chat.messages import queries as messages
from chat.messages.body import to_html, to_line
from chat.messages.contexts import DeletionContext, MessageContext
from chat.messages.models import Attachment, Message
from chat.moderation.reports.contexts import CaseContext, CasePage, QueuePage, ReportContext, ReportedMessage
from chat.moderation.reports.models import Report, ReportCase, ReportLine
from chat.moderation.reports.words import DIRECT, REASONS
from chat.rooms import kinds
from chat.rooms.contexts import Choice, FilterContext, RoomContext
from chat.rooms.models import Membership, Room
from chat.rooms.queries import Reach

PAGE = 40
#: Messages around a reported one, on either side: shown to moderators of its room, offered to its reporter in a direct one.
AROUND = 5
#: Rooms offered in a filter.
_CHOICES = 200

_assignee = aliased(User)
_closer = aliased(User)
_GONE = "This case is gone, or it is for others to handle."
#: Messages before one, and after it.
_Around = tuple[tuple[MessageContext, ...], tuple[MessageContext, ...]]


# -- for whoever reports


def get_reportable(person_id: str, reporter_id: str, role: str) -> User:
    """Return a person whom somebody may report: anybody they may find, or is in a room with.

    :param role: of the reporter, on the site.
    :raises NotFound: there is no such person, or they cannot be seen; the two look the same.
    """
    user = db.session.get(User, person_id)
    if user is None or not (permissions.may("people.find", role) or _share_a_room(person_id, reporter_id)):
        raise NotFound("There is nobody of that name here.")
    return user


def around(message: Message) -> tuple[MessageContext, ...]:
    """Return what is around a message and can still be read, oldest first, without the message itself."""
    page = messages.around(message.room_id, message.seq, limit=2 * AROUND + 1, lead=AROUND)
    found = (item.message for item in page.items)
    return tuple(each for each in found if each.id != message.id and each.deletion is None)


def own_report(subject: str, reporter_id: str) -> tuple[datetime, bool] | None:
    """Return when somebody reported something, and whether that case is closed; None if they have not."""
    statement = (
        select(Report.created_at, ReportCase.state)
        .join(ReportCase, ReportCase.id == Report.case_id)
        .where(ReportCase.subject == subject, Report.reporter_id == reporter_id)
    )
    row = db.session.execute(statement).one_or_none()
    return (row.created_at, row.state != "open") if row else None


# -- for whoever handles it


def times_reported(message_id: str) -> tuple[int, datetime] | None:
    """Return how often a message was reported, and when first; None if it never was."""
    statement = (
        select(func.count(), func.min(Report.created_at))
        .join(ReportCase, ReportCase.id == Report.case_id)
        .where(ReportCase.message_id == message_id)
    )
    number, first = db.session.execute(statement).one()
    return (number, first) if number else None


def condition(reach: Reach) -> ColumnElement[bool]:
    """Return what a case has to be, beside the row of its room if it has one, for somebody to handle it.

    Reports of direct rooms and of persons belong to no room: they are for those who moderate the site. Nobody handles what
    is about themselves, and what was escalated is for administrators.
    """
    near = reach.condition()
    if permissions.may("report.handle", reach.role):
        near = or_(near, Room.kind.in_(kinds.unmoderated()), ReportCase.room_id.is_(None))
    if not permissions.may("report.escalated", reach.role):
        near = and_(near, ReportCase.escalated_at.is_(None))
    return and_(near, ReportCase.person_id != reach.user_id)


def open_cases(reach: Reach) -> int:
    """Return how many cases wait within reach."""
    statement = select(func.count()).select_from(ReportCase).outerjoin(Room, Room.id == ReportCase.room_id)
    return db.session.execute(statement.where(ReportCase.state == "open", condition(reach))).scalar_one()


def get_case(case_id: str, reach: Reach, undo_since: datetime | None = None, lock: bool = True) -> ReportCase:
    """Return a case for writing, inside ``transaction()``.

    :param undo_since: take also one that they escalated themselves, after this moment.
    :param lock: take its lock.
    :raises NotFound: there is none of that id, or it is for others.
    """
    allowed = condition(reach)
    if undo_since is not None:
        allowed = or_(allowed, and_(ReportCase.escalated_by == reach.user_id, ReportCase.escalated_at > undo_since))
    statement = (
        select(ReportCase)
        .outerjoin(Room, Room.id == ReportCase.room_id)
        .where(ReportCase.id == case_id, allowed)
        .execution_options(populate_existing=True)
    )
    if lock:
        statement = statement.with_for_update(of=ReportCase, key_share=True)
    found = db.session.execute(statement).scalar_one_or_none()
    if found is None:
        raise NotFound(_GONE)
    return found


def get_message(case: ReportCase) -> Message:
    """Return the message of a case, for writing, whatever room it is in.

    :raises NotFound: it is a case about a person.
    """
    statement = select(Message).where(Message.id == case.message_id).execution_options(populate_existing=True)
    found = db.session.execute(statement).scalar_one_or_none()
    if found is None:
        raise NotFound(_GONE)
    return found


def place(case: ReportCase) -> str:
    """Return how the room of a case is called to whoever is told about it."""
    kind, name = db.session.execute(select(Room.kind, Room.name).where(Room.id == case.room_id)).one()
    return name if kinds.get(kind).moderated else DIRECT


def reporter_ids(case_id: str) -> list[str]:
    """Return who reported a case."""
    return list(db.session.execute(select(Report.reporter_id).where(Report.case_id == case_id)).scalars())


def picture_of_case(case_id: str, picture_id: str, reach: Reach) -> CaseContext:
    """Return a case whose message, or a line chosen with it, has a picture.

    :raises NotFound: it has not, or the case is for others.
    """
    row = _row(case_id, reach)
    lines = select(ReportLine.message_id).where(ReportLine.case_id == case_id)
    shown = or_(Attachment.message_id == row.message_id, Attachment.message_id.in_(lines))
    statement = select(Attachment.picture_id).join(Message, Message.id == Attachment.message_id)
    statement = statement.where(Attachment.picture_id == picture_id, shown, Message.purged_at.is_(None))
    if db.session.execute(statement).scalar() is None:
        raise NotFound("This picture is gone, or you cannot see it.")
    return _case(row, _reasons([case_id]))


def queue(reach: Reach, asked: Mapping[str, str]) -> QueuePage:
    """Return the cases that a filter lets through, the latest first.

    :param asked: ``state``: ``closed``, otherwise those that wait; ``room`` by id, ``direct`` or ``people``; ``reason``;
        ``who``: ``mine``, ``nobody`` or ``escalated``; ``after`` as ``more`` gave it; ``done``: the case just decided.
    """
    query = {name: asked[name] for name in ("state", "room", "reason", "who") if asked.get(name)}
    closed = query.get("state") == "closed"
    moment = ReportCase.closed_at if closed else ReportCase.reported_at
    statement = _select_cases().where(condition(reach)).order_by(moment.desc(), ReportCase.id.desc()).limit(PAGE + 1)
    statement = statement.where(moment.is_not(None) if closed else ReportCase.state == "open")
    statement = statement.where(*_chosen(query, reach))
    after = keyset.read(asked.get("after", ""))
    if after is not None:
        statement = statement.where(tuple_(moment, ReportCase.id) < after)
    rows = db.session.connection().execute(statement).all()
    reasons = _reasons([row.id for row in rows[:PAGE]])
    shown = tuple(_case(row, reasons) for row in rows[:PAGE])
    more = ""
    if len(rows) > PAGE:
        last = rows[PAGE - 1]
        more = keyset.write(last.closed_at if closed else last.reported_at, last.id)
    done = _just_done(reach, asked.get("done", ""))
    return QueuePage(shown, _filters(reach, query), query, closed, more, *done)


def get_context(case_id: str, reach: Reach) -> CaseContext:
    """Return a case without the text of what was reported.

    :raises NotFound: there is none of that id, or it is for others.
    """
    return _case(_row(case_id, reach), _reasons([case_id]))


def puts_back(case: ReportCase | Row[Any]) -> bool:
    """Tell whether opening a closed case again puts its message back: it was removed with it, and its text is still there."""
    statement = select(Message.deleted_by, Message.author_id, Message.purged_at).where(Message.id == case.message_id)
    row = db.session.execute(statement).one_or_none() if case.state == "removed" else None
    if row is None or row.deleted_by is None or row.purged_at is not None:
        return False
    return bool(row.deleted_by == case.closed_by and row.deleted_by != row.author_id)


def case_page(case_id: str, reach: Reach) -> CasePage:
    """Return a case in full. If that is ``hidden``, whoever shows it writes it down first.

    :raises NotFound: there is none of that id, or it is for others.
    """
    row = _row(case_id, reach)
    case = _case(row, _reasons([case_id]))
    reports = _reports(case_id)
    first = min((each.at for each in reports), default=row.reported_at)
    message = _reported(case, first) if case.message_id else None
    around: _Around = ((), ())
    if message is not None:
        around = _chosen_lines(case, row.seq, first) if case.direct else _place_in_room(row)
    others = and_(ReportCase.person_id == row.person_id, ReportCase.id != case_id, condition(reach))
    count = select(func.count(), func.count().filter(ReportCase.state == "removed")).select_from(ReportCase)
    earlier = db.session.execute(count.outerjoin(Room, Room.id == ReportCase.room_id).where(others)).one()
    return CasePage(
        case=case,
        message=message,
        before=around[0],
        after=around[1],
        reports=reports,
        hidden=case.direct or (message is not None and message.deletion is not None),
        mine=row.assignee_id == reach.user_id,
        earlier=earlier[0],
        earlier_removed=earlier[1],
        puts_back=puts_back(row),
    )


# -- inside


def _share_a_room(one: str, other: str) -> bool:
    theirs = select(Membership.room_id).where(Membership.user_id == one)
    mine = select(Membership.room_id).where(Membership.user_id == other, Membership.room_id.in_(theirs)).limit(1)
    return db.session.execute(mine).scalar() is not None


def _select_cases() -> Select[*tuple[Any, ...]]:
    readable = and_(Room.kind.in_(kinds.moderated()), Message.deleted_at.is_(None))
    return (
        select(
            ReportCase.id, ReportCase.message_id, ReportCase.person_id, ReportCase.room_id, ReportCase.state,
            ReportCase.reports, ReportCase.reported_at, ReportCase.assignee_id, ReportCase.escalated_at,
            ReportCase.escalation, ReportCase.closed_at, ReportCase.closed_by, ReportCase.answer,
            User.name.label("person"), User.picture_id.label("person_picture"),
            Room.kind, Room.name.label("room"),
            Message.seq, Message.deleted_at, choose((readable, Message.body), else_="").label("body"),
            _assignee.name.label("assignee"), _assignee.picture_id.label("assignee_picture"),
            _closer.name.label("closer"), _closer.picture_id.label("closer_picture"),
        )
        .join(User, User.id == ReportCase.person_id)
        .outerjoin(Room, Room.id == ReportCase.room_id)
        .outerjoin(Message, Message.id == ReportCase.message_id)
        .outerjoin(_assignee, _assignee.id == ReportCase.assignee_id)
        .outerjoin(_closer, _closer.id == ReportCase.closed_by)
    )  # fmt: skip


def _row(case_id: str, reach: Reach) -> Row[Any]:
    statement = _select_cases().where(ReportCase.id == case_id, condition(reach))
    row = db.session.connection().execute(statement).one_or_none()
    if row is None:
        raise NotFound(_GONE)
    return row


def _case(row: Row[Any], reasons: Mapping[str, tuple[str, ...]]) -> CaseContext:
    in_room = row.message_id is not None and kinds.get(row.kind).moderated
    return CaseContext(
        id=row.id,
        person=PersonContext(row.person_id, row.person, row.person_picture),
        message_id=row.message_id or "",
        room=RoomContext(row.room_id, row.kind, row.room) if in_room else None,
        line=to_line(row.body, 200),
        standing=row.message_id is not None and row.deleted_at is None,
        reports=row.reports,
        reasons=reasons.get(row.id, ()),
        reported_at=row.reported_at,
        state=row.state,
        assignee=PersonContext(row.assignee_id, row.assignee, row.assignee_picture) if row.assignee else None,
        escalated=row.escalated_at is not None,
        escalation=row.escalation,
        closed_at=row.closed_at,
        closer=PersonContext(row.closed_by, row.closer, row.closer_picture) if row.closer else None,
        answer=row.answer,
    )


def _reasons(case_ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return why some cases were reported: the commonest reason first, each once."""
    statement = (
        select(Report.case_id, Report.reason)
        .where(Report.case_id.in_(case_ids))
        .group_by(Report.case_id, Report.reason)
        .order_by(func.count().desc(), Report.reason)
    )
    found: dict[str, tuple[str, ...]] = {}
    for case_id, reason in db.session.execute(statement):
        found[case_id] = (*found.get(case_id, ()), REASONS.get(reason, reason))
    return found


def _reports(case_id: str) -> tuple[ReportContext, ...]:
    statement = (
        select(Report, User)
        .join(User, User.id == Report.reporter_id)
        .where(Report.case_id == case_id)
        .order_by(Report.created_at, Report.reporter_id)
        .limit(_CHOICES)
    )
    return tuple(
        ReportContext(user.context, REASONS.get(report.reason, report.reason), report.comment, report.created_at)
        for report, user in db.session.execute(statement)
    )


def _reported(case: CaseContext, moment: datetime) -> ReportedMessage:
    """Return the message of a case as it was when it was first reported, and as it is now where that is for moderators."""
    row = db.session.execute(select(Message).where(Message.id == case.message_id)).scalar_one()
    then = messages.said_at([row.id], moment).get(row.id, "")
    edited = row.edited_at is not None and row.edited_at > moment
    deletion = None
    if row.deleted_at is not None:
        deletion = DeletionContext(row.deleted_at, row.deleted_by == row.author_id, row.delete_reason)
    return ReportedMessage(
        id=row.id,
        author=case.person,
        created_at=row.created_at,
        html=to_html(then),
        now=to_html(row.body) if edited and not case.direct else "",
        edited=edited,
        pictures=() if row.purged_at else messages.pictures_of([row.id]).get(row.id, ()),
        deletion=deletion,
        purged=row.purged_at is not None,
    )


def _place_in_room(row: Row[Any]) -> _Around:
    page = messages.around(row.room_id, row.seq, limit=2 * AROUND + 1, lead=AROUND)
    lines = [item.message for item in page.items]
    return tuple(line for line in lines if line.seq < row.seq), tuple(line for line in lines if line.seq > row.seq)


def _chosen_lines(case: CaseContext, seq: int, moment: datetime) -> _Around:
    """Return the lines that a reporter chose, before and after the message, as they were when it was reported."""
    chosen = list(db.session.execute(select(ReportLine.message_id).where(ReportLine.case_id == case.id)).scalars())
    then, pictures = messages.said_at(chosen, moment), messages.pictures_of(chosen)
    lines = sorted(messages.contexts(chosen).values(), key=lambda line: line.seq)
    shown = [
        replace(line, html=to_html(then[line.id]), edited_at=None, deletion=None, pictures=pictures.get(line.id, ()))
        for line in lines
        if line.id in then
    ]
    return tuple(line for line in shown if line.seq < seq), tuple(line for line in shown if line.seq > seq)


def _chosen(query: Mapping[str, str], reach: Reach) -> list[ColumnElement[bool]]:
    chosen: list[ColumnElement[bool]] = []
    if "room" in query:
        apart = {"direct": Room.kind.in_(kinds.unmoderated()), "people": ReportCase.room_id.is_(None)}
        chosen.append(apart.get(query["room"], ReportCase.room_id == query["room"]))
    if "reason" in query:
        chosen.append(ReportCase.id.in_(select(Report.case_id).where(Report.reason == query["reason"])))
    whose = {
        "mine": ReportCase.assignee_id == reach.user_id,
        "nobody": ReportCase.assignee_id.is_(None),
        "escalated": ReportCase.escalated_at.is_not(None),
    }
    if query.get("who") in whose:
        chosen.append(whose[query["who"]])
    return chosen


def _filters(reach: Reach, query: Mapping[str, str]) -> tuple[FilterContext, ...]:
    with_cases = select(ReportCase.room_id).where(ReportCase.room_id.is_not(None))
    rooms = (
        select(Room.id, Room.name)
        .where(reach.condition(), Room.id.in_(with_cases))
        .order_by(Room.active_at.desc())
        .limit(_CHOICES)
    )
    places = [Choice(room_id, name) for room_id, name in db.session.execute(rooms)]
    if permissions.may("report.handle", reach.role):
        places += [Choice("direct", "Direct conversations"), Choice("people", "People")]
    whose = [Choice("mine", "Mine"), Choice("nobody", "Nobody's")]
    if permissions.may("report.escalated", reach.role):
        whose.append(Choice("escalated", "Escalated"))
    return (
        FilterContext("room", "Where", tuple(places), query.get("room", "")),
        FilterContext("reason", "Reason", Choice.among(REASONS), query.get("reason", "")),
        FilterContext("who", "Whose", tuple(whose), query.get("who", "")),
    )


def _just_done(reach: Reach, case_id: str) -> tuple[str, str]:
    """Return what somebody has just decided, in a sentence, and the case; nothing if they have not."""
    if not ids.is_id(case_id):
        return "", ""
    own = or_(ReportCase.closed_by == reach.user_id, ReportCase.escalated_by == reach.user_id)
    row = db.session.connection().execute(_select_cases().where(ReportCase.id == case_id, own)).one_or_none()
    if row is None or (row.state == "open" and row.escalated_at is None):
        return "", ""
    case = _case(row, {})
    what = f"the case about {case.person.name}"
    if case.message_id:
        what = f"a message by {case.person.name} in {case.room.name if case.room else DIRECT}"
    if case.state == "open":
        return f"Escalated {what} to administrators.", case.id
    if not case.message_id:
        return f"Closed {what}.", case.id
    return f"{case.outcome} {what}.", case.id
