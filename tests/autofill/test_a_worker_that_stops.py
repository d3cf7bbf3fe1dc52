"""
A worker that is told to stop while it still comes up.
"""

import pytest

from gateway.hub import Hub
from tests.court import RunningCourt

pytestmark = pytest.mark.anyio


async def test_stopped_while_it_still_connects_it_ends_by_itself(court: RunningCourt) -> None:
    """Not by the bound of the drain: whoever restarts a replica would wait twenty seconds for nothing."""
    async with await Hub.start(court.demo.settings) as hub:
        consuming, *_ = hub.autofill.worker._tasks

    assert (consuming.done(), consuming.cancelled()) == (True, False)
