"""
The transport port on the real engine, against servers that misbehave on the bare connection.
"""

import asyncio
import random
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from adapters.errors import (
    AgencyError,
    AgencyFault,
    AgencyTimeout,
    AgencyUnavailable,
    AgencyUnreachable,
    AnswerUnreadable,
)
from adapters.wire.reqwest_transport import ReqwestTransport
from adapters.wire.transport import AgencyTransport, WireResponse
from schemas.codes import Reason

pytestmark = pytest.mark.anyio

OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello"
LIMIT = 100_000

Say = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[bool]]


@asynccontextmanager
async def port(*, connections: int = 4, https_only: bool = False) -> AsyncIterator[AgencyTransport]:
    """A port on the real engine, closed at the end."""
    opened = AgencyTransport(ReqwestTransport(connections=connections, https_only=https_only), body_limit=LIMIT)
    try:
        yield opened
    finally:
        await opened.aclose()


async def send(through: AgencyTransport, address: str, *, within: float = 5, body: bytes = b"question") -> WireResponse:
    """One request."""
    until = asyncio.get_running_loop().time() + within
    return await through.send(httpx.URL(f"{address}/canary-path"), [(b"Content-Type", b"text/plain")], body, until)


def saying(*pieces: bytes, more: bool = True) -> Say:
    """Writes the pieces, one packet each, and then goes on or hangs up."""

    async def say(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)
        return more

    return say


