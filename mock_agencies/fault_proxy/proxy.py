"""
The fault proxy: listens, connects each client to the server behind it, and keeps the active toxics.
"""

import asyncio
import itertools
import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from random import Random
from typing import Final, Self

from mock_agencies.fault_proxy.link import ActiveToxic, ProxiedConnection, ProxyClock, Streams, reset_on_close
from mock_agencies.fault_proxy.toxics import Direction, Refuse, Toxic

_HOST: Final = "127.0.0.1"


class FaultProxy:
    """
    A proxy on a port of this machine.  Toxics may come and go at any time, and concern open connections too.

    What is drawn depends on the seed, the number of the connection and the number of the toxic, and on nothing else:
    the same connections in the same order fare alike in every run.
    """

    def __init__(self, to: tuple[str, int], port: int, *, seed: int, timing: ProxyClock) -> None:
        self.to = to
        self.seen = 0
        """Number of connections so far, without refused ones."""
        self._timing = timing
        self._seed = seed
        self._numbers = itertools.count(1)
        self._active: list[ActiveToxic] = []
        self._links: set[asyncio.Task[None]] = set()
        self._bound = _bind(port)
        self.port: int = self._bound.getsockname()[1]
        self._accepting: asyncio.Task[None] | None = None

    @classmethod
    @asynccontextmanager
    async def running(
        cls, to: tuple[str, int], *, port: int = 0, seed: int = 1, timing: ProxyClock | None = None
    ) -> AsyncIterator[Self]:
        """
        A proxy before the server at `to` (host, port) until the block ends; port 0 lets the system choose.

        Raises `OSError` if the port is taken.
        """
        proxy = cls(to, port, seed=seed, timing=timing or ProxyClock(asyncio.get_running_loop().time, asyncio.sleep))
        proxy._listen()
        try:
            yield proxy
        finally:
            await proxy._close()

    @property
    def address(self) -> str:
        """The proxy's address, as the base of a URL."""
        return f"http://{_HOST}:{self.port}"

    @property
    def open(self) -> int:
        """Number of open connections."""
        return len(self._links)

    async def idle(self) -> None:
        """Waits until no connection is open any more."""
        while self._links:
            await asyncio.wait(self._links)

    @property
    def toxics(self) -> Sequence[Toxic]:
        """The active toxics, in their order."""
        return tuple(active.toxic for active in self._active)

    async def add(self, toxic: Toxic) -> None:
        """Makes a toxic active, as the last one.  Raises `ValueError` if another one has its name."""
        if any(active.toxic.name == toxic.name for active in self._active):
            raise ValueError("there is a toxic of this name; remove it, or give this one another name")
        self._active.append(ActiveToxic(next(self._numbers), toxic))
        await self._listen_or_refuse()

    async def remove(self, name: str) -> None:
        """Ends a toxic; what it has begun to a connection goes on.  Raises `KeyError` if there is none of this name."""
        removed = next((active for active in self._active if active.toxic.name == name), None)
        if removed is None:
            raise KeyError(name)
        self._active.remove(removed)
        await self._listen_or_refuse()

    async def clear(self) -> None:
        """Ends every toxic."""
        self._active.clear()
        await self._listen_or_refuse()

    @asynccontextmanager
    async def with_toxics(self, *toxics: Toxic) -> AsyncIterator[None]:
        """The toxics are active while the block lasts."""
        for toxic in toxics:
            await self.add(toxic)
        try:
            yield
        finally:
            for toxic in toxics:
                with suppress(KeyError):
                    await self.remove(toxic.name)

    def _listen(self) -> None:
        self._bound.listen(2048)
        self._accepting = asyncio.create_task(self._accept_all(self._bound))

    async def _listen_or_refuse(self) -> None:
        refuse = any(isinstance(active.toxic, Refuse) and active.toxic.share == 1 for active in self._active)
        if refuse and self._accepting is not None:
            await self._stop_listening()
            # Bound and not listening: the system refuses, and the port stays reserved.
            self._bound = _bind(self.port)
        elif not refuse and self._accepting is None:
            self._listen()

    async def _stop_listening(self) -> None:
        accepting, self._accepting = self._accepting, None
        if accepting is not None:
            accepting.cancel()
            await asyncio.gather(accepting, return_exceptions=True)
        self._bound.close()

    async def _close(self) -> None:
        await self._stop_listening()
        for link in self._links:
            link.cancel()
        await asyncio.gather(*self._links, return_exceptions=True)

    async def _accept_all(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            client, _ = await loop.sock_accept(listener)
            self.seen += 1
            chance = f"{self._seed}/{self.seen}"
            if self._refuses(chance):
                reset_on_close(client)
                client.close()
                continue
            link = asyncio.create_task(self._connect(client, chance))
            self._links.add(link)
            link.add_done_callback(self._links.discard)

    async def _connect(self, accepted: socket.socket, chance: str) -> None:
        with _closed_if_unused(accepted):
            client = await asyncio.open_connection(sock=accepted)
        server: Streams | None = None
        with suppress(OSError):
            server = await asyncio.open_connection(*self.to)
        if server is None:
            # As close as possible to a refused connection.
            reset_on_close(accepted)
            client[1].transport.abort()
            return
        await ProxiedConnection(client, server, toxics=self._toxics, chance=chance, timing=self._timing).run()

    def _toxics(self, direction: Direction) -> Sequence[ActiveToxic]:
        return [active for active in self._active if active.toxic.direction is direction]

    def _refuses(self, chance: str) -> bool:
        return any(
            isinstance(active.toxic, Refuse) and Random(f"{chance}/{active.number}").random() < active.toxic.share
            for active in self._active
        )


@contextmanager
def _closed_if_unused(accepted: socket.socket) -> Iterator[None]:
    try:
        yield
    except BaseException:
        accepted.close()
        raise


def _bind(port: int) -> socket.socket:
    bound = socket.socket()
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.setblocking(False)
        bound.bind((_HOST, port))
    except BaseException:
        bound.close()
        raise
    return bound
