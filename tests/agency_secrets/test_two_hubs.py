"""
Two hubs on one PostgreSQL ask the agencies' own servers: each counts how often it was asked for secrets.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import psycopg
import pytest

from adapters.contract import Interpretation
from adapters.errors import AgencyThrottled
from adapters.registry import Agencies, load_agencies
from gateway.agency_secrets import SharedSecretStore
from gateway.database import Database
from gateway.database.embedded_server import EmbeddedServer
from gateway.field_encryption import FieldEncryption
from mock_agencies import credentials, serving
from mock_agencies.agency import MockAgency
from mock_agencies.clock import MockClock
from schemas.codes import AnswerState, Reason
from tests.agency_secrets.conftest import DATABASE, Hands, Naps
from tests.contract.scenarios import CONFIGURATION, question, subject_of
from tests.court import RunningCourt

pytestmark = pytest.mark.anyio

CAPABILITY = {"human_resources": "participation", "market_regulation": "registration"}


class World:
    """Two hubs and the agencies' servers, all on the clock of one test."""

    def __init__(self, hubs: list[Agencies], servers: dict[str, MockAgency], hands: Hands) -> None:
        self.hubs = hubs
        self.servers = servers
        self.hands = hands

    async def ask(self, agency: str, times: int = 1) -> list[Interpretation]:
        """Asks so many times at each hub, all at once."""
        capability = CAPABILITY[agency]
        subject = subject_of(agency, capability)
        return await asyncio.gather(
            *(hub[agency].ask(capability, question(subject)) for hub in self.hubs for _ in range(times))
        )

    def counted(self, agency: str) -> dict[str, int]:
        """How often the agency was asked for secrets."""
        return {name: count for name, count in self.servers[agency].ledger.items() if count and "refresh" in name}


@pytest.fixture
async def world(tables: EmbeddedServer, tmp_path: Path, shared: Any) -> AsyncIterator[World]:
    """Two hubs without a secret yet."""
    hands, encryption = Hands(), FieldEncryption(bytes(32))
    secret_file = tmp_path / "credentials.toml"
    secret_file.touch(mode=0o600)
    secret_file.write_text(credentials.as_toml(), encoding="utf-8")
    theirs = MockClock(lambda: round(hands.clock.seconds() * 1000))
    async with AsyncExitStack() as stack:
        served = await stack.enter_async_context(serving.serving(tuple(CAPABILITY), clock=theirs))
        addresses = {name: server.address for name, server in served.items()}
        hubs = []
        for _ in range(2):
            database = Database(tables.url(DATABASE), connections=4)
            stack.callback(database.close)
            store = SharedSecretStore(database, encryption, clock=hands.clock, sleep=Naps().sleep)
            hub = load_agencies(CONFIGURATION, secret_file, addresses=addresses, clock=hands.clock, store=store)
            stack.push_async_callback(hub.aclose)
            stack.push_async_callback(store.aclose)
            hubs.append(hub)
        minds = {name: server.agency for name, server in served.items() if server.agency is not None}
        yield World(hubs, minds, hands)


@pytest.mark.parametrize(
    ("agency", "life", "first", "later"),
    [
        ("human_resources", 900, {"refresh_by_key": 1}, {"refresh_by_key": 1, "refresh_by_secret": 1}),
        ("market_regulation", 7200, {"refresh": 1}, {"refresh": 2}),
    ],
)
async def test_two_hubs_cause_one_refresh_at_the_agency(
    world: World, shared: Any, agency: str, life: int, first: dict[str, int], later: dict[str, int]
) -> None:
    """Forty questions at once, with no secret and again when it has run out: one refresh each time."""
    readings = await world.ask(agency, times=20)
    counted = world.counted(agency)
    world.hands.forward(life)
    shared.age(life)
    readings += await world.ask(agency, times=20)

    assert {reading.state for reading in readings} == {AnswerState.FOUND}
    assert (len(readings), counted, world.counted(agency)) == (80, first, later)


async def test_a_secret_replaced_by_another_program_is_fetched_once_for_both_hubs(world: World) -> None:
    """Code 14 at both: the shared row is read first, and one hub refreshes."""
    await world.ask("human_resources")
    gate: Any = world.servers["human_resources"].operations["participation"]
    gate.gate.rotate()

    readings = await world.ask("human_resources", times=10)

    assert {reading.state for reading in readings} == {AnswerState.FOUND}
    assert world.counted("human_resources") == {"refresh_by_key": 2}


async def test_a_used_up_quota_causes_no_refresh(world: World) -> None:
    """Code 18: whoever refreshes then only adds to what is over."""
    await world.ask("human_resources")
    world.servers["human_resources"].arm("over_quota", "participation")

    with pytest.raises(AgencyThrottled) as caught:
        await world.ask("human_resources")

    assert caught.value.reason is Reason.QUOTA
    assert world.counted("human_resources") == {"refresh_by_key": 1}


def test_a_started_hub_uses_the_shared_secret_store(court: RunningCourt) -> None:
    """After one lookup they lie in its database, sealed, under keys that name nobody."""
    party = court.cast["moved"]
    assert court.look_up(court.dispatch(party), party).status_code == 200

    url = str(court.demo.settings.database_url).replace("+psycopg", "")
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT key, number > 0, turn FROM agency_secret ORDER BY key").fetchall()

    families = [key.partition(":")[0] for key, _, _ in rows]
    assert (families, {row[1:] for row in rows}) == (["irs", "national", "national"], {(True, None)})
