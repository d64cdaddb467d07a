"""What templates are told about people and their devices."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

#: How many hues there are for people without a picture.
HUES = 12


def initials(name: str) -> str:
    """Return the first letters of the first and last word; one character for scripts that are not spaced."""
    words = [word for word in name.split() if word[:1].isalnum()] or ["?"]
    if ord(words[0][0]) >= 0x2E80:  # CJK and what follows it
        return words[0][0]
    return (words[0][0] + (words[-1][0] if len(words) > 1 else "")).upper()


@dataclass(frozen=True)
class PersonContext:
    """Somebody with an account."""

    id: str
    name: str
    #: The key of their picture; None for initials on a hue.
    picture: str | None = None
    #: A short line of their own.
    status: str = ""
    #: When they were last here, to the minute; None if never, or where it does not matter.
    last_seen_at: datetime | None = None

    @property
    def initials(self) -> str:
        """Return one or two letters for the place of a picture."""
        return initials(self.name)

    @property
    def hue(self) -> int:
        """Return which of the twelve hues is theirs."""
        return zlib.crc32(self.id.encode()) % HUES

    @classmethod
    def sample(cls) -> PersonContext:
        """Return one to look at."""
        return cls("samplesamplesamp", "Ines Okafor", status="On the scaffold until 4")


@dataclass(frozen=True)
class SessionContext:
    """A browser that is signed in."""

    id: str
    #: Such as ``Firefox on Debian``.
    device: str
    #: ``phone``, ``tablet`` or ``computer``.
    shape: str
    address: str
    last_seen_at: datetime
    current: bool

    @classmethod
    def sample(cls) -> SessionContext:
        """Return one to look at."""
        moment = datetime(2026, 11, 21, 9, 12, tzinfo=UTC)
        return cls("samplesamplesamp", "Firefox on Debian", "computer", "192.0.2.7", moment, True)


@dataclass(frozen=True)
class ActivityContext:
    """A security event in words: something that happened to an account, or was refused."""

    id: str
    at: datetime
    #: Whose account it is about; None where that is not known.
    person: PersonContext | None
    #: What happened.
    did: str
    #: The name of an icon.
    sign: str
    #: Such as ``Firefox on Debian``; empty where it is not known, as address and network.
    device: str
    address: str
    network: str
    #: What was asked for; mostly empty.
    detail: str = ""
    #: How many times it happened within a minute.
    times: int = 1

    @classmethod
    def sample(cls) -> ActivityContext:
        """Return one to look at."""
        moment = datetime(2026, 11, 21, 9, 12, tzinfo=UTC)
        return cls(
            "samplesamplesamp", moment, PersonContext.sample(), "Wrong password", "circle-alert", "Firefox on Debian",
            "192.0.2.7", "192.0.2.0/24", times=4,
        )  # fmt: skip


@dataclass(frozen=True)
class SignInPage:
    """The form to sign in."""

    email: str = ""
    #: Where to go afterwards.
    next: str = ""
    #: One sentence over the button, or nothing.
    error: str = ""
    may_sign_up: bool = True
    #: Something that was written before is kept, for whoever has no script.
    unsent: bool = False

    @classmethod
    def sample(cls) -> SignInPage:
        """Return one to look at."""
        return cls("ines@skerrylight.example", error="That e-mail and password do not match. Try again.", unsent=True)


@dataclass(frozen=True)
class SignUpPage:
    """The form to make an account: the first of all, or one's own."""

    #: Where the form goes: ``/sign-up`` or ``/setup``.
    action: str
    #: Whether this makes the first account, an administrator.
    first: bool = False
    #: The secret of a set-up link or of an invitation.
    token: str = ""
    name: str = ""
    email: str = ""
    #: Whom the invitation is from; nothing without one.
    invited_by: str = ""
    error: str = ""
    #: Sentences by the name of the field.
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def sample(cls) -> SignUpPage:
        """Return one to look at."""
        return cls("/sign-up", name="Ines", errors={"password": "A password has 8 to 128 characters; this one has 5."})


@dataclass(frozen=True)
class ProfilePage:
    """The form for one's own name, picture, status and look."""

    person: PersonContext
    email: str
    name: str
    status: str
    #: ``auto``, ``light`` or ``dark``.
    theme: str
    #: Whether it was just saved.
    saved: bool = False
    error: str = ""
    errors: dict[str, str] = field(default_factory=dict)
    #: When the password was last changed; None while it is the first one.
    password_changed_at: datetime | None = None
    #: ``password`` or ``email`` where that was just changed.
    changed: str = ""

    @classmethod
    def sample(cls) -> ProfilePage:
        """Return one to look at."""
        person = PersonContext.sample()
        return cls(person, "ines@skerrylight.example", person.name, person.status, "auto", saved=True)

    @classmethod
    def samples(cls) -> dict[str, ProfilePage]:
        """Return others to look at, by the name of the state."""
        moment = datetime(2026, 11, 21, 9, 12, tzinfo=UTC)
        usual = replace(cls.sample(), saved=False, password_changed_at=moment)
        return {f"another {each}": replace(usual, changed=each) for each in ("password", "email")}


@dataclass(frozen=True)
class PasswordPage:
    """The form for another password. No password ever comes back with it."""

    #: The account's address, for password managers.
    email: str
    #: One sentence over the button, or nothing.
    error: str = ""
    #: Sentences by the name of the field.
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def sample(cls) -> PasswordPage:
        """Return one to look at."""
        return cls("ines@skerrylight.example", errors={"current_password": "That is not your present password."})


@dataclass(frozen=True)
class EmailPage:
    """The form for another e-mail address."""

    #: The present address.
    before: str
    #: The new address, as typed.
    email: str = ""
    error: str = ""
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def sample(cls) -> EmailPage:
        """Return one to look at."""
        return cls("ines@skerrylight.example", "ines@", errors={"email": "This is no e-mail address."})


@dataclass(frozen=True)
class DevicesPage:
    """Where one is signed in."""

    sessions: tuple[SessionContext, ...]
    #: What happened to one's account lately, latest first.
    activity: tuple[ActivityContext, ...] = ()
    #: Where the next page of it begins; empty on the last one.
    more: str = ""

    @classmethod
    def sample(cls) -> DevicesPage:
        """Return one to look at."""
        return cls((SessionContext.sample(),), (ActivityContext.sample(),))


@dataclass(frozen=True)
class EndOthersPage:
    """The question whether every other device is to be signed out."""

    #: All but the one that asks.
    sessions: tuple[SessionContext, ...]

    @classmethod
    def sample(cls) -> EndOthersPage:
        """Return a sample of the page, with one session."""
        return cls((SessionContext.sample(),))


@dataclass(frozen=True)
class ViewerStyle:
    """Whose page it is, for the style sheet that marks what is theirs."""

    person_id: str

    @classmethod
    def sample(cls) -> ViewerStyle:
        """Return one to look at."""
        return cls(PersonContext.sample().id)
