"""From what somebody typed to safe HTML: the small Markdown of a chat. Pure.

The only place where text becomes markup. Every tag is written here and all else is escaped, so nothing that was typed can act.
The HTML holds each character that was typed, in its order: marks that are shown as what they mean stand in ``<i hidden>``. So
nothing gets lost, and its text content is what was typed, for whoever copies it. What is not meant as formatting is shown as
it is; so is a text with more marks than there is time for.
"""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import regex
from markupsafe import Markup

from chat.core.memories import remembered
from chat.core.names import is_blank

#: Levels of quotes in quotes, and of lists in lists; deeper ones are flattened.
_DEEPEST = 5
#: More marks than this outside of code, and a text is shown as it was typed: each takes some microseconds.
_MOST_MARKS = 400
#: Characters of a text whose HTML is remembered for long; that of thousands of longer ones would fill the memory.
_REMEMBERED = 1000
#: Characters after a mark among which there has to be something that it can be about.
_SOON = 200

_MARKS = re.compile(r"[*_~`\[@]+|://")
_STARTS = re.compile(r"^(?:>|[ \t]*(?:-|\d{1,3}[.)]))", re.MULTILINE)
_FENCED = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)

_BULLET, _NUMBER = "[-*]", r"\d{1,3}[.)]"
_BLOCK = re.compile(
    rf"(?P<fence>(?<![`\\])`{{3,8}}(?!`))|^(?P<quote>>)(?=[> ]*(?: |$))|^[ \t]*(?:{_BULLET}|{_NUMBER})[ \t]",
    re.MULTILINE,
)
_LINE_REST = re.compile(r"[ \t]*(?:\n|\Z)")
_LANGUAGE = re.compile(r"([\w+#.-]{1,20})?[ \t]*\n")
#: A quote needs a space after its marks: ``>_<`` and ``>:(`` are faces.
_QUOTED = re.compile(r"(?:>(?=[> ]*(?: |$)).*\n?)+", re.MULTILINE)
_QUOTE = re.compile("> ?")
_ITEM = re.compile(rf"(?!.*```)([ \t]*)({_BULLET}|{_NUMBER})([ \t]+)(?!{_BULLET}(?:[ \t]|$))(\S.*)\n?", re.MULTILINE)

#: The places in a line where a mark or a link may begin, found quickly: the other patterns look only there.
_SIGN = re.compile(
    r"[`\[*_~@:wW](?:(?<=`)(?<!``)|(?<=\*)(?<!\*\*)|(?<=_)(?<!__)|(?<=~)(?<!~~)|(?<=\[)(?!\[)|(?<=@)|(?<=:)//|(?<=[wW])[wW]{2}\.)"
)
_CODE = re.compile(r"(?<![`\\])(`{1,8})(?!`)([^\n]*?[^`\n])\1(?!`)")
_PAIR = re.compile(r"(?<![*\\])\*{1,3}(?!\*)|(?<![_\\])_(?!_)|(?<![~\\])~~(?!~)")
#: Characters of addresses: no punctuation of other scripts, and none that is invisible.
_LETTER = r"\p{L}\p{M}\p{N}"
_INSIDE = rf"{_LETTER}!#$%&'*+\-./:=?@_~"
#: Both cases spelt out: IGNORECASE would take a long s for an s.
_SCHEME = "[Hh][Tt][Tt][Pp][Ss]?://"
_LABELLED = regex.compile(
    rf"(?<![!\\])\[([^\[\]\n]{{1,300}})\]\(({_SCHEME})([{_LETTER}.\-]++(?::\d++)?)"
    rf"((?:[/?#](?:[{_INSIDE},;\[\]]++|\([{_INSIDE},;]*+\))*+)?)\)",
    regex.V1,
)
_ADDRESS = regex.compile(
    rf"(?<![A-Za-z0-9+.@/\-])(?:{_SCHEME}(?=[\p{{L}}\p{{N}}\[])"
    r"|(?<![:_])[Ww]{3}\.(?=[\p{L}\p{N}\-]++\.[\p{L}\p{N}]))"
    rf"(?:[{_INSIDE}()\[\]]++|[,;](?!{_SCHEME}))++",
    regex.V1,
)
_NAME = re.compile(r"(?<![A-Za-z0-9_.+@/:-])[A-Za-z0-9][A-Za-z0-9_.+-]{0,63}\Z")
_AT = regex.compile(
    r"@(?:[\p{L}\p{N}][\p{L}\p{M}\p{N}\-]{0,62}+\.){1,8}+\p{L}{2,24}+(?![0-9_@]|[.\-:][A-Za-z0-9]|/)", regex.V1
)
_AUTHORITY = re.compile("[^/?#]*")
#: Something that a mark can be about: a letter, a digit, or a sign beyond ASCII. ``*.*`` has none.
_WORD = regex.compile(
    r"[[\p{L}\p{N}[^\x00-\x7f]]--[\p{White_Space}\p{Default_Ignorable_Code_Point}\p{C}\u2800]]", regex.V1
)
#: Scripts that put no space between words: a star stands beside their letters as it does beside a space.
_UNSPACED = (
    r"\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}\p{Bopomofo}\p{Yi}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\u30fc\uff00-\uffef"
)
_EDGE = r"\s\"'\-:,!?|*_~`>;[\p{P}\p{So}\p{Sc}\p{Sm}\p{Z}\p{Cf}--[\x00-\x7f]]\ufe0f\u20e3\U0001F3FB-\U0001F3FF"
_BEFORE = regex.compile(rf"[{_EDGE}(\[{{</{_UNSPACED}]", regex.V1)
_AFTER = regex.compile(rf"[{_EDGE})\]}}</.{_UNSPACED}]", regex.V1)
_LINE_BEFORE = regex.compile(rf"[{_EDGE}(\[{{<]", regex.V1)
_LINE_AFTER = regex.compile(rf"[{_EDGE})\]}}<.]", regex.V1)
_NOT_FIRST, _NOT_LAST = frozenset(")]},;/"), frozenset("([{/")
_OPENING = {"*": "<em>", "_": "<em>", "**": "<strong>", "***": "<strong><em>", "~~": "<s>"}
_CLOSING = {"*": "</em>", "_": "</em>", "**": "</strong>", "***": "</em></strong>", "~~": "</s>"}

