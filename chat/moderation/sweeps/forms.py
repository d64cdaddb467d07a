"""What the form of a sweep sends."""

from __future__ import annotations

from dataclasses import dataclass

from chat.core import ids
from chat.web import forms


@dataclass(frozen=True)
class SweepFields:
    """Whose messages, where, from when on, and why."""

    person: str
    #: Empty for every room within reach.
    room: str
    span: str
    reason: str
    ban: bool

    @classmethod
    def read(cls) -> SweepFields:
        """Return what was sent, unchecked."""
        line = forms.line
        return cls(line("person"), line("room"), line("span"), line("reason"), line("ban") == "yes")

    @classmethod
    def asked(cls) -> SweepFields:
        """Return what the address names, unchecked."""
        asked = forms.argument
        return cls(asked("person"), asked("room"), asked("span"), asked("reason"), asked("ban") == "yes")

    @property
    def room_id(self) -> str | None:
        """Return the room; None for every one within reach, and for what is no id."""
        return self.room if ids.is_id(self.room) else None