async def hang(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> bool:
    """Says nothing until the other side hangs up."""
    await reader.read()
    return False


async def reset(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    """Breaks the connection."""
    writer.transport.abort()
    return False


async def drip(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    """Promises a body and gives a byte of it now and then."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while not writer.is_closing():
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.005)
    return False


async def test_a_request_and_its_answer_pass_unchanged(raw_server: Any) -> None:
    """Lean: no cookie, no compression, nothing that names a person or a library."""
    server = raw_server(saying(OK))
    async with server.serving() as address, port() as through:
        reply = await send(through, address)

    assert reply == WireResponse(200, "text/plain", None, b"hello")
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    line, *headers = head.decode().split("\r\n")
    assert line == "POST /canary-path HTTP/1.1"
    assert sorted(header.partition(":")[0].lower() for header in headers) == [
        "accept",
        "content-length",
        "content-type",
        "host",
        "user-agent",
    ]
    assert body == b"question"


async def test_a_connection_serves_many_requests(raw_server: Any) -> None:
    """One at a time over one connection."""
    server = raw_server(saying(OK))
    async with server.serving() as address, port() as through:
        for _ in range(20):
            await send(through, address)
        assert server.open == 1

    assert len(server.requests) == 20


async def test_an_answer_in_pieces_is_put_together(raw_server: Any) -> None:
    """Chunked, and larger than one piece of the engine."""
    chunk = b"%x\r\n%s\r\n" % (40_000, b"x" * 40_000)
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nRetry-After: 3\r\n\r\n"
    async with raw_server(saying(head, chunk, chunk, b"0\r\n\r\n")).serving() as address, port() as through:
        reply = await send(through, address)

    assert reply == WireResponse(200, "", "3", b"x" * 80_000)


async def test_a_refused_connection_says_that_nothing_was_sent() -> None:
    """So another attempt is harmless whatever the question."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{closed.getsockname()[1]}"
        async with port() as through:
            with pytest.raises(AgencyUnreachable) as caught:
                await send(through, address)

    assert (caught.value.sent, caught.value.repeatable) == (False, True)


async def test_an_address_that_must_be_encrypted_is_not_spoken_to_in_clear(raw_server: Any) -> None:
    """The engine itself refuses, whatever the route says."""
    server = raw_server(saying(OK))
    async with server.serving() as address, port(https_only=True) as through:
        with pytest.raises(AgencyError):
            await send(through, address)

    assert server.requests == []


@pytest.mark.parametrize("behaviour", [reset, saying(more=False)], ids=["reset", "closed after reading"])
async def test_a_server_that_reads_and_hangs_up_is_hit_exactly_once(raw_server: Any, behaviour: Say) -> None:
    """It may have accepted the question: nothing is resent behind our back, and we say that it was sent."""
    server = raw_server(behaviour)
    async with server.serving() as address, port() as through:
        with pytest.raises(AgencyUnreachable) as caught:
            await send(through, address)

    assert caught.value.sent is True
    assert len(server.requests) == 1


async def test_a_kept_connection_that_breaks_is_not_hit_twice_either(raw_server: Any) -> None:
    """Engines like to resend on a connection from the pool."""
    answers = iter([True, True, False])

    async def twice(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        if next(answers):
            return await saying(OK)(reader, writer)
        return await reset(reader, writer)

    server = raw_server(twice)
    async with server.serving() as address, port(connections=1) as through:
        await send(through, address)
        await send(through, address)
        with pytest.raises(AgencyUnreachable) as caught:
            await send(through, address)

    assert caught.value.sent is True
    assert len(server.requests) == 3


@pytest.mark.parametrize("behaviour", [hang, drip], ids=["hangs after reading", "drips"])
async def test_one_deadline_covers_the_whole_answer(raw_server: Any, behaviour: Say) -> None:
    """A byte now and then does not prolong it, and the connection is closed at once."""
    server = raw_server(behaviour)
    async with server.serving() as address, port() as through:
        with pytest.raises(AgencyTimeout):
            await send(through, address, within=0.1)
        await server.until(lambda: server.open == 0)

    assert len(server.requests) == 1


async def test_a_deadline_that_has_passed_sends_nothing(raw_server: Any) -> None:
    """Not even a connection is made."""
    server = raw_server(saying(OK))
    async with server.serving() as address, port() as through:
        with pytest.raises(AgencyTimeout):
            await send(through, address, within=0)

    assert server.requests == []


@pytest.mark.parametrize(
    "behaviour",
    [
        saying(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello", more=False),
        saying(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", more=False),
        saying(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n", more=False),
        saying(b"this is not HTTP\r\n\r\n", more=False),
        saying(b"HTTP/1.1 200 OK\r\nX: " + b"a" * 1_000_000 + b"\r\n\r\n", more=False),
        saying(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello"),
        saying(b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 5\r\n\r\nhello"),
    ],
    ids=["cut short", "chunks cut short", "not chunks", "not http", "endless header", "gzip", "brotli"],
)
async def test_an_answer_that_is_not_whole_or_not_plain_is_unreadable(raw_server: Any, behaviour: Say) -> None:
    """Nothing is inflated: a small answer cannot become a large one."""
    async with raw_server(behaviour).serving() as address, port() as through:
        with pytest.raises(AnswerUnreadable):
            await send(through, address)


@pytest.mark.parametrize(
    "head",
    [b"Content-Length: 1000000000", b"Transfer-Encoding: chunked", b"Connection: close"],
    ids=["announced", "chunked", "until closed"],
)
async def test_a_flood_is_cut_off_at_the_limit(raw_server: Any, head: bytes) -> None:
    """Counted while it comes, whatever was announced; then the connection is closed."""

    async def flood(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        writer.write(b"HTTP/1.1 200 OK\r\n%s\r\n\r\n" % head)
        while not writer.is_closing():
            writer.write(b"2000\r\n" + b"x" * 0x2000 + b"\r\n" if b"chunked" in head else b"x" * 0x2000)
            await writer.drain()
        return False

    server = raw_server(flood)
    async with server.serving() as address, port() as through:
        with pytest.raises(AnswerUnreadable):
            await send(through, address)
        await server.until(lambda: server.open == 0)


async def test_an_answer_of_exactly_the_limit_is_read(raw_server: Any) -> None:
    """One byte more is not."""
    body = b"x" * LIMIT
    exact = saying(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (LIMIT, body))
    above = saying(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%sx" % (LIMIT + 1, body))
    async with raw_server(exact).serving() as address, port() as through:
        assert len((await send(through, address)).body) == LIMIT
    async with raw_server(above).serving() as address, port() as through:
        with pytest.raises(AnswerUnreadable):
            await send(through, address)


@pytest.mark.parametrize("status", [b"301 Moved", b"302 Found", b"307 Temporary", b"308 Permanent"])
async def test_a_redirect_is_returned_and_not_followed(raw_server: Any, status: bytes) -> None:
    """A question about a person goes where the configuration says, and nowhere else."""
    target = raw_server(saying(OK))
    async with target.serving() as elsewhere:
        moved = b"HTTP/1.1 %s\r\nLocation: %s/x\r\nContent-Length: 0\r\n\r\n" % (status, elsewhere.encode())
        async with raw_server(saying(moved)).serving() as address, port() as through:
            reply = await send(through, address)

    assert (reply.status, target.requests) == (int(status[:3]), [])


async def test_a_cookie_is_not_sent_back(raw_server: Any) -> None:
    """Two clerks' questions share nothing."""
    server = raw_server(saying(OK.replace(b"Content-Type", b"Set-Cookie: canary=1\r\nContent-Type")))
    async with server.serving() as address, port() as through:
        await send(through, address)
        await send(through, address)

    assert not any(b"cookie" in request.lower() for request in server.requests)


async def test_the_environment_s_proxy_is_not_used(raw_server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Outward ways are configuration, not environment."""
    server = raw_server(saying(OK))
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    async with server.serving() as address, port() as through:
        assert (await send(through, address)).status == 200


async def test_a_full_pool_says_so_and_sends_nothing(raw_server: Any) -> None:
    """The bulkhead before it bounds the waiting; this is the last resort."""
    server = raw_server(hang)
    async with server.serving() as address, port(connections=1) as through:
        waiting = asyncio.create_task(send(through, address))
        await server.until(lambda: len(server.requests) == 1)

        with pytest.raises(AgencyUnavailable) as caught:
            await send(through, address)

        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    assert (caught.value.reason, len(server.requests)) == (Reason.OVERLOADED, 1)


async def test_a_storm_of_cancellations_leaves_every_connection_usable(raw_server: Any) -> None:
    """A gateway cancels all day: deadlines, disconnects, breakers.  Afterwards ten of ten slots serve at once."""
    chance = random.Random(1)
    stormy = True
    at_once = 0
    all_ten = asyncio.Event()

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        nonlocal at_once
        if stormy:
            await asyncio.sleep(chance.random() * 0.01)
        else:
            at_once += 1
            if at_once == 10:
                all_ten.set()
            await all_ten.wait()
        writer.write(OK)
        return True

    async with raw_server(answer).serving() as address, port(connections=10) as through:
        for _ in range(60):
            storm = [asyncio.create_task(send(through, address)) for _ in range(20)]
            await asyncio.sleep(chance.random() * 0.012)
            for task in storm:
                task.cancel()
            await asyncio.gather(*storm, return_exceptions=True)
        await asyncio.sleep(0.02)

        stormy = False
        replies = await asyncio.gather(*(send(through, address) for _ in range(10)))

    assert [reply.status for reply in replies] == [200] * 10


async def test_cancelled_requests_to_a_silent_agency_give_their_connections_back_in_time(raw_server: Any) -> None:
    """The engine goes on with a cancelled request, but not beyond the time that the request was given."""
    silent = True

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        return await (hang if silent else saying(OK))(reader, writer)

    server = raw_server(answer)
    async with server.serving() as address, port(connections=2) as through:
        hung = [asyncio.create_task(send(through, address, within=0.2)) for _ in range(2)]
        await server.until(lambda: len(server.requests) == 2)
        for task in hung:
            task.cancel()
        await asyncio.gather(*hung, return_exceptions=True)

        silent = False
        replies = await asyncio.gather(*(send(through, address) for _ in range(2)))

    assert [reply.status for reply in replies] == [200] * 2


@pytest.mark.parametrize("cut", range(12))
async def test_a_request_cancelled_at_any_moment_gives_its_connection_back(raw_server: Any, cut: int) -> None:
    """Before it is sent, while it waits, in the middle of the body."""
    pieces = [OK[:40], OK[40:-2], OK[-2:]]
    async with raw_server(saying(*pieces)).serving() as address, port(connections=1) as through:
        task = asyncio.create_task(send(through, address))
        for _ in range(cut):
            await asyncio.sleep(0.0005)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

        assert (await send(through, address)).body == b"hello"


@pytest.mark.parametrize(
    ("raised", "meant", "sent"),
    [
        (httpx.ConnectError, AgencyUnreachable, False),
        (httpx.ConnectTimeout, AgencyUnreachable, False),
        (httpx.PoolTimeout, AgencyUnavailable, None),
        (httpx.ReadTimeout, AgencyTimeout, None),
        (httpx.ReadError, AgencyUnreachable, True),
        (httpx.WriteError, AgencyUnreachable, True),
        (httpx.RemoteProtocolError, AnswerUnreadable, None),
        (httpx.DecodingError, AnswerUnreadable, None),
        (httpx.TooManyRedirects, AgencyUnreachable, True),
    ],
)
async def test_a_mounted_transport_means_the_same(raised: type[Exception], meant: type[AgencyError], sent: Any) -> None:
    """Engines that speak httpx's own exceptions fit the same door."""

    def fail(request: httpx.Request) -> httpx.Response:
        raise raised("canary")

    with pytest.raises(meant) as caught:
        await send(AgencyTransport(httpx.MockTransport(fail)), "http://127.0.0.1:9")

    assert (caught.value.__cause__, caught.value.__context__) == (None, None)
    assert getattr(caught.value, "sent", None) is sent


@pytest.mark.parametrize(
    "behaviour",
    [reset, hang, drip, saying(b"canary is not HTTP\r\n\r\n", more=False)],
    ids=["reset", "hang", "drip", "not http"],
)
async def test_no_error_of_the_engine_hangs_on_ours(raw_server: Any, behaviour: Say) -> None:
    """Its texts hold the address."""
    async with raw_server(behaviour).serving() as address, port() as through:
        with pytest.raises(AgencyError) as caught:
            await send(through, address, within=0.1)

    error = caught.value
    assert (error.__cause__, error.__context__) == (None, None)
    assert not any(word in f"{error!s}{error!r}{error.args}" for word in ("127.0.0.1", "canary", "http:"))


@pytest.mark.parametrize(
    "elsewhere",
    ["http://{host}:{other}", "https://{host}:{port}", "http://localhost:{port}", "http://agency@{host}:{port}"],
)
async def test_a_port_speaks_to_its_agency_and_to_nobody_else(raw_server: Any, elsewhere: str) -> None:
    """Whatever mistake made the address: another scheme, host or port is refused before anything is sent."""
    server, other = raw_server(saying(OK)), raw_server(saying(OK))
    async with server.serving() as address, other.serving() as wrong:
        host, number = "127.0.0.1", address.rpartition(":")[2]
        asked = elsewhere.format(host=host, port=number, other=wrong.rpartition(":")[2])
        pinned = AgencyTransport(ReqwestTransport(connections=1, https_only=False), address=address)
        reply = await send(pinned, address)
        with pytest.raises(AgencyFault) as caught:
            await send(pinned, asked)
        await pinned.aclose()

    assert (reply.status, len(server.requests), other.requests) == (200, 1, [])
    assert caught.value.reason is Reason.NOT_CONFIGURED
