"""Whether the tables are those that this release knows."""

from __future__ import annotations

from enum import Enum
from functools import lru_cache
from pathlib import Path

from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

MIGRATIONS = Path(__file__).parents[3] / "migrations"


class Schema(Enum):
    """How the database's tables stand to the migrations of this release."""

    BEHIND = "behind"
    CURRENT = "current"
    #: Migrated by a later release. Migrations only add, so this one goes on with what it knows.
    NEWER = "newer"


def compare(connection: Connection) -> Schema:
    """Compare what a database says of itself with the migrations that we have."""
    found = MigrationContext.configure(connection).get_current_revision()
    head, older = known_revisions()
    if found == head:
        return Schema.CURRENT
    return Schema.BEHIND if found is None or found in older else Schema.NEWER


@lru_cache
def known_revisions() -> tuple[str, frozenset[str]]:
    """Return the last migration of this release and those before it.

    Asked at the start and remembered: later the files of the next release may lie in their place.
    """
    last, *older = (each.revision for each in ScriptDirectory(str(MIGRATIONS)).walk_revisions())
    return last, frozenset(older)
