"""
Reads that wait together share a statement, and none is older than its caller's question.
"""

import asyncio
from collections.abc import Iterator

import psycopg
import pytest

from gateway.database import Database, DatabaseUnavailable
from gateway.database.batching import MAX_KEYS, BatchedStatement, Connection
from gateway.database.embedded_server import EmbeddedServer

pytestmark = pytest.mark.anyio


@pytest.fixture
def database(postgres: EmbeddedServer) -> Iterator[Database]:
    """A database with one small table of registers."""
    postgres.create("shared_reads")
    with psycopg.connect(postgres.conninfo("shared_reads")) as owner:
        owner.execute("CREATE TABLE IF NOT EXISTS register (name text PRIMARY KEY, value int)")
        owner.execute("TRUNCATE register")
        owner.execute("INSERT INTO register VALUES ('a', 1), ('b', 2)")
    database = Database(postgres.url("shared_reads"), timeout=1.0, connections=2)
    yield database
    database.close()


class Registers:
    """Reads registers and notes which were asked for together."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []

    async def __call__(self, connection: Connection, names: list[str]) -> dict[str, int]:
        """The registers that there are."""
        self.batches.append(sorted(names))
        cursor = await connection.execute("SELECT name, value FROM register WHERE name = ANY (%s)", (names,))
        return dict(await cursor.fetchall())


async def test_concurrent_callers_share_a_statement(database: Database) -> None:
    """Ten callers, one statement; each gets its own register, or None where there is none."""
    registers = Registers()
    shared = BatchedStatement(database, registers)

    values = await asyncio.gather(*(shared.run(name) for name in "abcabcabca"))
    await shared.aclose()

    assert values == [1, 2, None, 1, 2, None, 1, 2, None, 1]
    assert registers.batches == [["a", "b", "c"]]


async def test_a_statement_is_bounded_and_every_caller_is_answered(database: Database) -> None:
    """Of many callers at once the first come first, and all have their register."""
    registers = Registers()
    shared = BatchedStatement(database, registers)
    names = [f"{number:04}" for number in range(2 * MAX_KEYS + 1)]

    values = await asyncio.gather(*(shared.run(name) for name in (*names, "a")))
    await shared.aclose()

    assert values == [*[None] * len(names), 1]
    assert registers.batches == [names[:MAX_KEYS], names[MAX_KEYS : 2 * MAX_KEYS], [names[-1], "a"]]


async def test_a_read_that_starts_after_a_commit_sees_it(database: Database, postgres: EmbeddedServer) -> None:
    """However many reads are under way: what was committed before the question is in the answer."""
    shared = BatchedStatement(database, Registers())
    stale = []
    async with await psycopg.AsyncConnection.connect(postgres.conninfo("shared_reads"), autocommit=True) as writer:
        for value in range(100, 200):
            earlier = [asyncio.create_task(shared.run("a")) for _ in range(3)]
            await writer.execute("UPDATE register SET value = %s WHERE name = 'a'", (value,))
            stale.append(await shared.run("a") != value)
            await asyncio.gather(*earlier)
    await shared.aclose()

    assert not any(stale)


async def test_a_cancelled_caller_does_not_affect_the_others(database: Database) -> None:
    """A cancelled caller leaves the others' answers as they are."""
    shared = BatchedStatement(database, Registers())
    gone, stays = asyncio.create_task(shared.run("a")), asyncio.create_task(shared.run("b"))
    await asyncio.sleep(0)
    gone.cancel()

    assert await stays == 2
    assert await shared.run("a") == 1
    await shared.aclose()


async def test_a_connection_that_died_while_idle_is_replaced(database: Database, postgres: EmbeddedServer) -> None:
    """The next caller notices nothing."""
    shared = BatchedStatement(database, Registers())
    await shared.run("a")
    with psycopg.connect(postgres.conninfo("postgres"), autocommit=True) as owner:
        owner.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'shared_reads'")

    assert await shared.run("a") == 1
    await shared.aclose()


async def test_without_a_database_every_waiting_caller_gets_an_error(postgres: EmbeddedServer) -> None:
    """Nobody waits for ever, and nobody gets an answer that nobody gave."""
    nowhere = Database(postgres.url("no_such_database"), timeout=1.0, connections=1)
    shared = BatchedStatement(nowhere, Registers())

    results = await asyncio.gather(*(shared.run(name) for name in "ab"), return_exceptions=True)
    nowhere.close()

    assert [type(result) for result in results] == [DatabaseUnavailable, DatabaseUnavailable]


async def test_an_abandoned_connection_is_closed_only_after_its_last_wait(
    database: Database, postgres: EmbeddedServer
) -> None:
    """
    An event loop that waits on a closed socket, whose number another connection has by then, ends the whole process.
    The read that follows has a connection of its own.
    """
    seen: list[bool] = []
    ended = asyncio.Event()

    async def read(connection: Connection, names: list[str]) -> dict[str, bool]:
        if names == ["well"]:
            return {"well": True}
        try:
            await connection.execute("SELECT pg_sleep(60)")
        finally:
            seen.append(connection.closed)
            ended.set()
        return {}

    impatient = Database(postgres.url("shared_reads"), timeout=0.05)
    shared = BatchedStatement(impatient, read, options="-c statement_timeout=0")

    with pytest.raises(DatabaseUnavailable):
        await shared.run("silent")
    assert await shared.run("well")
    await ended.wait()
    await shared.aclose()
    impatient.close()

    assert seen == [False]
