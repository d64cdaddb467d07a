"""What the form of a rule sends."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import regex
from flask import request

from chat.core import names
from chat.core.errors import Invalid
from chat.moderation.rules import matching
from chat.moderation.rules.models import NAME_LIMIT, SENTENCE_LIMIT
from chat.moderation.rules.words import ACTIONS, KINDS, MODES
from chat.web import forms

#: Discord's limits: words and their letters, words that are allowed all the same, patterns and their characters.
WORDS, LETTERS, ALLOWED = 1000, 60, 100
#: The fewest letters beside a ``*``, in ASCII: scripts that write a word as one sign need fewer.
FEWEST = 3
PATTERNS, PATTERN_LETTERS = 10, 260
#: Sites of a rule about links.
HOSTS = 200
#: Minutes of the longest mute: four weeks.
LONGEST_MUTE = 28 * 24 * 60
#: Numbers: their name in the form, how they read, and the smallest and largest there is, by kind of rule.
NUMBERS = {
    "newcomers": (("minutes", "Minutes after they came", 1, 43_200, 15),),
    "mentions": (("most", "People named at most", 1, 50, 5),),
    "repeats": (("seconds", "Within seconds", 1, 600, 30),),
    "flood": (("most", "Messages at most", 1, 100, 10), ("seconds", "Within seconds", 1, 600, 10)),
    "capitals": (
        ("letters", "From how many letters on", 1, 1000, 12),
        ("percent", "More than percent of them", 1, 99, 70),
    ),
}
#: Texts that make a careless pattern run for ever.
_HARD = ("a" * 5000 + "!", "1" * 5000 + "x", "ab" * 2500 + "!", " " * 5000 + "x", "a." * 2500 + "@", "aA1 _-" * 800)


@dataclass(frozen=True)
class RuleForm:
    """A rule, as typed."""

    name: str
    kind: str
    action: str
    #: Empty for every room.
    room: str
    mute_minutes: str
    sentence: str
    #: The fields of its kind: several lines, or a number.
    fields: dict[str, str]
    #: A text to try the rule on.
    text: str

    @classmethod
    def read(cls) -> RuleForm:
        """Return what was sent, unchecked."""
        line = forms.line
        kind = line("kind") if line("kind") in KINDS else "words"
        fields = {name: forms.text(name) for name in ("words", "allow", "patterns", "hosts", "mode")}
        fields |= {number[0]: line(number[0]) for number in NUMBERS.get(kind, ())}
        room = line("room")
        minutes = line("mute_minutes")
        return cls(
            forms.name("name"),
            kind,
            line("action"),
            room,
            minutes,
            line("sentence"),
            fields,
            forms.text("text")[:10_000],
        )

    @property
    def room_id(self) -> str | None:
        """Return the room; None: every room."""
        return self.room or None  # what is no id is the id of no room

    def checked(self) -> CheckedRule:
        """Return it as it is stored.

        :raises Invalid: naming every field that is wrong.
        """
        problems: dict[str, str] = {}
        usual = "Give it a name, such as Links of newcomers: moderators read it."
        if problem := names.fault(self.name, "A name", NAME_LIMIT, usual):
            problems["name"] = problem
        if self.action not in ACTIONS:
            problems["action"] = "Choose what it does."
        if len(self.sentence) > SENTENCE_LIMIT:
            problems["sentence"] = f"{SENTENCE_LIMIT} characters at most; this has {len(self.sentence)}."
        minutes = 0
        if self.action == "mute":
            minutes = _number(self.mute_minutes, 1, LONGEST_MUTE, "mute_minutes", problems)
        settings = _SETTINGS.get(self.kind, _numbers)(self, problems)
        if problems:
            raise Invalid(next(iter(problems.values())), problems)
        return CheckedRule(self.name, self.kind, self.action, self.room_id, minutes, self.sentence, settings)


@dataclass(frozen=True)
class CheckedRule:
    """A rule in order."""

    name: str
    kind: str
    action: str
    room_id: str | None
    mute_minutes: int
    sentence: str
    settings: dict[str, Any]


def asked_kind() -> str:
    """Return the kind that the address names; empty for none."""
    kind = request.args.get("kind", "")
    return kind if kind in KINDS else ""


def _words(form: RuleForm, problems: dict[str, str]) -> dict[str, Any]:
    words, allow = _lines(form.fields["words"]), _lines(form.fields["allow"])
    if not words:
        problems["words"] = "Write at least one word, each in a line of its own."
    for name, given, most in (("words", words, WORDS), ("allow", allow, ALLOWED)):
        if len(given) > most:
            problems[name] = f"{most:,} words at most; these are {len(given):,}."
        for each in given:
            if len(each) > LETTERS:
                problems[name] = f"A word has {LETTERS} letters at most; “{each[:20]}…” has {len(each)}."
            elif names.is_blank(matching.plain(each)) or "*" in each.strip("*"):
                problems[name] = f"“{each}” is no word. A * stands at its beginning or its end."
            elif "*" in each and len(each.strip("*")) < FEWEST and each.strip("*").isascii():
                problems[name] = f"“{each}” is in too many words. Beside a * there are {FEWEST} letters at least."
    return {"words": words, "allow": allow}


def _patterns(form: RuleForm, problems: dict[str, str]) -> dict[str, Any]:
    patterns = _lines(form.fields["patterns"])
    if not patterns:
        problems["patterns"] = "Write at least one pattern, each in a line of its own."
    if len(patterns) > PATTERNS:
        problems["patterns"] = f"{PATTERNS} patterns at most; these are {len(patterns)}."
    for each in patterns[:PATTERNS]:
        if len(each) > PATTERN_LETTERS:
            problems["patterns"] = (
                f"A pattern has {PATTERN_LETTERS} characters at most; “{each[:20]}…” has {len(each)}."
            )
        else:
            problem = _problem_of(each)
            if problem:
                problems["patterns"] = problem
    return {"patterns": patterns}


def _problem_of(pattern: str) -> str:
    """Return what is wrong with a pattern; nothing if it can be used."""
    try:
        found = matching.compiled(pattern)
        if found.search("", timeout=matching.TIME) is not None:
            return f"“{pattern[:40]}” is found in every text."
        for text in _HARD:
            found.search(text, timeout=matching.TIME)
    except regex.error as error:
        return f"“{pattern[:40]}” is no regular expression: {error.msg}."
    except TimeoutError:
        return f"“{pattern[:40]}” takes too long on some texts. Avoid a repetition inside of a repetition."
    except ValueError as error:
        return f"“{pattern[:40]}” is no regular expression: {error}."
    except (MemoryError, RecursionError, OverflowError):
        return f"“{pattern[:40]}” is too large."
    return ""


def _links(form: RuleForm, problems: dict[str, str]) -> dict[str, Any]:
    mode = form.fields["mode"] if form.fields["mode"] in MODES else "all"
    hosts = []
    for each in _lines(form.fields["hosts"]):
        host = matching.host_of(each if "://" in each else f"https://{each}")
        if not re.fullmatch(r"[a-z0-9.-]+\.[a-z0-9-]+", host):
            problems["hosts"] = f"“{each[:60]}” is no site. Write it like example.org."
        hosts.append(host.removeprefix("www."))
    if mode != "all" and not hosts:
        problems["hosts"] = "Write at least one site, each in a line of its own."
    if len(hosts) > HOSTS:
        problems["hosts"] = f"{HOSTS} sites at most; these are {len(hosts)}."
    return {"mode": mode, "hosts": hosts}


def _numbers(form: RuleForm, problems: dict[str, str]) -> dict[str, Any]:
    return {
        name: _number(form.fields.get(name, ""), least, most, name, problems)
        for name, _, least, most, _ in NUMBERS[form.kind]
    }


_SETTINGS: dict[str, Callable[[RuleForm, dict[str, str]], dict[str, Any]]] = {
    "words": _words,
    "pattern": _patterns,
    "links": _links,
}


def _lines(text: str) -> list[str]:
    """Return the lines that have something in them, each once."""
    return list(
        dict.fromkeys(
            line for each in text.split("\n") if (line := " ".join(each.split())) and not names.is_blank(line)
        )
    )


def _number(text: str, least: int, most: int, name: str, problems: dict[str, str]) -> int:
    if text.isascii() and text.isdigit() and len(text) < 9 and least <= int(text) <= most:
        return int(text)
    problems[name] = f"A number from {least:,} to {most:,}."
    return least
