"""The look of the site, and what pages are told of it."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from urllib.parse import urlsplit

from flask import Flask, current_app, g, request
from sqlalchemy.exc import SQLAlchemyError

from chat.accounts import passwords
from chat.core.database import db
from chat.core.errors import Invalid
from chat.look import accent, queries, styles
from chat.look.contexts import LookContext
from chat.look.events import LookChanged
from chat.look.models import SITE, Look
from chat.realtime.caches import Cache
from chat.web import security, templating
from chat.web.urls import path_for

log = logging.getLogger(__name__)

#: The name of the cookie of browsers that leave the site's own styles out.
SAFE = "safe"


#: Pages on which one signs in, changes an account or acts in the name of the site. Styles of whoever may change the look, or of
#: a theme, do not reach them: one could lay a button that destroys over an empty place. Name, logo and accent are no danger.
PLAIN = ("/moderation", "/sign-in", "/sign-up", "/setup", "/profile", "/devices", "/receipts", "/standing", "/-")


@dataclass(frozen=True)
class Shown:
    """A look, ready to be shown."""

    name: str = ""
    accent: str = ""
    css: str = ""
    logo: bytes = b""
    logo_digest: str = ""
    #: The style sheet, empty where there is nothing to say; and what its address has.
    sheet: bytes = b""
    digest: str = ""
    #: The sheet and its digest with the accent alone.
    accent_sheet: bytes = b""
    accent_digest: str = ""

    @classmethod
    def of(cls, look: Look | None) -> Shown:
        """Make one ready."""
        if look is None:
            return cls()
        sheet, plain = _sheet(look.accent, look.css), _sheet(look.accent, "")
        return cls(
            look.name, look.accent, look.css, look.logo, look.logo_digest, sheet, _digest(sheet), plain, _digest(plain)
        )


cache = Cache("look", LookChanged, queries.version, lambda: Shown.of(queries.get_look(SITE)))


def init_app(app: Flask) -> None:
    """Give the application its look."""
    cache.init_app(app)
    templating.provide("site_name")(_site_name)
    templating.provide("look")(_look)
    passwords.of_place(lambda: (name(), urlsplit(current_app.config["SETTINGS"].public_url).hostname or ""))


def _digest(sheet: bytes) -> str:
    return hashlib.sha256(sheet).hexdigest()[:12] if sheet else ""


def _sheet(chosen: str, css: str) -> bytes:
    own = f"@layer theme{{:root{{{accent.declarations(chosen)}}}}}" if chosen else ""
    try:
        own += styles.compiled(css)
    except Invalid as problem:  # it was taken by another release: what is wrong with it must not stop a page
        log.warning("the styles of this site are left out: %s", problem.sentence)
    return own.encode()


def shown() -> Shown:
    """Return how the site looks; as we ship it while the database never answered, for pages say so and are shown."""
    try:
        return cache.value
    except SQLAlchemyError as problem:
        db.session.rollback()
        log.warning("the look of the site cannot be read: %s", type(problem).__name__)
        return Shown()


def name() -> str:
    """Return what this place is called: as an administrator has it, or else the setting."""
    usual: str = current_app.config["SITE_NAME"]
    return shown().name or usual


def try_on(draft: Shown) -> None:
    """Show the page of this request, and it alone, in a look that is not the site's."""
    g.tried_on = draft


def _site_name() -> str:
    """Return what this place is called."""
    tried: Shown | None = g.get("tried_on")
    return (tried.name or current_app.config["SITE_NAME"]) if tried else name()


def _look() -> LookContext:
    """Return the look of the site beyond the shipped one: ``style`` and ``logo`` are addresses or empty, ``safe`` and ``plain``
    tell whether styles are left out, by the browser or by the page.
    """
    tried: Shown | None = g.get("tried_on")
    if tried is not None:
        style = path_for("look.draft_style", v=tried.digest) if tried.sheet else ""
        return LookContext(style, path_for("look.draft_logo", v=tried.logo_digest) if tried.logo else "")
    found = shown()
    safe = bool(request.cookies) and bool(security.read_cookie(SAFE))
    plain = _is_plain(request.path)
    digest = found.accent_digest if plain else found.digest
    style = path_for("look.style", digest=digest) if digest and not safe else ""
    logo = path_for("look.logo", digest=found.logo_digest) if found.logo and not safe else ""
    return LookContext(style, logo, safe, plain)


def _is_plain(path: str) -> bool:
    return any(path == each or path.startswith(f"{each}/") for each in PLAIN)
