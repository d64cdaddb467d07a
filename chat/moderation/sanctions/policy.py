"""Who may sanction whom, and how."""

from __future__ import annotations

from datetime import datetime

from chat.core import addresses, audit, permissions
from chat.core.errors import Invalid, NotAllowed
from chat.moderation.sanctions.models import KINDS, NOTE_LIMIT
from chat.moderation.sanctions.words import LONGEST_SUSPENSION

#: What to say where a reason is missing.
WHY = "Say why, in a few words: the person reads it."
#: The widest ranges: half a provider is not somebody.
_WIDEST = {4: 8, 6: 32}


def require_may_sanction(actor_id: str, actor_role: str, person_id: str, person_role: str) -> None:
    """Refuse oneself, and whoever one has no say over.

    :param actor_role: on the site, as the person's.
    :raises NotAllowed: with why.
    """
    if actor_id == person_id:
        raise NotAllowed("You cannot sanction yourself.")
    if person_role == "administrator":
        raise NotAllowed("Nobody sanctions an administrator. Another administrator can take the role away first.")
    if permissions.may("sanction.site", person_role) and actor_role != "administrator":
        raise NotAllowed("Only an administrator sanctions a moderator.")


def require_rank(actor_role: str, rank: str, name: str) -> None:
    """Refuse acting against the owner or a moderator of a room, unless one moderates the whole site.

    :param actor_role: on the site.
    :param rank: of the person in the room, as ``rooms.queries.rank`` has it.
    :raises NotAllowed: naming who may.
    """
    if rank != "member" and not permissions.may("sanction.site", actor_role):
        what = "owns this room" if rank == "owner" else "moderates this room"
        raise NotAllowed(f"{name} {what}: only a moderator of the whole site does this.")


def require_may_lift(actor_id: str, actor_role: str, person_id: str | None, imposer_role: str | None) -> None:
    """Refuse lifting a sanction against oneself, or one that a person of a higher rank imposed.

    :param imposer_role: on the site, of whoever imposed it; None for a rule.
    :raises NotAllowed: naming who may.
    """
    if person_id == actor_id:
        raise NotAllowed("Somebody else decides over what was imposed on you. You can appeal under Your standing.")
    if permissions.rank(imposer_role) > permissions.rank(actor_role):
        who = "an administrator" if imposer_role == "administrator" else "a moderator of the whole site"
        raise NotAllowed(f"This was imposed by {who}, and only such a one lifts it.")


def check(kind: str, reason: str, note: str, expires_at: datetime | None, now: datetime) -> None:
    """Refuse what is no sanction.

    :raises Invalid: naming the field.
    """
    problems: dict[str, str] = {}
    if kind not in KINDS:
        problems["kind"] = "Choose what to do."
    if problem := audit.wrong_with(reason, WHY):
        problems["reason"] = problem
    if len(note) > NOTE_LIMIT:
        problems["note"] = f"A note has {NOTE_LIMIT:,} characters at most; this one has {len(note):,}."
    if expires_at is not None and expires_at <= now:
        problems["duration"] = "Choose an end that is still to come."
    elif kind == "suspend" and (expires_at is None or expires_at - now > LONGEST_SUSPENSION):
        problems["duration"] = f"A suspension ends within {LONGEST_SUSPENSION.days} days. For longer, ban."
    if problems:
        raise Invalid(next(iter(problems.values())), problems)


def network(text: str, own_address: str) -> str:
    """Return a range of addresses as it is stored; a single address is a range too.

    :param own_address: of whoever asks, who is not to lock themselves out.
    :raises Invalid: it is none, too wide, or has that address in it.
    """
    try:
        found = addresses.network(text)
    except ValueError:
        sentence = f"{text[:60]!r} is no range of addresses. Write one such as 203.0.113.0/24 or 2001:db8::/48."
        raise Invalid(sentence, {"network": sentence}) from None
    if found.prefixlen < _WIDEST[found.version]:
        sentence = f"{found} is too wide: at most /{_WIDEST[found.version]}."
        raise Invalid(sentence, {"network": sentence})
    own = addresses.read(own_address)
    if own is not None and own in found:
        sentence = f"Your own address, {own}, is in {found}."
        raise Invalid(sentence, {"network": sentence})
    return str(found)
