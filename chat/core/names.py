"""Rules for names: characters that they may hold, names that look alike, and texts that show nothing.

Of people, rooms, rules, holds and the site alike. Names are compared by their likeness, as of Unicode Technical Standard 39:
without case, accents and what nobody sees, with letters that look alike as one. It is for comparing only, never shown.
"""

from __future__ import annotations

import gzip
import unicodedata
from functools import lru_cache
from pathlib import Path

import regex

from chat.core.folding import base

_TABLE = Path(__file__).with_name("data") / "confusables.txt.gz"
#: Beside the table: letters that are read as Latin ones though their shapes differ more than it allows.
_READ_AS = dict(
    zip(
        "авеіјкмнорсѕтухԁһԛԝӏгпьυοαβγεηικνρτχωօսհոզցıłøđħɡɑɩᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢðþŧŋᗩᗷᑕᗪᖴᕼᒍᒪᗰᑎᑭᑫᖇᔕᑌᐯᗯ᙭ᘔᗝƨ",
        "abeijkmhopcstyxdhqwlrnbuoabyenikvptxwouhnqgilodhgaiabcdefghijklmnoprstuvwyzdptnabcdfhjlmnpqrsuvwxzos",
        strict=True,
    )
)
#: Letters in circles and squares that Unicode does not decompose, and flags.
_SIGNS = {chr(first + n): chr(ord("a") + n) for first in (0x1F130, 0x1F150, 0x1F170, 0x1F1E6) for n in range(26)}
#: Unicode's categories of marks on letters, and of code points that are no character yet.
_MARKS = frozenset({"Mn", "Me", "Cn"})
#: Letters that one character may stand for; the longest ligature is a sentence of 18.
_MOST = 4

_UNSEEN = r"\p{Default_Ignorable_Code_Point}\p{Cc}[\p{Cf}--\p{Prepended_Concatenation_Mark}]"
#: Characters that are drawn as a blank though no property says so.
_DRAWN_BLANK = r"\u2800\u303F\uFFFC\U00013441\U00013442\U00016FE4\U0001D159"
_BLANK = regex.compile(rf"[\p{{White_Space}}{_UNSEEN}{_DRAWN_BLANK}]*", regex.VERSION1)
_SPACES = regex.compile(rf"[\p{{White_Space}}{_DRAWN_BLANK}]+", regex.VERSION1)
#: An emoji of several, which is kept whole; a joiner between letters of scripts that need it; or an invisible character.
_HIDDEN = regex.compile(
    r"(\p{Extended_Pictographic}(?:\uFE0F|\p{Emoji_Modifier})?[\U000E0020-\U000E007F]*"
    r"(?:\u200D\p{Extended_Pictographic}(?:\uFE0F|\p{Emoji_Modifier})?)*|[0-9#*]\uFE0F?\u20E3)"
    r"|(?<=[\p{Arabic}\p{Syriac}\p{Mongolian}\p{InSC=Virama}])([\u200C\u200D])(?=\p{L})"
    rf"|[{_UNSEEN}]",
    regex.VERSION1,
)
#: Marks on one letter beyond the third, and what encloses it.
_PILED = regex.compile(r"(?<=[\p{Mn}\p{Mc}]{3})\p{M}+|(?<![0-9#*]\uFE0F?)\p{Me}")
_LOOSE_MARKS = regex.compile(r"(?<![^\s])\p{M}+")
_CHARACTER = regex.compile(r"\X")
#: For names in e-mails: signs that no name has, numbers that could be called, dots, and the most characters.
_NO_SIGN = regex.compile(r"[^\p{L}\p{M}\p{N}\s.'\u2019\u30fb\u00b7\u200c\u200d-]+")
_LONG_NUMBER = regex.compile(r"\p{Nd}(?:[\s.-]*\p{Nd}){4,}")
_DOTS = regex.compile(r"\.+(?=\S)|(?<=\S)\.{2,}")
_SHORT = 40
_READABLE = regex.compile(r"[\p{L}\p{N}]")
#: The capital I, the small l, the figure 1 and the bar are drawn alike, and small letters make the I an i. Spaces do not count.
_ONE_SHAPE = str.maketrans("i1|0", "lllo", " .-_'")
#: The longest likeness that is kept.
LIKENESS_LIMIT = 200
_TAG = regex.compile(r"(?: #[a-z2-7]{4})+$")
#: An ending that would be taken for a tag, in letters as they are read.
_TAG_LIKE = regex.compile(r"(?:\s*[#\u266f]\s*[a-z0-9|]{4})+$")


