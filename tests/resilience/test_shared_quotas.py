"""
A quota is one number, however many replicas ask: counted in PostgreSQL, by its clock.
"""

import asyncio
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import psycopg
import pytest

from adapters.call_policy import CallPolicy
from gateway.database import Database
from gateway.database.embedded_server import EmbeddedServer
from gateway.database.migrations import migrate
from gateway.resilience.quotas import SharedQuotas
from tests.resilience.fakes import ScriptedAgency

pytestmark = pytest.mark.anyio

numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Shared:
    """Two replicas' counters on one database, and a way to turn the counted minute back."""

    replicas: tuple[SharedQuotas, SharedQuotas]
    owner: str
    agency: str

    async def take(self, count: int, policy: CallPolicy) -> int:
        """So many calls, by both replicas in turn and all at once; how many may be made."""
        takes = (self.replicas[place % 2].take(self.agency, "identity", policy) for place in range(count))
        return sum(use.given for use in await asyncio.gather(*takes))

    def rewind(self, column: str, interval: str) -> None:
        """Lets the counted minute or day be one of the past."""
        with psycopg.connect(self.owner) as owner:
            owner.execute(
                f"UPDATE agency_use SET {column} = {column} - interval '{interval}' WHERE agency = %s", (self.agency,)
            )


@pytest.fixture
async def shared(postgres: EmbeddedServer) -> Iterator[Shared]:
    postgres.create("quotas")
    url = postgres.url("quotas")
    migrate(url)
    database = Database(url, timeout=5.0, connections=2)
    replicas = (SharedQuotas(database), SharedQuotas(database))
    yield Shared(replicas, postgres.conninfo("quotas"), f"agency_{next(numbers)}")
    for replica in replicas:
        await replica.aclose()
    database.close()


async def test_two_replicas_never_exceed_a_shared_quota(shared: Shared) -> None:
    given = [await shared.take(60, CallPolicy(per_day=100)) for _ in range(3)]

    assert given == [60, 40, 0]


async def test_a_minute_quota_is_renewed_in_the_next_minute(shared: Shared) -> None:
    policy = CallPolicy(per_minute=10, per_day=25)
    given = []
    for _ in range(3):
        given.append(await shared.take(12, policy))
        shared.rewind("minute", "1 minute")

    assert given == [10, 10, 5]


async def test_a_day_quota_is_renewed_on_the_next_day(shared: Shared) -> None:
    given = [await shared.take(8, CallPolicy(per_day=5))]
    shared.rewind("day", "1 day")
    given.append(await shared.take(8, CallPolicy(per_day=5)))

    assert given == [5, 5]


async def test_a_replica_whose_clock_is_behind_counts_in_the_minute_that_has_begun(shared: Shared) -> None:
    await shared.take(6, CallPolicy(per_minute=10))
    shared.rewind("minute", "-1 minute")

    assert await shared.take(6, CallPolicy(per_minute=10)) == 4


async def test_a_grant_states_what_is_left_and_when_there_is_more(shared: Shared) -> None:
    first = await shared.replicas[0].take(shared.agency, "identity", CallPolicy(per_day=1))
    second = await shared.replicas[1].take(shared.agency, "identity", CallPolicy(per_day=1))

    assert (first.given, first.day_left, second.given, second.day_left, second.minute_left) == (True, 0, False, 0, None)
    # Midnight in China.
    assert (second.again_at.astimezone(UTC).hour, second.again_at > datetime.now(UTC)) == (16, True)


async def test_a_quota_counted_by_the_hub_closes_no_replica(shared: Shared) -> None:
    """A replica for which more was agreed meanwhile may ask on the same day."""
    agency = ScriptedAgency(CallPolicy(per_day=1), quotas=shared.replicas[0])
    replies = [await agency.said(), await agency.said()]
    use = await shared.replicas[1].take("scripted", "identity", CallPolicy(per_day=5))

    assert replies == [("found", None, 1), ("unavailable", "quota", 0)]
    assert use.given


async def test_a_quota_stated_by_the_agency_closes_every_replica(shared: Shared) -> None:
    policy = CallPolicy(per_day=100)
    await shared.take(1, policy)
    await shared.replicas[0].close(shared.agency, "identity", 3600.0)
    use = await shared.replicas[1].take(shared.agency, "identity", policy)

    assert (use.given, 3500 < use.wait <= 3600) == (False, True)
