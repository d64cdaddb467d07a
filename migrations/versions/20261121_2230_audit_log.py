"""The audit log, and finding what was removed.

Why: what moderators do and look at has to be answered for. Rows are only ever added: triggers refuse the rest, and the seals of
``chat.core.audit`` show what somebody with the rights of the owner changed all the same.

Revision ID: 8a4f6d2b91ce
Revises: 5d1c0f6a2b77
Create Date: 2026-11-21 22:30
"""

import sqlalchemy as sa
from alembic import op

from chat.core import audit

revision = "8a4f6d2b91ce"
down_revision = "5d1c0f6a2b77"
branch_labels = None
depends_on = None

_REFUSED = "the audit log is only added to"


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "audit_log",
        sa.Column("number", number, autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_id", sa.String(length=16)),
        sa.Column("action", sa.String(length=40), nullable=False),
        sa.Column("target_id", sa.String(length=16)),
        sa.Column("person_id", sa.String(length=16)),
        sa.Column("room_id", sa.String(length=16)),
        sa.Column("reason", sa.String(length=512), nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("after", sa.Text(), nullable=False),
        sa.Column("address", sa.String(length=45), nullable=False),
        sa.Column("request_id", sa.String(length=40), nullable=False),
        sa.Column("seal", sa.String(length=22), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_audit_log")),
    )
    for name in ("actor_id", "person_id", "room_id", "action"):
        op.create_index(f"ix_audit_log_{name}", "audit_log", [name, "number"])
    op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", number, nullable=False),
        sa.Column("last", sa.String(length=22), nullable=False),
        sa.Column("seal", sa.String(length=22), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_head")),
    )
    columns = [sa.column(name) for name in ("id", "number", "last", "seal")]
    op.execute(sa.insert(sa.table("audit_head", *columns)).values(**audit.empty_head()))
    removed = sa.text("deleted_at IS NOT NULL")
    op.create_index(
        "ix_messages_deleted_at", "messages", ["deleted_at", "id"], sqlite_where=removed, postgresql_where=removed
    )
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER audit_log_no_{verb.lower()} BEFORE {verb} ON audit_log "
                f"BEGIN SELECT RAISE(ABORT, '{_REFUSED}'); END"
            )
    else:
        op.execute(
            "CREATE FUNCTION audit_log_refuse() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{_REFUSED}'; END $$"
        )
        op.execute(
            "CREATE TRIGGER audit_log_fixed BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log "
            "FOR EACH STATEMENT EXECUTE FUNCTION audit_log_refuse()"
        )


def downgrade() -> None:
    op.drop_index("ix_messages_deleted_at", table_name="messages")
    op.drop_table("audit_head")
    op.drop_table("audit_log")
    if op.get_bind().dialect.name != "sqlite":
        op.execute("DROP FUNCTION audit_log_refuse()")
