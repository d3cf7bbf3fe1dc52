"""
Serving the mock agencies on sockets of this machine: each on its own port, all on one event loop.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import uvicorn

from mock_agencies import human_resources, market_regulation, public_security
from mock_agencies.agency import MockAgency
from mock_agencies.clock import MockClock
from mock_agencies.connection import Connection
from mock_agencies.population import Population
from mock_agencies.public_security.signing import SoapSigner

if TYPE_CHECKING:
    from starlette.applications import Starlette

_AGENCIES: Final[Mapping[str, Callable[..., MockAgency]]] = {
    "public_security": public_security.create,
    "human_resources": human_resources.create,
    "market_regulation": market_regulation.create,
}
_SIGNS: Final = "public_security"
SIGN_ON: Final = "sign_on"
TIMESTAMPING: Final = "timestamping"
SERVERS: Final = (*_AGENCIES, SIGN_ON, TIMESTAMPING)
_HOST: Final = "127.0.0.1"
# An event loop listens once more, and would make it 100: callers beyond that wait a second for their next attempt.
_BACKLOG: Final = 2048


@dataclass(frozen=True, slots=True)
class MockServer:
    """A server that is up: its name, its base address, and its mind (None for sign-on and timestamping)."""

    name: str
    address: str
    agency: MockAgency | None


@asynccontextmanager
async def serving(
    names: Sequence[str] = tuple(_AGENCIES),
    *,
    port: int = 0,
    seed: int = 1,
    precomputed: bool = False,
    clock: MockClock | None = None,
    certificate: Path | None = None,
) -> AsyncIterator[Mapping[str, MockServer]]:
    """
    Serves the named servers over one population until the block ends; every one is ready when the block begins.

    With `certificate` the population base of public security signs its replies and writes its certificate there.
    Port 0 lets the system choose; otherwise the first server has that port and the others the next ones.
    Raises `KeyError` for an unknown name and `OSError` if a port is taken.
    """
    population = Population(seed)
    clock = clock or MockClock()
    async with AsyncExitStack() as stack:
        servers = {}
        for position, name in enumerate(names):
            listener = stack.enter_context(_listener(port + position if port else 0))
            address = f"http://{_HOST}:{listener.getsockname()[1]}"
            agency = None
            if name in {SIGN_ON, TIMESTAMPING}:
                await stack.enter_async_context(_web(listener, _application(name, address)))
            else:
                signing = _signing(certificate) if name == _SIGNS else {}
                agency = _AGENCIES[name](population, clock, precomputed=precomputed, **signing)
                await stack.enter_async_context(_agency(listener, agency))
            servers[name] = MockServer(name, address, agency)
        yield servers


def _signing(certificate: Path | None) -> dict[str, SoapSigner]:
    if certificate is None:
        return {}
    signer = SoapSigner()
    certificate.write_bytes(signer.pem)
    return {"signer": signer}


@contextmanager
def _listener(port: int) -> Iterator[socket.socket]:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((_HOST, port))
        listener.listen(_BACKLOG)
        listener.setblocking(False)
        yield listener


@asynccontextmanager
async def _agency(listener: socket.socket, agency: MockAgency) -> AsyncIterator[None]:
    connections: set[Connection] = set()

    def connect() -> Connection:
        return Connection(agency.respond, connections)

    server = await asyncio.get_running_loop().create_server(connect, sock=listener, backlog=_BACKLOG)
    try:
        yield
    finally:
        server.close()
        for connection in tuple(connections):
            connection.abandon()
        # asyncio tells a connection of its end in the next turn of the loop.
        await asyncio.sleep(0)


class _QuietServer(uvicorn.Server):
    """uvicorn without signal handling of its own: the process that serves decides when it ends.  `up`: it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _application(name: str, address: str) -> "Starlette":
    from mock_agencies import sign_on, timestamping  # noqa: PLC0415  # an agency alone starts without a web framework

    return sign_on.create(address) if name == SIGN_ON else timestamping.create()


@asynccontextmanager
async def _web(listener: socket.socket, application: "Starlette") -> AsyncIterator[None]:
    config = uvicorn.Config(
        application,
        http="httptools",
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=1,
    )
    server = _QuietServer(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    task.add_done_callback(lambda _: server.up.set())
    try:
        await server.up.wait()
        yield
    finally:
        server.should_exit = True
        await task
