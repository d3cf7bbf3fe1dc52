"""
The fault proxy, toxic by toxic, on real sockets and a clock that only passes while somebody waits for it.
"""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import pytest

from mock_agencies.fault_proxy import (
    Bandwidth,
    Direction,
    FaultProxy,
    Garbage,
    Latency,
    LimitData,
    ProxyClock,
    Refuse,
    Reset,
    Slicer,
    SlowClose,
    Timeout,
    Toxic,
)

pytestmark = pytest.mark.anyio

ANSWER = bytes(range(256)) * 4


@dataclass(slots=True)
class Hands:
    """A clock: whoever waits turns it."""

    now: float = 0.0
    waits: list[float] = field(default_factory=list)

    async def sleep(self, seconds: float) -> None:
        """Passes the time and remembers it."""
        self.waits.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)

    @property
    def timing(self) -> ProxyClock:
        """The same as the proxy takes it."""
        return ProxyClock(lambda: self.now, self.sleep)


@asynccontextmanager
async def proxied(*toxics: Toxic, hands: Hands | None = None, seed: int = 1) -> AsyncIterator[FaultProxy]:
    """A proxy with these toxics, before a server that answers `ANSWER` to `?`, and repeats everything else."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65_536):
                writer.write(ANSWER if data == b"?" else data)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    to = ("127.0.0.1", server.sockets[0].getsockname()[1])
    async with server, FaultProxy.running(to, seed=seed, timing=(hands or Hands()).timing) as proxy:
        for toxic in toxics:
            await proxy.add(toxic)
        yield proxy


@asynccontextmanager
async def client(proxy: FaultProxy) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection to the proxy."""
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    try:
        yield reader, writer
    finally:
        writer.close()


async def ask(proxy: FaultProxy, expected: int = len(ANSWER)) -> bytes:
    """One question; the answer as far as it comes, up to so many bytes."""
    async with client(proxy) as (reader, writer):
        writer.write(b"?")
        return await read(reader, expected)


async def read(reader: asyncio.StreamReader, expected: int) -> bytes:
    """So many bytes, or fewer if the connection ends in an orderly way."""
    try:
        return await reader.readexactly(expected)
    except asyncio.IncompleteReadError as cut:
        return cut.partial


async def test_without_toxics_everything_passes_unchanged() -> None:
    """Both ways, a megabyte of it."""
    question = b"abcdefgh" * 131_072
    async with proxied() as proxy, client(proxy) as (reader, writer):
        writer.write(question)

        assert await read(reader, len(question)) == question


async def test_latency_delays_every_piece_reproducibly() -> None:
    """Give or take the jitter; the seed decides."""
    waits = []
    for seed in (1, 1, 2):
        hands = Hands()
        async with proxied(Latency(seconds=0.3, jitter=0.1), hands=hands, seed=seed) as proxy:
            assert await ask(proxy) == ANSWER
        waits.append(hands.waits)

    assert waits[0] == waits[1] != waits[2]
    assert all(0.2 <= wait <= 0.4 for wait in (*waits[0], *waits[2]))


async def test_bandwidth_is_limited_to_its_rate() -> None:
    """1,024 bytes at 512 a second take two seconds."""
    hands = Hands()
    async with proxied(Bandwidth(rate=512), hands=hands) as proxy:
        assert await ask(proxy) == ANSWER

    assert sum(hands.waits) == pytest.approx(2.0)


async def test_a_slow_close_comes_after_the_answer() -> None:
    """The answer is there, its end is late."""
    hands = Hands()
    slow = SlowClose(direction=Direction.UP, seconds=3)
    async with proxied(slow, hands=hands) as proxy, client(proxy) as (reader, writer):
        writer.write(b"?")
        assert await read(reader, len(ANSWER)) == ANSWER
        writer.write_eof()
        await proxy.idle()

    assert hands.waits == [3]


async def test_a_timeout_of_zero_never_answers() -> None:
    """After as many bytes as it lets through."""
    async with proxied(Timeout(after=7)) as proxy:
        async with client(proxy) as (reader, writer):
            writer.write(b"?")
            assert await read(reader, 7) == ANSWER[:7]
            assert proxy.open == 1
        await proxy.idle()

    assert proxy.open == 0


async def test_a_timeout_closes_after_its_seconds() -> None:
    """In an orderly way."""
    hands = Hands()
    async with proxied(Timeout(seconds=5), hands=hands) as proxy:
        assert await ask(proxy) == b""

    assert hands.waits == [5]


