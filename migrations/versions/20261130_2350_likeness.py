"""What names look like, room for those of many parts, and names folded again.

Why: names that are taken for one another are found and told apart, those of staff are refused; Søren is found by soren. Rows
that old code adds meanwhile have no likeness until they are saved again, and are told apart from nobody.

Revision ID: 4c0d6f1b7a92
Revises: 5c0e7b41d2aa
Create Date: 2026-11-30 23:50
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

from chat.core.folding import folded
from chat.core.names import likeness, told_apart

revision = "4c0d6f1b7a92"
down_revision = "5c0e7b41d2aa"
branch_labels = None
depends_on = None


def upgrade() -> None:
    connection = op.get_bind()
    for name in ("users", "rooms"):
        with op.batch_alter_table(name) as batch:
            batch.add_column(sa.Column("likeness", sa.String(length=200), nullable=False, server_default=""))
            batch.alter_column("name", type_=sa.String(length=264), existing_type=sa.String(length=64))
            batch.create_index(f"ix_{name}_likeness", ["likeness"])
        columns = ("id", "name", "folded_name", "likeness", "created_at", "role" if name == "users" else "kind")
        table = sa.table(name, *map(sa.column, columns))
        rows = connection.execute(sa.select(table).order_by(table.c.created_at, table.c.id)).all()
        taken: set[str] = set()
        # Those who run the site, and open rooms, have their name as it is; of others the first.
        for row in sorted(rows, key=lambda row: row[-1] not in ("administrator", "moderator", "open")):
            alike = likeness(row.name)
            shown = told_apart(row.name, row.id) if alike and alike in taken else row.name
            if name == "users" or row.kind == "open":
                taken.add(alike)
            values: dict[str, Any] = {"name": shown, "folded_name": folded(shown), "likeness": alike}
            connection.execute(table.update().where(table.c.id == row.id).values(**values))


def downgrade() -> None:
    connection = op.get_bind()
    for name in ("rooms", "users"):
        table = sa.table(name, sa.column("id"), sa.column("name"))
        longer = sa.select(table).where(sa.func.length(table.c.name) > 64)
        for row in connection.execute(longer).all():
            connection.execute(table.update().where(table.c.id == row.id).values(name=row.name[:64]))
        with op.batch_alter_table(name) as batch:
            batch.drop_index(f"ix_{name}_likeness")
            batch.alter_column("name", type_=sa.String(length=64), existing_type=sa.String(length=264))
            batch.drop_column("likeness")
