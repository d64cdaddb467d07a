"""Whatever remembers what people wrote is forgotten with it: a memory that nobody registered is found here."""

from __future__ import annotations

import ast

from flask import Flask

from chat.core import memories
from chat.messages import body, queries
from chat.moderation.rules import matching
from tests.services import ROOT

#: What remembers results that are no texts of messages, and of what it does.
NO_TEXTS = {
    "accounts/passwords.py": {"_common": "common passwords", "_nobody": "the hash of no password"},
    "core/database/schema.py": {"known_revisions": "migrations"},
    "core/folding.py": {"base": "letters"},
    "core/keys.py": {"_derive": "keys"},
    "core/memories.py": {"decorate": "the registry itself"},
    "core/names.py": {"letters": "letters", "_table": "look-alikes"},
    "look/accent.py": {"*": "colours"},
    "realtime/hub.py": {"_hello": "heads of rooms"},
    "rooms/queries.py": {"kind_of": "kinds of rooms", "_member": "names and statuses of people, which a purge leaves"},
    "server/places.py": {"*": "addresses"},
    "themes/samples.py": {"contexts": "classes"},
    "web/templating.py": {"_icon": "icons", "_names": "names of fields"},
    "web/urls.py": {"*": "addresses"},
}
CACHES = {"lru_cache", "cache"}


def caches() -> set[tuple[str, str]]:
    """Return every use of functools' caches: the file, and the function it is about."""
    found = set()
    for path in sorted((ROOT / "chat").rglob("*.py")):
        file = str(path.relative_to(ROOT / "chat"))
        tree = ast.parse(path.read_text())
        inside = {
            id(node): function.name
            for function in ast.walk(tree)
            if isinstance(function, ast.FunctionDef)
            for node in ast.walk(function)
        }
        imported = {
            name.asname or name.name
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and node.module == "functools"
            for name in node.names
            if name.name in CACHES
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Name) and node.id in imported and isinstance(node.ctx, ast.Load):
                found.add((file, inside.get(id(node), "")))
    return found


def test_every_cache_is_registered_or_remembers_no_texts():
    unknown = [
        (file, function)
        for file, function in caches()
        if function not in NO_TEXTS.get(file, {}) and "*" not in NO_TEXTS.get(file, {})
    ]
    assert unknown == [], "use chat.core.memories.remembered, or say here what it remembers"
    assert {file for file, _ in caches()} == set(NO_TEXTS), "what is listed here is there"


def test_a_purge_forgets_what_is_registered(app: Flask):
    text = "a *word* that is purged"
    first = body.to_html(text)
    assert body.to_html(text) is first, "it was remembered"
    matching.readings(text)
    with app.app_context():
        memories.forget_all()
    assert body.to_html(text) is not first
    assert matching.readings.cache_info().currsize == 0
    assert queries._context.cache_info().currsize == 0
