"""Documentation that is held against the code."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib
import re
from pathlib import Path

import pytest

import chat.messages.events
import chat.rooms.events  # noqa: F401 - registers its events
from chat.core.log import event_types
from config import Config
from tests.services import ROOT

DOCS = ROOT / "docs"


def first_column(page: str) -> list[str]:
    return re.findall(r"^\| `([^`]+)`", (DOCS / page).read_text(), re.MULTILINE)


def test_every_setting_is_documented_with_its_default():
    rows = dict(re.findall(r"^\| `(\w+)` \| (.+?) \|", (DOCS / "configuration.md").read_text(), re.MULTILINE))
    fields = {each.name: each.default for each in dataclasses.fields(Config)}
    assert list(rows) == list(fields)
    for name, default in fields.items():
        if default not in ("", True, False):
            assert rows[name] == f"`{default}`", name


def test_every_setting_has_an_example():
    shown = re.findall(r"^# ?(\w+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
    assert shown == [each.name for each in dataclasses.fields(Config)]


def test_every_event_is_documented():
    listed = first_column("events.md")
    sent = set(event_types()) | _names_sent()
    assert sorted(listed) == sorted(sent)


def _names_sent() -> set[str]:
    """Find the names of ephemerals where they are spelled."""
    found: set[str] = set()
    for path in (ROOT / "chat").rglob("*.py"):
        source = path.read_text()
        found |= set(re.findall(r'sse\.encode\(\s*"([a-z.]+)"', source))
        found |= set(re.findall(r'to_(?:room|user)\w*\([^"()]+, "([a-z.]+)"', source))
    return found


def test_the_documented_writers_exist():
    for names in re.findall(r"\| (`\w+\.service\.\w+`(?:, `\w+`)*) \|", (DOCS / "events.md").read_text()):
        first, *others = re.findall(r"`([\w.]+)`", names)
        module, _, function = first.rpartition(".")
        for each in (function, *others):
            assert _resolves(f"{module}.{each}"), names


@pytest.mark.parametrize(
    "page", [*sorted(path.name for path in DOCS.glob("*.md")), "../README.md", "../CONTRIBUTING.md"]
)
def test_names_in_documents_are_really_there(page: str):
    """Every path, and every dotted name of ours, that a page puts in code quotes."""
    text = (DOCS / page).read_text()
    for name in set(re.findall(r"`([\w./*<>-]+)`", text)):
        if re.fullmatch(r"(chat|templates|static|tests|migrations|docs|bin)/[\w./-]+", name):
            assert (ROOT / name).exists(), name
        elif re.fullmatch(
            r"(chat\.|)(messages|rooms|accounts|realtime|server|database|pictures|bus|log|pump)(\.\w+)+", name
        ):
            assert _resolves(name), name


def _resolves(name: str) -> bool:
    name = name.removeprefix("chat.")
    name = {"pump": "realtime.pump.Pump"}.get(name.split(".")[0], name.split(".")[0]) + name[len(name.split(".")[0]) :]
    # Documents call a feature of a family, and a module of the kernel, by its own name.
    return any(
        _is_there([*package, *name.split(".")]) for package in (["chat"], ["chat", "core"], ["chat", "moderation"])
    )


def _is_there(parts: list[str]) -> bool:
    for end in range(len(parts), 0, -1):
        try:
            found: object = importlib.import_module(".".join(parts[:end]))
        except ImportError:
            continue
        for attribute in parts[end:]:
            if not hasattr(found, attribute):
                return False
            found = getattr(found, attribute)
        return True
    return False


@pytest.mark.parametrize("page", [str(path.relative_to(ROOT)) for path in [*ROOT.glob("*.md"), *DOCS.glob("*.md")]])
def test_links_lead_somewhere(page: str):
    text = (ROOT / page).read_text()
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
        if "://" not in target:
            assert (Path(ROOT / page).parent / target).exists(), target


def test_vendored_files_are_what_they_say():
    page = (ROOT / "static/vendor/README.md").read_text()
    listed = dict(re.findall(r"^\| `([\w.-]+)` .* \| `([0-9a-f]{64})` \|$", page, re.MULTILINE))
    there = {path.name for path in (ROOT / "static/vendor").glob("*.js")}
    assert set(listed) == there
    for name, digest in listed.items():
        assert hashlib.sha256((ROOT / "static/vendor" / name).read_bytes()).hexdigest() == digest, name
