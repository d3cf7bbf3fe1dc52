"""
What the pages of clerks and compliance staff add.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, UUID

revision = "0007"
down_revision = "0006"

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Creates the tables."""
    op.create_table(
        "search_handle",
        sa.Column("id", sa.LargeBinary, primary_key=True),
        sa.Column("court", sa.Text, nullable=False),
        sa.Column("user", sa.Text, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.CheckConstraint("length(id) = 32"),
    )
    op.create_index("search_handle_expires_at", "search_handle", ["expires_at"])
    op.create_table(
        "subject_report",
        sa.Column("id", UUID, primary_key=True),
        sa.Column("court", sa.Text, nullable=False),
        sa.Column("drafted_by", sa.Text, nullable=False),
        sa.Column("drafted_at", INSTANT, nullable=False),
        sa.Column("below", sa.BigInteger, nullable=False, comment="size of the log that it tells of"),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("released_by", sa.Text, nullable=True),
        sa.Column("released_at", INSTANT, nullable=True),
        # Two people: the one who drafted it never releases it.
        sa.CheckConstraint("released_by <> drafted_by AND (released_by IS NULL) = (released_at IS NULL)"),
    )
    op.create_index("subject_report_court", "subject_report", ["court", "drafted_at"])
    op.create_table(
        "use_review",
        sa.Column("record", UUID, primary_key=True, comment="exchange of its record in the log"),
        sa.Column("court", sa.Text, nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("person", sa.LargeBinary, nullable=False),
        sa.Column("rules", ARRAY(sa.Text), nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("reviewed_by", sa.Text, nullable=False),
        sa.Column("reviewed_at", INSTANT, nullable=False),
        sa.CheckConstraint("length(person) = 32 AND outcome IN ('explained', 'follow_up', 'escalate')"),
    )
    op.create_index("use_review_day", "use_review", ["court", "day"])
    # Who holds what: the first page of every clerk.
    op.create_index("work_order_held", "work_order", ["court", "holder"])
    # Which stored answers a work order has, and which address of them was taken.  Ids and places, nothing of a person.
    op.create_table(
        "lookup_made",
        sa.Column("id", UUID, primary_key=True),
        sa.Column("court", sa.Text, nullable=False),
        sa.Column("work_order", sa.Text, nullable=False),
        sa.Column("party", sa.LargeBinary, nullable=False),
        sa.Column("made_by", sa.Text, nullable=False),
        sa.Column("made_at", INSTANT, nullable=False),
        sa.Column("used", sa.SmallInteger, nullable=True),
        sa.Column("used_at", INSTANT, nullable=True),
        sa.Column("used_record", sa.BigInteger, nullable=True),
        sa.CheckConstraint("length(party) = 32"),
        sa.CheckConstraint("num_nulls(used, used_at, used_record) IN (0, 3)"),
    )
    op.create_index("lookup_made_of", "lookup_made", ["court", "work_order", "made_at"])


def downgrade() -> None:
    """Removes the tables."""
    op.drop_index("work_order_held", "work_order")
    for table in ("lookup_made", "use_review", "subject_report", "search_handle"):
        op.drop_table(table)
