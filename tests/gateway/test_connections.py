"""
A connection that is broken off while it is being made is not left open.
"""

import asyncio
import gc
from collections.abc import Iterator

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from gateway.database.connections import connect
from gateway.database.embedded_server import EmbeddedServer

pytestmark = pytest.mark.anyio

NAME = "broken off"


@pytest.fixture
def uncollected() -> Iterator[None]:
    """No collector tidies up what was left behind."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


async def left_open(postgres: EmbeddedServer) -> int:
    """How many connections of this test PostgreSQL still has; one that was closed is given time to be gone."""
    async with await psycopg.AsyncConnection.connect(postgres.conninfo("postgres"), autocommit=True) as connection:
        for _ in range(100):
            cursor = await connection.execute("SELECT pid FROM pg_stat_activity WHERE application_name = %s", (NAME,))
            left = len(await cursor.fetchall())
            if not left:
                break
            await asyncio.sleep(0.02)
    return left


@pytest.mark.usefixtures("uncollected")
async def test_a_connect_cancelled_at_any_moment_leaks_no_connection(postgres: EmbeddedServer) -> None:
    """From its first step to its last."""
    conninfo = make_conninfo(postgres.conninfo("postgres"), application_name=NAME)
    broken_off = []
    for milliseconds in range(20):
        connecting = asyncio.create_task(connect(conninfo))
        await asyncio.wait({connecting}, timeout=milliseconds / 1000)
        if connecting.cancel():
            broken_off.append((connecting, *await asyncio.gather(connecting, return_exceptions=True)))
        else:
            await (await connecting).close()

    assert broken_off
    assert await left_open(postgres) == 0


async def test_connecting_to_a_missing_database_raises(postgres: EmbeddedServer) -> None:
    """As psycopg says it."""
    with pytest.raises(psycopg.OperationalError):
        await connect(postgres.conninfo("nowhere"))
