"""Commands for whoever runs the site: ``bin/flask …``."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO

import click
from flask import Flask, current_app
from flask.cli import AppGroup
from flask_migrate import upgrade

from chat.accounts import emails, queries, service
from chat.accounts.forms import person_name
from chat.accounts.routes import setup_token
from chat.core import audit, log, logs, security_events
from chat.core.background import Background
from chat.core.bus import transaction
from chat.core.database import db, schema
from chat.core.database.schema import Schema
from chat.core.errors import ChatError
from chat.core.permissions import SITE_ROLES
from chat.moderation.keeping.proofs import verify_file
from chat.web.health import problems
from chat.web.urls import absolute, path_for

user_commands = AppGroup("user", help="Accounts.")
log_commands = AppGroup("log", help="The history of rooms.")
keeping_commands = AppGroup("keeping", help="Receipts of what was destroyed, and exports of legal holds.")
audit_commands = AppGroup("audit", help="The log of what was done by whom.")


def init_app(app: Flask) -> None:
    """Register the commands."""
    app.cli.add_command(user_commands)
    app.cli.add_command(log_commands)
    app.cli.add_command(audit_commands)
    app.cli.add_command(keeping_commands)
    app.cli.add_command(worker)
    app.cli.add_command(doctor)


def prepare(app: Flask) -> None:
    """Bring the database up to date and tell the operator where the site is; before serving."""
    with app.app_context():
        with db.engine.connect() as connection:
            found = schema.compare(connection)
        if found is Schema.BEHIND:
            upgrade(directory=str(schema.MIGRATIONS))
        elif found is Schema.NEWER:
            click.echo("\n  The database was migrated by a newer release. This one goes on with it as it is.")
        click.echo(f"\n  Confab is at {absolute('/')}")
        if not queries.has_administrator():
            link = absolute(path_for("accounts.set_up_form"), token=setup_token())
            click.echo(f"  There is no administrator yet. Make the account of the first one here:\n\n  {link}\n")
        sys.stdout.flush()


@user_commands.command("add")
@click.argument("name")
@click.argument("email")
@click.option("--role", type=click.Choice(SITE_ROLES), default="member", show_default=True)
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input instead of asking.")
def add_user(name: str, email: str, role: str, password_stdin: bool) -> None:
    """Make an account."""
    try:
        checked = person_name(" ".join(name.split())), emails.normal(email)
        user_id = service.add_user(*checked, _password(password_stdin), role)
    except ChatError as problem:
        raise click.ClickException(problem.sentence) from None
    security_events.flush()
    click.echo(user_id)


@user_commands.command("role")
@click.argument("email")
@click.argument("role", type=click.Choice(SITE_ROLES))
def change_role(email: str, role: str) -> None:
    """Give somebody another role."""
    _change(email, lambda user_id: service.change_role(user_id, role))


@user_commands.command("password")
@click.argument("email")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input instead of asking.")
def change_password(email: str, password_stdin: bool) -> None:
    """Give somebody another password, and sign them out everywhere."""
    _change(email, lambda user_id: service.change_password(user_id, _password(password_stdin)))


@keeping_commands.command("verify")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def verify_keeping(file: Path) -> None:
    """Tell whether a receipt, or the export of a hold, is from here and unchanged."""
    problem = verify_file(file)
    if problem:
        raise click.ClickException(problem)
    click.echo("It is from here, and unchanged.")


def _change(email: str, change: Callable[[str], None]) -> None:
    user = queries.user_by_email(email)
    if user is None:
        raise click.ClickException(f"There is no account with the address {email}.")
    try:
        change(user.id)
    except ChatError as problem:
        raise click.ClickException(problem.sentence) from None
    security_events.flush()


def _password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\n")
    password: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    return password


@audit_commands.command("verify")
@click.option(
    "--anchor", "anchors", multiple=True, help="NUMBER:SEAL, as a line “audit anchor” of the process's log has it."
)
@click.option(
    "--log",
    "logs_",
    multiple=True,
    type=click.File(errors="replace"),
    help="A log of a process, for its lines “audit anchor”.",
)
def verify_audit(anchors: tuple[str, ...], logs_: tuple[IO[str], ...]) -> None:
    """Read the audit log from its beginning and name the first row that is not as it was written.

    It is held against the ends that were written down in the file of AUDIT_ANCHORS, and against those given.
    """
    parsed = [each for file in logs_ for each in audit.anchors_in(file)]
    own = audit.anchors_file()
    if own.is_file():
        with own.open(encoding="ascii", errors="replace") as file:
            parsed += audit.anchors_in(file)
    for each in anchors:
        number, _, seal = each.partition(":")
        if not number.isdigit() or not seal:
            raise click.BadParameter(f"{each!r} is not NUMBER:SEAL")
        parsed.append(audit.Anchor(int(number), seal))
    found = audit.verify(tuple(parsed))
    if found.number is None:
        click.echo(f"The audit log is whole: {found.rows} rows.")
        return
    click.echo(f"The audit log was tampered with: {found.problem}. {found.rows} rows before it are whole.")
    raise SystemExit(1)


@log_commands.command("rotate-epoch")
def rotate_epoch() -> None:
    """Give the history a new name, after restoring a backup: open pages then load again what they show."""
    with transaction():
        name = log.rotate_epoch()
    click.echo(f"The history is now called {name}. Processes that serve notice within a second.")


@click.command()
def worker() -> None:
    """Send e-mail and do other promised work, until stopped. For processes started with JOBS=off."""
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    logs.configure()
    application: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    background = Background(application)
    background.start(only="JOBS")
    stopping.wait()
    background.stop()


@click.command()
def doctor() -> None:
    """Say what is wrong with this installation; ends with 1 if anything is."""
    wrong = problems("health")
    for name, problem in (wrong | problems("impaired")).items():
        click.echo(f"{name}: {problem}")
    click.echo("Something is wrong." if wrong else "All is well.")
    raise SystemExit(1 if wrong else 0)
