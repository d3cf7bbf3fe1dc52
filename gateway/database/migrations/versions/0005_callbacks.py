"""
Callbacks: their registered receivers, what is to be delivered, what was given up.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

INSTANT = sa.DateTime(timezone=True)
STATES = "state IN ('waiting', 'delivered', 'cancelled', 'dead_lettered')"


def upgrade() -> None:
    """Creates the tables."""
    op.create_table(
        "callback_receiver",
        sa.Column("court", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("client", sa.Text, nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("internal", sa.Boolean, nullable=False),
        sa.Column("preferred", sa.Boolean, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("secrets", sa.LargeBinary, nullable=False),
        sa.Column("changed_at", INSTANT, nullable=False),
        sa.CheckConstraint("state IN ('active', 'paused', 'gone', 'removed')"),
    )
    op.create_index(
        "callback_receiver_preferred",
        "callback_receiver",
        ["court", "client"],
        unique=True,
        postgresql_where=sa.text("preferred"),
    )
    op.create_table(
        "callback_delivery",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("court", sa.Text, nullable=False),
        sa.Column("client", sa.Text, nullable=False),
        sa.Column("receiver", sa.Text, nullable=False),
        sa.Column("event_type", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=True),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("claimed", sa.Boolean, nullable=False),
        sa.Column("due_at", INSTANT, nullable=False),
        sa.Column("deadline", INSTANT, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.CheckConstraint(STATES),
        sa.CheckConstraint("(state = 'waiting') = (ended_at IS NULL)"),
    )
    waiting = sa.text("state = 'waiting'")
    # What is to be sent next to one receiver; what is overdue at any receiver; what a client asks for.
    op.create_index(
        "callback_delivery_due", "callback_delivery", ["court", "receiver", "due_at"], postgresql_where=waiting
    )
    op.create_index("callback_delivery_deadline", "callback_delivery", ["deadline"], postgresql_where=waiting)
    op.create_index(
        "callback_delivery_claimed", "callback_delivery", ["court", "receiver"], postgresql_where=sa.text("claimed")
    )
    op.create_index("callback_delivery_subject", "callback_delivery", ["court", "subject"])
    op.create_index("callback_delivery_state", "callback_delivery", ["court", "state", "created_at", "id"])


def downgrade() -> None:
    """Removes the tables."""
    op.drop_table("callback_delivery")
    op.drop_table("callback_receiver")
