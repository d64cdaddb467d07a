"""Reporting at ``/messages/<id>/report`` and ``/people/<id>/report``, and the queue at ``/moderation/reports``."""

from __future__ import annotations

from dataclasses import replace

from flask import Blueprint, Response, request

from chat import pictures
from chat.accounts.guards import signed_in, viewer
from chat.core.errors import Conflict, Invalid
from chat.messages import queries as messages
from chat.messages.models import Message
from chat.moderation.reports import policy, queries, service
from chat.moderation.reports.contexts import DecisionPage, FiledPage, FilingPage, LineChoice
from chat.moderation.reports.forms import DecisionForm, FilingForm
from chat.moderation.reports.models import COMMENT_LIMIT
from chat.moderation.reports.service import AlreadyReported, Filing
from chat.moderation.reports.words import REASONS
from chat.rooms import kinds
from chat.rooms import queries as rooms
from chat.rooms.contexts import Choice
from chat.rooms.guards import reach
from chat.web import forms, rate_limits
from chat.web.htmx import is_htmx, see_other
from chat.web.templating import render_page, render_part
from chat.web.urls import path_for

blueprint = Blueprint("reports", __name__)

_TOO_MANY = "You reported a lot lately. What you wrote is kept; send it in {wait}."
_ASKED = ("state", "room", "reason", "who", "after", "done")
_NOTHING = FilingForm("", "", frozenset())


# -- reporting


@blueprint.get("/messages/<id:message_id>/report")
@signed_in
def message_form(message_id: str) -> str:
    """Show the form to report a message, or that one has."""
    who = viewer()
    message = messages.get_visible(message_id, who.id)
    policy.require_may_report(who.role, who.id, message.author_id)
    filed = _filed_message(message)
    if filed is not None:
        return _show("sent", filed)
    policy.require_reportable(message)
    return _show("new", _message_page(message, _NOTHING))


@blueprint.post("/messages/<id:message_id>/report")
@signed_in
def create_for_message(message_id: str) -> Response:
    """Report a message."""
    who, form = viewer(), FilingForm.read()
    message = messages.get_visible(message_id, who.id)
    try:
        filing = _checked(form)
        service.report_message(message_id, who.id, who.role, filing)
    except AlreadyReported as problem:
        return _again(_filed_message(message), problem)
    except Invalid as problem:
        page = replace(_message_page(message, form), errors=problem.fields)
        return Response(_show("new", page), problem.status)
    return _thanks(_filed_message(message), path_for("reports.message_form", message_id=message_id))


@blueprint.get("/people/<id:person_id>/report")
@signed_in
def person_form(person_id: str) -> str:
    """Show the form to report a person, or that one has."""
    who = viewer()
    queries.get_reportable(person_id, who.id, who.role)
    policy.require_may_report(who.role, who.id, person_id)
    filed = _filed_person(person_id)
    return _show("sent", filed) if filed is not None else _show("new", _person_page(person_id, _NOTHING))


@blueprint.post("/people/<id:person_id>/report")
@signed_in
def create_for_person(person_id: str) -> Response:
    """Report a person."""
    who, form = viewer(), FilingForm.read()
    queries.get_reportable(person_id, who.id, who.role)
    try:
        filing = _checked(form)
        service.report_person(person_id, who.id, who.role, filing)
    except AlreadyReported as problem:
        return _again(_filed_person(person_id), problem)
    except Invalid as problem:
        page = replace(_person_page(person_id, form), errors=problem.fields)
        return Response(_show("new", page), problem.status)
    return _thanks(_filed_person(person_id), path_for("reports.person_form", person_id=person_id))


def _checked(form: FilingForm) -> Filing:
    checked = form.checked()
    rate_limits.limit("20/hour", _TOO_MANY, "reports", viewer().id)
    return Filing(checked.reason, checked.comment, checked.lines)


def _message_page(message: Message, form: FilingForm) -> FilingPage:
    door = rooms.get_membership(message.room_id, viewer().id)
    context = messages.contexts([message.id])[message.id]
    around = queries.around(message) if not kinds.get(door.room.kind).moderated else ()
    return FilingPage(
        action=path_for("reports.create_for_message", message_id=message.id),
        back=_permalink(message),
        person=context.author,
        message=context,
        reasons=Choice.among(REASONS),
        lines=tuple(LineChoice(each, each.id in form.lines) for each in around),
        reason=form.reason,
        comment=form.comment,
        limit=COMMENT_LIMIT,
    )


