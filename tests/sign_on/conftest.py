"""
A clock that stands still, the demo's sign-on server in memory, an issuer whose every word a test can twist, and a hub.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Connection

from gateway.database.embedded_server import EmbeddedServer
from gateway.hub import Hub
from gateway.provisioning import create_keys, create_tables
from gateway.settings import Settings
from gateway.sign_on import TokenVerifier
from gateway.sign_on.tables import session, sign_in_attempt
from mock_agencies import sign_on as sign_on_server
from tests.sign_on.court import ISSUER, OUR_ADDRESS, Clock, Issuer, SignOnCourt, opened

DATABASE, ROLE = "sign_on", "sign_on_hub"


@pytest.fixture
def clock() -> Clock:
    """The one clock of a test."""
    return Clock()


@pytest.fixture
def issuer() -> Issuer:
    """An issuer whose every word can be twisted."""
    return Issuer()


@pytest.fixture
async def sign_on(issuer: Issuer, clock: Clock) -> AsyncIterator[TokenVerifier]:
    """The hub's check of that issuer's tokens."""
    token_verifier = TokenVerifier(ISSUER, audience="shuniu", transport=issuer, clock=clock, ticks=clock)
    yield token_verifier
    await token_verifier.aclose()


@pytest.fixture
async def server(clock: Clock) -> AsyncIterator[httpx.AsyncClient]:
    """A browser, or a program, in front of the demo's sign-on server."""
    app = sign_on_server.create(ISSUER, clock=clock)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ISSUER) as client:
        yield client


@pytest.fixture(scope="session")
def installation(postgres: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A database and keys for the hubs of these tests, without any agency."""
    folder: Path = tmp_path_factory.mktemp("sign_on")
    (folder / "agencies.toml").write_text("")
    (folder / "credentials.toml").touch(mode=0o600)
    settings = Settings(
        folder=folder,
        agencies=folder / "agencies.toml",
        credentials=folder / "credentials.toml",
        origin="sign-on.shuniu.example/audit/1",
        public_address=OUR_ADDRESS,
    )
    create_keys(settings)
    postgres.create(DATABASE)
    create_tables(postgres.url(DATABASE), origin=settings.origin, application=ROLE)
    return settings.model_copy(update={"database_url": postgres.url(DATABASE, user=ROLE)})


@pytest.fixture(scope="session")
async def started(installation: Settings) -> AsyncIterator[Hub]:
    """The hub, started once: starting one takes longer than any of these tests."""
    async with await Hub.start(installation) as hub:
        yield hub


@pytest.fixture
async def open_court(
    started: Hub, installation: Settings, issuer: Issuer, clock: Clock
) -> AsyncIterator[Callable[..., Any]]:
    """Opens houses over one database, as replicas of each other, with settings changed at will."""
    async with AsyncExitStack() as stack:

        async def one(**changes: Any) -> SignOnCourt:
            settings = Settings(**(installation.model_dump() | changes))
            return await stack.enter_async_context(opened(started, settings, issuer, clock))

        yield one


@pytest.fixture
async def court(open_court: Callable[..., Any]) -> SignOnCourt:
    """One hub, in which nobody is signed in yet."""
    court: SignOnCourt = await open_court()
    await court.hub.database.run(_empty)
    return court


def _empty(connection: Connection) -> None:
    for table in (session, sign_in_attempt):
        connection.execute(table.delete())
