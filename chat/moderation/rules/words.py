"""What rules are called, and what they say unless somebody wrote another sentence."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """What a rule looks for."""

    words: str
    #: What it does, for whoever chooses it.
    detail: str
    icon: str
    #: What the author of a message is told.
    sentence: str


KINDS = {
    "words": Kind(
        "Words", "Words and beginnings of words, also when letters are swapped for others that look alike.",
        "message-circle", "This has a word that is not used here. Take it out and send it again.",
    ),
    "pattern": Kind(
        "Patterns", "Regular expressions, such as numbers of a certain form.", "search",
        "This has something in it that is not taken here. Change it and send it again.",
    ),
    "links": Kind(
        "Links", "All links, those to some sites, or those to all others.", "link",
        "Links like this one are not taken here. Take it out and send it again.",
    ),
    "newcomers": Kind(
        "Newcomers", "Everything that somebody writes in the first minutes after they came.", "user-plus",
        "You are new here. Read a little first; in some minutes you can write.",
    ),
    "mentions": Kind(
        "Many mentions", "Messages that name many people at once.", "users",
        "This names very many people. Name fewer of them and send it again.",
    ),
    "repeats": Kind(
        "Repeats", "The same text again within a short time.", "copy",
        "You said this a moment ago. Wait a little before you say it again.",
    ),
    "flood": Kind(
        "Floods", "Many messages of one person within a few seconds.", "clock",
        "You are writing very fast. Wait a few seconds and send it again.",
    ),
    "capitals": Kind(
        "Capitals", "Messages that are mostly in capital letters.", "triangle-alert",
        "This is nearly all in capitals. Write it in small letters and send it again.",
    ),
}  # fmt: skip

#: What a rule does: its name in a list, and what that means.
ACTIONS = {
    "block": ("Refuse it", "The author reads why; the text stays in their box."),
    "hold": ("Hold it for review", "Only its author and moderators see it until one of them decides."),
    "alert": ("Let it through, and tell moderators", "It is posted; moderators find it under Held."),
    "mute": ("Refuse it and mute the author", "They read why, and can appeal."),
}
#: The strongest last: of several rules it decides.
STRENGTH = ("alert", "hold", "block", "mute")

HELD = "A moderator looks at it before anybody else does."

#: Which links a rule is about.
MODES = {"all": "All links", "only": "Only links to the sites below", "but": "All links but those to the sites below"}
