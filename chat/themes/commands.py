"""``bin/flask theme …``: beginning a theme, checking it, and seeing what changed underneath it."""

from __future__ import annotations

import os
import shlex
import shutil
from pathlib import Path

import click
from flask import Flask, current_app
from flask.cli import AppGroup

from chat.core.errors import Invalid
from chat.themes import lock
from chat.themes.rendering import Renderer

commands = AppGroup("theme", help="Themes: folders with templates/ and static/ that override ours.")
STARTER = Path(__file__).parent / "starter"


def _from_there(context: click.Context, parameter: click.Parameter, folder: Path) -> Path:
    # bin/flask works in our folder; a path means what it meant where that was called.
    return Path(os.environ.get("CALLED_FROM", "."), folder.expanduser()).resolve()


def _existing(context: click.Context, parameter: click.Parameter, folder: Path) -> Path:
    found = _from_there(context, parameter, folder)
    if not found.is_dir():
        raise click.BadParameter(f"There is no folder {found}.")
    return found


_folder = click.argument("folder", type=click.Path(path_type=Path), callback=_existing)


@commands.command("new")
@click.argument("folder", type=click.Path(path_type=Path), callback=_from_there)
def new(folder: Path) -> None:
    """Make a small theme that works: one block and a few colours."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise click.ClickException(f"{folder} is there already. Name a folder that is not, or is empty.")
    os.umask(0o022)  # a theme is for whoever serves it
    try:
        shutil.copytree(STARTER, folder, dirs_exist_ok=True)
    except (OSError, shutil.Error):
        raise click.ClickException(f"Nothing can be written into {folder}.") from None
    lock.write(folder, Renderer(_app(), None))
    click.echo(f"A theme is in {folder}. See it with: THEME_DIR={shlex.quote(str(folder))} FLASK_DEBUG=1 bin/run")


@commands.command("check")
@_folder
def check_theme(folder: Path) -> None:
    """Render what a theme overrides in every state, and say what is missing; ends with 1 if anything is.

    A theme is code, and this runs it: read a stranger's first.
    """
    from chat.themes.check import check, coming  # what reads HTML and colours is nothing that a server has to load

    if not lock.files(folder):
        raise click.ClickException(f"{folder} has neither templates/ nor static/ with anything in it.")
    _known(folder)
    found = check(folder, _app())
    for problem in found:
        click.echo(str(problem))
    for sentence in coming(folder, _app()):
        click.echo(f"Soon: {sentence}")
    files = len(lock.files(folder))
    problems = f"{len(found)} problem{'s' if len(found) > 1 else ''}."
    click.echo(problems if found else f"All is well: {files} files.")
    raise SystemExit(1 if found else 0)


@commands.command("diff")
@_folder
def diff(folder: Path) -> None:
    """Show what changed of ours in what a theme overrides, since theme.lock was written."""
    renderer = Renderer(_app(), None)
    known = _known(folder)
    unknown = [file for file, _ in lock.overridden(folder, renderer) if file not in known]
    changes = list(lock.changes(folder, renderer))
    for change in changes:
        click.echo("".join(change.lines()), nl=False)
    for file in unknown:
        click.echo(f"{file} is not in {lock.NAME}, so nothing is known of what it was written against.")
    if unknown:
        click.echo("bin/flask theme lock writes down that it is what we ship now.")
    elif not changes:
        click.echo("Nothing that this theme overrides has changed.")


@commands.command("lock")
@_folder
def lock_theme(folder: Path) -> None:
    """Write down what a theme overrides as it is now: it was written against that."""
    for file in lock.write(folder, Renderer(_app(), None)):
        click.echo(file)


def _known(folder: Path) -> dict[str, lock.Entry]:
    try:
        return lock.read(folder)
    except Invalid as problem:
        raise click.ClickException(problem.sentence) from None


def _app() -> Flask:
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    return app
