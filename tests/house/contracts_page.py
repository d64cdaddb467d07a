"""``docs/contracts.json``: what the templates promise to themes, as the last commit had it.

Run ``.venv/bin/python -m tests.house.contracts_page`` after a change; it refuses one that breaks themes unannounced.
"""

from __future__ import annotations

import dataclasses
import json
import sys
import tomllib

from jinja2 import Environment

from chat.themes.contracts import Promise, promises, unannounced
from tests.services import ROOT

PAGE = ROOT / "docs/contracts.json"
RELEASE = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]


def now() -> dict[str, Promise]:
    return promises(ROOT / "templates", Environment())


def promised() -> dict[str, Promise]:
    return {name: Promise.read(stored) for name, stored in json.loads(PAGE.read_text()).items()}


def write(found: dict[str, Promise]) -> None:
    lines = [f"{json.dumps(name)}: {json.dumps(dataclasses.asdict(each))}" for name, each in found.items()]
    PAGE.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    broken = unannounced(promised(), now(), RELEASE) if PAGE.exists() else []
    if broken:
        sys.exit("\n".join(broken))
    write(now())
