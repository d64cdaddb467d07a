"""What looks at text before it is taken: features ask here, and the feature that has the rules answers.

What people write is stored by features that know nothing of rules. Before they store it they ask ``judge``; above them
``chat.moderation.rules`` puts itself into the slot. Nothing in the slot, or no rule: everything is taken, without a query.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from chat.core.errors import ChatError, Invalid


@dataclass(frozen=True)
class Draft:
    """Text that somebody wants to have taken."""

    #: ``message``, ``edit`` or ``name``.
    what: str
    text: str
    author_id: str
    #: None: it is not about one room.
    room_id: str | None = None


@dataclass(frozen=True)
class Verdict:
    """What a rule says of a draft."""

    #: ``mute``, ``block``, ``hold`` or ``alert``; by an alert it is taken.
    action: str
    rule_id: str
    #: For its author.
    sentence: str
    #: For moderators: what the rule is called.
    label: str
    #: For how long a ``mute`` lasts.
    mute_minutes: int = 0
    #: Whether it is written down that the rule did something: between two people it is not.
    counted: bool = True

    @property
    def stops(self) -> bool:
        """Tell whether the draft is not to be taken as it is."""
        return self.action != "alert"


class Stopped(Exception):
    """A draft was stopped when its room was locked already: no error, but what takes it back that was stored just now."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict.action)
        self.verdict = verdict


class Screen(Protocol):
    """What answers."""

    def judge(self, draft: Draft) -> Verdict | None:
        """Judge a draft by what it says, outside of any transaction; None: take it."""
        ...

    def judge_locked(self, draft: Draft, verdict: Verdict | None, message_id: str | None) -> Verdict | None:
        """Judge a message also by what its author wrote just before, under its room's lock.

        :param verdict: what ``judge`` said of it; the stronger one is returned.
        :param message_id: of the message, which is stored already; None: it is about to be held.
        """
        ...

    def note(self, draft: Draft, verdict: Verdict, message_id: str | None) -> None:
        """Write down that a rule did something, inside ``transaction()``.

        :param message_id: None: it was not taken.
        """
        ...

    def refuse(self, draft: Draft, verdict: Verdict) -> ChatError:
        """Do what a rule that blocks or mutes does, and return what its author is told, to be raised."""
        ...


class _Nothing:
    """No rules."""

    def judge(self, draft: Draft) -> Verdict | None:
        return None

    def judge_locked(self, draft: Draft, verdict: Verdict | None, message_id: str | None) -> Verdict | None:
        return verdict

    def note(self, draft: Draft, verdict: Verdict, message_id: str | None) -> None: ...

    def refuse(self, draft: Draft, verdict: Verdict) -> ChatError:
        return Invalid(verdict.sentence)


#: The slot.
screen: Screen = _Nothing()


def install(answers: Screen) -> None:
    """Have somebody answer."""
    global screen
    screen = answers


def require_name(field: str, text: str, author_id: str, room_id: str | None = None) -> None:
    """Refuse a name, a status or a purpose that a rule would not have in a message.

    :param field: of the form.
    :raises Invalid: with the rule's sentence.
    """
    draft = Draft("name", text, author_id, room_id)
    verdict = screen.judge(draft)
    if verdict is not None and verdict.stops:
        raise Invalid(verdict.sentence, {field: verdict.sentence})
