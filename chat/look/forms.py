"""What the form of the look sends."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from chat.core import names
from chat.core.errors import Invalid
from chat.look import styles
from chat.look.models import NAME_LIMIT
from chat.web import forms

_COLOUR = re.compile(r"#?([0-9a-f]{6}|[0-9a-f]{3})")


@dataclass(frozen=True)
class LookForm:
    """Name, accent and styles; the logo is a file beside them."""

    name: str
    accent: str
    css: str
    #: Go back to our logo.
    no_logo: bool

    @classmethod
    def read(cls) -> LookForm:
        """Return what was sent, unchecked."""
        no_logo = forms.line("no_logo") == "yes"
        return cls(forms.name("name"), forms.line("accent").lower(), forms.text("css"), no_logo)

    def checked(self) -> LookForm:
        """Return it with the accent as ``#rrggbb``, if every field is in order.

        :raises Invalid: naming every field that is not.
        """
        problems: dict[str, str] = {}
        usual = "A name has letters or digits, such as Skerry Light."
        if self.name and (problem := names.fault(self.name, "A name", NAME_LIMIT, usual)):
            problems["name"] = problem
        colour = _COLOUR.fullmatch(self.accent)
        if self.accent and colour is None:
            problems["accent"] = "Write the accent as #rrggbb, such as #7a3cc2, or leave it empty."
        try:
            styles.compiled(self.css)
        except Invalid as problem:
            problems |= problem.fields
        if problems:
            raise Invalid(next(iter(problems.values())), problems)
        digits = colour[1] if colour else ""
        return replace(
            self, accent="#" + "".join(each * (2 if len(digits) == 3 else 1) for each in digits) if digits else ""
        )