def _person_page(person_id: str, form: FilingForm) -> FilingPage:
    return FilingPage(
        action=path_for("reports.create_for_person", person_id=person_id),
        back=path_for("rooms.index"),
        person=queries.get_reportable(person_id, viewer().id, viewer().role).context,
        message=None,
        reasons=Choice.among(REASONS),
        reason=form.reason,
        comment=form.comment,
        limit=COMMENT_LIMIT,
    )


def _filed_message(message: Message) -> FiledPage | None:
    found = queries.own_report(f"message:{message.id}", viewer().id)
    author = messages.contexts([message.id])[message.id].author
    return FiledPage(author, True, *found, back=_permalink(message)) if found else None


def _filed_person(person_id: str) -> FiledPage | None:
    found = queries.own_report(f"person:{person_id}", viewer().id)
    person = queries.get_reportable(person_id, viewer().id, viewer().role).context
    return FiledPage(person, False, *found, back=path_for("rooms.index")) if found else None


def _permalink(message: Message) -> str:
    return path_for("messages.permalink", room_id=message.room_id, message_id=message.id)


def _thanks(filed: FiledPage | None, path: str) -> Response:
    """Answer a report: say so in the dialog, or lead to the page that says so."""
    return Response(_show("sent", filed)) if filed is not None and is_htmx() else see_other(path)


def _again(filed: FiledPage | None, problem: AlreadyReported) -> Response:
    """Answer a second try."""
    if filed is None:  # it was taken away between the two
        raise problem
    return Response(_show("sent", replace(filed, again=True)), problem.status)


def _show(name: str, context: FilingPage | FiledPage | DecisionPage) -> str:
    """Render a form as a page of its own, or as the dialog that a script asked for."""
    if is_htmx():
        return render_part(f"reports/_{name}.html", context)
    return render_page(f"reports/{name}.html", context)


# -- the queue


@blueprint.get("/moderation/reports")
@signed_in
def queue() -> str:
    """List what was reported."""
    mine = reach("report.handle")
    asked = {name: forms.argument(name) for name in _ASKED if name in request.args}
    return render_page("reports/queue.html", queries.queue(mine, asked))


@blueprint.get("/moderation/reports/<id:case_id>")
@signed_in
def case(case_id: str) -> str:
    """Show one case: the message in its place, or of a direct room what was reported of it."""
    mine = reach("report.handle")
    page = queries.case_page(case_id, mine)
    service.note_look(page, mine)
    return render_page("reports/case.html", page)


@blueprint.get("/moderation/reports/<id:case_id>/pictures/<id:picture_id>")
@signed_in
def picture(case_id: str, picture_id: str) -> Response:
    """Send a picture of what was reported."""
    mine = reach("report.handle")
    service.note_picture(queries.picture_of_case(case_id, picture_id, mine), picture_id, mine)
    return pictures.send(picture_id, "full")


@blueprint.post("/moderation/reports/<id:case_id>/assignee")
@signed_in
def assign(case_id: str) -> Response:
    """Take a case upon oneself, or with ``to=nobody`` give it back."""
    service.assign(case_id, reach("report.handle"), forms.line("to") != "nobody")
    return see_other(path_for("reports.case", case_id=case_id))


@blueprint.get("/moderation/reports/<id:case_id>/<any(keep, remove, escalate):decision>")
@signed_in
def decision_form(case_id: str, decision: str) -> str:
    """Show the form to decide about a case."""
    return _show("decide", _decision_page(case_id, decision, DecisionForm("", "")))


@blueprint.post("/moderation/reports/<id:case_id>/<any(keep, remove, escalate):decision>")
@signed_in
def decide(case_id: str, decision: str) -> Response:
    """Decide about a case."""
    mine, form = reach("report.handle"), DecisionForm.read()
    try:
        if decision == "keep":
            service.keep(case_id, mine, form.answer)
        elif decision == "remove":
            service.remove(case_id, mine, form.reason, form.answer)
        else:
            service.escalate(case_id, mine, form.reason)
    except (Invalid, Conflict) as problem:
        page = _decision_page(case_id, decision, form)
        fields = problem.fields if isinstance(problem, Invalid) else {}
        page = replace(page, error="" if fields else problem.sentence, errors=fields)
        return Response(_show("decide", page), problem.status)
    return see_other(path_for("reports.queue", done=case_id))


@blueprint.post("/moderation/reports/<id:case_id>/reopen")
@signed_in
def reopen(case_id: str) -> Response:
    """Take a decision back."""
    service.reopen(case_id, reach("report.handle"))
    return see_other(path_for("reports.case", case_id=case_id))


def _decision_page(case_id: str, decision: str, form: DecisionForm) -> DecisionPage:
    found = queries.get_context(case_id, reach("report.handle"))
    return DecisionPage(found, decision, form.reason, form.answer)
