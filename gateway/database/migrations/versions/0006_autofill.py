"""
Autofill: accepted requests, their questions, and the queue of PgQueuer.
"""

from pathlib import Path

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, UUID

revision = "0006"
down_revision = "0005"

INSTANT = sa.DateTime(timezone=True)
PGQUEUER = Path(__file__).parents[1] / "pgqueuer-1.6.0.sql"


def upgrade() -> None:
    """Creates the tables."""
    op.create_table(
        "autofill",
        sa.Column("id", UUID, primary_key=True, comment="stands in the audit log"),
        sa.Column("court", sa.Text, nullable=False),
        sa.Column("work_order", sa.Text, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False, comment="of the work order; a newer one ends this"),
        sa.Column("client", sa.Text, nullable=False),
        sa.Column("template", sa.Text, nullable=False),
        sa.Column("parties", ARRAY(sa.SmallInteger), nullable=False, comment="places in the statement, from 0"),
        sa.Column("receiver", sa.Text, nullable=True, comment="name of the callback's receiver"),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=True),
        sa.Column("deadline", INSTANT, nullable=False),
        sa.Column("next_at", INSTANT, nullable=True, comment="when a delayed one is ready again"),
        sa.Column("job", sa.BigInteger, nullable=True, comment="the job of PgQueuer that runs it"),
        sa.Column("starts", sa.Integer, nullable=False, comment="runs begun since one came to its end"),
        sa.Column("fence", sa.BigInteger, nullable=False, comment="of the newest run: an older one writes no more"),
        sa.Column("revision", sa.BigInteger, nullable=False, comment="grows with whatever is to be seen of it"),
        sa.Column("accepted_index", sa.BigInteger, nullable=True, comment="its record in the audit log"),
        sa.Column("ended_index", sa.BigInteger, nullable=True, comment="the record of its end"),
        sa.Column("sealed", sa.LargeBinary, nullable=True, comment="sealed: the filled form"),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("ready_at", INSTANT, nullable=False, comment="since when it could run; the age in the queue"),
        sa.Column("started_at", INSTANT, nullable=True),
        sa.Column("ended_at", INSTANT, nullable=True),
    )
    # Ready ones are taken court by court, the nearest deadline first; none of these grows with what has ended.
    for name, columns, which in (
        ("autofill_delayed", ["next_at"], "state = 'delayed'"),
        ("autofill_busy", ["court"], "state IN ('queued', 'running')"),
        ("autofill_unrecorded", ["id"], "state IN ('cancelled', 'dead_lettered') AND ended_index IS NULL"),
        ("autofill_kept", ["ended_at"], "sealed IS NOT NULL"),
    ):
        op.create_index(name, "autofill", columns, postgresql_where=sa.text(which))
    op.create_index(
        "autofill_ready",
        "autofill",
        ["court", "deadline", "id"],
        postgresql_where=sa.text("state = 'ready'"),
        postgresql_include=["ready_at"],
    )
    op.create_index("autofill_work_order", "autofill", ["court", "work_order"])
    op.create_table(
        "autofill_question",
        sa.Column("autofill", UUID, primary_key=True),
        sa.Column("party", sa.SmallInteger, primary_key=True, comment="place in the statement, from 0"),
        sa.Column("agency", sa.Text, primary_key=True),
        sa.Column("capability", sa.Text, primary_key=True),
        sa.Column("state", sa.Text, nullable=True, comment="of the last answer; none while it was never asked"),
        sa.Column("reason", sa.Text, nullable=True),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_at", INSTANT, nullable=True, comment="when an agency that was not available is asked again"),
        sa.Column("answered_at", INSTANT, nullable=True),
        sa.Column("lookup", UUID, nullable=True, comment="exchange of the lookup in the audit log"),
        sa.Column("outcome", sa.BigInteger, nullable=True, comment="index of that lookup's outcome"),
        sa.Column("sealed", sa.LargeBinary, nullable=True, comment="sealed: the answer, until the form is filled"),
    )
    op.create_table(
        "idempotency",
        sa.Column("court", sa.Text, primary_key=True),
        sa.Column("client", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("fingerprint", sa.LargeBinary, nullable=False, comment="mark of the operation and the body"),
        sa.Column("subject", UUID, nullable=False, comment="what the first request made"),
        sa.Column("created_at", INSTANT, nullable=False),
    )
    op.create_index("idempotency_created_at", "idempotency", ["created_at"])
    op.get_bind().exec_driver_sql(PGQUEUER.read_text(encoding="utf-8"))


def downgrade() -> None:
    """Removes the tables."""
    for table in ("pgqueuer_statistics", "pgqueuer_schedules", "pgqueuer_log", "pgqueuer"):
        op.drop_table(table)
    op.execute("DROP FUNCTION fn_pgqueuer_changed()")
    op.execute("DROP TYPE pgqueuer_status")
    for table in ("idempotency", "autofill_question", "autofill"):
        op.drop_table(table)
