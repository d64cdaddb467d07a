"""The tokens of the style sheets: what ``tokens.css`` says of itself."""

from __future__ import annotations

from dataclasses import dataclass

import tinycss2
from tinycss2.ast import AtRule, Comment, Declaration, FunctionBlock, Node, QualifiedRule


@dataclass(frozen=True)
class Token:
    """One custom property."""

    name: str
    #: How it is written; ``dark`` is the same where it does not depend on the look.
    light: str
    dark: str
    #: What it is for, from the comment beside it, and the heading above it.
    what: str
    section: str


def read(sheet: str) -> tuple[Token, ...]:
    """Return the tokens that a sheet sets at its root, in their order; what it says for some screens only is left out."""
    found: list[Token] = []
    for layer in tinycss2.parse_stylesheet(sheet, skip_whitespace=True):
        if isinstance(layer, AtRule) and layer.at_keyword == "layer" and layer.content is not None:
            for rule in tinycss2.parse_blocks_contents(layer.content, skip_whitespace=True):
                if isinstance(rule, QualifiedRule) and tinycss2.serialize(rule.prelude).lstrip().startswith(":root"):
                    found += _tokens(rule)
    return tuple(found)


def _tokens(rule: QualifiedRule) -> list[Token]:
    found: list[Token] = []
    section, line = "", 0
    for node in tinycss2.parse_blocks_contents(rule.content, skip_whitespace=True):
        if isinstance(node, Declaration) and node.name.startswith("--"):
            found.append(Token(node.name, *_values(node.value), "", section))
            line = node.source_line
        elif isinstance(node, Comment) and found and node.source_line == line:
            last = found[-1]
            found[-1] = Token(last.name, last.light, last.dark, node.value.strip(), section)
        elif isinstance(node, Comment):
            section = node.value.strip()
    return found


def _values(value: list[Node]) -> tuple[str, str]:
    parts = [each for each in value if each.type not in ("whitespace", "comment")]
    if len(parts) == 1 and isinstance(parts[0], FunctionBlock) and parts[0].lower_name == "light-dark":
        arguments: list[list[Node]] = [[]]
        for each in parts[0].arguments:
            if each == ",":
                arguments.append([])
            else:
                arguments[-1].append(each)
        light, dark = (tinycss2.serialize(each).strip() for each in arguments)
        return light, dark
    same = tinycss2.serialize(value).strip()
    return same, same
