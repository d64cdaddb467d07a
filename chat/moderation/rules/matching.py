"""Whether a text is what a rule looks for, and where in it. Pure: no database, no request.

Words are compared folded: without case, accents and marks that nobody sees, with letters that look alike as one, with digits
and signs that stand for letters, and with letters that were set apart. A pattern has a few milliseconds and no more.
"""

from __future__ import annotations

import html
import logging
import re
import time
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby, islice, pairwise
from typing import Any
from urllib.parse import unquote, urlsplit

import regex

from chat.core import names
from chat.core.memories import remembered
from chat.messages.body import to_html

log = logging.getLogger(__name__)

#: Seconds that the patterns of one rule may look at one text, together.
TIME = 0.01
#: Characters of texts that are repeats of each other also when they are written a little differently.
_SHORT = 500
#: Letters of a word from which on it is also looked for with its letters set apart: shorter ones turn up by chance.
_APART = 4

#: What stands for letters. The 1 and its like stand for two, so they are read both ways.
_SIGNS_FOR = "034578@$€9"
_DIGITS = str.maketrans(_SIGNS_FOR, "oeastbaseg")
_ONES = "1!|"
_STANDS_FOR = frozenset(_SIGNS_FOR + _ONES)
_PLAIN = {code: chr(code).lower() if chr(code).isalnum() else " " for code in range(128)}
#: Words with one mark between them and no space, which may be one that was cut in pieces; and letters that are drawn out.
_PIECES = re.compile(r"[^\W_]+(?:(?:[^\w\s]|_)[^\W_]+)+")
_DRAWN_OUT = re.compile(r"\S*(\S)\1\1\S*")
_RUN = re.compile(r"(.)\1{4,}")
#: The most letters of a drawn-out word, and the most places of one rule that are named in one text.
_LONGEST_WORD, _MOST_PLACES = 100, 200
_APART_RUN = re.compile(r"(?<![^\W_])[^\W_](?:[\W_]{1,3}[^\W_]){3,}(?![^\W_])")
#: What a pattern is made of: an escape, a set, a count, a bracket, or anything else.
_PIECE = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\{\d*,?\d*\}|.", re.DOTALL)
_COUNTED = re.compile(r"\{(\d{1,9}),?(\d{1,9})?\}|\{,(\d{1,9})\}")
_LARGEST = 2000
_MENTION = re.compile(r"(?<![\w@.])@[\w][\w.-]*")
_SLASHES = re.compile(r"^(https?):[/\\]*", re.IGNORECASE)
#: Marks inside a word that readers pass over, formatting or not; and a link with words of its own.
_OVERREAD = re.compile(r"[*`~]+|(?<![^\W_])_+|_+(?![^\W_])")
_LABELLED = re.compile(r"\[([^\[\]\n]*)\]\([^()\s]*\)")
_LINK = re.compile(r'<a href="([^"]*)"')
#: Addresses that are read as such though no link is made of them: of any scheme, or bare with a usual ending or a path.
_SCHEMED = re.compile(r"://([^\s/?#,;()<>\"`，、。；（）]+)")
_BARE = re.compile(
    r"(?<![\w.@/-])(?:[\w-]++\.)++(?:(?:com|org|net|info|biz|shop|name|pro|xxx|app|dev|online|site|xyz|рф)(?![\w-])|[a-z]{2}(?=/))",
    re.IGNORECASE,
)

Span = tuple[int, int]


@dataclass(frozen=True)
class Said:
    """A text, and what there is to know of it."""

    text: str
    at: datetime
    #: Since when its author has an account; None: unknown.
    author_since: datetime | None = None
    #: What the same person wrote in the same room before it, latest first, as far back as a rule looks.
    earlier: Sequence[tuple[datetime, str]] = ()


#: Returns the places of a text that are what a rule looks for, none where all of it is; None: it is not.
Finder = Callable[[Said], list[Span] | None]


def finder(kind: str, settings: Mapping[str, Any]) -> Finder:
    """Return what finds what a rule looks for.

    :param settings: of the rule, checked.
    """
    return _MAKERS[kind](settings)


# -- folding


@dataclass(frozen=True)
class Reading:
    """A text as it is searched: folded words with one space between and around them, and nothing else."""

    text: str
    #: For each character of it its place in the text as typed.
    places: tuple[int, ...]

    def span(self, start: int, end: int) -> Span:
        """Return the place in the text as typed."""
        return self.places[start], self.places[end - 1] + 1


