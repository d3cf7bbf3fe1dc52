"""
A lease lives as long as the connection that holds its locks, and each of its locks is given back.
"""

import asyncio
from collections.abc import AsyncIterator

import psycopg
import pytest

from gateway.access.snapshot import AccessRequest, AccessSnapshot, access_leases
from gateway.database import Database, locks
from gateway.database.embedded_server import EmbeddedServer
from gateway.database.locks import Leases
from gateway.provisioning import APPLICATION_ROLE, create_tables

pytestmark = pytest.mark.anyio

NAME = "leases"
ONE, TWO = (AccessRequest("浙0802", "li.ting", name, b"m" * 32) for name in ("W-1", "W-2"))


@pytest.fixture
async def leases(postgres: EmbeddedServer) -> AsyncIterator[Leases[AccessRequest, AccessSnapshot]]:
    """The leases of one hub on a database of its own."""
    if postgres.create(NAME):
        create_tables(postgres.url(NAME), origin="lease.example/audit/1", application=APPLICATION_ROLE)
    database = Database(postgres.url(NAME, user=APPLICATION_ROLE), connections=1)
    leases = access_leases(database)
    yield leases
    await leases.aclose()
    database.close()


async def test_a_lease_is_invalid_as_soon_as_its_server_has_gone(
    postgres: EmbeddedServer, leases: Leases[AccessRequest, AccessSnapshot]
) -> None:
    """Without a statement that would meet the loss: nothing may be sent on the strength of it any more."""
    lease = await leases.acquire(ONE)
    before = lease.valid

    with psycopg.connect(postgres.conninfo(NAME)) as owner:
        pids = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = %s"
        ended = owner.execute(pids, (APPLICATION_ROLE,)).fetchall()
    after = lease.valid
    lease.release()

    assert ended
    assert (before, after) == (True, False)


async def test_a_lease_released_while_the_unlocking_of_another_ends_gives_its_locks_back(
    postgres: EmbeddedServer, leases: Leases[AccessRequest, AccessSnapshot]
) -> None:
    """In whichever step of the event loop it is released; until then, a closing of its work order would wait."""
    first, second = await leases.acquire(ONE), await leases.acquire(TWO)
    others = asyncio.all_tasks()

    first.release()
    (unlocking,) = asyncio.all_tasks() - others
    while not unlocking.done():  # noqa: ASYNC110 - each step of the loop is looked at
        await asyncio.sleep(0)
    second.release()

    await all_locks_given_back(postgres)


async def test_locks_that_cannot_be_given_back_end_with_their_connection(
    postgres: EmbeddedServer, leases: Leases[AccessRequest, AccessSnapshot], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A statement that unlocks may be cut short as any other; leases on that connection are no longer valid."""
    first, second = await leases.acquire(ONE), await leases.acquire(TWO)

    monkeypatch.setattr(locks, "_UNLOCK", "SELECT pg_sleep(0), 1 / 0 WHERE %s IS NOT NULL")
    first.release()

    await all_locks_given_back(postgres)
    assert not second.valid


async def all_locks_given_back(postgres: EmbeddedServer) -> None:
    """Returns once no advisory lock is taken; `TimeoutError` after ten seconds."""
    async with asyncio.timeout(10):
        while await asyncio.to_thread(locks_of, postgres):  # noqa: ASYNC110 - the database announces no unlock
            await asyncio.sleep(0.01)


def locks_of(postgres: EmbeddedServer) -> int:
    """How many advisory locks are taken."""
    with psycopg.connect(postgres.conninfo(NAME)) as owner:
        row = owner.execute(
            "SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database AND d.datname = %s "
            "WHERE locktype = 'advisory'",
            (NAME,),
        ).fetchone()
    assert row is not None
    count: int = row[0]
    return count
