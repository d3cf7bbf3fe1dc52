"""
Two replicas for the tests that need them.
"""

from collections.abc import Iterator

import pytest

from tests.access.replicas import Replicas, running


@pytest.fixture(scope="session")
def replicas(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replicas]:
    """Two hub processes on one PostgreSQL."""
    with running(tmp_path_factory.mktemp("replicas") / "hub") as both:
        yield both
