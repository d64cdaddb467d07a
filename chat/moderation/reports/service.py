"""Reporting, and handling what was reported. Who reported it, and who it is about, learn what became of it.

Locks are taken in one order: the room's, where a message is removed or put back; the case's; those of the people who are told;
the audit log's.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from chat.accounts.queries import get_user
from chat.core import audit, clock, ids
from chat.core.bus import transaction
from chat.core.database import db
from chat.core.errors import Conflict
from chat.messages import queries as messages
from chat.messages import service as posting
from chat.messages.models import Message
from chat.moderation.reports import policy, queries, words
from chat.moderation.reports.contexts import CaseContext, CasePage
from chat.moderation.reports.models import Report, ReportCase, ReportLine
from chat.notices import service as notices
from chat.notices.service import Told
from chat.rooms import kinds
from chat.rooms import queries as rooms
from chat.rooms.models import Room
from chat.rooms.queries import Reach

#: For how long whoever escalated a case may take that back, though it is out of their reach.
UNDO_WINDOW = timedelta(minutes=2)


class AlreadyReported(Conflict):
    """They have reported this before."""


@dataclass(frozen=True)
class Filing:
    """What somebody reports: one of ``words.REASONS``, a comment, and which messages around it go with it."""

    reason: str
    comment: str = ""
    #: Counts in a direct room alone.
    lines: Collection[str] = ()


# -- reporting


def report_message(message_id: str, reporter_id: str, role: str, filing: Filing) -> None:
    """Report a message to the moderators. In a direct room the lines that were chosen go with it, and nothing else.

    :param role: of the reporter, on the site.
    :raises NotFound: it cannot be seen.
    :raises NotAllowed: it is one's own.
    :raises Conflict: it is deleted; or ``AlreadyReported``.
    """

    def file() -> None:
        message = messages.get_visible(message_id, reporter_id)
        policy.require_may_report(role, reporter_id, message.author_id)
        policy.require_reportable(message)
        case_id = _add_report(f"message:{message_id}", message.author_id, message, reporter_id, filing)
        kind = db.session.execute(select(Room.kind).where(Room.id == message.room_id)).scalar_one()
        if filing.lines and not kinds.get(kind).moderated:
            chosen = [line.id for line in queries.around(message) if line.id in filing.lines]
            for_case = [{"case_id": case_id, "message_id": line} for line in chosen]
            if for_case:
                db.session.execute(insert(ReportLine), for_case)

    _file(file, f"message:{message_id}", reporter_id)


def report_person(person_id: str, reporter_id: str, role: str, filing: Filing) -> None:
    """Report a person to the moderators.

    :param role: of the reporter, on the site.
    :raises NotFound: they cannot be seen.
    :raises NotAllowed: it is oneself.
    :raises AlreadyReported: they were.
    """

    def file() -> None:
        queries.get_reportable(person_id, reporter_id, role)
        policy.require_may_report(role, reporter_id, person_id)
        _add_report(f"person:{person_id}", person_id, None, reporter_id, filing)

    _file(file, f"person:{person_id}", reporter_id)


def _file(file: Callable[[], None], subject: str, reporter_id: str) -> None:
    """Store a report. Whoever is the first to report something makes its case; the second of two firsts tries again."""
    for again in (False, True):
        try:
            with transaction():
                file()
            return
        except IntegrityError:
            if queries.own_report(subject, reporter_id) is not None:
                raise AlreadyReported("You have reported this already. Moderators look at it.") from None
            if again:
                raise


def _add_report(subject: str, person_id: str, message: Message | None, reporter_id: str, filing: Filing) -> str:
    now = clock.now()
    case_id = db.session.execute(select(ReportCase.id).where(ReportCase.subject == subject)).scalar()
    if case_id is None:
        case_id = ids.new()
        values = {
            "id": case_id,
            "subject": subject,
            "message_id": message.id if message else None,
            "person_id": person_id,
            "room_id": message.room_id if message else None,
            "reported_at": now,
        }
        db.session.execute(insert(ReportCase).values(**values))
    report = {"case_id": case_id, "reporter_id": reporter_id, "reason": filing.reason, "comment": filing.comment}
    db.session.execute(insert(Report).values(created_at=now, **report))
    open_again = {"state": "open", "closed_at": None, "closed_by": None, "answer": ""}
    db.session.execute(
        update(ReportCase)
        .where(ReportCase.id == case_id)
        .values(reports=ReportCase.reports + 1, reported_at=now, **open_again)
        .execution_options(synchronize_session=False)
    )
    return case_id


# -- looking


def note_look(page: CasePage, reach: Reach) -> None:
    """Write down that somebody is about to be shown hidden text, or that of a direct room.

    Both in a direct room are told the first time.
    """
    if not page.hidden or page.message is None:
        return
    shown = [page.message.id]
    if page.case.direct:
        shown += [line.id for line in (*page.before, *page.after)]
    with transaction():
        if page.case.direct:
            _tell_both(page.case.id, len(shown) - 1)
        _note_read(page.case, shown, reach)


def note_picture(case: CaseContext, picture_id: str, reach: Reach) -> None:
    """Write down that somebody is about to be shown a picture of a case that others do not see."""
    if case.direct or not case.standing:
        with transaction():
            _note_read(case, [case.message_id], reach, picture_id)


def _note_read(case: CaseContext, shown: list[str], reach: Reach, picture_id: str = "") -> None:
    after: dict[str, object] = {"messages": shown, "case": case.id}
    if picture_id:
        after["picture"] = picture_id
    audit.write(
        "report.read",
        reach.user_id,
        target_id=case.message_id,
        person_id=case.person.id,
        room_id=case.room.id if case.room else None,
        after=after,
    )


def _tell_both(case_id: str, lines: int) -> None:
    first = (
        update(ReportCase)
        .where(ReportCase.id == case_id, ReportCase.looked_at.is_(None))
        .values(looked_at=clock.now())
        .returning(ReportCase.room_id, ReportCase.message_id)
        .execution_options(synchronize_session=False)
    )
    row = db.session.execute(first).one_or_none()
    if row is not None:
        path = f"/rooms/{row.room_id}/messages/{row.message_id}"
        sentence = words.to_both(lines)
        notices.tell_all([Told(each, "report", sentence, path) for each in rooms.member_ids(row.room_id)])


# -- handling


def assign(case_id: str, reach: Reach, to_me: bool) -> None:
    """Take a case upon oneself, or give it back to nobody.

    :raises NotFound: there is none of that id, or it is for others.
    :raises Conflict: it is closed.
    """
    with transaction():
        case = _open_case(case_id, reach)
        before, after = case.assignee_id, reach.user_id if to_me else None
        if before == after:
            return
        _change(case, assignee_id=after)
        _note(case, "report.assigned", reach, before={"assignee": before}, after={"assignee": after})


def keep(case_id: str, reach: Reach, answer: str = "") -> None:
    """Close a case: nothing has to be done.

    :param answer: what those who reported it are told beside that.
    :raises NotFound: there is none of that id, or it is for others.
    :raises Conflict: somebody has closed it.
    :raises Invalid: the answer is too long.
    """
    policy.require_short("answer", answer)
    with transaction():
        case = _open_case(case_id, reach)
        _close(case, "kept", reach, answer)
        _tell(case, reach, "kept", answer)
        _note(case, "report.kept", reach, before={"state": "open"}, after={"state": "kept"})


def remove(case_id: str, reach: Reach, reason: str, answer: str = "") -> None:
    """Close a case: the message is removed, or, about a person, something was done elsewhere.

    A message that its author has deleted is a moderator's to bring back from then on.

    :param reason: why it is removed; everybody in its room reads it.
    :raises NotFound: there is none of that id, or it is for others.
    :raises Conflict: somebody has closed it.
    :raises Invalid: there is no reason, or something is too long.
    """
    policy.require_short("answer", answer)
    with transaction():
        _lock_room(case_id, reach)
        case = _open_case(case_id, reach)
        message = queries.get_message(case) if case.message_id else None
        outcome = "removed"
        if message is not None and message.deleted_at is None:
            policy.require_reason(reason)
        elif message is not None:
            own = message.deleted_by == message.author_id
            outcome = "gone" if own else "removed"
            reason = (reason or words.REPORTED) if own else message.delete_reason
        standing = message is not None and (message.deleted_at is None or outcome == "gone")
        _close(case, "removed", reach, answer)
        _tell(case, reach, outcome, answer, reason)
        if standing and case.message_id:
            posting.take_over(case.message_id, reach.user_id, reason, lambda: queries.get_message(case))
        _note(case, "report.removed", reach, reason, before={"state": "open"}, after={"state": "removed"})


def escalate(case_id: str, reach: Reach, reason: str) -> None:
    """Hand a case to the administrators; from then on nobody else sees it.

    :raises NotFound: there is none of that id, or it is for others.
    :raises Conflict: it is closed, or theirs already.
    :raises Invalid: there is no reason.
    """
    policy.require_reason(reason)
    with transaction():
        case = _open_case(case_id, reach)
        if case.escalated_at is not None:
            raise Conflict("Administrators have this case already.")
        now = clock.now()
        _change(case, escalated_at=now, escalated_by=reach.user_id, escalation=reason, assignee_id=None)
        _note(case, "report.escalated", reach, reason, before={"escalated": False}, after={"escalated": True})


def reopen(case_id: str, reach: Reach) -> None:
    """Take a decision back: a closed case waits again, and a message that was removed with it is put back.

    Of one that waits, take back that it was escalated.

    :raises NotFound: there is none of that id, or it is for others.
    :raises Conflict: there is nothing to take back.
    """
    since = clock.now() - UNDO_WINDOW
    with transaction():
        _lock_room(case_id, reach, since)
        case = queries.get_case(case_id, reach, since)
        before = {"state": case.state, "escalated": case.escalated_at is not None}
        if case.state != "open":
            back = queries.puts_back(case)
            _change(case, state="open", closed_at=None, closed_by=None, answer="")
        elif case.escalated_at is not None:
            back = False
            _change(case, escalated_at=None, escalated_by=None, escalation="")
        else:
            raise Conflict("This case waits already.")
        if back and case.message_id:
            posting.put_back(case.message_id, reach.user_id, lambda: queries.get_message(case))
        after = {"state": case.state, "escalated": case.escalated_at is not None}
        _note(case, "report.reopened", reach, before=before, after=after)


# -- inside


def _open_case(case_id: str, reach: Reach) -> ReportCase:
    """Return a case that waits, under its lock.

    :raises Conflict: somebody has closed it.
    """
    case = queries.get_case(case_id, reach)
    if case.state != "open":
        raise Conflict(words.closed_by_somebody_else(case.state, bool(case.message_id)))
    return case


def _lock_room(case_id: str, reach: Reach, undo_since: datetime | None = None) -> None:
    """Take the lock of a case's room, where it has one; its next ``seq`` is taken by what changes the message."""
    case = queries.get_case(case_id, reach, undo_since, lock=False)
    if case.room_id is not None:
        db.session.execute(select(Room.id).where(Room.id == case.room_id).with_for_update(key_share=True))


