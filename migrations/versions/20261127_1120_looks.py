"""The look of the site: its name, its logo, its accent and styles of its own, and drafts of them.

Why: an administrator changes them without touching a file. Nothing refers to the table, so the old code serves beside it.

Revision ID: 3d1f0a7c92be
Revises: 6eb25bc0c48a
Create Date: 2026-11-27 11:20
"""

import sqlalchemy as sa
from alembic import op

revision = "3d1f0a7c92be"
down_revision = "6eb25bc0c48a"
branch_labels = None
depends_on = None

ID = sa.String(length=16)


def upgrade() -> None:
    op.create_table(
        "looks",
        sa.Column("id", ID, nullable=False),
        sa.Column("version", ID, nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("accent", sa.String(length=7), nullable=False),
        sa.Column("css", sa.Text(), nullable=False),
        sa.Column("logo", sa.LargeBinary(), nullable=False),
        sa.Column("logo_digest", sa.String(length=16), nullable=False),
        sa.Column("changed_by", ID, nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["changed_by"], ["users.id"], name=op.f("fk_looks_changed_by"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_looks")),
    )
    meta = sa.table("meta", sa.column("name"), sa.column("value"))
    op.execute(sa.insert(meta).values(name="looks", value=""))  # a lock: under it looks are changed


def downgrade() -> None:
    op.execute("DELETE FROM meta WHERE name = 'looks'")
    op.drop_table("looks")
