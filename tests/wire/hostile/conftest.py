"""
Stages for hostile answers: the real adapter, family and port, and any bytes in place of a mock agency's answer.
"""

from collections.abc import Callable
from functools import cache

import pytest

from fuzz.harness import TARGETS, FuzzHarness


@pytest.fixture(scope="session")
def harness(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], FuzzHarness]:
    """Sets up a target by its name, once: nothing stays on a stage from one answer to the next."""
    return cache(lambda name: FuzzHarness(TARGETS[name], tmp_path_factory.mktemp(name)))
