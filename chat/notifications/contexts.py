"""What the templates of e-mails are told."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class WelcomeMail:
    """To somebody who has just made an account."""

    site_name: str
    name: str
    #: The full address of the site.
    address: str

    @classmethod
    def sample(cls) -> WelcomeMail:
        """Return one to look at."""
        return cls("Skerry Light", "Ines Okafor", "https://chat.example.org/rooms")


@dataclass(frozen=True)
class InvitationMail:
    """To somebody who has no account yet."""

    site_name: str
    invited_by: str
    #: The name of the room; empty when the invitation is to the site alone.
    room: str
    #: The full address of the form, with the secret of the invitation.
    address: str

    @classmethod
    def sample(cls) -> InvitationMail:
        """Return one to look at."""
        return cls("Skerry Light", "Ines Okafor", "lamp-room", "https://chat.example.org/sign-up?invitation=secret")


@dataclass(frozen=True)
class AccountMail:
    """To the person of an account that was changed, or that somebody else may have tried to get into."""

    site_name: str
    #: ``password``, ``email``, ``browser`` (a new one) or ``tries`` (too many wrong passwords).
    what: str
    #: Such as ``Firefox on Debian``; empty where it is not known.
    device: str
    #: Where the password is changed, and where one is signed in.
    password_address: str
    devices_address: str

    @classmethod
    def sample(cls) -> AccountMail:
        """Return one to look at."""
        base = "https://chat.example.org"
        return cls("Skerry Light", "password", "Firefox on Debian", f"{base}/profile/password", f"{base}/devices")

    @classmethod
    def samples(cls) -> dict[str, AccountMail]:
        """Return others to look at, by the name of the state."""
        return {each: replace(cls.sample(), what=each) for each in ("email", "browser", "tries")}
