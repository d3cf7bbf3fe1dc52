"""
The right follows the task: grants, the court's tree, stand-ins, second persons, reviews, and a clock that never runs
backwards.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, UUID

revision = "0002"
down_revision = "0001"

INSTANT = sa.DateTime(timezone=True)

# Whatever is bounded in time is bounded by this clock: the server's, but never behind the latest time that was seen.
CLOCK = """
CREATE TABLE access_clock (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    latest timestamptz NOT NULL
) WITH (fillfactor = 10);
INSERT INTO access_clock (latest) VALUES (clock_timestamp());
CREATE FUNCTION access_now() RETURNS timestamptz LANGUAGE sql VOLATILE AS
    'SELECT greatest(clock_timestamp(), (SELECT latest FROM access_clock))';
CREATE FUNCTION access_clock_only_advances() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF new.latest < old.latest THEN
        RAISE EXCEPTION 'the clock of access never runs backwards';
    END IF;
    RETURN new;
END $$;
CREATE TRIGGER only_advances BEFORE UPDATE ON access_clock FOR EACH ROW EXECUTE FUNCTION access_clock_only_advances();
"""


def upgrade() -> None:
    """Creates the tables."""
    op.execute(CLOCK)
    op.create_table(
        "access_grant",
        sa.Column("court", sa.Text, primary_key=True),
        sa.Column("work_order", sa.Text, primary_key=True),
        sa.Column("party", sa.LargeBinary, primary_key=True),
        sa.Column("id", UUID, nullable=False),
        sa.Column("position", sa.SmallInteger, nullable=False),
        sa.Column("starts_at", INSTANT, nullable=False),
        sa.Column("ends_at", INSTANT, nullable=False),
        sa.Column("allowed", sa.Integer, nullable=False),
        sa.Column("asked", sa.Integer, nullable=False, server_default="0"),
        sa.ForeignKeyConstraint(["court", "work_order"], ["work_order.court", "work_order.id"]),
        sa.CheckConstraint("asked >= 0 AND ends_at > starts_at"),
        postgresql_with={"fillfactor": 70},
    )
    op.create_table(
        "confirmation",
        sa.Column("court", sa.Text, primary_key=True),
        sa.Column("work_order", sa.Text, primary_key=True),
        sa.Column("version", sa.BigInteger, primary_key=True),
        sa.Column("confirmed_by", sa.Text, nullable=False),
        sa.Column("confirmed_at", INSTANT, nullable=False),
    )
    op.create_table(
        "refusal",
        sa.Column("court", sa.Text, primary_key=True),
        sa.Column("user", sa.Text, primary_key=True),
        sa.Column("since", INSTANT, nullable=False),
        sa.Column("count", sa.Integer, nullable=False),
    )
    op.create_table(
        "org_unit",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("parent", sa.Text, sa.ForeignKey("org_unit.id"), nullable=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("court", sa.Text, nullable=True),
        sa.Column("zh", sa.Text, nullable=False),
        sa.Column("en", sa.Text, nullable=False),
        sa.Column("path", ARRAY(sa.Text), nullable=False),
        sa.CheckConstraint("kind IN ('region', 'court', 'centre', 'group')"),
        sa.CheckConstraint("(kind = 'region') = (court IS NULL)"),
    )
    op.create_index("org_unit_path", "org_unit", ["path"], postgresql_using="gin")
    op.create_table(
        "org_person",
        sa.Column("court", sa.Text, primary_key=True),
        sa.Column("user", sa.Text, primary_key=True),
        sa.Column("unit", sa.Text, sa.ForeignKey("org_unit.id"), nullable=False, index=True),
        sa.Column("roles", ARRAY(sa.Text), nullable=False),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "delegation",
        sa.Column("id", UUID, primary_key=True),
        sa.Column("court", sa.Text, nullable=False),
        sa.Column("absent", sa.Text, nullable=False),
        sa.Column("deputy", sa.Text, nullable=False),
        sa.Column("starts_at", INSTANT, nullable=False),
        sa.Column("ends_at", INSTANT, nullable=False),
        sa.Column("made_by", sa.Text, nullable=False),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.CheckConstraint("absent <> deputy AND ends_at > starts_at"),
    )
    op.create_index("delegation_deputy", "delegation", ["court", "deputy", "absent"])
    op.create_table(
        "review",
        sa.Column("court", sa.Text, primary_key=True),
        sa.Column("work_order", sa.Text, primary_key=True),
        sa.Column("holder", sa.Text, nullable=False),
        sa.Column("due_at", INSTANT, nullable=False),
        sa.Column("reviewed_by", sa.Text, nullable=True),
        sa.Column("reviewed_at", INSTANT, nullable=True),
        sa.Column("finding", sa.Text, nullable=True),
    )
    op.create_index("review_open", "review", ["court", "holder"], postgresql_where=sa.text("reviewed_at IS NULL"))


def downgrade() -> None:
    """Removes them."""
    for table in ("review", "delegation", "org_person", "org_unit", "refusal", "confirmation", "access_grant"):
        op.drop_table(table)
    op.execute("DROP FUNCTION access_now(); DROP TABLE access_clock; DROP FUNCTION access_clock_only_advances()")
