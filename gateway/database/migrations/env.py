"""
Alembic's entry: runs the migrations on the connection that `migrate` hands over, one process at a time.
"""

from alembic import context
from sqlalchemy import Connection, text

from gateway.database.tables import metadata

# Any fixed number does; it keeps two starting replicas from migrating at once.
MIGRATION_LOCK = 7_352_001


def run(connection: Connection) -> None:
    """Applies what is missing, inside the caller's transaction."""
    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MIGRATION_LOCK})
    context.configure(connection=connection, target_metadata=metadata)
    context.run_migrations()


run(context.config.attributes["connection"])
