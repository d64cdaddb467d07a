"""Fold names for searching and sorting.

Why: a database folds only the letters its locale knows, SQLite those of ASCII: Élodie was not found. Rows that old code
adds meanwhile have an empty folded name until they are saved again.

Revision ID: 5d1c0f6a2b77
Revises: 749923b83c93
Create Date: 2026-11-21 16:00
"""

import sqlalchemy as sa
from alembic import op

from chat.core.folding import folded

revision = "5d1c0f6a2b77"
down_revision = "749923b83c93"
branch_labels = None
depends_on = None


def upgrade() -> None:
    connection = op.get_bind()
    for name in ("users", "rooms"):
        with op.batch_alter_table(name) as batch:
            batch.add_column(sa.Column("folded_name", sa.String(length=200), nullable=False, server_default=""))
        table = sa.table(name, sa.column("id"), sa.column("name"), sa.column("folded_name"))
        for row in connection.execute(sa.select(table.c.id, table.c.name)).all():
            connection.execute(table.update().where(table.c.id == row.id).values(folded_name=folded(row.name)))


def downgrade() -> None:
    for name in ("rooms", "users"):
        with op.batch_alter_table(name) as batch:
            batch.drop_column("folded_name")
