"""Why people report, and what everybody concerned is told of what became of it."""

from __future__ import annotations

#: The reasons one chooses from, by the name that is stored.
REASONS = {
    "spam": "Spam or scam",
    "harassment": "Harassment",
    "hate": "Hate",
    "private": "Private details",
    "violence": "Violence or threats",
    "sexual": "Sexual content",
    "other": "Something else",
}
#: How a direct room is called to whom is not in it.
DIRECT = "a direct conversation"

#: Why a message is removed that its author had deleted before, where the moderator says nothing else.
REPORTED = "It was reported"


def to_reporter_of_message(place: str, outcome: str, answer: str) -> str:
    """Return what whoever reported a message is told.

    :param place: the name of its room.
    :param outcome: ``kept``, ``removed``, or ``gone``: its author had deleted it.
    """
    did = {"kept": "kept it", "removed": "removed it", "gone": "saw that its author had deleted it"}[outcome]
    return _answered(f"You reported a message in {place}. A moderator looked at it and {did}.", answer)


def to_reporter_of_person(name: str, outcome: str, answer: str) -> str:
    """Return what whoever reported a person is told."""
    did = "found nothing that had to be done" if outcome == "kept" else "acted on it"
    return _answered(f"You reported {name}. A moderator looked at it and {did}.", answer)


def to_author(place: str, outcome: str, reason: str) -> str:
    """Return what the author of a message that was reported is told.

    :param reason: why it was removed.
    """
    began = f"A message of yours in {place} was reported. A moderator looked at it"
    if outcome == "removed":
        return f"{began} and removed it: {reason}. You can appeal under Your standing."
    return f"{began} and kept it." if outcome == "kept" else f"{began}; you had deleted it yourself."


def to_person(outcome: str) -> str:
    """Return what a person who was reported is told."""
    if outcome == "kept":
        return "You were reported. A moderator looked at it and found nothing that had to be done."
    return "You were reported. A moderator looked at it and acted on it: what was decided is under Your standing."


def to_both(lines: int) -> str:
    """Return what both in a direct room are told when a moderator first reads what one of them reported.

    :param lines: how many messages the reporter chose beside the one they reported.
    """
    rest = ""
    if lines:
        rest = f" and the {lines} {'line' if lines == 1 else 'lines'} around it that the reporter chose"
    return f"A message in your conversation was reported, and a moderator read it{rest}. Nothing else was shown."


def closed_by_somebody_else(state: str, message: bool) -> str:
    """Return what a moderator is told whose decision comes too late.

    :param state: what the case is now.
    :param message: whether it is about one.
    """
    did = {"kept": "the message was kept", "removed": "the message was removed"}
    if not message:
        did = {"kept": "nothing had to be done", "removed": "something was done about it"}
    return f"Somebody else has closed this case: {did[state]}."


def _answered(sentence: str, answer: str) -> str:
    return f"{sentence} They say: {answer}" if answer else sentence
