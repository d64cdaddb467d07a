"""Who owns a room while its owner is kept out of it, who publishes nothing, and what is unread without what was deleted.

Why: a sanction took a room from its owner for good; and a room whose owner left as the last one had nobody who may settle its
affairs. A mute everywhere stopped messages alone. All columns may be empty, so the old code serves beside it. Rooms without an
owner but with members get the member who has been in them longest, as when an owner leaves; empty ones belong to whoever comes
into them next. What is unread is told by ``memberships.last_read_number``; where the old code writes it meanwhile, the next
reading puts it right.

Revision ID: 5c0e7b41d2aa
Revises: 5c8e21d7a0f4
Create Date: 2026-11-30 23:30
"""

import sqlalchemy as sa
from alembic import op

revision = "5c0e7b41d2aa"
down_revision = "5c8e21d7a0f4"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("rooms", sa.Column("kept_for", sa.String(length=16), nullable=True))
    op.add_column("users", sa.Column("muted_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column("memberships", sa.Column("role_before", sa.String(length=10), nullable=True))
    op.execute(
        """
        UPDATE memberships SET role = 'owner'
        WHERE user_id = (
            SELECT heir.user_id FROM memberships AS heir WHERE heir.room_id = memberships.room_id
            ORDER BY heir.joined_at, heir.user_id LIMIT 1
        )
        AND room_id IN (
            SELECT id FROM rooms WHERE kind <> 'direct' AND NOT EXISTS (
                SELECT 1 FROM memberships AS own WHERE own.room_id = rooms.id AND own.role = 'owner'
            )
        )
        """
    )
    op.execute(
        """
        UPDATE memberships SET last_read_number = last_read_number + (
            SELECT count(*) FROM messages
            WHERE messages.room_id = memberships.room_id AND messages.deleted_at IS NOT NULL
            AND messages.seq > memberships.last_read_seq
        )
        WHERE room_id IN (SELECT DISTINCT room_id FROM messages WHERE deleted_at IS NOT NULL)
        """
    )
    forever = "9999-01-01 00:00:00" + (".000000" if op.get_bind().dialect.name == "sqlite" else "+00")
    op.execute(
        f"""
        UPDATE users SET muted_until = (
            SELECT max(coalesce(expires_at, '{forever}')) FROM sanctions
            WHERE sanctions.person_id = users.id AND kind = 'mute' AND scope = 'everywhere' AND lifted_at IS NULL
        )
        WHERE id IN (
            SELECT person_id FROM sanctions WHERE kind = 'mute' AND scope = 'everywhere' AND lifted_at IS NULL
        )
        """
    )


def downgrade() -> None:
    op.drop_column("memberships", "role_before")
    op.drop_column("users", "muted_until")
    op.drop_column("rooms", "kept_for")
