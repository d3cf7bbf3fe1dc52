"""
What replicas share about agencies: use of quotas, secrets that expire, answers that a grant received already.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import UUID

revision = "0004"
down_revision = "0003"

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Creates the tables."""
    op.create_table(
        "agency_use",
        sa.Column("agency", sa.Text, primary_key=True),
        sa.Column("capability", sa.Text, primary_key=True),
        sa.Column("minute", INSTANT, nullable=False, comment="beginning of the minute that is counted"),
        sa.Column("in_minute", sa.Integer, nullable=False),
        sa.Column("day", sa.Date, nullable=False, comment="the agency's day that is counted"),
        sa.Column("in_day", sa.Integer, nullable=False),
        sa.Column("closed_until", INSTANT, nullable=True, comment="the agency itself said: over quota, or ask later"),
    )
    op.create_table(
        "agency_secret",
        sa.Column("key", sa.Text, primary_key=True, comment="digest of who we are at which address"),
        sa.Column("number", sa.BigInteger, nullable=False, comment="grows with every renewal; 0 before the first"),
        sa.Column("sealed", sa.LargeBinary, nullable=True),
        sa.Column("renewed_at", INSTANT, nullable=True),
        sa.Column("turn", UUID, nullable=True, comment="of the hub that renews it now"),
        sa.Column("turn_ends_at", INSTANT, nullable=True, comment="a hub that died holds the others up until then"),
    )
    op.create_table(
        "received_answer",
        sa.Column("grant_id", UUID, primary_key=True),
        sa.Column("agency", sa.Text, primary_key=True),
        sa.Column("capability", sa.Text, primary_key=True),
        sa.Column("lookup", UUID, nullable=False, comment="the lookup whose records tell of the question"),
        sa.Column("answered_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
    )
    op.create_index("received_answer_expires_at", "received_answer", ["expires_at"])


def downgrade() -> None:
    """Removes the tables."""
    for table in ("received_answer", "agency_secret", "agency_use"):
        op.drop_table(table)
