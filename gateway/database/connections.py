"""
Connections of the event loop that are whole or not there at all.
"""

import asyncio
import contextlib

import psycopg


async def connect(conninfo: str) -> psycopg.AsyncConnection:
    """
    A connection that commits by itself.  Raises `psycopg.Error`.

    Whoever is cancelled here waits until it is made, and it is closed: psycopg alone would leave it open, at PostgreSQL
    too, until the collector comes by.
    """
    connecting = asyncio.create_task(psycopg.AsyncConnection.connect(conninfo, autocommit=True))
    try:
        return await asyncio.shield(connecting)
    except asyncio.CancelledError:
        with contextlib.suppress(psycopg.Error):
            await (await connecting).close()
        raise
