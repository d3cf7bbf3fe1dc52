"""
Who is turned away at the door stands in the log: by name where the caller is known, as a count where nobody is.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from audit.format.event import EventType
from audit.sealing.keys import KeyFile
from audit.store.database import create
from audit.store.log import Log
from audit.store.search import Query, search
from gateway.api.refusal_log import RefusalLog
from gateway.database.embedded_server import EmbeddedServer
from gateway.provisioning import CLUSTER
from tests.court import RunningCourt

ORIGIN = "door.example/audit/1"
NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
ROLE = "door_test_hub"

OpenLog = Callable[[], Awaitable[Log]]


@pytest.fixture
def open_log(postgres: EmbeddedServer, tmp_path: Path) -> OpenLog:
    """Opens a log of this test's own."""
    name = f"door_{tmp_path.name.lower()}"
    postgres.create(name)
    with psycopg.connect(postgres.conninfo(name)) as connection:
        if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (ROLE,)).fetchone():
            connection.execute(f"CREATE ROLE {ROLE} LOGIN")
        create(connection, ORIGIN, application=ROLE)
    keys = KeyFile.create(tmp_path / "keys", origin=ORIGIN)

    async def opened() -> Log:
        return await Log.open(postgres.conninfo(name, user=ROLE), keys, sign_every=None)

    return opened


def refused(log: Log) -> list[dict[str, Any]]:
    """The details of all refusals in a log, oldest first."""
    hits = search(log.reader, Query(types=(EventType.ACCESS_REFUSED,))).hits
    return [hit.leaf["detail"] for hit in reversed(hits)]


def record_of(court: RunningCourt, answer: httpx.Response) -> dict[str, Any]:
    """The record of a refusal that an answer names."""
    index = answer.json()["audit"]
    (event,) = [row for row in court.events(before=str(index + 1), limit="1") if row["index"] == index]
    leaf: dict[str, Any] = event["event"]
    return leaf


def test_a_clerk_is_refused_the_log_on_record(court: RunningCourt) -> None:
    """Whether the page, the search, a file, a tile or a proof; the address itself is nowhere."""
    calls = {
        "list_events": ("GET", "/v1/audit/events", None),
        "search_events": ("POST", "/v1/audit/search", {}),
        "export_events": ("POST", "/v1/audit/exports", {"format": "csv"}),
        "read_tile": ("GET", "/audit/tile/0/000", None),
        "read_proof": ("GET", "/v1/audit/proof/0", None),
    }
    for operation, (method, path, body) in calls.items():
        answer = court.call(method, path, body, user="li.ting")
        leaf = record_of(court, answer)

        assert (answer.status_code, answer.json()["rule"]) == (403, "role_missing")
        assert (leaf["type"], leaf["outcome"]) == ("access.refused", "refused")
        assert leaf["detail"] == {"rule": "role_missing", "operation": operation}
        assert (leaf["who"]["court"], "c" in leaf["who"]) == ("浙0802", True)


def test_a_work_order_without_the_scope_is_refused_on_record(court: RunningCourt) -> None:
    """A clerk without the scope; the refusal of a foreign court's client stands with that court."""
    statement = court.statement(court.cast["moved"])
    clerk = court.call("PUT", "/v1/work-orders/T-8", statement, user="li.ting")
    foreign = court.call("PUT", "/v1/work-orders/T-8", statement, client="ticket-system-0803")

    assert record_of(court, clerk)["detail"] == {"rule": "scope_missing", "operation": "state_work_order"}
    assert (foreign.status_code, foreign.json()["rule"]) == (403, "other_court")
    assert isinstance(foreign.json()["audit"], int)


def test_a_refused_lookup_has_one_record_and_not_two(court: RunningCourt) -> None:
    """Its own says more."""
    answer = court.look_up("T-none", court.cast["moved"])
    since = str(answer.json()["audit"] + 1)

    assert record_of(court, answer)["type"] == "lookup.denied"
    assert [row for row in court.events(type="access.refused") if row["index"] >= int(since)] == []


def test_a_refusal_that_cannot_be_recorded_is_503(court: RunningCourt) -> None:
    """Nobody is turned away without a trace."""
    server = EmbeddedServer(court.demo.settings.folder.resolve() / CLUSTER)
    server.halt()
    answer = court.call("PUT", "/v1/work-orders/T-9", court.statement(court.cast["stayed"]), user="li.ting")
    server.resume()

    assert (answer.status_code, answer.json()["type"]) == (503, "urn:shuniu:problem:audit-unavailable")


@pytest.mark.anyio
async def test_strangers_are_counted_and_written_once_for_each_rule(open_log: OpenLog) -> None:
    """However many there were; the next minute begins at nothing."""
    log = await open_log()
    refusals = RefusalLog(log, clock=lambda: NOON)
    for rule in ["missing"] * 500 + ["expired"] * 3:
        refusals.count(rule)
    await refusals.write()
    await refusals.write()
    refusals.count("missing")
    await refusals.write()

    assert refused(log) == [
        {"rule": "expired", "count": 3},
        {"rule": "missing", "count": 500},
        {"rule": "missing", "count": 1},
    ]
    await log.aclose()


@pytest.mark.anyio
async def test_counts_are_written_when_the_hub_stops(open_log: OpenLog) -> None:
    """The last minute is not lost."""
    log = await open_log()
    async with RefusalLog(log, clock=lambda: NOON, every=3600) as refusals:
        refusals.count("bad_signature")

    assert refused(log) == [{"rule": "bad_signature", "count": 1}]
    await log.aclose()


@pytest.mark.anyio
async def test_the_counts_are_written_in_the_background(open_log: OpenLog) -> None:
    """Without anybody asking."""
    log = await open_log()
    async with RefusalLog(log, clock=lambda: NOON, every=0.01) as refusals, asyncio.timeout(20):
        refusals.count("missing")
        while not refused(log):  # noqa: ASYNC110 - another task makes it so
            await asyncio.sleep(0.01)

    assert refused(log) == [{"rule": "missing", "count": 1}]
    await log.aclose()


@pytest.mark.anyio
async def test_an_unwritten_count_is_written_the_next_time(
    open_log: OpenLog, postgres: EmbeddedServer, tmp_path: Path
) -> None:
    """A database that is away for a while loses none."""
    log = await open_log()
    name = f"door_{tmp_path.name.lower()}"
    refusals = RefusalLog(log, clock=lambda: NOON)
    refusals.count("missing")
    with psycopg.connect(postgres.conninfo("postgres"), autocommit=True) as owner:
        owner.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        owner.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
        await refusals.write()
        owner.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    refusals.count("missing")
    await refusals.write()

    assert sum(detail["count"] for detail in refused(log)) == 2
    await log.aclose()
