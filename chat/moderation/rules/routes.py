"""Rules in the console."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flask import Blueprint, Response

from chat.accounts.guards import signed_in
from chat.core.errors import Invalid, NotFound
from chat.moderation.rules import queries, service
from chat.moderation.rules.contexts import ActionChoice, KindContext, KindsPage, NumberField, RulePage, Trial
from chat.moderation.rules.forms import NUMBERS, RuleForm, asked_kind
from chat.moderation.rules.models import Rule
from chat.moderation.rules.words import ACTIONS, KINDS, MODES
from chat.rooms.contexts import Choice
from chat.rooms.guards import reach
from chat.rooms.queries import Reach
from chat.web import forms, rate_limits
from chat.web.htmx import is_htmx, see_other
from chat.web.templating import render_page, render_part
from chat.web.urls import path_for

blueprint = Blueprint("rules", __name__, url_prefix="/moderation/rules")

_TOO_MANY_TRIALS = "You tried many rules. Try the next one in {wait}."


@blueprint.get("")
@signed_in
def index() -> str:
    """List the rules."""
    return render_page("rules/rules.html", queries.listed(reach("rule.room"), forms.argument("deleted") == "1"))


@blueprint.get("/new")
@signed_in
def new() -> str:
    """Show the form of a new rule; without a kind those there are."""
    mine, kind = reach("rule.room"), asked_kind()
    if not kind:
        kinds = tuple(KindContext(name, each.words, each.detail, each.icon) for name, each in KINDS.items())
        return render_page("rules/kinds.html", KindsPage(kinds))
    numbers = {name: str(usual) for name, *_, usual in NUMBERS.get(kind, ())}
    form = RuleForm(KINDS[kind].words, kind, "hold", "", "60", "", numbers, "")
    return render_page("rules/rule.html", _page(mine, form))


@blueprint.post("")
@signed_in
def create() -> Response:
    """Make a rule."""
    mine, form = reach("rule.room"), RuleForm.read()
    try:
        service.make_rule(mine, **vars(form.checked()))
    except (Invalid, NotFound) as problem:
        return _again(mine, form, problem)
    return see_other(path_for("rules.index"))


@blueprint.get("/<id:rule_id>")
@signed_in
def show(rule_id: str) -> str:
    """Show the form of a rule."""
    mine = reach("rule.room")
    rule = queries.get_rule(rule_id, mine)
    return render_page("rules/rule.html", _page(mine, _typed(rule), rule))


@blueprint.post("/<id:rule_id>")
@signed_in
def update(rule_id: str) -> Response:
    """Change a rule."""
    mine = reach("rule.room")
    rule = queries.get_rule(rule_id, mine)
    form = replace(RuleForm.read(), kind=rule.kind)
    try:
        values = vars(form.checked())
        service.change_rule(rule_id, mine, **{name: value for name, value in values.items() if name != "kind"})
    except (Invalid, NotFound) as problem:
        return _again(mine, form, problem, rule)
    return see_other(path_for("rules.index"))


@blueprint.post("/<id:rule_id>/<any(on, off):how>")
@signed_in
def switch(rule_id: str, how: str) -> Response:
    """Switch a rule on or off."""
    service.switch_rule(rule_id, how == "on", reach("rule.room"))
    return see_other(path_for("rules.index"))


@blueprint.get("/<id:rule_id>/delete")
@signed_in
def delete_form(rule_id: str) -> str:
    """Ask once more before a rule is deleted."""
    return render_page("rules/delete.html", queries.delete_form(rule_id, reach("rule.room")))


@blueprint.post("/<id:rule_id>/delete")
@signed_in
def delete(rule_id: str) -> Response:
    """Delete a rule."""
    service.delete_rule(rule_id, reach("rule.room"))
    return see_other(path_for("rules.index", deleted=1))


@blueprint.post("/trial")
@signed_in
def trial() -> Response:
    """Show what a rule would have done, as it is in the form; nothing is changed."""
    mine, form = reach("rule.room"), RuleForm.read()
    rate_limits.limit("30/minute", _TOO_MANY_TRIALS, "trials", mine.user_id)
    # A trial needs no name, and does nothing.
    needed = replace(form, name=form.name or KINDS[form.kind].words, action="hold")
    try:
        checked = needed.checked()
        if checked.room_id is not None:
            queries.require_room(checked.room_id, mine)
    except (Invalid, NotFound) as problem:
        if not is_htmx():
            return _again(mine, form, problem)
        return Response(render_part("rules/_trial.html", Trial(0, 0, 0, 0, (), (), problem=problem.sentence)))
    found = queries.trial(mine, checked.kind, checked.settings, checked.room_id, form.text)
    service.note_tried(mine.user_id, found)
    if is_htmx():
        return Response(render_part("rules/_trial.html", found))
    rule_id = forms.line("rule")
    rule = queries.get_rule(rule_id, mine) if rule_id else None
    return Response(render_page("rules/rule.html", replace(_page(mine, form, rule), trial=found)))


# -- inside


def _again(mine: Reach, form: RuleForm, problem: Invalid | NotFound, rule: Rule | None = None) -> Response:
    errors = problem.fields if isinstance(problem, Invalid) else {"room": problem.sentence}
    page = _page(mine, form, rule, errors or {"form": problem.sentence})
    return Response(render_page("rules/rule.html", page), 422)


def _typed(rule: Rule) -> RuleForm:
    """Return the form of a rule as it is."""
    fields = {
        name: "\n".join(value) if isinstance(value, list) else str(value) for name, value in rule.settings.items()
    }
    minutes = str(rule.mute_minutes or 60)
    return RuleForm(rule.name, rule.kind, rule.action, rule.room_id or "", minutes, rule.sentence, fields, "")


def _page(mine: Reach, form: RuleForm, rule: Rule | None = None, errors: Mapping[str, Any] | None = None) -> RulePage:
    typed = form.fields.get
    numbers = tuple(
        NumberField(name, label, typed(name, ""), least, most)
        for name, label, least, most, _ in NUMBERS.get(form.kind, ())
    )
    return RulePage(
        id=rule.id if rule else "",
        kind=form.kind,
        kind_words=KINDS[form.kind].words,
        name=form.name,
        action=form.action,
        room=form.room,
        mute_minutes=form.mute_minutes or "60",
        sentence=form.sentence,
        usual_sentence=KINDS[form.kind].sentence,
        words=typed("words", ""),
        allow=typed("allow", ""),
        patterns=typed("patterns", ""),
        hosts=typed("hosts", ""),
        mode=typed("mode", "all") or "all",
        numbers=numbers,
        text=form.text,
        rooms=queries.rooms(mine, form.room),
        may_all=mine.may_everywhere("rule.site"),
        actions=tuple(ActionChoice(name, *words) for name, words in ACTIONS.items()),
        modes=Choice.among(MODES),
        enabled=rule.enabled if rule else True,
        errors=dict(errors or {}),
    )
