"""The order of units is declared once, in ``pyproject.toml``; wherever else it is written, it is that one."""

from __future__ import annotations

import re
import tomllib

import pytest

import app
from tests.services import ROOT

CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]


def declared(container: str) -> list[str]:
    """Return the units of a package, from above, as import-linter holds them."""
    (layers,) = (
        each["layers"] for each in CONTRACTS if each.get("containers") == [container] and each.get("exhaustive")
    )
    return [unit for layer in layers for unit in layer.split(" | ")]


def test_features_are_named_in_their_order():
    order = [
        f"chat.{unit}" for each in declared("chat") for unit in ([f"moderation.{one}" for one in declared("chat.moderation")]
        if each == "moderation" else [each])
    ]  # fmt: skip
    named = [feature.__name__ for feature in app.FEATURES]
    assert named == [unit for unit in reversed(order) if unit in named]
    assert set(order) - set(named) == {
        f"chat.{unit}" for unit in ("cli", "server", "web", "realtime", "pictures", "core")
    }


@pytest.mark.parametrize("container", ["chat", "chat.moderation", "chat.core"])
def test_the_page_about_the_architecture_has_the_same_order(container: str):
    text = (ROOT / "docs/architecture.md").read_text()
    head = "unit" if container == "chat" else f"`{container.replace('.', '/')}/`"
    table = text.partition(f"| {head} | is |\n| --- | --- |\n")[2].partition("\n\n")[0]
    written = [unit for line in table.splitlines() for unit in re.findall(r"`(\w+)`", line.split("|")[1])]
    assert written == declared(container)
