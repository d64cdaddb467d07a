"""What the forms about accounts send."""

from __future__ import annotations

from dataclasses import dataclass

from chat.accounts import emails
from chat.accounts.models import NAME_LIMIT, STATUS_LIMIT, THEMES
from chat.errors import Invalid
from chat.web import forms


def person_name(text: str) -> str:
    """Return a name that can be shown.

    :raises Invalid: it is empty or too long.
    """
    if not any(char.isalnum() for char in text):
        raise Invalid("Give a name that people know you by.", {"name": "Give a name that people know you by."})
    if len(text) > NAME_LIMIT:
        sentence = f"A name has {NAME_LIMIT} characters at most; this one has {len(text)}."
        raise Invalid(sentence, {"name": sentence})
    return text


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
        return cls(forms.line("name"), forms.line("email"), forms.secret("password"), forms.secret("token"))

    def checked(self) -> SignUpForm:
        """Return it with every field in order.

        :raises Invalid: naming every field that is not.
        """
        problems: dict[str, str] = {}
        for check, value in ((person_name, self.name), (emails.normal, self.email)):
            try:
                check(value)
            except Invalid as problem:
                problems |= problem.fields
        if problems:
            raise Invalid(next(iter(problems.values())), problems)
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
    """One's present password, and the one to come."""

    current: str
    password: str

    @classmethod
    def read(cls) -> PasswordForm:
        """Return what was sent, unchecked."""
        return cls(forms.secret("current_password"), forms.secret("password"))


@dataclass(frozen=True)
class EmailForm:
    """An e-mail address, and one's present password."""

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
        return cls(forms.line("name"), forms.line("status"), forms.line("theme") or "auto")

    def checked(self) -> ProfileForm:
        """Return it if every field is in order.

        :raises Invalid: a field is not.
        """
        person_name(self.name)
        if len(self.status) > STATUS_LIMIT:
            sentence = f"A status has {STATUS_LIMIT} characters at most; this one has {len(self.status)}."
            raise Invalid(sentence, {"status": sentence})
        if self.theme not in THEMES:
            raise Invalid("Choose one of the three looks.", {"theme": "Choose one of the three looks."})
        return self
