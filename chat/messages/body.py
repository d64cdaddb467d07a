"""From what somebody typed to safe HTML: bold, italic, code, links, lists and quotes. Pure.

The only place where text becomes markup. markdown-it makes HTML of it with raw HTML switched off; nh3 then lets through a
short list of elements and nothing else, so that neither a fault of the first nor ``hx-`` attributes and ``template``
elements, which htmx would act upon, can reach a page.
"""

from __future__ import annotations

import html
import re
from functools import lru_cache

import nh3
from markdown_it import MarkdownIt
from markupsafe import Markup, escape

_TAGS = {"p", "br", "strong", "em", "code", "pre", "a", "ul", "ol", "li", "blockquote"}
_ATTRIBUTES: dict[str, set[str]] = {"a": {"href"}, "ol": {"start"}, "*": set()}
_SCHEMES = {"http", "https", "mailto"}

_markdown = MarkdownIt("zero", {"breaks": True, "linkify": True, "maxNesting": 20}).enable(
    ["emphasis", "backticks", "fence", "list", "blockquote", "link", "autolink", "linkify", "newline", "escape"]
)

assert _markdown.linkify is not None  # noqa: S101 - it comes with the extra of markdown-it that we require
_markdown.linkify.add("//", None)  # an address begins with its scheme or its name

#: One line without anything that could mean something. Most messages are that, and cost 20 µs instead of 500.
_PLAIN = re.compile(r"(?!\s*(?:[-+]|\d+[.)]))[^*_`\[\]<>&\\~@/:\n\xa0]*")
_DOTTED = re.compile(r"\w\.\w")
_FENCED = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
_MARKS = re.compile(r"[*_`\[\]()<>@]|://|^[ \t]*(?:[-+]|\d+[.)])[ \t]", re.MULTILINE)
#: More marks than this outside of fenced code, or more dots between letters, each of which may be a link, and the text is
#: shown as it was typed: looking for pairs takes time that grows with the square, and every list item is a piece of work.
_MOST_MARKS = 400
_TAG = re.compile(r"<[^>]*>")
#: Characters of a text whose HTML is remembered; what thousands of long ones became would fill the memory.
_REMEMBERED = 1000


def to_html(text: str) -> Markup:
    """Return the HTML of a message's text.

    :param text: at most 10,000 characters, line ends LF.
    """
    return _remembered(text) if len(text) <= _REMEMBERED else _rendered(text)


def _rendered(text: str) -> Markup:
    if _PLAIN.fullmatch(text) and not _DOTTED.search(text):
        return Markup(f"<p>{text}</p>\n") if text else Markup()  # noqa: S704 - nothing in it means anything in HTML
    loose = _FENCED.sub("", text)
    if len(_MARKS.findall(loose)) > _MOST_MARKS or len(_DOTTED.findall(loose)) > _MOST_MARKS:
        return Markup("<p>") + Markup("<br>\n").join(escape(line) for line in text.split("\n")) + Markup("</p>\n")
    return Markup(  # noqa: S704 - what nh3 let through
        nh3.clean(
            _markdown.render(text),
            tags=_TAGS,
            attributes=_ATTRIBUTES,
            url_schemes=_SCHEMES,
            attribute_filter=_absolute_links,
            link_rel="noopener noreferrer nofollow",
            # Code scrolls sideways, also by the keyboard.
            set_tag_attribute_values={"a": {"target": "_blank"}, "pre": {"tabindex": "0"}},
        )
    )


_remembered = lru_cache(maxsize=4096)(_rendered)


def _absolute_links(tag: str, attribute: str, value: str) -> str | None:
    """Keep links that say where they lead; a relative one would lead to a place on this site that its reader did not choose."""
    if attribute == "href" and not value.lower().startswith(("http://", "https://", "mailto:")):
        return None
    return value


def to_line(text: str, limit: int = 140) -> str:
    """Return a text as one plain line, for lists: what stands on the page, without its markup.

    Only the beginning is looked at: a list has a line for each of many rooms, and is made anew with every message.
    """
    shown = _TAG.sub("", to_html(text[: 4 * limit]))
    line = " ".join(html.unescape(shown).split())
    return line if len(line) <= limit else f"{line[: limit - 1].rstrip()}…"


def forget() -> None:
    """Drop the texts whose HTML is remembered: some of them are destroyed."""
    _remembered.cache_clear()
