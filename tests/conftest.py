"""
What every test may use: one bundled PostgreSQL for the session, a fresh database, the asyncio back end.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import settings
from xdist.remote import Producer

from gateway.database.embedded_server import EmbeddedServer
from tests import processes
from tests.court import RunningCourt, start_court
from tests.scheduling import LongestFirst

# A loaded machine is no finding: examples are bounded by number, never by time.
settings.register_profile("shuniu", deadline=None)
settings.load_profile("shuniu")


_SURVIVORS = pytest.StashKey[list[str]]()


def pytest_configure(config: pytest.Config) -> None:
    """Marks the processes of this session; the workers of xdist inherit the mark."""
    if not hasattr(config, "workerinput"):
        os.environ[processes.VARIABLE] = uuid4().hex


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Ends each process that has outlived the session, which then has failed.  Runs after an interruption, too."""
    if hasattr(session.config, "workerinput"):
        return
    folder = session.config._tmp_path_factory.getbasetemp()  # type: ignore[attr-defined]
    survivors = processes.surviving(os.environ[processes.VARIABLE], folder)
    if survivors:
        session.config.stash[_SURVIVORS] = [" ".join(process.cmdline()) for process in survivors]
        processes.end(survivors)
        session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Names the processes that outlived the session."""
    for command in config.stash.get(_SURVIVORS, []):
        terminalreporter.write_line(f"FAILED: a process of the tests outlived them: {command}", red=True)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LongestFirst | None:
    """How `pytest -n` shares out the tests, unless another way is asked for."""
    return LongestFirst(config, log) if config.getvalue("dist") in {"load", "loadgroup"} else None


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Asynchronous tests run on asyncio, as the hub does."""
    return "asyncio"


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServer]:
    """The bundled PostgreSQL, started once for this session."""
    with EmbeddedServer(tmp_path_factory.mktemp("postgres") / "cluster") as server:
        yield server


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder of this test's own."""
    return tmp_path


@pytest.fixture(scope="session")
def court(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCourt]:
    """
    A court that runs for the whole session.  Its breakers do not open: what fails in one
    test must be there in the next.
    """
    with start_court(tmp_path_factory.mktemp("court"), breakers="failures = 1000\ncalls = 10000\n") as court:
        yield court


@pytest.fixture
def healed(court: RunningCourt) -> Iterator[Callable[..., None]]:
    """Scripts faults of agencies and ends them after the test."""
    touched: set[str] = set()

    def script(agency: str, name: str, **options: Any) -> None:
        touched.add(agency)
        court.demo.outside.fault(agency, name, **options)

    yield script
    for agency in touched:
        court.demo.outside.heal(agency)
