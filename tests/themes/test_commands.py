"""``bin/flask theme``: a new theme works at once, and an update says what changed underneath it."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask

from chat.themes import headers
from chat.themes.lock import NAME
from tests.services import ROOT


@pytest.fixture
def theme(tmp_path: Path) -> Path:
    return tmp_path / "theme"


def run(app: Flask, *arguments: str | Path) -> Result:
    return app.test_cli_runner().invoke(args=["theme", *map(str, arguments)])


def change_ours(theme: Path, file: str, before: str, after: str, contract: int = 1) -> None:
    """Have a theme be written against a text of ours that was another then."""
    stored = json.loads((theme / NAME).read_text())
    assert after in stored[file]["shipped"]
    stored[file] = {"contract": contract, "shipped": stored[file]["shipped"].replace(after, before)}
    (theme / NAME).write_text(json.dumps(stored))


def test_a_new_theme_works(app: Flask, theme: Path):
    made = run(app, "new", theme)
    assert made.exit_code == 0
    assert f"THEME_DIR={theme}" in made.output
    found = run(app, "check", theme)
    assert (found.exit_code, found.output) == (0, "All is well: 2 files.\n")
    assert run(app, "diff", theme).output == "Nothing that this theme overrides has changed.\n"


def test_a_path_means_what_it_means_where_the_command_is_called(
    app: Flask, theme: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("CALLED_FROM", str(theme.parent))
    run(app, "new", theme.name)
    assert (theme / "static/theme.css").is_file()
    monkeypatch.setenv("CALLED_FROM", str(theme))
    assert run(app, "check", ".").output == "All is well: 2 files.\n"


def test_diff_says_what_it_knows_nothing_of(app: Flask, theme: Path):
    run(app, "new", theme)
    (theme / NAME).unlink()
    found = run(app, "diff", theme)
    assert "templates/rooms/show.html is not in theme.lock" in found.output
    assert "Nothing that this theme overrides" not in found.output


def test_a_lock_that_cannot_be_read_is_said_in_words(app: Flask, theme: Path):
    run(app, "new", theme)
    (theme / NAME).write_text("<<<<<<< ours\n{}\n")
    for command in ("check", "diff"):
        found = run(app, command, theme)
        assert found.exit_code == 1
        assert found.output.startswith("Error: theme.lock cannot be read")


def test_a_folder_with_nothing_is_no_theme(app: Flask, theme: Path):
    theme.mkdir()
    found = run(app, "check", theme)
    assert found.exit_code == 1
    assert "neither templates/ nor static/" in found.output


def test_a_folder_with_something_in_it_is_left_alone(app: Flask, theme: Path):
    theme.mkdir()
    (theme / "notes.txt").write_text("mine")
    made = run(app, "new", theme)
    assert made.exit_code == 1
    assert "is there already" in made.output
    assert [each.name for each in theme.iterdir()] == ["notes.txt"]


def test_what_is_wrong_ends_with_1(app: Flask, theme: Path):
    run(app, "new", theme)
    (theme / "static/theme.css").write_text("@layer theme {\n  .message { float: left; }\n}\n")
    found = run(app, "check", theme)
    assert found.exit_code == 1
    assert found.output.startswith("static/theme.css:2: float stays where it is")
    assert found.output.endswith("1 problem.\n")


def test_what_is_not_locked_is_said_and_locking_it_helps(app: Flask, theme: Path):
    run(app, "new", theme)
    part = "templates/messages/_start.html"
    (theme / part).parent.mkdir()
    (theme / part).write_text((ROOT / part).read_text())
    found = run(app, "check", theme)
    assert f"{part}:1: theme.lock does not say" in found.output
    assert part in run(app, "lock", theme).output
    assert run(app, "check", theme).exit_code == 0


def test_a_block_that_changed_is_shown_and_others_are_not(app: Flask, theme: Path):
    run(app, "new", theme)
    page = "templates/rooms/show.html"
    change_ours(theme, page, "Members", "People</h2>")  # in the block people, which the theme leaves to us
    assert run(app, "check", theme).exit_code == 0
    change_ours(theme, page, "Reload", "Load it now")  # in the block notices, which it replaces
    shown = run(app, "diff", theme).output
    assert "then/templates/rooms/show.html (notices)" in shown
    assert [line for line in shown.splitlines() if line.startswith(("-", "+"))][2:] != []
    assert "Reload" in shown
    assert "Members" not in shown
    found = run(app, "check", theme)
    assert found.exit_code == 1
    assert f"{page}:3: The block notices of ours is another one since this theme was written." in found.output
    run(app, "lock", theme)
    assert run(app, "check", theme).exit_code == 0


def test_a_whole_file_that_changed_is_shown(app: Flask, theme: Path):
    run(app, "new", theme)
    part = "templates/messages/_start.html"
    (theme / part).parent.mkdir()
    (theme / part).write_text((ROOT / part).read_text())
    run(app, "lock", theme)
    change_ours(theme, part, "Say something.", "Say what it is for, or share the first picture.")
    shown = run(app, "diff", theme).output
    assert '-    <p class="start__text">Say something.</p>' in shown
    assert '+    <p class="start__text">Say what it is for, or share the first picture.</p>' in shown
    assert f"{part}:1: Ours is another one" in run(app, "check", theme).output


def test_another_contract_is_said(app: Flask, theme: Path):
    run(app, "new", theme)
    change_ours(theme, "templates/rooms/show.html", "room", "room", contract=2)
    assert "It keeps contract 2 of rooms/show.html, which now has 1." in run(app, "check", theme).output


def test_what_comes_is_said_and_is_no_fault(app: Flask, theme: Path, monkeypatch: pytest.MonkeyPatch):
    read = headers.read_all

    def announced(folder: Path) -> dict[str, headers.Template]:
        found = read(folder)
        coming = headers.Contract(2, ("#outbox", "#tray"), "0.3")
        return found | {"rooms/show.html": replace(found["rooms/show.html"], coming=coming)}

    run(app, "new", theme)
    monkeypatch.setattr(headers, "read_all", announced)
    found = run(app, "check", theme)
    assert "Soon: templates/rooms/show.html: from 0.3 contract 2 holds, with #tray." in found.output
    assert found.exit_code == 0


def test_a_server_loads_nothing_of_what_checks():
    """What reads HTML is for the command alone, and colours are read when somebody chooses one."""
    code = "import app, sys; print([each for each in ('bs4', 'coloraide') if each in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"
