"""
An intent whose process died is closed by a record of its own exchange, once, and never while it may still be answered.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from audit.format.event import EventType
from audit.store.log import Log
from audit.store.orphans import CHUNK, GRACE, MOST_AT_ONCE, Orphans, close_orphans
from audit.verify.deep_verification import check_deep
from tests.audit.sample import START, intent, outcome

pytestmark = pytest.mark.anyio

NOW = START + timedelta(hours=1)


def closings(log: Log) -> list[tuple[int, dict[str, object]]]:
    """Index and leaf of every record that closes an orphan."""
    rows = log.reader.rows(
        "SELECT idx, body FROM {schema}.entry WHERE type = %s ORDER BY idx", (EventType.LOG_ORPHAN_CLOSED.number,)
    )
    return [(row[0], json.loads(row[1])) for row in rows]


async def test_an_orphan_is_closed_in_its_own_exchange_and_only_after_the_grace(log: Log) -> None:
    """The record names the intent's index; what was answered is left alone."""
    answered, orphan = intent(0), intent(1)
    for event in (answered, orphan, outcome(answered)):
        await log.append(event)

    assert await close_orphans(log, orphan.at + GRACE) == 0
    assert await close_orphans(log, orphan.at + GRACE + timedelta(seconds=1)) == 1
    ((index, leaf),) = closings(log)
    assert (index, leaf["xid"], leaf["detail"]) == (3, str(orphan.exchange), {"intent": 1})
    assert await close_orphans(log, NOW) == 0
    assert Orphans(log.reader).closed() == 1


async def test_deep_verification_counts_a_closed_orphan_and_finds_no_damage(log: Log) -> None:
    """Before, it is a standing figure."""
    await log.append(intent(0))
    before = check_deep(log.reader)
    await close_orphans(log, NOW)
    after = check_deep(log.reader)

    assert (before.orphans, after.orphans) == ([0], [])
    assert before.findings() == after.findings() == []


async def test_two_replicas_that_find_the_same_orphans_close_each_once(
    open_log: Callable[..., Awaitable[Log]],
) -> None:
    """The log itself refuses the second record."""
    first, second = await open_log(), await open_log()
    for n in range(40):
        await first.append(intent(n))
    later = NOW + timedelta(seconds=1)
    closed = await asyncio.gather(close_orphans(first, NOW), close_orphans(second, later))

    assert sum(closed) == 40
    assert len({leaf["xid"] for _, leaf in closings(first)}) == len(closings(first)) == 40


async def test_a_lookup_in_flight_stays_open_and_can_still_be_answered(log: Log) -> None:
    """Though everything around it is swept."""
    old, young = intent(0), intent(1, at=NOW)
    await log.append(old)
    await log.append(young)
    await close_orphans(log, NOW)
    await log.append(outcome(young))
    await close_orphans(log, NOW + timedelta(days=1))

    assert [leaf["detail"] for _, leaf in closings(log)] == [{"intent": 0}]


async def test_the_sweep_skips_intents_that_have_ended(log: Log) -> None:
    """It goes on from the first intent that was open when it last looked, also in another process."""
    for n in range(5):
        event = intent(n, at=NOW if n == 3 else START)
        await log.append(event)
        if n not in {3, 4}:
            await log.append(outcome(event))
    marks = []
    for now in (NOW, NOW, NOW + timedelta(hours=1), NOW + timedelta(hours=1)):
        await close_orphans(log, now)
        marks.append(log.reader.rows("SELECT below FROM {schema}.sweep")[0][0])

    assert marks == [6, 6, 6, 10]
    log.reader.rows("SELECT {schema}.swept(3)")
    assert log.reader.rows("SELECT below FROM {schema}.sweep") == [(10,)]


async def test_a_great_many_orphans_are_closed_over_several_sweeps(log: Log) -> None:
    """A sweep is bounded, and loses none."""
    await asyncio.gather(*(log.append(intent(n)) for n in range(MOST_AT_ONCE + 10)))

    assert [await close_orphans(log, NOW) for _ in range(3)] == [MOST_AT_ONCE, 10, 0]
    assert CHUNK > MOST_AT_ONCE
