"""Counts of wrong passwords: by browser where it knows the account, else by network, and by account.

Counted before the password is looked at, which takes long enough for many to come at once. An account that does not exist is
counted like any other.
"""

from __future__ import annotations

from dataclasses import dataclass

from chat.accounts import browsers, guards
from chat.accounts.models import User
from chat.core import keys, security_events
from chat.core.errors import TooFast
from chat.web import guesses, rate_limits

#: Wrong passwords for one account, from one browser that knows it, or from one network.
_TRIES = "5/15 minutes"
#: Tries from one network, for whichever account.
_FROM_ONE = "20/minute"
TOO_MANY = "Too many tries. You can try again in {wait}."


@dataclass(frozen=True)
class Tries:
    """The account, and the browser or network, whose tries are counted together."""

    #: The address of the account, in its normal form.
    email: str
    #: The name of a browser that knows the account; None for any other.
    browser: str | None
    network: str

    @classmethod
    def at(cls, email: str, user: User | None) -> Tries:
        """Return the counts of an account for the sender of this request.

        :param email: in its normal form.
        :param user: who has it; None for nobody.
        """
        browser = browsers.known(user)
        who = guards.maybe_viewer()
        if browser is None and who is not None and user is not None and who.id == user.id:
            browser = who.session_id  # signed in before browsers were remembered
        return cls(email, browser, rate_limits.address())

    def count(self) -> None:
        """Count one more try.

        :raises TooFast: it has to wait.
        """
        if self.browser is None:
            try:
                rate_limits.limit_network(_FROM_ONE, TOO_MANY, "sign-in")
                guesses.require_calm(self.network, TOO_MANY)
            except TooFast:
                security_events.note("sign_in.slowed")
                raise
        try:
            rate_limits.limit(_TRIES, TOO_MANY, "wrong password", *self._whose())
            if self.browser is None:
                guesses.require_patience(self._account, TOO_MANY)
        except TooFast:
            security_events.note("sign_in.locked", email=self.email)
            raise

    def fail(self, kind: str, user_id: str | None = None) -> None:
        """Count a wrong password, and record it.

        :param kind: of the security event.
        :param user_id: whose it was, where that is known without the address.
        """
        guesses.failed()
        security_events.note(kind, user_id, "" if user_id else self.email)

    def forget(self) -> None:
        """Forget the tries of before: the password was right."""
        rate_limits.forget(_TRIES, "wrong password", *self._whose())
        if self.browser is None:
            guesses.forget(self._account)

    @property
    def _account(self) -> str:
        return keys.fingerprint(self.email)[:32]

    def _whose(self) -> tuple[str, ...]:
        return (self._account, self.browser or self.network)
