"""
Asynchronous connections that never leak when their caller is cancelled.
"""

import asyncio
import contextlib

import psycopg


async def connect(conninfo: str) -> psycopg.AsyncConnection:
    """
    A connection that commits by itself.  Raises `psycopg.Error`.

    A cancelled caller waits until the connection is made and closes it: psycopg alone would leave it open until the
    garbage collector finds it.
    """
    connecting = asyncio.create_task(psycopg.AsyncConnection.connect(conninfo, autocommit=True))
    try:
        return await asyncio.shield(connecting)
    except asyncio.CancelledError:
        with contextlib.suppress(psycopg.Error):
            await (await connecting).close()
        raise