_LINE_END = re.compile("\n")
_HIDDEN = re.compile(r"<i hidden>[^<]*</i>")
_TAG = re.compile(r"<[^>]*>")


def to_html(text: str) -> Markup:
    """Return the HTML of a message's text; its text content is the text.

    :param text: at most 10,000 characters, line ends LF.
    """
    return _short(text) if len(text) <= _REMEMBERED else _long(text)


def to_shown(text: str) -> str:
    """Return a message's text as people see it, without the marks that are shown as formatting."""
    return html.unescape(_TAG.sub("", _HIDDEN.sub("", to_html(text))))


def to_line(text: str, limit: int = 140) -> str:
    """Return a text as one plain line, for lists: what stands on the page, without its markup.

    Only the beginning is looked at: a list has a line for each of many rooms, and is made anew with every message.
    """
    start = text[: 4 * limit]
    if start.count("```") % 2 and len(start) < len(text):
        start += "```"  # its other end was cut off
    line = " ".join(to_shown(start).split())
    return line if len(line) <= limit else f"{line[: limit - 1].rstrip()}…"


def _rendered(text: str) -> Markup:
    if not text or (len(text) > _MOST_MARKS and _marks(text) > _MOST_MARKS):
        shown = f"<p>{_escape(text)}</p>" if text else ""
    else:
        shown = _blocks(text, 0)
    return Markup(shown)  # noqa: S704 - all that was typed is escaped


_short = remembered(4096)(_rendered)
_long = remembered(64)(_rendered)  # a post asks several times


def _marks(text: str) -> int:
    """Return the number of marks that may have to be looked at in a text."""
    loose = _FENCED.sub("`", text)
    return len(_MARKS.findall(loose)) + len(_STARTS.findall(loose)) + loose.lower().count("www.")


def _escape(text: str) -> str:
    return html.escape(text, quote=False)


def _mark(text: str) -> str:
    """Return the hidden HTML of marks that are shown as formatting."""
    return f"<i hidden>{_escape(text)}</i>" if text else ""


# -- blocks: each takes lines of the text, and gives back HTML with as many line ends


def _blocks(text: str, depth: int) -> str:
    """Return quotes, lists and code with the text between them.

    :param depth: quotes around it.
    """
    made, done, at = [], 0, 0
    unclosed: set[str] = set()
    while found := _BLOCK.search(text, at):
        if found["fence"]:
            block, start, end = _fence(text, found.start(), found[0], unclosed)
        elif found["quote"]:
            block, start, end = _quote(text, found.start(), depth)
        else:
            block, start, end = _list(text, found.start())
        if block:
            made += [_paragraph(text[done:start]), block]
            done = end
        at = max(end, found.end())
    return "".join([*made, _paragraph(text[done:])])


def _paragraph(text: str) -> str:
    """Return lines without a block, as they stand."""
    if not text.strip(" \t\n"):
        return text  # between blocks, where it shows nothing
    first, last = text.startswith("\n"), text.endswith("\n")
    inner = _inline(text[first : len(text) - last])
    return "\n" * first + f"<p>{inner}</p>" + "\n" * last


