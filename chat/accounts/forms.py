"""What the forms about accounts send."""

from __future__ import annotations

from dataclasses import dataclass

from email_validator import EmailNotValidError, validate_email

from chat.accounts.models import NAME_LIMIT, STATUS_LIMIT, THEMES
from chat.errors import Invalid
from chat.web import forms


def email_address(text: str) -> str:
    """Return an e-mail address in the one form we store.

    :raises Invalid: it is none.
    """
    try:
        found = validate_email(text, check_deliverability=False, allow_smtputf8=True)
    except EmailNotValidError:
        sentence = "This is no e-mail address. One looks like ines@example.org."
        raise Invalid(sentence, {"email": sentence}) from None
    return found.normalized.lower()


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
        for check, value in ((person_name, self.name), (email_address, self.email)):
            try:
                check(value)
            except Invalid as problem:
                problems |= problem.fields
        if problems:
            raise Invalid(next(iter(problems.values())), problems)
        return SignUpForm(self.name, email_address(self.email), self.password, self.token)


@dataclass(frozen=True)
class SignInForm:
    """E-mail, password and where to go afterwards."""

    email: str
    password: str
    next: str

    @classmethod
    def read(cls) -> SignInForm:
        """Return what was sent."""
        email = forms.line("email")
        try:
            email = email_address(email)  # as it was stored, however it is written
        except Invalid:
            pass  # nobody has it
        return cls(email, forms.secret("password"), forms.secret("next"))


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
