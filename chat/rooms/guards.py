"""What a moderator may moderate, for routes."""

from __future__ import annotations

from chat.accounts.guards import viewer
from chat.core.errors import NotFound
from chat.rooms.queries import Reach
from chat.web import security


def reach(permission: str = "message.remove") -> Reach:
    """Return where the viewer moderates.

    :param permission: that they have to have there.
    :raises NotFound: nowhere; there is no console for them.
    """
    who = viewer()
    found = Reach(who.id, who.role)
    if not who.moderates or not found.may(permission):
        security.note("page.refused")
        raise NotFound
    return found


def office(permission: str) -> str:
    """Let those in whose account has a permission; return their id.

    :raises NotFound: somebody else asks.
    """
    who = viewer()
    if not who.may(permission):
        security.note("page.refused")
        raise NotFound
    return who.id
