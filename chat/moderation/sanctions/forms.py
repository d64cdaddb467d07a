"""What the forms about sanctions send."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from chat.core import clock, ids
from chat.core.errors import Invalid
from chat.moderation.sanctions.words import DURATIONS
from chat.web import forms, zones


@dataclass(frozen=True)
class SanctionFields:
    """Whom, what, where and for how long."""

    person: str
    network: str
    kind: str
    #: Empty for everywhere.
    room: str
    duration: str
    #: A moment in the sender's zone, for the duration ``until``.
    until: str
    reason: str
    note: str

    @classmethod
    def read(cls) -> SanctionFields:
        """Return what was sent, unchecked."""
        return cls(
            forms.line("person"), forms.line("network"), forms.line("kind"), forms.line("room"), forms.line("duration"),
            forms.line("until"), forms.line("reason"), forms.text("note"),
        )  # fmt: skip

    @property
    def room_id(self) -> str | None:
        """Return the room; None for everywhere, and for what is no id."""
        return self.room if ids.is_id(self.room) else None

    def expires_at(self) -> datetime | None:
        """Return when it ends; None: when it is lifted.

        :raises Invalid: there is no such duration, or no such moment.
        """
        if self.duration == "until":
            try:
                return zones.from_reader(self.until)
            except zones.BeyondTime as problem:
                sentence = f"{problem} What has no end lasts until it is lifted."
                raise Invalid(sentence, {"duration": sentence}) from None
            except ValueError:
                raise Invalid("Choose a day and a time.", {"duration": "Choose a day and a time."}) from None
        if self.duration not in DURATIONS:
            raise Invalid("Choose for how long.", {"duration": "Choose for how long."})
        span = DURATIONS[self.duration][1]
        return clock.now() + span if span else None