def _fence(text: str, start: int, run: str, unclosed: set[str]) -> tuple[str, int, int]:
    """Return a block of code, or nothing, and where it begins and ends. Code that ends in the midst of its line is no block.

    :param unclosed: closing marks that were searched for already and are not there.
    """
    after, line = start + len(run), text.rfind("\n", 0, start) + 1
    alone = not text[line:start].strip(" \t")
    if alone and (language := _LANGUAGE.match(text, after)):
        close = _find(f"^[ \t]*{run}`*[ \t]*$", text, language.end(), unclosed)
        if close and not is_blank(text[language.end() : close.start()]):
            name = language[1] or ""
            code = text[after + len(name) : close.start()]
            return _code(text[line:after], name, code, close[0]), line, close.end()
    close = _find(f"{run}`*", text, after, unclosed)
    if not close:
        return "", after, after
    code, end = text[after : close.start()], close.end()
    if is_blank(code) or not ("\n" in code or (alone and _LINE_REST.match(text, end))):
        return "", end, end
    return _code(run, "", code, close[0]), start, end


def _find(pattern: str, text: str, at: int, missing: set[str]) -> re.Match[str] | None:
    found = None if pattern in missing else re.compile(pattern, re.MULTILINE).search(text, at)
    if not found:
        missing.add(pattern)
    return found


def _code(opening: str, language: str, code: str, closing: str) -> str:
    lead = m[0] if (m := _LINE_REST.match(code)) and m[0].endswith("\n") else ""
    last = code.endswith("\n")
    inner = _escape(code[len(lead) : len(code) - last])
    box = f'<pre tabindex="0"><small>{language}</small>{lead}<code>' if language else f'{lead}<pre tabindex="0"><code>'
    # Code scrolls sideways, also by the keyboard.
    return "".join([_mark(opening), box, inner, "</code></pre>", "\n" * last, _mark(closing)])


def _quote(text: str, start: int, depth: int) -> tuple[str, int, int]:
    """Return a quote, or nothing where it is empty or too deep, and where it begins and ends."""
    said = _QUOTED.match(text, start)[0].removesuffix("\n")  # type: ignore[index]  # its first line was found
    end = start + len(said)
    lines = said.split("\n")
    marks = [_QUOTE.match(line)[0] for line in lines]  # type: ignore[index]  # as above
    inner = "\n".join(line[len(mark) :] for line, mark in zip(lines, marks, strict=True))
    if depth == _DEEPEST or is_blank(inner):
        return "", end, end
    return f"<blockquote>{_marked(_blocks(inner, depth + 1), marks)}</blockquote>", start, end


def _marked(inner: str, marks: Iterable[str]) -> str:
    """Return lines of HTML, each after marks of its own."""
    each = iter(marks)
    return _mark(next(each)) + _LINE_END.sub(lambda end: f"\n{_mark(next(each))}", inner)


def _list(text: str, start: int) -> tuple[str, int, int]:
    """Return a list, or nothing, and where it begins and ends. Numbers are those that were typed."""
    made: list[str] = []
    levels: list[tuple[int, str]] = []
    at = start
    while item := _ITEM.match(text, at):
        indent, mark, gap, said = item.groups()
        width, tag = len(indent.expandtabs(4)), "ul" if mark in "-*" else "ol"
        while len(levels) > 1 and width < levels[-1][0]:
            made.append(f"</li></{levels.pop()[1]}>")
        if not levels or (width >= levels[-1][0] + 2 and len(levels) < _DEEPEST):
            levels.append((width, tag))
            made.append(f"<{tag}>")
        else:
            indented, other = levels[-1]
            levels[-1] = indented, tag
            made.append("</li>" if other == tag else f"</li></{other}><{tag}>")
        marks = _mark(indent + mark + gap) if tag == "ul" else f"{_mark(indent)}<span>{mark}</span>{gap}"
        at = item.end()
        made += ["<li>", marks, _inline(said), text[item.end(4) : at]]
    if not levels:
        return "", start, start
    last = made.pop()  # the line's end is not the list's
    return "".join([*made, *(f"</li></{tag}>" for _, tag in reversed(levels))]), start, at - len(last)


# -- inside a line


@dataclass
class _Opened:
    """A mark that may be the first of a pair: where it is in the text, and among the pieces of HTML."""

    mark: str
    start: int
    end: int
    place: int


