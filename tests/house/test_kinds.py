"""A kind of room decides by what it says of itself: nobody else asks for one by name."""

from __future__ import annotations

import ast
import re

from chat.rooms import kinds
from tests.services import ROOT

NAMES = set(kinds.names())


def _is_kind(node: ast.expr) -> bool:
    return (isinstance(node, ast.Attribute) and node.attr == "kind") or (
        isinstance(node, ast.Name) and node.id == "kind"
    )


def _names_one(node: ast.expr) -> bool:
    parts = node.elts if isinstance(node, ast.Tuple | ast.List | ast.Set) else [node]
    return any(isinstance(each, ast.Constant) and each.value in NAMES for each in parts)


def test_no_code_compares_with_the_name_of_a_kind():
    found = []
    for path in sorted((ROOT / "chat").rglob("*.py")):
        if path.parent.name != "kinds":
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Compare):
                    sides = [node.left, *node.comparators]
                    if any(map(_is_kind, sides)) and any(map(_names_one, sides)):
                        found.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert found == [], "say it in chat/rooms/kinds, and ask the kind"


def test_no_template_compares_with_the_name_of_a_kind():
    asked = re.compile(rf"kind\s*(?:[=!]=|in|not in)\s*[(\[]?\s*[\"'](?:{'|'.join(NAMES)})[\"']")
    found = [str(path) for path in (ROOT / "templates").rglob("*.html") if asked.search(path.read_text())]
    assert found == []


def test_every_kind_says_what_is_asked_of_it():
    for name in kinds.names():
        kind = kinds.get(name)
        assert kind.icon
        assert bool(kind.title) == bool(kind.promise) == (name in kinds.creatable())
