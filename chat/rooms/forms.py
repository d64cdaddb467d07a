"""What the forms about rooms send."""

from __future__ import annotations

from dataclasses import dataclass

from chat.errors import Invalid
from chat.rooms.models import NAME_LIMIT, PURPOSE_LIMIT
from chat.web import forms


@dataclass(frozen=True)
class RoomForm:
    """Name, kind and purpose of a room."""

    name: str
    kind: str
    purpose: str

    @classmethod
    def read(cls) -> RoomForm:
        """Return what was sent, unchecked."""
        return cls(forms.line("name"), forms.line("kind") or "open", forms.line("purpose"))

    def checked(self) -> RoomForm:
        """Return it if every field is in order.

        :raises Invalid: naming every field that is not.
        """
        problems: dict[str, str] = {}
        if not any(char.isalnum() for char in self.name):
            problems["name"] = "Give the room a name, such as lamp-room."
        elif len(self.name) > NAME_LIMIT:
            problems["name"] = f"A room's name has {NAME_LIMIT} characters at most; this one has {len(self.name)}."
        if len(self.purpose) > PURPOSE_LIMIT:
            problems["purpose"] = f"A purpose has {PURPOSE_LIMIT} characters at most; this one has {len(self.purpose)}."
        if problems:
            raise Invalid(next(iter(problems.values())), problems)
        return self


@dataclass(frozen=True)
class MemberForm:
    """Whom to add: somebody by id, or anybody by e-mail."""

    person: str
    email: str

    @classmethod
    def read(cls) -> MemberForm:
        """Return what was sent."""
        return cls(forms.line("person"), forms.line("email"))
