"""
What tests of the pages share: readers over HTTP.
"""

from collections.abc import Callable, Iterator

import pytest

from tests.desk import Desk
from tests.web.reader import Reader


@pytest.fixture
def reader(desk: Desk) -> Iterator[Callable[..., Reader]]:
    """Opens a browser for somebody: `reader("li.ting", language="en")`, or for nobody: `reader()`."""
    opened: list[Reader] = []

    def opens(user: str | None = None, *, language: str = "zh") -> Reader:
        opened.append(Reader(desk, user, language=language))
        return opened[-1]

    yield opens
    for one in opened:
        one.close()