@pytest.mark.parametrize("after", [0, 100])
async def test_a_reset_resets_the_connection(after: int) -> None:
    """At once or in mid-answer."""
    loop = asyncio.get_running_loop()
    async with proxied(Reset(after=after, seconds=1)) as proxy:
        with socket.create_connection(("127.0.0.1", proxy.port)) as bare:
            bare.setblocking(False)
            await loop.sock_sendall(bare, b"?")
            if after:
                assert await loop.sock_recv(bare, len(ANSWER)) == ANSWER[:after]
            with pytest.raises(ConnectionResetError):
                await loop.sock_recv(bare, 1)


async def test_a_slicer_cuts_without_loss() -> None:
    """Pieces of ten bytes, a second between them."""
    hands = Hands()
    async with proxied(Slicer(size=10, vary=3, seconds=1), hands=hands) as proxy:
        assert await ask(proxy) == ANSWER

    assert len(ANSWER) / 13 <= len(hands.waits) <= len(ANSWER) / 7 + 2


async def test_a_data_limit_closes_after_exactly_so_many_bytes() -> None:
    """What was promised beyond it never comes."""
    async with proxied(LimitData(size=100)) as proxy:
        assert await ask(proxy) == ANSWER[:100]


async def test_garbage_replaces_only_its_bytes() -> None:
    """As many bytes, so that the announced length holds."""
    async with proxied(Garbage(after=100, size=32)) as proxy:
        answer = await ask(proxy)

    assert (answer[:100], answer[132:]) == (ANSWER[:100], ANSWER[132:])
    assert answer[100:132] != ANSWER[100:132]


async def test_refusing_acts_like_a_dead_server_until_removed() -> None:
    """The port stays ours meanwhile."""
    async with proxied() as proxy:
        port = proxy.port
        async with proxy.with_toxics(Refuse()):
            with pytest.raises(ConnectionRefusedError):
                await ask(proxy)

        assert (await ask(proxy), proxy.port) == (ANSWER, port)


async def test_a_toxic_concerns_its_share_of_connections_reproducibly() -> None:
    """Some of forty, by the seed."""
    concerned = []
    for _ in range(2):
        async with proxied(LimitData(size=0, share=0.5)) as proxy:
            concerned.append([await ask(proxy) == b"" for _ in range(40)])

    assert concerned[0] == concerned[1]
    assert 10 < sum(concerned[0]) < 30


async def test_toxics_apply_in_their_order() -> None:
    """Cut first, then spoilt: the spoilt part is within the cut."""
    async with proxied(LimitData(size=20), Garbage(after=10, size=100)) as proxy:
        answer = await ask(proxy)

    assert (answer[:10], len(answer)) == (ANSWER[:10], 20)


async def test_toxics_apply_to_open_connections_while_they_exist() -> None:
    """Adapters keep connections."""
    async with proxied() as proxy, client(proxy) as (reader, writer):
        writer.write(b"?")
        before = await read(reader, len(ANSWER))
        async with proxy.with_toxics(Garbage(size=len(ANSWER))):
            writer.write(b"?")
            under = await read(reader, len(ANSWER))
        writer.write(b"?")
        after = await read(reader, len(ANSWER))

    assert (before, after) == (ANSWER, ANSWER)
    assert under != ANSWER


async def test_upstream_toxics_concern_the_request() -> None:
    """The server never sees it, and so does not answer."""
    async with proxied(LimitData(size=0, direction=Direction.UP)) as proxy:
        assert await ask(proxy) == b""


async def test_a_proxy_without_upstream_resets() -> None:
    """The client learns that there is no server, and not only that it is slow."""
    async with proxied() as elsewhere:
        nobody = elsewhere.port
    async with FaultProxy.running(("127.0.0.1", nobody)) as proxy, client(proxy) as (reader, writer):
        writer.write(b"?")
        with pytest.raises(ConnectionResetError):
            await reader.read()


@pytest.mark.parametrize("wrong", [{"share": 1.5}, {"share": -1}, {"seconds": -1.0}])
def test_an_invalid_toxic_is_refused(wrong: dict[str, float]) -> None:
    """When it is made, not when it is met."""
    with pytest.raises(ValueError, match=r"share|negative"):
        Latency(**wrong)
