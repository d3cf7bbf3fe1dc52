"""
`shuniu audit status` of a hub whose anchors are late, or which signs no more: exit code 6.
"""

import asyncio
import json
from collections.abc import Callable

import pytest
from typer.testing import CliRunner

from audit.errors import LogBroken
from gateway.__main__ import app
from tests.anchors.conftest import Authority
from tests.anchors.courts import Court, open_for_business

pytestmark = pytest.mark.anyio


async def status(court: Court, *options: str) -> tuple[int, str]:
    """Exit code and output of the command."""
    command = ["audit", "status", "--hub", court.address, *options]
    result = await asyncio.to_thread(CliRunner().invoke, app, command)
    return result.exit_code, result.stdout


async def test_late_anchors_and_a_broken_signer_are_exit_code_6(
    found: Callable[[str], Court], authority: Authority
) -> None:
    """The table and the document say the same."""
    court = found("east")
    court.anchored_by(authority.table())
    async with open_for_business(court):
        await court.record(3)
        await authority.fault("error")
        await court.turn()
        in_time, _ = await status(court)
        await court.turn(hours=5)
        late, table = await status(court)
        _, document = await status(court, "--json")
        await authority.fault(None)
        await court.turn()
        again, shown = await status(court)
        court.hub.log.signer.broken = LogBroken("entry 2 is missing")
        broken, told = await status(court)
        (anchor,) = json.loads(document)["anchors"]

    assert (in_time, late, again, broken) == (0, 6, 0, 6)
    assert "LATE" in table
    assert (anchor["late"], anchor["failures"]) == (True, 2)
    assert anchor["last_error"] == "its answer is no timestamp (status 503)"
    assert "in time" in shown
    assert "NOTHING IS SIGNED: entry 2 is missing" in told
