"""Trying a look out, and giving it to the site."""

from __future__ import annotations

import hashlib
from typing import Any

from sqlalchemy import delete, insert, update

from chat.core import audit, clock, ids
from chat.core.bus import emit, transaction
from chat.core.database import db
from chat.core.errors import Conflict, NotFound
from chat.core.log import take_turns
from chat.look import queries
from chat.look.events import LookChanged
from chat.look.models import SITE, Look


def draft(actor_id: str, *, name: str, accent: str, css: str, logo: bytes | None) -> None:
    """Keep what an administrator tries out, for them alone, in the place of their last draft.

    :param name: empty, as the others, for what we ship.
    :param accent: as ``#rrggbb``.
    :param css: styles that ``chat.look.styles`` takes.
    :param logo: a picture that is safe; None to keep the one that the draft or the site has.
    """
    with transaction():
        take_turns(queries.LOCK)
        if logo is None:
            before = queries.get_look(actor_id) or queries.get_look(SITE)
            logo = before.logo if before else b""
        _put(actor_id, actor_id, name=name, accent=accent, css=css, logo=logo)


def drop_draft(actor_id: str) -> None:
    """Forget what an administrator tries out."""
    with transaction():
        db.session.execute(delete(Look).where(Look.id == actor_id))


def publish(actor_id: str, seen: str) -> None:
    """Give the site the look that an administrator tries out; every process shows it at once.

    :param seen: ``comparison`` of the two as they were when the administrator looked at them.
    :raises NotFound: they try none out.
    :raises Conflict: one of the two is another one since.
    """
    with transaction():
        take_turns(queries.LOCK)
        wanted = queries.get_look(actor_id)
        if wanted is None:
            raise NotFound("There is nothing to save: this look was saved or dropped already.")
        standing = queries.get_look(SITE)
        if seen != comparison(standing, wanted):
            raise Conflict(
                "Nothing was saved: this look, or that of the site, was changed since you opened the preview. "
                "Here is what would change now."
            )
        before, after = told(standing), told(wanted)
        changed = [name for name in after if before[name] != after[name]]
        if changed:
            _put(SITE, actor_id, name=wanted.name, accent=wanted.accent, css=wanted.css, logo=wanted.logo)
            emit(LookChanged())
        db.session.execute(delete(Look).where(Look.id == actor_id))
        if changed:
            audit.write(
                "look.changed", actor_id, before={name: before[name] for name in changed},
                after={name: after[name] for name in changed},
            )  # fmt: skip


def comparison(standing: Look | None, wanted: Look) -> str:
    """Return what names a look of the site and a draft of it: another one as soon as either changes."""
    return f"{standing.version if standing else ''}.{wanted.version}"


def told(look: Look | None) -> dict[str, Any]:
    """Return a look as the audit log has it: styles and logo by their digests, for a row holds no long text."""
    css = look.css if look else ""
    return {
        "name": look.name if look else "",
        "accent": look.accent if look else "",
        "css": f"{len(css)} characters, {_digest(css.encode())}" if css else "",
        "logo": look.logo_digest if look else "",
    }


def changes(standing: Look | None, wanted: Look) -> tuple[str, ...]:
    """Return what a draft changes of the look of the site: ``name``, ``accent``, ``css``, ``logo``."""
    before, after = told(standing), told(wanted)
    return tuple(name for name in after if before[name] != after[name])


def _put(look_id: str, actor_id: str, *, name: str, accent: str, css: str, logo: bytes) -> None:
    values = {
        "version": ids.new(), "name": name, "accent": accent, "css": css, "logo": logo,
        "logo_digest": _digest(logo) if logo else "", "changed_by": actor_id, "changed_at": clock.now(),
    }  # fmt: skip
    changed = update(Look).where(Look.id == look_id).values(**values).execution_options(synchronize_session=False)
    if not db.session.execute(changed).rowcount:  # type: ignore[attr-defined]
        db.session.execute(insert(Look).values(id=look_id, **values))


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]
