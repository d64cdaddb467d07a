"""What templates are told about who is here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

#: Members of a room up to which each has a mark. Beyond, who comes and goes would cost everybody more than all that is said.
MARKED = 100


@dataclass(frozen=True)
class PresenceContext:
    """Whether somebody is here."""

    person_id: str
    #: ``online``, ``away`` or ``offline``.
    state: str
    #: When they were last here, if they are not and it is known.
    last_seen_at: datetime | None = None

    @property
    def word(self) -> str:
        """Return the state as people say it."""
        return {"online": "Here now", "away": "Away"}.get(self.state, "Not here")

    @classmethod
    def sample(cls) -> PresenceContext:
        """Return one to look at."""
        return cls("samplesamplesamp", "offline", datetime(2026, 11, 21, 8, 14, tzinfo=UTC))

    @classmethod
    def samples(cls) -> dict[str, PresenceContext]:
        """Return others to look at, by the name of the state."""
        return {"here": cls("samplesamplesamp", "online"), "away": cls("samplesamplesamp", "away")}


@dataclass(frozen=True)
class PresenceMark:
    """The mark of one person's presence, wherever it stands."""

    presence: PresenceContext

    @classmethod
    def sample(cls) -> PresenceMark:
        """Return one to look at."""
        return cls(PresenceContext.sample())

    @classmethod
    def samples(cls) -> dict[str, PresenceMark]:
        """Return others to look at, by the name of the state."""
        return {state: cls(presence) for state, presence in PresenceContext.samples().items()}


@dataclass(frozen=True)
class CrowdContext:
    """How many of a room's members are here."""

    room_id: str
    here: int
    members: int

    @property
    def many(self) -> bool:
        """Whether there are too many for a mark at each: then only their number is kept true."""
        return self.members > MARKED

    @classmethod
    def sample(cls) -> CrowdContext:
        """Return one to look at."""
        return cls("samplesamplesamp", 9, 14)


@dataclass(frozen=True)
class CrowdLine:
    """The line that says how many are here."""

    crowd: CrowdContext

    @classmethod
    def sample(cls) -> CrowdLine:
        """Return one to look at."""
        return cls(CrowdContext.sample())


@dataclass(frozen=True)
class TypingSignal:
    """Somebody is writing in a room."""

    room_id: str
    person_id: str
    name: str

    @classmethod
    def sample(cls) -> TypingSignal:
        """Return one to look at."""
        return cls("samplesamplesamp", "samplesamplesamq", "Priya")
