"""What the form of a hold sends."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from chat.core import ids
from chat.core.errors import Invalid
from chat.web import forms, zones


@dataclass(frozen=True)
class HoldFields:
    """Whom, where and when."""

    name: str
    person: str
    room: str
    since: str
    until: str
    reason: str

    @classmethod
    def read(cls) -> HoldFields:
        """Return what was sent, unchecked."""
        return cls(forms.name("name"), *(forms.line(name) for name in ("person", "room", "since", "until", "reason")))

    @property
    def person_id(self) -> str | None:
        """Return the person; None for everybody."""
        return self.person if ids.is_id(self.person) else None

    @property
    def room_id(self) -> str | None:
        """Return the room; None for every room."""
        return self.room if ids.is_id(self.room) else None

    def moment(self, name: str) -> datetime | None:
        """Return the beginning of a day in the sender's zone; None where none was chosen.

        :raises Invalid: it is no day.
        """
        value: str = getattr(self, name)
        if not value:
            return None
        try:
            return zones.day_from_reader(value)
        except zones.BeyondTime as problem:
            raise Invalid(str(problem), {name: str(problem)}) from None
        except ValueError:
            raise Invalid("Choose a day.", {name: "Choose a day."}) from None
