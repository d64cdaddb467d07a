"""What the forms about rooms send."""

from __future__ import annotations

from dataclasses import dataclass

from chat.core import names
from chat.core.errors import Invalid
from chat.rooms.kinds import open
from chat.rooms.models import NAME_LIMIT, NAME_WIDTH, PURPOSE_LIMIT
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
        return cls(forms.name("name"), forms.line("kind") or open.KIND.name, forms.line("purpose"))

    def checked(self) -> RoomForm:
        """Return it if every field is in order.

        :raises Invalid: naming every field that is not.
        """
        problems: dict[str, str] = {}
        problem = names.fault(
            self.name, "A room's name", NAME_LIMIT, "Give the room a name, such as lamp-room.", NAME_WIDTH - 8
        )
        if problem:
            problems["name"] = problem
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
