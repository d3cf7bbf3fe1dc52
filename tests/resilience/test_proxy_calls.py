"""
Calls through a bad network: real engine, real port, real proxy.  Whatever happens to the bytes, a call ends by itself
with one of our errors, nothing of it is left, and the next one over a healed network succeeds.
"""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from adapters.errors import AgencyError, AgencyTimeout, AgencyUnreachable, AnswerUnreadable
from adapters.wire.reqwest_transport import ReqwestTransport
from adapters.wire.transport import AgencyTransport, WireResponse
from mock_agencies.fault_proxy import (
    Bandwidth,
    Direction,
    FaultProxy,
    Garbage,
    Latency,
    LimitData,
    Refuse,
    Reset,
    Slicer,
    SlowClose,
    Timeout,
    Toxic,
)

pytestmark = pytest.mark.anyio

BODY = b"x" * 2_000
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 2000\r\n\r\n" + BODY
PATIENT = 30.0
SHORT = 0.25

UP, DOWN = Direction.UP, Direction.DOWN
ENDLESS: list[Toxic] = [
    Timeout(),
    Timeout(after=500),
    Timeout(direction=UP),
    Latency(seconds=60),
    Bandwidth(rate=20),
    Slicer(size=1, seconds=0.05),
]
SPOILT: list[tuple[Toxic, type[AgencyError]]] = [
    (Reset(), AgencyUnreachable),
    (Reset(direction=UP), AgencyUnreachable),
    (Reset(after=500), AnswerUnreadable),
    (LimitData(size=0), AgencyUnreachable),
    (LimitData(size=500), AnswerUnreadable),
    (Garbage(), AnswerUnreadable),
    (Refuse(), AgencyUnreachable),
    (Refuse(share=0.999), AgencyUnreachable),
]
HARMLESS: list[Toxic] = [
    Latency(seconds=0.01, jitter=0.01),
    Bandwidth(rate=100_000),
    Slicer(size=700, vary=300),
    SlowClose(seconds=0.01),
    Garbage(after=1_000, size=100),
]


@asynccontextmanager
async def agency() -> AsyncIterator[FaultProxy]:
    """An agency behind a proxy."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
                await reader.readexactly(length)
                writer.write(ANSWER)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server, FaultProxy.running(server.sockets[0].getsockname()) as proxy:
        yield proxy


@asynccontextmanager
async def port(connections: int = 1) -> AsyncIterator[AgencyTransport]:
    """A port on the real engine; with one connection, a call that kept it would be the last one."""
    opened = AgencyTransport(ReqwestTransport(connections=connections, https_only=False))
    try:
        yield opened
    finally:
        await opened.aclose()


async def ask(through: AgencyTransport, proxy: FaultProxy, within: float) -> WireResponse:
    """One question; `within` seconds it ends."""
    until = asyncio.get_running_loop().time() + within
    return await through.send(httpx.URL(f"{proxy.address}/ask"), [(b"content-type", b"text/plain")], b"question", until)


@pytest.mark.parametrize("toxic", ENDLESS, ids=lambda toxic: f"{toxic.kind} {toxic.direction.value}")
def test_endless_answers_time_out_and_leave_no_connection(toxic: Toxic) -> None:
    """No task of the call, no connection: the only one serves the next question at once."""
    # A loop of its own: hubs of other tests may live in the common one.
    asyncio.run(times_out_and_leaves_nothing(toxic))


async def times_out_and_leaves_nothing(toxic: Toxic) -> None:
    """One call under what would not end, and one after it."""
    async with agency() as proxy, port() as through:
        tasks = asyncio.all_tasks()
        async with proxy.with_toxics(toxic):
            with pytest.raises(AgencyTimeout):
                await ask(through, proxy, SHORT)
        await proxy.idle()

        left = asyncio.all_tasks() - tasks
        assert [task for task in left if not str(task.get_coro()).startswith("<coroutine object agency.")] == []
        assert (await ask(through, proxy, PATIENT)).body == BODY


@pytest.mark.parametrize(("toxic", "error"), SPOILT, ids=lambda parameter: getattr(parameter, "kind", None))
async def test_broken_connections_are_distinguished_and_the_next_question_is_answered(
    toxic: Toxic, error: type[AgencyError]
) -> None:
    """Long before its deadline: a broken connection is no reason to wait."""
    async with agency() as proxy, port() as through:
        async with proxy.with_toxics(toxic):
            with pytest.raises(error):
                await ask(through, proxy, PATIENT)
        await proxy.idle()

        assert (await ask(through, proxy, PATIENT)).body == BODY


@pytest.mark.parametrize("toxic", HARMLESS, ids=lambda toxic: toxic.kind)
async def test_slow_or_sliced_answers_pass(toxic: Toxic) -> None:
    """The port gives the bytes as they came; what they mean is for the family to say."""
    async with agency() as proxy, port() as through, proxy.with_toxics(toxic):
        reply = await ask(through, proxy, PATIENT)

    assert (reply.status, len(reply.body)) == (200, len(BODY))


async def test_a_dead_kept_alive_connection_fails_one_question_at_most() -> None:
    """As a firewall does it that forgets connections."""
    async with agency() as proxy, port() as through:
        await ask(through, proxy, PATIENT)
        async with proxy.with_toxics(Timeout(direction=UP)):
            with pytest.raises(AgencyTimeout):
                await ask(through, proxy, SHORT)

        assert (await ask(through, proxy, PATIENT)).body == BODY


async def test_after_a_storm_of_2000_cancelled_calls_ten_of_ten_connections_serve() -> None:
    """Twenty workers on a pool of ten, cut off after 1 to 30 ms on a slow network: no slot is lost."""
    chance = random.Random(1)
    cancelled = 0

    async with agency() as proxy, port(connections=10) as through:

        async def worker() -> None:
            nonlocal cancelled
            for _ in range(100):
                call = asyncio.create_task(ask(through, proxy, PATIENT))
                await asyncio.wait({call}, timeout=0.001 + chance.random() * 0.029)
                cancelled += not call.done()
                call.cancel()
                await asyncio.gather(call, return_exceptions=True)

        async with proxy.with_toxics(Latency(seconds=0.05, jitter=0.04)):
            await asyncio.gather(*(worker() for _ in range(20)))

        calls = await asyncio.gather(*(ask(through, proxy, PATIENT) for _ in range(10)))

    assert [call.body for call in calls] == [BODY] * 10
    assert cancelled > 1_000
