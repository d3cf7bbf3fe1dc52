"""
A lease lives as long as the connection that holds its locks, and whoever holds it is told so at once.
"""

import psycopg
import pytest

from gateway.access.snapshot import AccessRequest, access_leases
from gateway.database import Database
from gateway.database.embedded_server import EmbeddedServer
from gateway.provisioning import APPLICATION_ROLE, create_tables

pytestmark = pytest.mark.anyio

NAME = "lease_dies"


async def test_lease_is_invalid_after_its_server_stops(postgres: EmbeddedServer) -> None:
    """Without a statement that would meet the loss: nothing may be sent on the strength of it any more."""
    postgres.create(NAME)
    create_tables(postgres.url(NAME), origin="lease.example/audit/1", application=APPLICATION_ROLE)
    database = Database(postgres.url(NAME, user=APPLICATION_ROLE), connections=1)
    leases = access_leases(database)
    lease = await leases.acquire(AccessRequest("浙0802", "li.ting", "W-1", b"m" * 32))
    before = lease.valid

    with psycopg.connect(postgres.conninfo(NAME)) as owner:
        pids = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = %s"
        ended = owner.execute(pids, (APPLICATION_ROLE,)).fetchall()
    after = lease.valid
    lease.release()
    await leases.aclose()
    database.close()

    assert ended
    assert (before, after) == (True, False)
