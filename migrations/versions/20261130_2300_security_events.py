"""Security events, and when a password was last changed.

Why: who signed in and from where, and what was refused, can be looked into; a browser that knows an account stops to know it
with another password. The old code serves beside it: it refers to neither.

Revision ID: 5c8e21d7a0f4
Revises: 3d1f0a7c92be
Create Date: 2026-11-30 23:00
"""

import sqlalchemy as sa
from alembic import op

revision = "5c8e21d7a0f4"
down_revision = "3d1f0a7c92be"
branch_labels = None
depends_on = None

ID = sa.String(length=16)
INDEXES = {
    "at": ["at", "id"],
    "user_id": ["user_id", "at", "id"],
    "kind": ["kind", "at", "id"],
    "network": ["network", "at", "id"],
}


def upgrade() -> None:
    op.create_table(
        "security_events",
        sa.Column("id", ID, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("user_id", ID, nullable=True),
        sa.Column("address", sa.String(length=45), nullable=False),
        sa.Column("network", sa.String(length=49), nullable=False),
        sa.Column("user_agent", sa.String(length=200), nullable=False),
        sa.Column("detail", sa.String(length=60), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_security_events_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_security_events")),
    )
    for name, columns in INDEXES.items():
        op.create_index(f"ix_security_events_{name}", "security_events", columns)
    op.add_column("users", sa.Column("password_changed_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("users", "password_changed_at")
    for name in INDEXES:
        op.drop_index(f"ix_security_events_{name}", "security_events")
    op.drop_table("security_events")
