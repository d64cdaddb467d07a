"""What the templates of e-mails are told."""

from __future__ import annotations

from dataclasses import dataclass


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
