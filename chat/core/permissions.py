"""Who may do what: one table, and every check goes through it.

A person has one role on the site, from their account, and in each room one more, from their membership: *room owner*, *room
moderator*, or none beyond being in it. A permission is had by whoever has one of its roles. What a kind of room allows, and
what a sanction forbids, comes on top of this and is said by those features.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

#: Every role and how it reads. The last two are had in a room.
ROLES = {
    "administrator": "Administrator",
    "moderator": "Moderator",
    "member": "Member",
    "guest": "Guest",
    "bot": "Bot",
    "room_owner": "Owner of the room",
    "room_moderator": "Moderator of the room",
}
#: Those of an account.
SITE_ROLES = ("member", "guest", "bot", "moderator", "administrator")
#: Those of a membership, as it calls them, beside ``member``.
ROOM_ROLES = {"owner": "room_owner", "moderator": "room_moderator"}


@dataclass(frozen=True)
class Permission:
    """One thing that people do."""

    name: str
    #: How it reads after "may".
    words: str
    roles: frozenset[str]
    #: Whether it is about one room, which has to be within reach.
    in_room: bool = True


_EVERYBODY = "administrator moderator member guest bot"
_PEOPLE = "administrator moderator member"
_STAFF = "administrator moderator"
_MODERATORS = "administrator moderator room_moderator"


def _permission(name: str, words: str, roles: str, in_room: bool = True) -> tuple[str, Permission]:
    return name, Permission(name, words, frozenset(roles.split()), in_room)


#: The table. What is not in it nobody may do.
PERMISSIONS = dict(
    [
        _permission("message.post", "write in a room they are in", _EVERYBODY),
        _permission("message.report", "report a message or a person to the moderators", _PEOPLE + " guest"),
        _permission("room.create", "make rooms", _PEOPLE, in_room=False),
        _permission("room.find", "find open rooms and join them", _PEOPLE, in_room=False),
        _permission("people.find", "look people up and write to anybody directly", _PEOPLE, in_room=False),
        _permission("member.add", "add people to a room they are in", _PEOPLE),
        _permission("member.remove", "remove people from a room", "room_owner"),
        _permission("room.change", "rename a room and change its purpose", "room_owner"),
        _permission("message.remove", "remove what others wrote, and restore it", _MODERATORS),
        _permission("hidden.read", "read removed and held text, which is written down", _MODERATORS),
        _permission("held.decide", "approve and refuse held messages", _MODERATORS),
        _permission("report.handle", "handle reports", _MODERATORS),
        _permission("sanction.room", "mute, suspend and ban in a room", _MODERATORS),
        _permission("rule.room", "change the rules of a room", _MODERATORS),
        _permission("sanction.site", "mute, suspend and ban everywhere, and by address", _STAFF, in_room=False),
        _permission("rule.site", "change the rules of every room", _STAFF, in_room=False),
        _permission("purge.request", "destroy removed text for good", _STAFF),
        _permission("purge.approve", "approve that another moderator destroys text", _STAFF),
        _permission("report.escalated", "handle reports that were escalated", "administrator"),
        _permission(
            "hold.manage", "put people, rooms and dates under a legal hold, and export it", "administrator", False
        ),
        _permission("retention.change", "change how long removed text is kept", "administrator", in_room=False),
        _permission("role.change", "give roles, also those of a room", "administrator", in_room=False),
        _permission("owner.name", "name who owns a room", "administrator", in_room=False),
        _permission(
            "look.change", "change the name, the logo, the colours and the styles of the site", "administrator", False
        ),
        _permission("audit.read", "read the audit log", "administrator", in_room=False),
        _permission("security.read", "read who signed in and what was refused", "administrator", in_room=False),
    ]
)


def may(permission: str, *roles: str | None) -> bool:
    """Tell whether somebody with these roles has a permission; None among them is no role.

    :raises KeyError: there is no such permission.
    """
    return not PERMISSIONS[permission].roles.isdisjoint(roles)


def site_roles(permission: str) -> list[str]:
    """Return the roles of an account that have a permission, in every room it is about.

    :raises KeyError: there is no such permission.
    """
    return [role for role in SITE_ROLES if may(permission, role)]


def rank(role: str | None) -> int:
    """Return the rank of a role on the site: nobody undoes an act of a higher one."""
    return {"administrator": 2, "moderator": 1}.get(role or "", 0)


def room_role(membership_role: str | None) -> str | None:
    """Return the role that a membership gives in its room; None for a plain member, and for nobody's."""
    return ROOM_ROLES.get(membership_role or "")


def of(roles: Collection[str | None]) -> list[Permission]:
    """Return what somebody with these roles may do, in the order of the table."""
    return [each for each in PERMISSIONS.values() if not each.roles.isdisjoint(roles)]