@remembered(16)  # that of a long text is a megabyte; several rules look at the same one
def readings(text: str) -> tuple[Reading, ...]:
    """Return a text as it can be read: as it stands, and with digits and signs as letters."""
    folded = list(_folded(text))
    found = [_reading(folded)]
    if any(letter in _STANDS_FOR for letter, _ in folded):
        found += (_reading(_as_letters(folded, one)) for one in "il")
    return tuple(dict.fromkeys(found))


def plain(text: str) -> str:
    """Return the text of its first reading; quickly, where every character is ASCII."""
    if text.isascii():
        return f" {' '.join(text.translate(_PLAIN).split())} "
    letters = "".join(map(names.letters, text))
    return f" {' '.join(''.join(each if each.isalnum() else ' ' for each in letters).split())} "


@remembered(16)
def _apart(text: str) -> tuple[Reading, ...]:
    """Return what was written with its letters set apart, put together."""
    folded = list(_folded(text))
    runs = _APART_RUN.finditer("".join(letter for letter, _ in folded))
    letters = ([each for each in folded[run.start() : run.end()] if each[0].isalnum()] for run in runs)
    return tuple(Reading("".join(letter for letter, _ in each), tuple(at for _, at in each)) for each in letters)


@remembered(16)
def _joined(text: str) -> tuple[Reading, ...]:
    """Return words with one mark between them as one word: all that hang together, and each two."""
    folded = list(_folded(text))
    found: list[Reading] = []
    for run in _PIECES.finditer("".join(letter for letter, _ in folded)):
        pieces: list[list[tuple[str, int]]] = [[]]
        for each in folded[run.start() : run.end()]:
            if each[0].isalnum():
                pieces[-1].append(each)
            else:
                pieces.append([])
        pairs = [[*one, *other] for one, other in pairwise(pieces)] if len(pieces) > 2 else []
        words = ([each for piece in pieces for each in piece], *pairs)
        found += (_reading([(" ", word[0][1]), *word]) for word in words)
    return tuple(found)


def _folded(text: str) -> Iterator[tuple[str, int]]:
    """Yield the folded characters of a text with their places in it."""
    for place, char in enumerate(text):
        for letter in names.letters(char):
            yield letter, place


def _reading(folded: Sequence[tuple[str, int]]) -> Reading:
    text, places = [" "], [0]
    for letter, place in folded:
        if letter.isalnum():
            text.append(letter)
            places.append(place)
        elif text[-1] != " ":
            text.append(" ")
            places.append(place)
    if text[-1] != " ":
        text.append(" ")
        places.append(len(folded) and folded[-1][1])
    return Reading("".join(text), tuple(places))


def _as_letters(folded: Sequence[tuple[str, int]], one: str) -> list[tuple[str, int]]:
    """Return it with digits and signs as the letters they look like, in words that have a letter: ``4u``, but not ``455``."""
    changed: list[tuple[str, int]] = []
    word: list[tuple[str, int]] = []
    for letter, place in [*folded, (" ", 0)]:
        if letter.isalnum() or letter in _STANDS_FOR:
            word.append((letter, place))
            continue
        while word and word[-1][0] in "!|":  # a cry at the end of a word is none of its letters
            word.pop()
        if any(each.isalpha() for each, _ in word):
            word = [(one if each in _ONES else each.translate(_DIGITS), at) for each, at in word]
        changed += [*word, (letter, place)]
        word = []
    return changed[:-1]


# -- words


