"""The tables of moderation: notices, sanctions and appeals, rules and held messages, reports, sweeps, purges and holds.

Why: what moderators do is to be seen, undone and answered for. More roles: guests and bots on the site, moderators of a room.
The two tables with the list of roles are made anew on SQLite, where a constraint cannot be exchanged.

Revision ID: 6eb25bc0c48a
Revises: 8a4f6d2b91ce
Create Date: 2026-11-26 22:20
"""

import sqlalchemy as sa
from alembic import op

revision = "6eb25bc0c48a"
down_revision = "8a4f6d2b91ce"
branch_labels = None
depends_on = None

ID = sa.String(length=16)
UTC = sa.DateTime(timezone=True)

_USER_ROLES = "role IN ('member', 'guest', 'bot', 'moderator', 'administrator')"
_OLD_USER_ROLES = "role IN ('member', 'moderator', 'administrator')"
_MEMBER_ROLES = "role IN ('owner', 'moderator', 'member')"
_OLD_MEMBER_ROLES = "role IN ('owner', 'member')"


def upgrade() -> None:
    op.create_table(
        "notices",
        sa.Column("id", ID, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("sentence", sa.String(length=1000), nullable=False),
        sa.Column("path", sa.String(length=200), nullable=False),
        sa.Column("created_at", UTC, nullable=False),
        sa.Column("read_at", UTC, nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["users.id"], name=op.f("fk_notices_person_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notices")),
    )
    op.create_index("ix_notices_person_id", "notices", ["person_id", "created_at"])

    op.create_table(
        "holds",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("person_id", ID, nullable=True),
        sa.Column("room_id", ID, nullable=True),
        sa.Column("since", UTC, nullable=True),
        sa.Column("until", UTC, nullable=True),
        sa.Column("reason", sa.String(length=512), nullable=False),
        sa.Column("created_by", ID, nullable=True),
        sa.Column("created_at", UTC, nullable=False),
        sa.Column("released_at", UTC, nullable=True),
        sa.Column("released_by", ID, nullable=True),
        sa.ForeignKeyConstraint(["created_by"], ["users.id"], name=op.f("fk_holds_created_by"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["person_id"], ["users.id"], name=op.f("fk_holds_person_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["released_by"], ["users.id"], name=op.f("fk_holds_released_by"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["room_id"], ["rooms.id"], name=op.f("fk_holds_room_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_holds")),
    )
    op.create_table(
        "rules",
        sa.Column("id", ID, nullable=False),
        sa.Column("room_id", ID, nullable=True),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("action", sa.String(length=10), nullable=False),
        sa.Column("mute_minutes", sa.Integer(), nullable=False),
        sa.Column("sentence", sa.String(length=200), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("created_by", ID, nullable=True),
        sa.Column("created_at", UTC, nullable=False),
        sa.Column("updated_at", UTC, nullable=False),
        sa.CheckConstraint("action IN ('block', 'hold', 'alert', 'mute')", name=op.f("ck_rules_action")),
        sa.ForeignKeyConstraint(["created_by"], ["users.id"], name=op.f("fk_rules_created_by"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["room_id"], ["rooms.id"], name=op.f("fk_rules_room_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rules")),
    )
    op.create_index("ix_rules_room_id", "rules", ["room_id"])

    op.create_table(
        "sanctions",
        sa.Column("id", ID, nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("person_id", ID, nullable=True),
        sa.Column("network", sa.String(length=49), nullable=True),
        sa.Column("target", sa.String(length=49), nullable=False),
        sa.Column("scope", sa.String(length=16), nullable=False),
        sa.Column("room_id", ID, nullable=True),
        sa.Column("reason", sa.String(length=512), nullable=False),
        sa.Column("note", sa.String(length=1000), nullable=False),
        sa.Column("imposed_by", ID, nullable=True),
        sa.Column("created_at", UTC, nullable=False),
        sa.Column("expires_at", UTC, nullable=True),
        sa.Column("lifted_at", UTC, nullable=True),
        sa.Column("lifted_by", ID, nullable=True),
        sa.Column("lift_reason", sa.String(length=512), nullable=False),
        sa.Column("membership", sa.JSON(), nullable=True),
        sa.CheckConstraint("kind IN ('mute', 'suspend', 'ban')", name=op.f("ck_sanctions_kind")),
        sa.CheckConstraint("(person_id IS NULL) <> (network IS NULL)", name=op.f("ck_sanctions_target")),
        sa.ForeignKeyConstraint(
            ["imposed_by"], ["users.id"], name=op.f("fk_sanctions_imposed_by"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["lifted_by"], ["users.id"], name=op.f("fk_sanctions_lifted_by"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["person_id"], ["users.id"], name=op.f("fk_sanctions_person_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["room_id"], ["rooms.id"], name=op.f("fk_sanctions_room_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sanctions")),
    )
    op.create_index(
        "ix_sanctions_active",
        "sanctions",
        ["created_at", "id"],
        sqlite_where=sa.text("lifted_at IS NULL"),
        postgresql_where=sa.text("lifted_at IS NULL"),
    )
    op.create_index("ix_sanctions_person_id", "sanctions", ["person_id", "created_at"])
    op.create_index(
        "uq_sanctions_active",
        "sanctions",
        ["target", "scope", "kind"],
        unique=True,
        sqlite_where=sa.text("lifted_at IS NULL"),
        postgresql_where=sa.text("lifted_at IS NULL"),
    )

    op.create_table(
        "sweeps",
        sa.Column("id", ID, nullable=False),
        sa.Column("actor_id", ID, nullable=True),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("room_id", ID, nullable=True),
        sa.Column("since", UTC, nullable=False),
        sa.Column("reason", sa.String(length=512), nullable=False),
        sa.Column("messages", sa.Integer(), nullable=False),
        sa.Column("created_at", UTC, nullable=False),
        sa.Column("finished_at", UTC),
        sa.Column("undone_at", UTC, nullable=True),
        sa.Column("undone_by", ID, nullable=True),
        sa.ForeignKeyConstraint(["actor_id"], ["users.id"], name=op.f("fk_sweeps_actor_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["person_id"], ["users.id"], name=op.f("fk_sweeps_person_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["room_id"], ["rooms.id"], name=op.f("fk_sweeps_room_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["undone_by"], ["users.id"], name=op.f("fk_sweeps_undone_by"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sweeps")),
    )
    op.create_index("ix_sweeps_created_at", "sweeps", ["created_at", "id"])

    op.create_table(
        "appeals",
        sa.Column("id", ID, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("sanction_id", ID, nullable=True),
        sa.Column("message_id", ID, nullable=True),
        sa.Column("body", sa.String(length=1000), nullable=False),
        sa.Column("created_at", UTC, nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("decided_by", ID, nullable=True),
        sa.Column("decided_at", UTC, nullable=True),
        sa.Column("answer", sa.String(length=512), nullable=False),
        sa.CheckConstraint("(sanction_id IS NULL) <> (message_id IS NULL)", name=op.f("ck_appeals_target")),
        sa.ForeignKeyConstraint(["decided_by"], ["users.id"], name=op.f("fk_appeals_decided_by"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["message_id"], ["messages.id"], name=op.f("fk_appeals_message_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["person_id"], ["users.id"], name=op.f("fk_appeals_person_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["sanction_id"], ["sanctions.id"], name=op.f("fk_appeals_sanction_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appeals")),
        sa.UniqueConstraint("message_id", name=op.f("uq_appeals_message_id")),
        sa.UniqueConstraint("sanction_id", name=op.f("uq_appeals_sanction_id")),
    )
    op.create_index("ix_appeals_person_id", "appeals", ["person_id", "created_at"])
    op.create_index("ix_appeals_state", "appeals", ["state", "created_at"])

    op.create_table(
        "held_messages",
        sa.Column("id", ID, nullable=False),
        sa.Column("room_id", ID, nullable=False),
        sa.Column("author_id", ID, nullable=False),
        sa.Column("client_id", sa.String(length=64), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("pictures", sa.JSON(), nullable=False),
        sa.Column("created_at", UTC, nullable=False),
        sa.Column("sentence", sa.String(length=200), nullable=False),
        sa.Column("label", sa.String(length=100), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("decided_by", ID, nullable=True),
        sa.Column("decided_at", UTC, nullable=True),
        sa.Column("reason", sa.String(length=512), nullable=False),
        sa.Column("message_id", ID, nullable=True),
        sa.CheckConstraint(
            "state IN ('waiting', 'approved', 'refused', 'withdrawn')", name=op.f("ck_held_messages_state")
        ),
        sa.ForeignKeyConstraint(
            ["author_id"], ["users.id"], name=op.f("fk_held_messages_author_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["decided_by"], ["users.id"], name=op.f("fk_held_messages_decided_by"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["message_id"], ["messages.id"], name=op.f("fk_held_messages_message_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["room_id"], ["rooms.id"], name=op.f("fk_held_messages_room_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_held_messages")),
        sa.UniqueConstraint("author_id", "client_id", name=op.f("uq_held_messages_author_id_client_id")),
    )
    op.create_index("ix_held_messages_room_id", "held_messages", ["room_id", "state"])
    op.create_index("ix_held_messages_state", "held_messages", ["state", "created_at"])

    op.create_table(
        "purges",
        sa.Column("id", ID, nullable=False),
        sa.Column("message_id", ID, nullable=False),
        sa.Column("requested_by", ID, nullable=True),
        sa.Column("reason", sa.String(length=512), nullable=False),
        sa.Column("requested_at", UTC, nullable=False),
        sa.Column("approved_by", ID, nullable=True),
        sa.Column("done_at", UTC, nullable=True),
        sa.Column("receipt", sa.Text(), nullable=False),
        sa.Column("seal", sa.String(length=22), nullable=False),
        sa.ForeignKeyConstraint(["approved_by"], ["users.id"], name=op.f("fk_purges_approved_by"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name=op.f("fk_purges_message_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["requested_by"], ["users.id"], name=op.f("fk_purges_requested_by"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_purges")),
        sa.UniqueConstraint("message_id", name=op.f("uq_purges_message_id")),
    )
    op.create_index("ix_purges_requested_at", "purges", ["requested_at"])

    op.create_table(
        "report_cases",
        sa.Column("id", ID, nullable=False),
        sa.Column("subject", sa.String(length=24), nullable=False),
        sa.Column("message_id", ID, nullable=True),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("room_id", ID, nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("reports", sa.Integer(), nullable=False),
        sa.Column("reported_at", UTC, nullable=False),
        sa.Column("assignee_id", ID, nullable=True),
        sa.Column("looked_at", UTC, nullable=True),
        sa.Column("escalated_at", UTC, nullable=True),
        sa.Column("escalated_by", ID, nullable=True),
        sa.Column("escalation", sa.String(length=512), nullable=False),
        sa.Column("closed_at", UTC, nullable=True),
        sa.Column("closed_by", ID, nullable=True),
        sa.Column("answer", sa.String(length=512), nullable=False),
        sa.CheckConstraint("state IN ('open', 'kept', 'removed')", name=op.f("ck_report_cases_state")),
        sa.ForeignKeyConstraint(
            ["assignee_id"], ["users.id"], name=op.f("fk_report_cases_assignee_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["closed_by"], ["users.id"], name=op.f("fk_report_cases_closed_by"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["escalated_by"], ["users.id"], name=op.f("fk_report_cases_escalated_by"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["message_id"], ["messages.id"], name=op.f("fk_report_cases_message_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["users.id"], name=op.f("fk_report_cases_person_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["room_id"], ["rooms.id"], name=op.f("fk_report_cases_room_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_report_cases")),
        sa.UniqueConstraint("subject", name=op.f("uq_report_cases_subject")),
    )
    op.create_index("ix_report_cases_closed_at", "report_cases", ["closed_at"])
    op.create_index("ix_report_cases_person_id", "report_cases", ["person_id"])
    op.create_index("ix_report_cases_state", "report_cases", ["state", "reported_at"])

    op.create_table(
        "rule_hits",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("rule_id", ID, nullable=False),
        sa.Column("action", sa.String(length=10), nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("room_id", ID, nullable=True),
        sa.Column("message_id", ID, nullable=True),
        sa.Column("at", UTC, nullable=False),
        sa.Column("seen_at", UTC, nullable=True),
        sa.ForeignKeyConstraint(
            ["message_id"], ["messages.id"], name=op.f("fk_rule_hits_message_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["person_id"], ["users.id"], name=op.f("fk_rule_hits_person_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["room_id"], ["rooms.id"], name=op.f("fk_rule_hits_room_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["rule_id"], ["rules.id"], name=op.f("fk_rule_hits_rule_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rule_hits")),
    )
    op.create_index("ix_rule_hits_at", "rule_hits", ["at"])
    op.create_index("ix_rule_hits_message_id", "rule_hits", ["message_id"])
    op.create_index("ix_rule_hits_rule_id", "rule_hits", ["rule_id", "at"])
    op.create_index("ix_rule_hits_person_id", "rule_hits", ["person_id", "rule_id", "at"])
    op.create_index(
        "ix_rule_hits_unseen",
        "rule_hits",
        ["room_id", "id"],
        sqlite_where=sa.text("action = 'alert' AND seen_at IS NULL"),
        postgresql_where=sa.text("action = 'alert' AND seen_at IS NULL"),
    )

    op.create_table(
        "report_lines",
        sa.Column("case_id", ID, nullable=False),
        sa.Column("message_id", ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"], ["report_cases.id"], name=op.f("fk_report_lines_case_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["message_id"], ["messages.id"], name=op.f("fk_report_lines_message_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("case_id", "message_id", name=op.f("pk_report_lines")),
    )
    op.create_table(
        "reports",
        sa.Column("case_id", ID, nullable=False),
        sa.Column("reporter_id", ID, nullable=False),
        sa.Column("reason", sa.String(length=20), nullable=False),
        sa.Column("comment", sa.String(length=1000), nullable=False),
        sa.Column("created_at", UTC, nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["report_cases.id"], name=op.f("fk_reports_case_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["reporter_id"], ["users.id"], name=op.f("fk_reports_reporter_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("case_id", "reporter_id", name=op.f("pk_reports")),
    )
    meta = sa.table("meta", sa.column("name"), sa.column("value"))
    for name in (
        "holds",
        "roles",
    ):  # locks: under one holds are made and texts destroyed, under the other roles are given
        op.execute(sa.insert(meta).values(name=name, value=""))
    swept = sa.text("sweep_id IS NOT NULL")
    op.add_column("messages", sa.Column("sweep_id", ID))
    op.add_column("messages", sa.Column("purged_at", UTC))
    op.create_index("ix_messages_author_id", "messages", ["author_id", "created_at"])
    op.create_index(
        "ix_messages_sweep_id", "messages", ["sweep_id", "room_id"], sqlite_where=swept, postgresql_where=swept
    )
    edited = sa.text("edited_at IS NOT NULL")
    op.create_index(
        "ix_messages_edited_at", "messages", ["edited_at", "id"], sqlite_where=edited, postgresql_where=edited
    )
    removed = sa.text("deleted_at IS NOT NULL")
    op.drop_index("ix_messages_deleted_at", table_name="messages")
    op.create_index(
        "ix_messages_deleted_at", "messages",
        ["deleted_at", "id", "purged_at", "pictures", "edited_at", "author_id", "room_id", "created_at"],
        sqlite_where=removed, postgresql_where=removed,
    )  # fmt: skip
    op.create_index(
        "ix_messages_deleted_by", "messages", ["deleted_by", "deleted_at", "id"], sqlite_where=removed,
        postgresql_where=removed,
    )  # fmt: skip
    op.create_index(
        "ix_messages_room_deleted_at", "messages", ["room_id", "deleted_at", "id"], sqlite_where=removed,
        postgresql_where=removed,
    )  # fmt: skip
    op.add_column("memberships", sa.Column("muted_until", UTC))
    op.add_column("users", sa.Column("barred_until", UTC))
    op.add_column("users", sa.Column("notices", sa.Integer(), server_default="0", nullable=False))
    _roles(_USER_ROLES, _MEMBER_ROLES)


def downgrade() -> None:
    op.execute("UPDATE users SET role = 'member' WHERE role IN ('guest', 'bot')")
    op.execute("UPDATE memberships SET role = 'member' WHERE role = 'moderator'")
    op.execute("DELETE FROM meta WHERE name IN ('holds', 'roles', 'retention_days', 'purge_approval')")
    _roles(_OLD_USER_ROLES, _OLD_MEMBER_ROLES)
    op.drop_column("users", "notices")
    op.drop_column("users", "barred_until")
    op.drop_column("memberships", "muted_until")
    op.drop_index("ix_messages_room_deleted_at", table_name="messages")
    op.drop_index("ix_messages_deleted_by", table_name="messages")
    op.drop_index("ix_messages_edited_at", table_name="messages")
    op.drop_index("ix_messages_deleted_at", table_name="messages")
    removed = sa.text("deleted_at IS NOT NULL")
    op.create_index(
        "ix_messages_deleted_at", "messages", ["deleted_at", "id"], sqlite_where=removed, postgresql_where=removed
    )
    op.drop_index("ix_messages_sweep_id", table_name="messages")
    op.drop_index("ix_messages_author_id", table_name="messages")
    op.drop_column("messages", "purged_at")
    op.drop_column("messages", "sweep_id")
    for name in (
        "reports", "report_lines", "rule_hits", "report_cases", "purges", "held_messages", "appeals", "sweeps", "sanctions",
        "rules", "holds", "notices",
    ):  # fmt: skip
        op.drop_table(name)


def _roles(of_users: str, of_members: str) -> None:
    for table, rule in (("users", of_users), ("memberships", of_members)):
        with op.batch_alter_table(table) as batch:
            batch.drop_constraint(op.f(f"ck_{table}_role"), type_="check")
            batch.create_check_constraint(op.f(f"ck_{table}_role"), rule)
