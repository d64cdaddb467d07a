"""Styles that an administrator writes: read by a CSS parser, and written again into the layer above all of ours.

What is served is not what was typed but what the parser understood of it, inside ``@layer theme``: no brace, comment or string
that somebody left open can end the layer. Nothing in it leads to an address: no ``@import``, no ``url()`` and its kin, so it
asks no other host for anything and tells none what is on a page.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import tinycss2
from tinycss2.ast import Node

from chat.core.errors import Invalid
from chat.core.threads import Threads

_reading = Threads(1)
#: Characters.
LIMIT = 16_384
#: Blocks inside of each other. Every level is read anew, so this bounds what reading costs.
DEPTH = 12
#: What may follow an ``@``. Not ``import``, ``namespace`` and ``charset``, nor ``layer`` and ``font-face``.
_AT_RULES = frozenset(("media", "supports", "container", "keyframes", "starting-style", "scope"))
#: Functions that lead to an address, or to what is drawn elsewhere.
_LEADING_AWAY = frozenset(
    ("url", "src", "image", "image-set", "-webkit-image-set", "cross-fade", "-webkit-cross-fade", "element", "-moz-element",
     "expression")
)  # fmt: skip


def compiled(typed: str) -> str:
    """Return a style sheet without its comments, inside of our layer; empty for one that says nothing.

    :raises Invalid: with the line, and what is wrong there.
    """
    return _reading.run(_compiled, typed)


def _compiled(typed: str) -> str:
    if len(typed) > LIMIT:
        raise _refused(f"Styles have {LIMIT:,} characters at most; these have {len(typed):,}.")
    try:
        words = tinycss2.parse_component_value_list(typed, skip_comments=True)
        too_deep = _depth(words) > DEPTH
    except RecursionError:
        too_deep = True
    if too_deep:
        raise _refused(f"These styles have more than {DEPTH} blocks inside of each other. Write them flatter.")
    _check(words)
    rules = tinycss2.parse_stylesheet(typed, skip_comments=True, skip_whitespace=True)
    _check(rules)
    text = tinycss2.serialize(rules).strip()
    return f"@layer theme{{{text}}}" if text else ""


def _depth(words: Iterable[Node]) -> int:
    return max((1 + _depth(_inside(each)) for each in words if _inside(each)), default=0)


def _inside(word: Node) -> Sequence[Node]:
    found: Sequence[Node] = ()
    if word.type == "function":
        found = word.arguments
    elif word.type in ("() block", "[] block", "{} block"):
        found = word.content
    return found


def _check(nodes: Iterable[Node]) -> None:
    for node in _all(nodes):
        if node.type == "error":
            raise _refused(f"Line {node.source_line} is not CSS: {node.message.rstrip('.')}.")
        if node.type in ("at-rule", "at-keyword"):
            name = node.lower_at_keyword if node.type == "at-rule" else node.lower_value
            if name not in _AT_RULES:
                raise _refused(f"Line {node.source_line} has @{name}, which is not taken here.")
        if node.type == "url" or (node.type == "function" and node.lower_name in _LEADING_AWAY):
            name = "url" if node.type == "url" else node.lower_name
            raise _refused(
                f"Line {node.source_line} has {name}(…), which leads to an address. Pictures belong into a theme."
            )


def _all(nodes: Iterable[Node]) -> Iterator[Node]:
    """Yield everything that there is in words, or in rules: there what blocks hold is read as rules once more."""
    for node in nodes:
        yield node
        if node.type in ("qualified-rule", "at-rule"):
            yield from _all(node.prelude)
            if node.content is not None:
                yield from _all(tinycss2.parse_blocks_contents(node.content, skip_comments=True, skip_whitespace=True))
        elif node.type == "declaration":
            yield from _all(node.value)
        else:
            yield from _all(_inside(node))


def _refused(sentence: str) -> Invalid:
    return Invalid(sentence, {"css": sentence})