def _words(settings: Mapping[str, Any]) -> Finder:
    needles = [needle for word in settings["words"] if (needle := _needle(word)) is not None]
    allowed = [f" {plain(word).strip()} " for word in settings.get("allow", ())]
    single = [each for each in needles if each[0] == each[-1] == " " and " " not in each[1:-1]]
    whole, others = frozenset(each.strip() for each in single), [each for each in needles if each not in single]
    apart = [core for each in needles if len(core := each.strip()) >= _APART and " " not in core]

    # A word with a wildcard in front of it would be found by chance in the words beside it.
    begun = [each for each in needles if each[0] == " " and len(each.strip()) >= _APART and " " not in each.strip()]
    cut_whole, cut_begun = frozenset(begun), tuple(each for each in begun if each[-1] != " ")
    drawn = re.compile("|".join(map(_drawn_out, needles)) or r"\b\B")

    def find(said: Said) -> list[Span] | None:
        spans = spans_of(said.text)
        if not spans and (text := _OVERREAD.sub("", _LABELLED.sub(r"\1", said.text))) != said.text:
            return [] if spans_of(text) else None
        return merged(spans) or None

    def spans_of(text: str) -> list[Span]:
        # The quick way out: nothing that could stand for a letter, and nothing of it in the plain reading.
        read = plain(text) if text.isascii() and not (_STANDS_FOR & set(text)) else None
        if read is not None and not (hits(read) or apart_hits(text) or any(drawn_out(read)) or any(cut(text))):
            return []
        spans = [reading.span(*span) for reading in readings(text) for span in places(masked(reading.text))]
        spans += [reading.span(*span) for reading in readings(text) for span in drawn_out(reading.text)]
        spans += cut(text)
        spans += [
            run.span(at, at + len(core)) for run in _apart(text) for core in apart if (at := run.text.find(core)) >= 0
        ]
        return spans

    def drawn_out(text: str) -> Iterator[Span]:
        for word in islice(_DRAWN_OUT.finditer(text), _MOST_PLACES):
            short = _RUN.sub(lambda run: run[1] * 4, word[0])
            if len(short) <= _LONGEST_WORD and drawn.fullmatch(short):
                yield word.span()

    def cut(text: str) -> Iterator[Span]:
        if begun:
            for reading in _joined(text):
                known = reading.text in cut_whole or (cut_begun and reading.text.startswith(cut_begun))
                if known and masked(reading.text) == reading.text:
                    yield reading.span(1, len(reading.text) - 1)

    def hits(text: str) -> bool:
        text = masked(text)
        return not whole.isdisjoint(text.split()) or any(each in text for each in others)

    def apart_hits(text: str) -> bool:
        return bool(apart) and any(core in run.text for run in _apart(text) for core in apart)

    def masked(text: str) -> str:
        for each in allowed:
            while each in text:  # two of the same in a row share the space between them
                text = text.replace(each, f" {'.' * (len(each) - 2)} ")
        return text

    def places(text: str) -> Iterator[Span]:
        yield from islice(all_places(text), _MOST_PLACES)

    def all_places(text: str) -> Iterator[Span]:
        for each in needles:
            at = text.find(each)
            while at >= 0:
                yield at + each.startswith(" "), at + len(each) - each.endswith(" ")
                at = text.find(each, at + 1)

    return find


def _needle(word: str) -> str | None:
    """Return what to look for in a reading: with a space where a word has to begin or end. None for nothing but marks."""
    # A shape of another script that stands for i and l is read as l here: a word of a rule needs a letter in its place.
    core = plain("".join(map(names.letters, word.strip("*"))).replace("|", "l")).strip()
    if not core:
        return None
    return f"{'' if word.startswith('*') else ' '}{core}{'' if word.endswith('*') else ' '}"


def _drawn_out(needle: str) -> str:
    """Return a pattern for a word whose letters come as often as in it, or more often."""
    letters = "".join(f"{re.escape(letter)}{{{len(list(run))},}}" for letter, run in groupby(needle.strip()))
    before, after = ("" if end == " " else r"\S*" for end in (needle[0], needle[-1]))
    return before + letters + after


def merged(spans: Sequence[Span]) -> list[Span]:
    """Return places in their order, those that touch as one."""
    found: list[Span] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


# -- the other kinds


def compiled(pattern: str) -> Any:
    """Return a regular expression that knows no case.

    :raises regex.error: it is none, or its counted repeats make it too large: each is written out, those inside of others too.
    """
    if _size(pattern) > _LARGEST:
        raise regex.error("its counted repeats make it too large")
    return regex.compile(pattern, regex.IGNORECASE | regex.VERSION1)


def _size(pattern: str) -> int:
    """Return about how many pieces a pattern has when its counted repeats are written out."""
    totals, last = [0], 0
    for piece in _PIECE.findall(pattern):
        if piece == "(":
            totals, last = [*totals, 0], 0
        elif piece == ")" and len(totals) > 1:
            last = max(1, totals.pop())
            totals[-1] += last
        elif count := _COUNTED.fullmatch(piece):
            often = max(int(number) for number in count.groups() if number)
            totals[-1] += last * (often - 1)
            last *= often
        else:
            last = 1
            totals[-1] += 1
    return sum(totals)


