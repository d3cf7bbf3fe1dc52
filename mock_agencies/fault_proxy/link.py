"""
One connection through the proxy: two directions, each read at once and passed on through the active toxics.
"""

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from mock_agencies.fault_proxy.toxics import ConnectionCut, Direction, Toxic

_READ: Final = 65_536
# Pieces that wait at most; the sender waits beyond that.
_WAITING: Final = 64
_RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)


@dataclass(frozen=True, slots=True)
class ProxyClock:
    """The proxy's clock, which tests replace."""

    now: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class ActiveToxic:
    """A toxic that was added; `number` tells it from an equal one that was added before."""

    number: int
    toxic: Toxic


Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Toxics = Callable[[Direction], Sequence[ActiveToxic]]
Piece = tuple[float, bytes]


class ProxiedConnection:
    """
    Passes bytes between a client and a server until one of them closes, or a toxic cuts them off.

    `chance` seeds what is drawn for this connection; `toxics` says which are active now in a direction.
    """

    def __init__(self, client: Streams, server: Streams, *, toxics: Toxics, chance: str, timing: ProxyClock) -> None:
        self.chance = chance
        self.timing = timing
        self.client_left = asyncio.Event()
        self.toxics = toxics
        self._writers = (client[1], server[1])
        self._flows = (
            _Flow(self, Direction.UP, client[0], server[1]),
            _Flow(self, Direction.DOWN, server[0], client[1]),
        )
        for writer in self._writers:
            # A piece has left before the next toxic acts on the connection.
            writer.transport.set_write_buffer_limits(high=0)

    async def run(self) -> None:
        """Returns when both sides are closed."""
        reset = False
        reading = [asyncio.create_task(flow.read()) for flow in self._flows]
        passing = [asyncio.create_task(flow.pass_on()) for flow in self._flows]
        try:
            # The end of one direction is the end of both: what a client of HTTP has closed, it will not read any more.
            ended, _ = await asyncio.wait(passing, return_when=asyncio.FIRST_COMPLETED)
            reset = any([await task for task in ended])
        finally:
            for task in (*reading, *passing):
                task.cancel()
            await asyncio.gather(*reading, *passing, return_exceptions=True)
            for writer in self._writers:
                _close(writer, reset=reset)

    async def until_left(self, waiting: Coroutine[Any, Any, None]) -> None:
        """Awaits `waiting`, at most until the client disconnects.  Raises `ConnectionCut` when it is gone."""
        tasks = (asyncio.ensure_future(waiting), asyncio.create_task(self.client_left.wait()))
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
        if self.client_left.is_set():
            raise ConnectionCut(reset=False)


class _Flow:
    """One direction."""

    def __init__(
        self, link: ProxiedConnection, direction: Direction, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.pieces: asyncio.Queue[Piece | None] = asyncio.Queue(_WAITING)
        self._link = link
        self._direction = direction
        self._reader = reader
        self._writer = writer
        self._contexts: dict[int, _FlowToxicContext | None] = {}

    async def read(self) -> None:
        """Reads and timestamps what the sender sends."""
        with suppress(ConnectionError):
            while data := await self._reader.read(_READ):
                await self.pieces.put((self._link.timing.now(), data))
        if self._direction is Direction.UP:
            self._link.client_left.set()
        await self.pieces.put(None)

    async def pass_on(self) -> bool:
        """Passes pieces on through the toxics until the end; whether that is a RST."""
        try:
            while piece := await self.pieces.get():
                await self._through(piece, self._held())
            for toxic, context in self._held():
                await toxic.close(context)
        except ConnectionCut as cut:
            return cut.reset
        return False

    async def _through(self, piece: Piece, toxics: Sequence[tuple[Toxic, "_FlowToxicContext"]]) -> None:
        arrived, data = piece
        if toxics:
            (toxic, context), rest = toxics[0], toxics[1:]
            context.arrived = arrived
            async with aclosing(toxic.act(data, context)) as parts:
                async for part in parts:
                    await self._through((self._link.timing.now(), part), rest)
            return
        try:
            self._writer.write(data)
            await self._writer.drain()
        except ConnectionError:
            pass
        else:
            return
        raise ConnectionCut(reset=False)

    def _held(self) -> list[tuple[Toxic, "_FlowToxicContext"]]:
        contexts = []
        for active in self._link.toxics(self._direction):
            if active.number not in self._contexts:
                chance = Random(f"{self._link.chance}/{active.number}")
                concerned = chance.random() < active.toxic.share
                self._contexts[active.number] = _FlowToxicContext(self._link, self, chance) if concerned else None
            if context := self._contexts[active.number]:
                contexts.append((active.toxic, context))
        return contexts


@dataclass(slots=True)
class _FlowToxicContext:
    """The context of one toxic in one direction, as `toxics.ToxicContext` describes it."""

    link: ProxiedConnection
    flow: _Flow
    random: Random
    passed: int = 0
    arrived: float = field(default=0.0)

    async def sleep(self, seconds: float) -> None:
        if seconds > 0:
            await self.link.until_left(self._sleep(seconds))

    async def sleep_until(self, moment: float) -> None:
        await self.sleep(moment - self.link.timing.now())

    async def hang(self) -> None:
        await self.link.until_left(self._swallow())

    async def _sleep(self, seconds: float) -> None:
        await self.link.timing.sleep(seconds)

    async def _swallow(self) -> None:
        # Not even the sender's end is passed on.
        while True:
            await self.flow.pieces.get()


def _close(writer: asyncio.StreamWriter, *, reset: bool) -> None:
    if reset and not writer.transport.is_closing():
        reset_on_close(writer.get_extra_info("socket"))
        writer.transport.abort()
    writer.close()


def reset_on_close(connection: socket.socket) -> None:
    """Lets a connection end with RST instead of FIN."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
