"""
Courts that anchor their logs: real hubs on sockets of this process, with a clock that a test moves.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from audit.anchor.witness_key import create_witness_key, load_witness_key, witness_name
from audit.format.note import Signer
from audit.sealing.keys import KeyFile
from gateway.api.middleware import DrainState
from gateway.application import create_app
from gateway.database.embedded_server import EmbeddedServer
from gateway.hub import Hub
from gateway.provisioning import APPLICATION_ROLE, create_keys, create_tables
from gateway.server import UvicornServer, bind, server_config
from gateway.settings import Settings
from tests.audit.sample import intent


@dataclass
class Clock:
    """The hub's time: as it is, plus what a test has moved it on."""

    ahead: timedelta = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def move(self, **by: float) -> None:
        """Time passes."""
        self.ahead += timedelta(**by)


@dataclass
class Court:
    """One court: its settings, where it will listen and, once it runs, its hub."""

    settings: Settings
    listener: socket.socket
    clock: Clock = field(default_factory=Clock)
    running: Hub | None = None

    @property
    def address(self) -> str:
        """Where its hub is."""
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    @property
    def hub(self) -> Hub:
        """Its hub, which runs."""
        assert self.running is not None
        return self.running

    @property
    def signer(self) -> Signer:
        """The log's private key."""
        return KeyFile.load(self.settings.key_folder).signer

    def anchored_by(self, *tables: str) -> None:
        """Writes anchors.toml."""
        assert self.settings.anchors is not None
        self.settings.anchors.write_text("\n".join(tables), encoding="utf-8")

    def as_witness(self) -> str:
        """How another court names this one's witness."""
        vkey = load_witness_key(self.settings.key_folder).vkey.encode()
        return f'[[witness]]\nname = "{self.name}"\nurl = "{self.address}/witness"\nvkey = "{vkey}"\n'

    def as_neighbour(self) -> str:
        """How another court names this one's log."""
        return f'[[neighbour]]\norigin = "{self.settings.origin}"\nvkey = "{self.signer.vkey.encode()}"\n'

    @property
    def name(self) -> str:
        """Its short name."""
        return self.settings.folder.name

    async def record(self, count: int = 1) -> int:
        """So many records more, signed; returns the size."""
        for n in range(count):
            await self.hub.log.append(intent(n, at=self.clock()))
        return await self.hub.log.sign()

    async def turn(self, **later: float) -> list[dict[str, Any]]:
        """One turn of the anchoring, perhaps later; what health says of the anchors after it."""
        self.clock.move(**later)
        await self.hub.anchoring.anchor_due()
        return list((await self.health())["anchors"])

    async def health(self) -> dict[str, Any]:
        """The audit part of readiness."""
        said: dict[str, Any] = (await call("GET", f"{self.address}/readyz")).json()["audit"]
        return said


def install(postgres: EmbeddedServer, folder: Path, database: str) -> Court:
    """An installed court that asks no agency; it anchors with nobody until `anchored_by`."""
    folder.mkdir()
    for name in ("agencies.toml", "credentials.toml", "anchors.toml"):
        (folder / name).touch(mode=0o600)
    postgres.create(database)
    origin = f"{folder.name}.example/audit/1"
    settings = Settings(
        folder=folder,
        origin=origin,
        agencies=folder / "agencies.toml",
        credentials=folder / "credentials.toml",
        anchors=folder / "anchors.toml",
        database_url=postgres.url(database, user=APPLICATION_ROLE),
    )
    create_keys(settings)
    create_witness_key(settings.key_folder, name=witness_name(origin))
    create_tables(postgres.url(database), origin=origin, application=APPLICATION_ROLE)
    return Court(settings, bind("127.0.0.1", 0))


@asynccontextmanager
async def open_for_business(*courts: Court) -> AsyncIterator[None]:
    """Serves the courts' hubs until the block ends."""
    served = []
    for court in courts:
        server = UvicornServer(server_config(create_app(_starting(court), in_flight=64)), DrainState(), drain=5)
        served.append((server, asyncio.create_task(server.serve(sockets=[court.listener]))))
    try:
        for server, task in served:
            while not server.started:
                assert not task.done(), "a hub did not start"
                await asyncio.sleep(0.01)
        yield
    finally:
        for server, task in served:
            server.should_exit = True
            await task


def _starting(court: Court) -> Callable[[], Awaitable[Hub]]:
    async def start() -> Hub:
        court.running = await Hub.start(court.settings, clock=court.clock)
        return court.running

    return start


async def until(happened: Callable[[], Awaitable[object]]) -> None:
    """Waits for another party's doing, and fails after a bound instead of hanging."""
    for _ in range(500):
        if await happened():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("did not happen")


async def call(method: str, url: str, **options: Any) -> httpx.Response:
    """One HTTP call by somebody without a token."""
    async with httpx.AsyncClient(trust_env=False, timeout=10) as client:
        return await client.request(method, url, **options)