def _pattern(settings: Mapping[str, Any]) -> Finder:
    patterns = [compiled(each) for each in settings["patterns"]]

    def find(said: Said) -> list[Span] | None:
        spans, ends = [], time.monotonic() + TIME
        for each in patterns:
            try:
                found = each.search(said.text, timeout=max(0.001, ends - time.monotonic()))
            except TimeoutError:
                # Whoever can make a pattern slow must not be able to stop everybody else.
                log.warning("a pattern took longer than %d ms and was left out", TIME * 1000)
                continue
            if found is not None:
                spans.append(found.span())
        return merged(spans) or None

    return find


def _links(settings: Mapping[str, Any]) -> Finder:
    mode, hosts = settings["mode"], tuple(settings["hosts"])

    def listed(host: str) -> bool:
        return any(host == each or host.endswith(f".{each}") for each in hosts)

    def find(said: Said) -> list[Span] | None:
        found = [html.unescape(each) for each in _LINK.findall(to_html(said.text))]
        found += [f"http://{each}" for each in (*_SCHEMED.findall(said.text), *_BARE.findall(said.text))]
        hosts_of = dict.fromkeys(host_of(each) for each in found if not each.startswith("mailto:"))
        wrong = [each for each in hosts_of if mode == "all" or not each or listed(each) == (mode == "only")]
        if not wrong:
            return None
        lower = said.text.lower()
        return merged([(at, at + len(each)) for each in wrong if each and (at := lower.find(each)) >= 0])

    return find


def host_of(address: str) -> str:
    """Return the host of an address in small letters, as the network knows it; empty where it has none."""
    try:
        # As browsers read it: any number of slashes, and escapes in the name.
        host = unquote(urlsplit(_SLASHES.sub(r"\1://", address)).hostname or "")
        host = unicodedata.normalize("NFKC", host).replace("\u3002", ".").rstrip(".")
        return host if host.isascii() else host.encode("idna").decode()
    except ValueError:  # UnicodeError is one
        return ""


def _newcomers(settings: Mapping[str, Any]) -> Finder:
    span = timedelta(minutes=settings["minutes"])

    def find(said: Said) -> list[Span] | None:
        return [] if said.author_since is not None and said.at - said.author_since < span else None

    return find


def _mentions(settings: Mapping[str, Any]) -> Finder:
    def find(said: Said) -> list[Span] | None:
        if said.text.count("@") <= settings["most"]:
            return None
        found = list(_MENTION.finditer(said.text))
        many = len({each[0].lower() for each in found}) > settings["most"]
        return [each.span() for each in found] if many else None

    return find


def _repeats(settings: Mapping[str, Any]) -> Finder:
    span = timedelta(seconds=settings["seconds"])

    def same(one: str, other: str) -> bool:
        return one == other or (max(len(one), len(other)) <= _SHORT and plain(one) == plain(other))

    def find(said: Said) -> list[Span] | None:
        lately = (text for at, text in said.earlier if said.at - at < span)
        return [] if said.text and any(same(text, said.text) for text in lately) else None

    return find


def _flood(settings: Mapping[str, Any]) -> Finder:
    span = timedelta(seconds=settings["seconds"])

    def find(said: Said) -> list[Span] | None:
        return [] if sum(said.at - at < span for at, _ in said.earlier) >= settings["most"] else None

    return find


def _capitals(settings: Mapping[str, Any]) -> Finder:
    def find(said: Said) -> list[Span] | None:
        large, small = sum(map(str.isupper, said.text)), sum(map(str.islower, said.text))
        cased = large + small
        return [] if cased >= settings["letters"] and 100 * large > settings["percent"] * cased else None

    return find


_MAKERS: dict[str, Callable[[Mapping[str, Any]], Finder]] = {
    "words": _words, "pattern": _pattern, "links": _links, "newcomers": _newcomers, "mentions": _mentions,
    "repeats": _repeats, "flood": _flood, "capitals": _capitals,
}  # fmt: skip
#: Kinds that look at what was written before: under the room's lock.
LOCKED = frozenset({"repeats", "flood"})
#: Kinds that names are held against, too.
TEXTUAL = frozenset({"words", "pattern", "links"})
