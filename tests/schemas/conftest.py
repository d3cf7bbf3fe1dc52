"""
What the tests of the vocabulary share: one day that counts as today.
"""

from datetime import date

import pytest


@pytest.fixture(scope="session")
def today() -> date:
    """The day on which every test of identifiers takes place."""
    return date(2026, 11, 23)
