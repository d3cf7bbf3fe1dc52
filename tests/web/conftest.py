"""
What tests of the pages share: readers over HTTP, and windows of a real browser.

A test that opens a window is marked `web` by that: `make test` leaves it out, `make test-web` runs it.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.court import RunningCourt
from tests.web.browser import Visit, chromium, visit
from tests.web.reader import Reader


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks what needs a browser."""
    for item in items:
        if "chrome" in getattr(item, "fixturenames", ()):
            item.add_marker("web")


@pytest.fixture
def reader(court: RunningCourt) -> Iterator[Callable[..., Reader]]:
    """Opens a browser for somebody: `reader("li.ting", language="en")`, or for nobody: `reader()`."""
    opened: list[Reader] = []

    def opens(user: str | None = None, *, language: str = "zh") -> Reader:
        opened.append(Reader(court, user, language=language))
        return opened[-1]

    yield opens
    for visitor in opened:
        visitor.close()


@pytest.fixture(scope="session")
def chrome(court: RunningCourt) -> Iterator[Browser]:
    """One Chromium for the session, after the court: Playwright's own loop lets nobody begin another in this thread."""
    with chromium() as started:
        yield started


@pytest.fixture
def window(chrome: Browser, court: RunningCourt) -> Iterator[Callable[..., Visit]]:
    """Opens a window: `window("li.ting", locale="en-GB")`.  At the end no window may have complained."""
    with ExitStack() as stack:
        opened: list[Visit] = []

        def opens(user: str | None = None, **options: Any) -> Visit:
            opened.append(stack.enter_context(visit(chrome, court.demo.address, **options)))
            if user is not None:
                opened[-1].sign_in(user)
            return opened[-1]

        yield opens
        assert [complaint for shown in opened for complaint in shown.complaints] == []
