"""
The check that no process of the tests outlives them.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from uuid import uuid4

import pytest

from gateway.database.embedded_server import EmbeddedServer
from tests import processes

SLEEP = "import time; time.sleep(60)"
Start = Callable[[str, str], subprocess.Popen[bytes]]


@pytest.fixture
def session() -> str:
    """The mark of a session of its own."""
    return uuid4().hex


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a Python program as a process of a session; ends it after the test."""
    with ExitStack() as stack:

        def start(session: str, program: str) -> subprocess.Popen[bytes]:
            environment = os.environ | {processes.VARIABLE: session}
            process = stack.enter_context(subprocess.Popen([sys.executable, "-c", program], env=environment))
            stack.callback(process.kill)
            return process

        yield start


def test_a_process_that_outlives_its_session_is_found_and_ended(session: str, folder: Path, start: Start) -> None:
    """Also a grandchild whose parent has gone; a process of another session is left alone."""
    other = start(uuid4().hex, SLEEP)
    parent = start(session, f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', '{SLEEP}'])")
    parent.wait()

    survivors = processes.surviving(session, folder, grace=0.1)
    processes.end(survivors)

    assert len(survivors) == 1
    assert processes.surviving(session, folder, grace=0) == []
    assert other.poll() is None


def test_a_process_that_is_just_ending_is_waited_for(session: str, folder: Path, start: Start) -> None:
    """It has not outlived the session."""
    start(session, "import time; time.sleep(0.5)")

    assert processes.surviving(session, folder, grace=30) == []


def test_a_database_server_is_known_by_its_folder(session: str, folder: Path) -> None:
    """PostgreSQL overwrites its environment."""
    with EmbeddedServer(folder / "cluster"):
        names = [process.name() for process in processes.surviving(session, folder, grace=0)]

    assert names == ["postgres"]
    assert processes.surviving(session, folder) == []
