"""
What the tests of the vocabulary share: one day that counts as today, and no clock on Hypothesis.
"""

from datetime import date

import pytest
from hypothesis import settings

# A busy machine is no reason to fail: examples are not timed.
settings.register_profile("shuniu", deadline=None)
settings.load_profile("shuniu")


@pytest.fixture(scope="session")
def today() -> date:
    """The day on which every test of identifiers takes place."""
    return date(2026, 11, 23)
