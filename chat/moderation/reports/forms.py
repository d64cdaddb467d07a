"""What the forms about reports send."""

from __future__ import annotations

from dataclasses import dataclass

from flask import request

from chat.core import ids
from chat.core.errors import Invalid
from chat.moderation.reports.models import COMMENT_LIMIT
from chat.moderation.reports.words import REASONS
from chat.web import forms


@dataclass(frozen=True)
class FilingForm:
    """A reason, a comment, and the messages of a direct room that go with it."""

    reason: str
    comment: str
    lines: frozenset[str]

    @classmethod
    def read(cls) -> FilingForm:
        """Return what was sent, unchecked, so that a refused form can be shown again."""
        lines = frozenset(each for each in request.form.getlist("line")[:20] if ids.is_id(each))
        return cls(forms.line("reason"), forms.text("comment"), lines)

    def checked(self) -> FilingForm:
        """Return it if every field is in order.

        :raises Invalid: naming every field that is not.
        """
        problems: dict[str, str] = {}
        if self.reason not in REASONS:
            problems["reason"] = "Choose what comes nearest."
        if len(self.comment) > COMMENT_LIMIT:
            problems["comment"] = (
                f"A comment has {COMMENT_LIMIT:,} characters at most; this one has {len(self.comment):,}."
            )
        elif self.reason == "other" and not self.comment:
            problems["comment"] = "Say in a few words what it is."
        if problems:
            raise Invalid(next(iter(problems.values())), problems)
        return self


@dataclass(frozen=True)
class DecisionForm:
    """A reason, and what those who reported it are told."""

    reason: str
    answer: str

    @classmethod
    def read(cls) -> DecisionForm:
        """Return what was sent."""
        return cls(forms.line("reason"), forms.line("answer"))