def is_blank(text: str) -> bool:
    """Tell whether there is nothing to see in a text, whatever characters it has."""
    return _BLANK.fullmatch(text) is not None


# -- characters of a name


def tidied(text: str) -> str:
    """Return a name as it is kept: one line, composed, without invisible characters, three marks on a letter at most."""
    text = _HIDDEN.sub(lambda found: found[1] or found[2] or "", _SPACES.sub(" ", unicodedata.normalize("NFC", text)))
    return " ".join(_LOOSE_MARKS.sub("", _PILED.sub("", text)).split())


def length(name: str) -> int:
    """Return the length of a name in characters as people see them."""
    return len(_CHARACTER.findall(name))


def fault(name: str, what: str, most: int, example: str, width: int = 0) -> str | None:
    """Return the sentence that refuses a name; None if it can be used.

    :param what: the subject of the sentence, such as ``A name``.
    :param most: how many characters people may see.
    :param example: the sentence for a name that has nothing to read.
    :param width: the most code points, of which a flag has many; 0: as ``most``.
    """
    if not _READABLE.search(name):
        return example
    seen = length(name)
    if seen > most:
        return f"{what} has {most} characters at most; this one has {seen}."
    if len(name) > (width or most):
        return (
            f"{what} has {most} characters at most; those of this one are made of too many parts. Choose simpler ones."
        )
    return None


def harmless(name: str) -> str:
    """Return a name for an e-mail to somebody who may not know whose it is: no address, number or sign for a mail program to
    make a link of, and no room for a letter. Letters, figures, spaces, apostrophes and hyphens stay; dots only before a space.
    """
    said = _LONG_NUMBER.sub("…", _NO_SIGN.sub(" ", unicodedata.normalize("NFKC", tidied(name))))
    words = _DOTS.sub(". ", said).split()
    short = " ".join(word for word in words if _READABLE.search(word) or word == "…")
    return short if length(short) <= _SHORT else f"{''.join(_CHARACTER.findall(short)[:_SHORT]).rstrip()}…"


# -- names that look alike


def likeness(name: str) -> str:
    """Return a key that is equal for names that look alike: ``Root Admin``, ``R00T ADMlN`` and ``Rооt Αdmin``."""
    shape: str = _TAG_LIKE.sub("", "".join(map(letters, _TAG.sub("", name))))
    return shape.translate(_ONE_SHAPE).replace("rn", "m").replace("vv", "w")[:LIKENESS_LIMIT]


def told_apart(name: str, owner_id: str) -> str:
    """Return a name with a tag behind it, the beginning of an id: ``Ada Lindqvist #k3fm``."""
    return f"{plain(name, owner_id)} {_tag(owner_id)}"


def plain(name: str, owner_id: str) -> str:
    """Return a name without its tag."""
    return name.removesuffix(f" {_tag(owner_id)}")


def short(name: str) -> str:
    """Return the first word of a name, with its tag: ``Ada #k3fm``."""
    tag = _TAG.search(name)
    return name.partition(" ")[0] + (tag[0] if tag else "")


def _tag(owner_id: str) -> str:
    return f"#{owner_id[:4]}"


# -- letters


@lru_cache(maxsize=8192)
def letters(char: str) -> str:
    """Return the letters that a character is read as: Latin ones where it looks like them; none for marks and the invisible.

    For a shape that may be a capital I, a small l or a figure 1, ``|`` is returned.
    """
    known = _SIGNS.get(char, char)
    if known.isascii():
        return known.lower()
    text = _READ_AS.get(known.casefold())
    if text is None:
        parts = _without_marks(unicodedata.normalize("NFKD", known)[:_MOST])
        whole = "" if parts.isascii() else _shape(known)
        text = whole or "".join(map(_letter, parts))
    return _without_marks(unicodedata.normalize("NFKD", text).casefold())


def _letter(part: str) -> str:
    lower = part.casefold()
    if lower.isascii():
        return lower
    return _READ_AS.get(lower) or _shape(part) or _shape(lower) or base(lower)


def _without_marks(text: str) -> str:
    return "".join(each for each in text if unicodedata.category(each) not in _MARKS and not _BLANK.fullmatch(each))


def _shape(char: str) -> str:
    """Return the letters that a character is drawn like; empty where the table does not have it."""
    found = _table().get(char, "")
    return "|" if found == "l" else found


@lru_cache(maxsize=1)
def _table() -> dict[str, str]:
    lines = gzip.decompress(_TABLE.read_bytes()).decode().splitlines()
    return {
        char: looks
        for line in lines
        for looks, _, alike in [line.partition(" ")]
        for char in alike
        if not char.isascii()
    }
