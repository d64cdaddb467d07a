"""Browsers that know an account: a cookie by which those who signed in with it before are told from everybody else.

Tries to sign in are counted by the browser where it knows the account, and else by account and network: wrong passwords of
somebody else keep nobody out of a browser of their own. Source: OWASP, *Slow Down Online Guessing Attacks with Device Cookies*.

The cookie outlives signing out. It names no account: a mark in it is sealed over the account's id and the moment its password
was changed, so another password ends it everywhere, and nothing is stored. Several people may share a browser.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

from flask import Response

from chat.accounts.models import User
from chat.core import ids, keys
from chat.web import security

NAME = "browser"
#: Seconds: as long as browsers keep any cookie. Each signing in begins it anew.
LIFE = 400 * 24 * 3600
#: Accounts that one browser knows at most; beyond that the earliest is forgotten.
_MOST = 4
_MARK = re.compile(r"([a-z2-7]{16})\.([0-9]{1,12})\.([\w-]{22})", re.ASCII)


def known(user: User | None) -> str | None:
    """Return the name of this browser where it knows an account, else None.

    :param user: None where there is no such account: the same work is done.
    """
    found = None
    for browser, made, seal in _marks():
        if keys.sealed(keys.derive("browser"), seal, browser, made, *_account(user)) and int(made) + LIFE > time.time():
            found = browser
    return found if user is not None else None


def remember(response: Response, user: User) -> None:
    """Set the cookie by which this browser knows an account from now on."""
    browser, made = known(user) or ids.new(), str(int(time.time()))
    others = [mark for mark in _marks() if mark[0] != browser][: _MOST - 1]
    seal = keys.seal(keys.derive("browser"), browser, made, *_account(user))
    value = "~".join(".".join(mark) for mark in [(browser, made, seal), *others])
    security.set_cookie(response, NAME, value, life=LIFE)


def _marks() -> Iterator[tuple[str, str, str]]:
    for each in security.read_cookie(NAME)[:400].split("~")[:_MOST]:
        parts = _MARK.fullmatch(each)
        if parts:
            yield parts[1], parts[2], parts[3]


def _account(user: User | None) -> tuple[str, str]:
    if user is None:
        return "", ""
    return user.id, user.password_changed_at.isoformat() if user.password_changed_at else ""
