"""
A storm of callers who hang up: the hub ends what they began, and then everything serves as before.

`make prove PART=storm` runs it with more of them than `make test`.
"""

import asyncio
import json
import os
import random
from collections.abc import Callable
from urllib.parse import urlsplit

import httpx
import psycopg

from bench.dataset import parties, questions, work_orders
from tests.court import RunningCourt
from tests.resilience.court import until

CALLERS = int(os.environ.get("SHUNIU_TEST_STORM", "300"))
AT_ONCE = 60
PARTIES_OF_ONE = 5
AFTERWARDS = 20


def database(court: RunningCourt) -> psycopg.Connection[tuple[object, ...]]:
    """The court's database, as the hub sees it."""
    assert court.demo.settings.database_url is not None
    return psycopg.connect(
        court.demo.settings.database_url.replace("postgresql+psycopg", "postgresql"), autocommit=True
    )


def unended(connection: psycopg.Connection[tuple[object, ...]]) -> int:
    """Intents that neither an outcome nor the closing of an orphan follows."""
    query = (
        "SELECT idx FROM audit.entry i WHERE type = 1 AND NOT EXISTS "
        "(SELECT 1 FROM audit.entry o WHERE o.xid = i.xid AND o.type <> 1)"
    )
    return len(connection.execute(query).fetchall())


def locks(connection: psycopg.Connection[tuple[object, ...]]) -> int:
    """Locks of rights under which something is being released."""
    return len(connection.execute("SELECT objid FROM pg_locks WHERE locktype = 'advisory'").fetchall())


async def hang_up(address: str, request: bytes, after: float) -> None:
    """Asks, and is gone after so many seconds: without a word, or in an orderly way."""
    parts = urlsplit(address)
    _, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write(request)
    await asyncio.sleep(after)
    if after > 0.015:
        writer.transport.abort()
    writer.close()


def test_after_cancelled_calls_every_pool_serves_and_every_question_is_recorded(
    court: RunningCourt, healed: Callable[..., None]
) -> None:
    """Agencies' and database connections, leases, the log: none was lost to those who left."""
    people = parties((CALLERS + AFTERWARDS) // PARTIES_OF_ONE)
    for number, statement in work_orders(people).items():
        stated = court.call("PUT", f"/v1/work-orders/{number}", statement, client="ticket-system")
        assert stated.status_code == 200, stated.text
    bodies = [question["body"] for question in questions(people, under_work_orders=True)]
    token = court.token(user="li.ting")
    chance = random.Random(1)
    with database(court) as connection:
        size_before = connection.execute("SELECT count(*) FROM audit.entry WHERE type = 1").fetchone()
        for agency in court.demo.outside.addresses:
            healed(agency, "latency")

        async def storm() -> None:
            gate = asyncio.Semaphore(AT_ONCE)

            async def caller(body: object) -> None:
                async with gate:
                    await hang_up(court.demo.address, _request(token, body), 0.001 + chance.random() * 0.029)

            await asyncio.gather(*(caller(body) for body in bodies[:CALLERS]))

        asyncio.run(storm())
        for agency in court.demo.outside.addresses:
            court.demo.outside.heal(agency)
        until(lambda: unended(connection) == 0 and locks(connection) == 0)
        size_after = connection.execute("SELECT count(*) FROM audit.entry WHERE type = 1").fetchone()

    answers = asyncio.run(_asked(court.demo.address, token, bodies[CALLERS:]))

    assert size_before is not None
    assert size_after is not None
    assert int(str(size_after[0])) - int(str(size_before[0])) > CALLERS // 2
    assert [answer.status_code for answer in answers] == [200] * AFTERWARDS
    assert {reply["state"] for answer in answers for reply in answer.json()["answers"]} <= {"found", "not_found"}


async def _asked(address: str, token: str, bodies: list[object]) -> list[httpx.Response]:
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=address, headers=headers, trust_env=False, timeout=30) as clerk:
        return await asyncio.gather(*(clerk.post("/v1/lookups", json=body) for body in bodies))


def _request(token: str, body: object) -> bytes:
    content = json.dumps(body).encode()
    head = {
        "host": "hub",
        "authorization": f"Bearer {token}",
        "content-type": "application/json",
        "content-length": str(len(content)),
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
    return f"POST /v1/lookups HTTP/1.1\r\n{lines}\r\n".encode() + content
