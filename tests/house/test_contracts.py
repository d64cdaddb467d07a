"""What a theme may count on: every hook is in a contract, and no contract changes unannounced."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
import soupsieve

from chat.themes import headers
from chat.themes.contracts import Promise, unannounced
from tests.house import contracts_page
from tests.house.hooks import hooks
from tests.services import ROOT

TEMPLATES = headers.read_all(ROOT / "templates")
PARTS = re.compile(r"#[\w-]+|\.[\w-]+|\[[^\]]+\]|^[\w-]+")
OLD = Promise(1, ("#timeline", ".message[data-seq]"), ("notices",), ("message", "message.author.name"))


@pytest.mark.parametrize(
    "name", [name for name in TEMPLATES if name.endswith(".html") and not name.startswith(("mail/", "patterns/"))]
)
def test_everything_that_scripts_hold_on_to_is_in_a_contract(name: str):
    source = (ROOT / "templates" / name).read_text()
    body = source.partition("#}\n")[2]
    said = {part for hook in TEMPLATES[name].contract.hooks for part in PARTS.findall(hook)}
    held = {part for hook in hooks(body) for part in PARTS.findall(hook)} if not name.startswith("shared/") else set()
    assert held <= said, f"add to the contract in the header of {name}, with a new version"


def test_every_hook_is_a_selector():
    for template in TEMPLATES.values():
        for hook in template.contract.hooks:
            soupsieve.compile(hook)


def test_no_contract_changes_unannounced():
    now, promised = contracts_page.now(), contracts_page.promised()
    assert unannounced(promised, now, contracts_page.RELEASE) == []
    assert promised == now, "run .venv/bin/python -m tests.house.contracts_page"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"hooks": ("#timeline",)}, "lost .message[data-seq]"),
        ({"hooks": ("#timeline", ".message[data-seq]", "#new")}, "wants #new"),
        ({"blocks": ()}, "lost notices"),
        ({"fields": ("message", "message.writer.name")}, "lost message.author.name"),
    ],
)
def test_a_change_without_a_new_version_is_found(change: dict, said: str):
    (sentence,) = unannounced(
        {"messages/_message.html": OLD}, {"messages/_message.html": replace(OLD, **change)}, "0.2.0"
    )
    assert said in sentence
    assert "make it 2" in sentence


def test_a_new_version_has_to_be_announced_a_minor_release_ahead():
    new = replace(OLD, version=2, hooks=("#timeline",))
    (sentence,) = unannounced({"a.html": OLD}, {"a.html": new}, "0.2.0")
    assert "Contract 2 from 0.3" in sentence
    announced = replace(OLD, coming=2, release="0.3")
    assert unannounced({"a.html": announced}, {"a.html": new}, "0.2.9"), "not yet"
    assert unannounced({"a.html": announced}, {"a.html": new}, "0.3.0") == []
    assert unannounced({"a.html": announced}, {}, "0.3.0") == [], "it may be gone by then"
    assert unannounced({"a.html": OLD}, {}, "0.3.0")


def test_more_breaks_nothing():
    more = replace(OLD, blocks=("notices", "people"), fields=("message", "message.author.name", "message.id"))
    assert unannounced({"a.html": OLD}, {"a.html": more, "b.html": OLD}, "0.2.0") == []


def test_a_header_announces_what_comes():
    read = headers._read("a.html", "A part. room: RoomContext Contract 1: #a; .b[c] Contract 2 from 0.3: #a; .d")
    assert read.contract == headers.Contract(1, ("#a", ".b[c]"))
    assert read.coming == headers.Contract(2, ("#a", ".d"), "0.3")
    assert read.given == ((("room",), "RoomContext"),)
