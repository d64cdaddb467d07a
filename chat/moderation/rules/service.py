"""Making, changing, switching and deleting rules."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import delete, func, insert, select, update

from chat.core import audit, clock, ids
from chat.core.background import every
from chat.core.bus import emit, transaction
from chat.core.database import db
from chat.core.errors import Invalid
from chat.moderation.rules import queries
from chat.moderation.rules.contexts import Trial
from chat.moderation.rules.events import RulesChanged
from chat.moderation.rules.models import Rule, RuleHit
from chat.rooms.queries import Reach

#: Rules of one site.
MOST = 100
#: For how long it is kept that a rule did something.
_HITS_LIFE = timedelta(days=90)


def make_rule(
    reach: Reach,
    *,
    name: str,
    kind: str,
    action: str,
    room_id: str | None,
    mute_minutes: int,
    sentence: str,
    settings: dict[str, Any],
) -> str:
    """Make a rule, which holds at once, and return its id.

    :param settings: of its kind, checked as the others.
    :raises NotFound: the room is not within reach.
    :raises Invalid: there are very many already.
    """
    queries.require_room(room_id, reach)
    rule_id, now = ids.new(), clock.now()
    with transaction():
        if db.session.execute(select(func.count()).select_from(Rule)).scalar_one() >= MOST:
            raise Invalid(f"There are {MOST} rules, and more are not taken. Put words of several into one.")
        values = {
            "name": name, "kind": kind, "action": action, "room_id": room_id, "mute_minutes": mute_minutes,
            "sentence": sentence, "settings": settings,
        }  # fmt: skip
        db.session.execute(
            insert(Rule).values(
                id=rule_id, enabled=True, created_by=reach.user_id, created_at=now, updated_at=now, **values
            )
        )
        emit(RulesChanged())
        audit.write("rule.made", reach.user_id, target_id=rule_id, room_id=room_id, after=_told(**values))
    return rule_id


def change_rule(
    rule_id: str,
    reach: Reach,
    *,
    name: str,
    action: str,
    room_id: str | None,
    mute_minutes: int,
    sentence: str,
    settings: dict[str, Any],
) -> None:
    """Change a rule; its kind stays. As it is already, nothing changes.

    :raises NotFound: it, or the room, is not within reach.
    """
    queries.require_room(room_id, reach)
    with transaction():
        rule = queries.get_rule(rule_id, reach)
        before = _of(rule)
        values = {
            "name": name, "action": action, "room_id": room_id, "mute_minutes": mute_minutes, "sentence": sentence,
            "settings": settings,
        }  # fmt: skip
        after = _told(kind=rule.kind, **values)
        if after == before:
            return
        db.session.execute(update(Rule).where(Rule.id == rule_id).values(updated_at=clock.now(), **values))
        emit(RulesChanged())
        audit.write("rule.changed", reach.user_id, target_id=rule_id, room_id=room_id, before=before, after=after)


def switch_rule(rule_id: str, enabled: bool, reach: Reach) -> None:
    """Switch a rule on or off; nothing happens when it is so already.

    :raises NotFound: it is not within reach.
    """
    with transaction():
        rule = queries.get_rule(rule_id, reach)
        if rule.enabled == enabled:
            return
        db.session.execute(update(Rule).where(Rule.id == rule_id).values(enabled=enabled, updated_at=clock.now()))
        emit(RulesChanged())
        audit.write(
            "rule.switched", reach.user_id, target_id=rule_id, room_id=rule.room_id, before={"enabled": not enabled},
            after={"enabled": enabled},
        )  # fmt: skip


def delete_rule(rule_id: str, reach: Reach) -> None:
    """Delete a rule, and what it did; what it holds goes on waiting.

    :raises NotFound: it is not within reach.
    """
    with transaction():
        rule = queries.get_rule(rule_id, reach)
        before, room_id = _of(rule), rule.room_id
        db.session.execute(delete(Rule).where(Rule.id == rule_id))
        emit(RulesChanged())
        audit.write("rule.deleted", reach.user_id, target_id=rule_id, room_id=room_id, before=before)


def note_tried(actor_id: str, trial: Trial) -> None:
    """Write down that somebody is about to be shown messages of rooms that they need not be in; nothing is written of none."""
    if trial.examples:
        with transaction():
            audit.write("hidden.listed", actor_id, after={"tried": [each.message_id for each in trial.examples]})


@every(3600.0, setting="JOBS")
def forget_hits() -> None:
    """Forget what rules did long ago."""
    with transaction():
        db.session.execute(delete(RuleHit).where(RuleHit.at < clock.now() - _HITS_LIFE))


def _of(rule: Rule) -> dict[str, Any]:
    return _told(
        name=rule.name, kind=rule.kind, action=rule.action, room_id=rule.room_id, mute_minutes=rule.mute_minutes,
        sentence=rule.sentence, settings=rule.settings,
    )  # fmt: skip


def _told(**values: Any) -> dict[str, Any]:
    """Return a rule as the audit log has it."""
    return {name: value for name, value in values.items() if value not in ("", None, 0)}
