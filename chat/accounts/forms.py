"""What the forms about accounts send."""

from __future__ import annotations

from dataclasses import dataclass

from chat.accounts import emails, passwords
from chat.accounts.models import NAME_LIMIT, NAME_WIDTH, STATUS_LIMIT, THEMES
from chat.core import names
from chat.core.errors import Invalid, check_all
from chat.web import forms


def person_name(text: str) -> str:
    """Return a name as it is kept.

    :raises Invalid: it has no letter or digit, or is too long.
    """
    name = names.tidied(text)
    # The tag of a name that looks like another one comes behind it, so there has to be room.
    problem = names.fault(name, "A name", NAME_LIMIT, "Give a name that people know you by.", NAME_WIDTH - 8)
    if problem:
        raise Invalid(problem, {"name": problem})
    return name


@dataclass(frozen=True)
class SignUpForm:
    """Name, e-mail, password and, with an invitation or a set-up link, its secret."""

    name: str
    email: str
    password: str
    token: str

    @classmethod
    def read(cls) -> SignUpForm:
        """Return what was sent, unchecked, so that a refused form can be shown again."""
        return cls(forms.name("name"), forms.line("email"), forms.secret("password"), forms.secret("token"))

    def checked(self) -> SignUpForm:
        """Return it with every field in order.

        :raises Invalid: naming every field that is not.
        """
        check_all(
            lambda: person_name(self.name),
            lambda: emails.normal(self.email),
            lambda: passwords.check(self.password, self.name, self.email),
        )
        return SignUpForm(self.name, emails.normal(self.email), self.password, self.token)


@dataclass(frozen=True)
class SignInForm:
    """E-mail, password and where to go afterwards."""

    email: str
    password: str
    next: str

    @classmethod
    def read(cls) -> SignInForm:
        """Return what was sent."""
        return cls(emails.for_search(forms.line("email")), forms.secret("password"), forms.secret("next"))


@dataclass(frozen=True)
class PasswordForm:
    """The present password of an account, and the new one."""

    current: str
    password: str

    @classmethod
    def read(cls) -> PasswordForm:
        """Return what was sent, unchecked."""
        return cls(forms.secret("current_password"), forms.secret("password"))


@dataclass(frozen=True)
class EmailForm:
    """A new e-mail address, and the present password."""

    email: str
    current: str

    @classmethod
    def read(cls) -> EmailForm:
        """Return what was sent, unchecked."""
        return cls(forms.line("email"), forms.secret("current_password"))


@dataclass(frozen=True)
class ProfileForm:
    """Name, status and look."""

    name: str
    status: str
    theme: str

    @classmethod
    def read(cls) -> ProfileForm:
        """Return what was sent, unchecked."""
        return cls(forms.name("name"), forms.line("status"), forms.line("theme") or "auto")

    def checked(self) -> ProfileForm:
        """Return it if every field is in order.

        :raises Invalid: naming every field that is not.
        """
        check_all(lambda: person_name(self.name), self._check_status, self._check_theme)
        return self

    def _check_status(self) -> None:
        if len(self.status) > STATUS_LIMIT:
            sentence = f"A status has {STATUS_LIMIT} characters at most; this one has {len(self.status)}."
            raise Invalid(sentence, {"status": sentence})

    def _check_theme(self) -> None:
        if self.theme not in THEMES:
            raise Invalid("Choose one of the three looks.", {"theme": "Choose one of the three looks."})