def _close(case: ReportCase, state: str, reach: Reach, answer: str) -> None:
    _change(case, state=state, closed_at=clock.now(), closed_by=reach.user_id, answer=answer)


def _change(case: ReportCase, **values: object) -> None:
    for name, value in values.items():
        setattr(case, name, value)
    db.session.flush()


def _tell(case: ReportCase, reach: Reach, outcome: str, answer: str, reason: str = "") -> None:
    """Tell everybody concerned what became of a case, but not whoever decided it.

    :param outcome: ``kept``, ``removed``, or ``gone``: its author had deleted it.
    """
    path = ""
    if case.message_id:
        place = queries.place(case)
        path = f"/rooms/{case.room_id}/messages/{case.message_id}"
        reported = words.to_reporter_of_message(place, outcome, answer)
        concerned = words.to_author(place, outcome, reason)
    else:
        reported = words.to_reporter_of_person(get_user(case.person_id).name, outcome, answer)
        concerned = words.to_person(outcome)
    told = [Told(each, "report", reported, path) for each in queries.reporter_ids(case.id) if each != reach.user_id]
    notices.tell_all([Told(case.person_id, "report", concerned, path), *told])


def _note(
    case: ReportCase,
    action: str,
    reach: Reach,
    reason: str = "",
    *,
    before: dict[str, object],
    after: dict[str, object],
) -> None:
    audit.write(
        action,
        reach.user_id,
        target_id=case.id,
        person_id=case.person_id,
        room_id=case.room_id,
        reason=reason,
        before=before,
        after=after,
    )