def _inline(text: str, links: bool = True) -> str:
    """Return the HTML of text with code, links, and bold, slanted or struck words."""
    made: list[str] = []
    opened: list[_Opened] = []
    waiting: Counter[str] = Counter()
    done = at = 0
    while sign := _SIGN.search(text, at):
        start, at = sign.span()
        if sign[0] in "*_~":
            if not (found := _PAIR.match(text, start)):
                continue
            piece, at = found[0], found.end()
            before, after = text[start - 1 : start], text[at : at + 1]
            if waiting[piece] and _closes(piece, before, after):
                while (first := opened.pop()).mark != found[0]:
                    waiting[first.mark] -= 1
                waiting[piece] -= 1
                if _about(text, first, start, at):
                    made[first.place] = _mark(piece) + _OPENING[piece]
                    piece = _CLOSING[piece] + _mark(piece)
            if piece == found[0] and _opens(piece, before, after):
                opened.append(_Opened(piece, start, at, len(made) + 1))
                waiting[piece] += 1
        else:
            piece, start, end = _THINGS[sign[0][-1]](text, start, done) if links or sign[0] == "`" else ("", 0, 0)
            if not piece:
                at = max(at, end)
                continue
            at = end
        made += [_escape(text[done:start]), piece]
        done = at
    return "".join([*made, _escape(text[done:])])


def _opens(mark: str, before: str, after: str) -> bool:
    edge = _LINE_BEFORE if mark == "_" else _BEFORE
    first = after and not after.isspace() and after not in _NOT_FIRST and not (mark == "*" and after == ".")
    return bool(first and (not before or edge.match(before)))


def _closes(mark: str, before: str, after: str) -> bool:
    edge = _LINE_AFTER if mark == "_" else _AFTER
    return not before.isspace() and before not in _NOT_LAST and bool(not after or edge.match(after))


def _about(text: str, first: _Opened, start: int, end: int) -> bool:
    """Tell whether a pair of marks has a word between it, in one paragraph, and is no comment of a program."""
    return (
        _WORD.search(text, first.end, min(start, first.end + _SOON)) is not None
        and text.find("\n\n", first.end, start) < 0
        and not (text[first.start - 1 : first.start] == "/" == text[end : end + 1])
    )


# Each returns the HTML of one thing, or nothing, and where it begins and ends.


def _code_span(text: str, start: int, done: int) -> tuple[str, int, int]:
    found = _CODE.match(text, start)
    if not found or is_blank(found[2]):
        return "", start, found.end() if found else start
    run, said = found.groups()
    pad = " " if "`" in said and said[0] == said[-1] == " " else ""
    inner = said[1:-1] if pad else said
    return f"{_mark(run + pad)}<code>{_escape(inner)}</code>{_mark(pad + run)}", start, found.end()


def _labelled(text: str, start: int, done: int) -> tuple[str, int, int]:
    """Return a link with words of its own, and after it the host it leads to, for the words may name another one."""
    found = _LABELLED.match(text, start)
    if not found or is_blank(found[1]):
        return "", start, start
    label, scheme, host, rest = found.groups()
    link = _link(scheme + host + rest, _inline(label, links=False), shown=True)
    where = f"<small>({_mark(scheme)}{_escape(host)}{_mark(rest)})</small>"
    return f"{_mark('[')}{link}{_mark(']')}{where}", start, found.end()


def _address(text: str, start: int, done: int) -> tuple[str, int, int]:
    """Return an address with a scheme or ``www`` as a link; none with a name before its host, which looks like one."""
    if text[start] == ":":
        start -= 5 if text[start - 1 : start] in "sS" else 4
    found = _ADDRESS.match(text, start) if start >= done else None
    if not found:
        return "", start, start
    address = _trimmed(found[0])
    www = address[0] in "wW"
    authority = _AUTHORITY.match(address, 0 if www else address.index("//") + 2)
    if authority and "@" in authority[0]:
        return "", start, start + len(address)
    return _link(f"http://{address}" if www else address, address), start, start + len(address)


def _mail(text: str, start: int, done: int) -> tuple[str, int, int]:
    name, found = _NAME.search(text, max(done, start - 65), start), _AT.match(text, start)
    if not name or not found:
        return "", start, start
    address = name[0] + found[0]
    return _link(f"mailto:{address}", address), name.start(), found.end()


#: The functions above, by the last character of the sign that they begin with.
_THINGS = {"`": _code_span, "[": _labelled, "/": _address, ".": _address, "@": _mail}


def _link(address: str, label: str, shown: bool = False) -> str:
    """Return a link that tells nobody where it was followed from.

    :param shown: the label is HTML, and the address stands beside the link.
    """
    title = f' title="{html.escape(address)}"' if shown else ""
    return (
        f'<a href="{html.escape(address)}" rel="noopener noreferrer nofollow" target="_blank"{title}>'
        f"{label if shown else _escape(label)}</a>"
    )


def _trimmed(address: str) -> str:
    """Return an address without the punctuation that ends the sentence or the bracket that it stands in."""
    extra = {end: address.count(end) - address.count(begin) for begin, end in ("()", "[]")}
    last = len(address)
    while address[last - 1] in ".,:;!?'*_~" or extra.get(address[last - 1], 0) > 0:
        last -= 1
        extra[address[last]] = extra.get(address[last], 0) - 1
    return address[:last]
