"""The rules as every process knows them, and what they say of a text.

Where no rule looks at what was written before, or at who is new, a text that none is about costs no query.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, insert, select

from chat.accounts.models import User
from chat.core import clock, permissions
from chat.core.bus import transaction
from chat.core.database import db
from chat.core.errors import ChatError, Conflict, Invalid, NotAllowed
from chat.core.screens import Draft, Verdict
from chat.core.threads import Threads
from chat.messages.models import HeldMessage, Message
from chat.moderation.rules import matching
from chat.moderation.rules.events import RulesChanged
from chat.moderation.rules.matching import Finder, Said
from chat.moderation.rules.models import Rule, RuleHit
from chat.moderation.rules.words import HELD, KINDS, STRENGTH
from chat.moderation.sanctions import service as sanctions
from chat.realtime.caches import Cache
from chat.rooms import kinds
from chat.rooms.models import Membership, Room

log = logging.getLogger(__name__)

#: Characters from which on a text takes milliseconds.
_LONG = 1000
_reading = Threads(1)
#: How often within an hour it is written down that one rule did something about one person: who tries for ever fills no table.
_MOST_HITS = 100


@dataclass(frozen=True)
class Known:
    """A rule, ready to be held against texts."""

    id: str
    room_id: str | None
    name: str
    kind: str
    action: str
    mute_minutes: int
    #: What the author is told; empty for the usual sentence.
    sentence: str
    #: How far back it looks; zero for a rule about the text alone.
    back: timedelta
    find: Finder

    @classmethod
    def of(cls, rule: Rule) -> Known:
        """Make one ready."""
        back = timedelta(seconds=rule.settings["seconds"] if rule.kind in matching.LOCKED else 0)
        return cls(
            rule.id, rule.room_id, rule.name, rule.kind, rule.action, rule.mute_minutes, rule.sentence, back,
            matching.finder(rule.kind, rule.settings),
        )  # fmt: skip

    def verdict(self, draft: Draft, kind: str, milder: bool = False) -> Verdict | None:
        """Return what it does to a draft that it is about; None: nothing.

        :param kind: of the room; empty for a text that is in none.
        :param milder: whether a rule of one room only refuses where it would mute.
        """
        action = "block" if self.action == "mute" and milder and self.room_id is not None else self.action
        moderated = not kind or kinds.get(kind).moderated
        if not moderated:  # nobody looks at what is written there, and no mute of there would be anybody's to lift
            if action not in ("block", "mute"):
                return None
            action = "block"
        usual = HELD if action == "hold" and draft.what == "message" else KINDS[self.kind].sentence
        return Verdict(action, self.id, self.sentence or usual, self.name, self.mute_minutes, moderated)


def _version() -> frozenset[Any]:
    # Each rule with its moment, and not the latest one: another process's clock may be behind.
    return frozenset(db.session.execute(select(Rule.id, Rule.updated_at).where(Rule.enabled)).all())


def _read() -> dict[str | None, list[Known]]:
    """Return the rules of each room, and under None those of every room."""
    found: dict[str | None, list[Known]] = defaultdict(list)
    for rule in db.session.execute(select(Rule).where(Rule.enabled).order_by(Rule.id)).scalars():
        try:
            found[rule.room_id].append(Known.of(rule))
        except Exception:  # one that cannot be read must not stop everybody from writing
            log.exception("rule %s cannot be read", rule.id)
    return dict(found)


cache = Cache("rules", RulesChanged, _version, _read)


class Rules:
    """What the rules answer: a ``chat.core.screens.Screen``."""

    def over(self, room_id: str | None, locked: bool) -> list[Known]:
        """Return the rules of a room and those of every room.

        :param locked: those that look at what was written before, or the others.
        """
        known = cache.value
        if not known:
            return []
        own = known.get(room_id, []) if room_id is not None else []
        return [each for each in (*known.get(None, []), *own) if (each.kind in matching.LOCKED) == locked]

    # -- answering

    def judge(self, draft: Draft) -> Verdict | None:
        """As of ``Screen``."""
        rules = self.over(draft.room_id, locked=False)
        if draft.what == "name":
            rules = [each for each in rules if each.kind in matching.TEXTUAL]
        if not rules:
            return None
        if draft.what == "edit":
            rules = [each for each in rules if each.kind != "newcomers"]
        since = _since(draft.author_id) if any(each.kind == "newcomers" for each in rules) else None
        return _strongest(draft, _hit(rules, Said(draft.text, clock.now(), since)))

    def judge_locked(self, draft: Draft, verdict: Verdict | None, message_id: str | None) -> Verdict | None:
        """As of ``Screen``."""
        rules = self.over(draft.room_id, locked=True)
        if not rules:
            return verdict
        now = clock.now()
        earlier = _earlier(draft, now - max(each.back for each in rules), message_id)
        found = _strongest(draft, _hit(rules, Said(draft.text, now, earlier=earlier)))
        return max((each for each in (verdict, found) if each is not None), key=_strength, default=None)

    def note(self, draft: Draft, verdict: Verdict, message_id: str | None) -> None:
        """As of ``Screen``."""
        if not verdict.counted:
            return
        if db.session.execute(select(Rule.id).where(Rule.id == verdict.rule_id)).scalar() is None:
            return  # deleted a moment ago, and this process has not heard of it
        if message_id is not None and _told_of(verdict.rule_id, message_id):
            return  # the same message, edited
        if _hits_of(draft.author_id, verdict.rule_id) >= _MOST_HITS:
            return
        db.session.execute(
            insert(RuleHit).values(
                rule_id=verdict.rule_id, action=verdict.action, person_id=draft.author_id, room_id=draft.room_id,
                message_id=message_id, at=clock.now(),
            )
        )  # fmt: skip

    def refuse(self, draft: Draft, verdict: Verdict) -> ChatError:
        """As of ``Screen``."""
        with transaction():
            self.note(draft, verdict, None)
        if verdict.action == "hold":  # an edit: there is nothing that could wait
            return Invalid("A moderator would have to look at this first, so it cannot be put into a message later.")
        if verdict.action == "mute":
            _mute(draft, verdict)
            return NotAllowed(
                f"{verdict.sentence} You are muted here now. Why, and how to appeal, is under Your standing."
            )
        return Invalid(verdict.sentence)


rules = Rules()


# -- inside


def _hit(rules: list[Known], said: Said) -> list[Known]:
    """Return the rules that a text is what they look for; a long one, and for a pattern any, is read beside the event loop."""

    def found() -> list[Known]:
        return [each for each in rules if each.find(said) is not None]

    length = len(said.text) + sum(len(text) for _, text in said.earlier)
    aside = length > _LONG or any(each.kind == "pattern" for each in rules)
    return _reading.run(found) if aside else found()


def _strongest(draft: Draft, hits: list[Known]) -> Verdict | None:
    """Return what is to be done, by the strongest of the rules that were hit; None to those who moderate, and outside."""
    if not hits:
        return None
    roles, kind = _about(draft)
    if roles is None or permissions.may("held.decide", *roles):
        return None
    # Moderators of a room, who make its rules, have no say over its owner: the owner's text is refused, and no more.
    milder = "room_owner" in roles
    verdicts = [verdict for each in hits if (verdict := each.verdict(draft, kind, milder)) is not None]
    return max(verdicts, key=_strength, default=None)


def _strength(verdict: Verdict) -> int:
    return STRENGTH.index(verdict.action)


def _about(draft: Draft) -> tuple[tuple[str | None, ...] | None, str]:
    """Return the roles of whoever writes, None if they are not in the room, and the kind of the room."""
    if draft.room_id is None:
        return (db.session.execute(select(User.role).where(User.id == draft.author_id)).scalar(),), ""
    statement = (
        select(User.role, Membership.role, Room.kind)
        .join(Membership, Membership.user_id == User.id)
        .join(Room, Room.id == Membership.room_id)
        .where(User.id == draft.author_id, Room.id == draft.room_id)
    )
    found = db.session.execute(statement).one_or_none()
    return ((found[0], permissions.room_role(found[1])), found[2]) if found else (None, "")


def _hits_of(person_id: str, rule_id: str) -> int:
    lately = (RuleHit.rule_id == rule_id, RuleHit.person_id == person_id, RuleHit.at > clock.now() - timedelta(hours=1))
    return db.session.execute(select(func.count()).select_from(RuleHit).where(*lately)).scalar_one()


def _told_of(rule_id: str, message_id: str) -> bool:
    unseen = (RuleHit.rule_id == rule_id, RuleHit.message_id == message_id, RuleHit.seen_at.is_(None))
    return db.session.execute(select(RuleHit.id).where(*unseen).limit(1)).scalar() is not None


def _since(author_id: str) -> datetime | None:
    return db.session.execute(select(User.created_at).where(User.id == author_id)).scalar()


def _earlier(draft: Draft, since: datetime, message_id: str | None) -> list[tuple[datetime, str]]:
    """Return what somebody wrote in a room lately, without this message itself; also what waits."""
    posted = (
        select(Message.created_at, Message.body)
        .where(
            Message.author_id == draft.author_id, Message.created_at >= since, Message.room_id == draft.room_id,
            Message.id != (message_id or ""),
        )
        .order_by(Message.created_at.desc(), Message.id.desc())
        .limit(200)
    )  # fmt: skip
    held = select(HeldMessage.created_at, HeldMessage.body).where(
        HeldMessage.room_id == draft.room_id, HeldMessage.state == "waiting", HeldMessage.author_id == draft.author_id,
        HeldMessage.created_at >= since,
    )  # fmt: skip
    return [(at, text) for statement in (posted, held) for at, text in db.session.execute(statement)]


def _mute(draft: Draft, verdict: Verdict) -> None:
    try:
        sanctions.impose(
            "mute", draft.author_id, f"A rule of this site: {verdict.label}", room_id=draft.room_id,
            expires_at=clock.now() + timedelta(minutes=verdict.mute_minutes),
        )  # fmt: skip
    except Conflict:
        pass  # another message of theirs has done it
