"""
What every test may use: one bundled PostgreSQL for the session, a fresh database, the asyncio back end.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from gateway.database.server import EmbeddedServer

# A loaded machine is no finding: examples are bounded by number, never by time.
settings.register_profile("shuniu", deadline=None)
settings.load_profile("shuniu")


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
