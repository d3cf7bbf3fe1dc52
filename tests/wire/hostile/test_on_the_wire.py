"""
Floods below the document: headers, chunks and interim answers without end, told to the real engine.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

import httpx
import pytest

from adapters.errors import AgencyError, AgencyTimeout, AgencyUnreachable, AnswerUnreadable
from adapters.wire.reqwest_transport import ReqwestTransport
from adapters.wire.transport import AgencyTransport

pytestmark = pytest.mark.anyio

Say = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[bool]]
OK: Final = b"HTTP/1.1 200 OK\r\n"
CHUNKED: Final = OK + b"Transfer-Encoding: chunked\r\n\r\n"


def pouring(first: bytes, piece: bytes) -> Say:
    """Says something and then goes on for as long as anybody listens."""

    async def say(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        try:
            writer.write(first)
            while True:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0)
        finally:
            # Nobody reads what is left.
            writer.transport.abort()

    return say


FLOODS: Final = {
    "headers": pouring(OK, b"X-A: b\r\n" * 1000),
    "one header": pouring(OK + b"X-A: ", b"b" * 10_000),
    "the status line": pouring(b"HTTP/1.1 200 ", b"O" * 10_000),
    "an extension of a chunk": pouring(CHUNKED + b"1;", b"x" * 10_000),
    "trailers": pouring(CHUNKED + b"0\r\n", b"X-A: b\r\n" * 1000),
    "a body": pouring(OK + b"Content-Type: application/json\r\n\r\n", b" " * 65_536),
    "small chunks": pouring(CHUNKED, (b"20\r\n" + b" " * 32 + b"\r\n") * 2_000),
}
# Interim answers are thrown away as they come: nothing grows, and the time of the attempt ends it.
UNTIL_LATE: Final = {"interim answers": pouring(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n" * 100)}


async def told(address: str, seconds: float) -> AgencyError | None:
    """What one request to a server ends as."""
    port = AgencyTransport(ReqwestTransport(connections=1, https_only=False))
    try:
        until = asyncio.get_running_loop().time() + seconds
        await port.send(httpx.URL(address), [], b"", until)
    except AgencyError as error:
        return error
    finally:
        await port.aclose()
    return None


@pytest.mark.parametrize("flood", FLOODS.values(), ids=FLOODS.keys())
async def test_a_flood_is_cut_off(raw_server: Any, flood: Say) -> None:
    """Long before the deadline, and not by it."""
    async with raw_server(flood).serving() as address:
        error = await told(address, 30)

    assert isinstance(error, (AnswerUnreadable, AgencyUnreachable))
    assert error.__context__ is None


@pytest.mark.parametrize("flood", UNTIL_LATE.values(), ids=UNTIL_LATE.keys())
async def test_what_never_begins_ends_with_its_time(raw_server: Any, flood: Say) -> None:
    """And as nothing else than late."""
    async with raw_server(flood).serving() as address:
        error = await told(address, 0.3)

    assert isinstance(error, (AgencyTimeout, AgencyUnreachable, AnswerUnreadable))
