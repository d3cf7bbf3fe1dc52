"""
Sessions of people, and sign-ins that have begun.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import UUID

revision = "0003"
down_revision = "0002"

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Creates the tables."""
    op.create_table(
        "session",
        sa.Column("id", sa.LargeBinary, primary_key=True),
        sa.Column("exchange", UUID, nullable=False),
        sa.Column("address", sa.LargeBinary, nullable=False),
        sa.Column("caller", sa.LargeBinary, nullable=False),
        sa.Column("started_at", INSTANT, nullable=False),
        sa.Column("seen_at", INSTANT, nullable=False),
        sa.Column("ends_at", INSTANT, nullable=False),
        sa.Column("ended", sa.Text, nullable=True),
        sa.CheckConstraint("length(id) = 32 AND ended IN ('signed_out', 'replaced', 'idle', 'expired', 'moved')"),
    )
    op.create_table(
        "sign_in_attempt",
        sa.Column("id", sa.LargeBinary, primary_key=True),
        sa.Column("state", sa.LargeBinary, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
    )
    op.create_index("sign_in_attempt_expires_at", "sign_in_attempt", ["expires_at"])


def downgrade() -> None:
    """Removes the tables."""
    op.drop_table("sign_in_attempt")
    op.drop_table("session")
