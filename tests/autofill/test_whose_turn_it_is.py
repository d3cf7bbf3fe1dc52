"""
The queue: courts in turn, near deadlines first, few jobs ahead; on the real statements and the real PgQueuer.
"""

from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import psycopg
import pytest

from gateway.autofill import queue
from gateway.database.embedded_server import EmbeddedServer
from gateway.provisioning import create_tables

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def url(postgres: EmbeddedServer) -> str:
    """A database of this version."""
    postgres.create("turns")
    create_tables(postgres.url("turns"), origin="turns.example/audit/1", application="shuniu_app")
    return postgres.url("turns", user="shuniu_app").replace("+psycopg", "")


@pytest.fixture
async def connection(url: str) -> AsyncIterator[psycopg.AsyncConnection]:
    """As a worker holds it, on an empty queue."""
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as one:
        await one.execute("UPDATE autofill SET state = 'filled'")
        await one.execute("DELETE FROM pgqueuer")
        yield one


async def waiting(
    connection: psycopg.AsyncConnection, court: str, count: int, *, hours: int = 24, state: str = "ready"
) -> list[UUID]:
    """Requests of a court that wait."""
    names = [uuid4() for _ in range(count)]
    await connection.execute(
        """
        INSERT INTO autofill (id, court, work_order, version, client, template, parties, state, deadline, next_at,
            starts, fence, revision, created_at, ready_at)
        SELECT n, %s, 'W-1', 1, 'tickets', 'service', '{0}', %s, %s, %s, 0, 0, 1, %s, %s FROM unnest(%s::uuid[]) AS n
        """,
        (court, state, NOW + timedelta(hours=hours), NOW + timedelta(hours=hours), NOW, NOW, names),
    )
    return names


async def queued(connection: psycopg.AsyncConnection) -> list[tuple[UUID, str]]:
    """What stands in PgQueuer, the next to be taken first: request and court."""
    found = await connection.execute("SELECT payload FROM pgqueuer ORDER BY priority DESC, id")
    names = [UUID(bytes=row[0]) for row in await found.fetchall()]
    courts = await connection.execute("SELECT id, court FROM autofill WHERE id = ANY(%s)", (names,))
    of = dict(await courts.fetchall())
    return [(name, of[name]) for name in names]


async def test_a_court_with_one_request_does_not_wait_behind_one_with_many(connection: psycopg.AsyncConnection) -> None:
    """Courts have their turns in rounds."""
    await waiting(connection, "A", 100)
    await waiting(connection, "B", 2)
    await waiting(connection, "C", 1)

    assert await queue.feed(connection, NOW) == queue.AHEAD

    courts = [court for _, court in await queued(connection)]
    assert sorted(courts[:3]) == ["A", "B", "C"]
    assert Counter(courts) == {"A": queue.AHEAD - 3, "B": 2, "C": 1}


async def test_a_court_with_many_under_way_comes_after_one_with_none(connection: psycopg.AsyncConnection) -> None:
    """Whatever its deadline."""
    await waiting(connection, "A", 5, state="running")
    await waiting(connection, "A", 3, hours=1)
    await waiting(connection, "B", 3, hours=48)

    await queue.feed(connection, NOW)

    assert [court for _, court in await queued(connection)] == ["B"] * 3 + ["A"] * 3


async def test_of_one_court_the_nearest_deadline_is_first(connection: psycopg.AsyncConnection) -> None:
    """However late it came."""
    far = await waiting(connection, "A", 2, hours=48)
    near = await waiting(connection, "A", 1, hours=2)

    await queue.feed(connection, NOW)

    names = [name for name, _ in await queued(connection)]
    assert (names[0], set(names[1:])) == (near[0], set(far))


async def test_no_more_is_handed_over_than_there_is_room_for(connection: psycopg.AsyncConnection) -> None:
    """The backlog stays where it can be ordered anew."""
    await waiting(connection, "A", 100)

    assert [await queue.feed(connection, NOW) for _ in range(2)] == [queue.AHEAD, 0]


async def test_who_waits_for_an_agency_is_ready_when_the_time_comes(connection: psycopg.AsyncConnection) -> None:
    """And not before."""
    await waiting(connection, "A", 1, hours=1, state="delayed")

    assert await queue.feed(connection, NOW) == 0
    assert await queue.feed(connection, NOW + timedelta(hours=1)) == 1


async def test_a_request_whose_job_is_gone_is_taken_up_again(connection: psycopg.AsyncConnection) -> None:
    """Somebody emptied the queue: our row decides."""
    await waiting(connection, "A", 1)
    await queue.feed(connection, NOW)
    assert await queue.requeue_lost(connection, NOW) == 0
    await connection.execute("DELETE FROM pgqueuer")

    assert await queue.requeue_lost(connection, NOW) == 1
    assert await queue.feed(connection, NOW) == 1


async def test_every_table_of_the_queue_survives_a_crash(connection: psycopg.AsyncConnection) -> None:
    """None is UNLOGGED."""
    found = await connection.execute(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relpersistence <> 'p'"
        " AND relname ~ '^(pgqueuer|autofill)'"
    )
    assert await found.fetchall() == []
