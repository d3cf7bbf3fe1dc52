"""
The faults of the socket, seen by a plain client on a real connection.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest

from mock_agencies.agency import MockAgency
from mock_agencies.faults.delivery import DELIVERIES
from mock_agencies.serving import serving

pytestmark = pytest.mark.anyio

REQUEST = b"POST /sysapi/enterprise/basic HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}"
SOON = 0.3


class Line:
    """A connection to a mock agency, with its server."""

    def __init__(self, agency: MockAgency, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.agency = agency
        self.reader = reader
        self.writer = writer

    def ask(self, fault: str | None = None, **options: Any) -> None:
        """Sends a request, under a fault if one is given."""
        if fault:
            self.agency.arm(fault, "registration", times=1, options=options)
        self.writer.write(REQUEST)

    async def answer(self) -> tuple[bytes, bytes]:
        """Head and body of a whole answer."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = next(int(line[15:]) for line in head.split(b"\r\n") if line.startswith(b"content-length:"))
        return head, await self.reader.readexactly(length)

    async def until_quiet(self) -> bytes:
        """All bytes until a pause, on a connection that stays open."""
        received = b""
        try:
            while True:
                piece = await asyncio.wait_for(self.reader.read(65_536), SOON)
                assert piece, "the connection was closed"
                received += piece
        except TimeoutError:
            return received


@pytest.fixture
async def line() -> AsyncIterator[Line]:
    """A connection to market regulation."""
    async with serving(["market_regulation"]) as servers:
        server = servers["market_regulation"]
        assert server.agency is not None
        reader, writer = await asyncio.open_connection("127.0.0.1", int(server.address.rpartition(":")[2]))
        yield Line(server.agency, reader, writer)
        writer.close()
        with suppress(ConnectionResetError):
            await writer.wait_closed()


async def test_requests_without_a_fault_share_a_connection(line: Line) -> None:
    """Three answers over one connection, two of whose requests came at once."""
    line.ask()
    first = await line.answer()
    line.ask()
    line.ask()

    assert [await line.answer(), await line.answer()] == [first, first]
    assert json.loads(first[1])["code"] == 300


async def test_latency_delays_an_answer_and_the_following_ones(line: Line) -> None:
    """The answer comes late and complete, and pipelined requests keep their order."""
    line.agency.arm("latency", "registration", times=1, options={"seconds": 0.05})
    line.ask()
    line.ask("throttled")

    assert (await line.answer())[0].startswith(b"HTTP/1.1 200")
    assert (await line.answer())[0].startswith(b"HTTP/1.1 429")


async def test_hang_never_answers_and_never_closes(line: Line) -> None:
    """Not a byte comes, and the connection stays."""
    line.ask("hang")

    assert await line.until_quiet() == b""


async def test_hang_mid_body_stops_after_half(line: Line) -> None:
    """The head promises more than comes."""
    line.ask("hang_mid_body")
    head, _, body = (await line.until_quiet()).partition(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 200")
    assert 0 < len(body) < int(head.split(b"content-length: ")[1])


async def test_drip_sends_single_bytes(line: Line) -> None:
    """One byte at a time, each the right one."""
    line.ask()
    head, body = await line.answer()
    line.ask("drip", interval=0.001)
    pieces = [await line.reader.read(65_536) for _ in range(10)]

    assert (head + body).startswith(b"".join(pieces))
    assert len(pieces[0]) == 1


async def test_reset_sends_rst(line: Line) -> None:
    """RST: the client's read fails and is not merely empty."""
    line.ask("reset")

    with pytest.raises(ConnectionResetError):
        await line.reader.read()


async def test_reset_mid_body_sends_rst_after_half(line: Line) -> None:
    """Half of the body arrives, then RST."""
    line.ask("reset_mid_body")

    assert (await line.reader.read(10)).startswith(b"HTTP/1.1")
    with pytest.raises(ConnectionResetError):
        await line.reader.read()


async def test_close_after_read_sends_no_byte(line: Line) -> None:
    """The connection ends in an orderly way and without a byte."""
    line.ask("close_after_read")

    assert await line.reader.read() == b""


async def test_truncated_ends_before_the_promised_length(line: Line) -> None:
    """An orderly end in mid-body."""
    line.ask("truncated")
    head, _, body = (await line.reader.read()).partition(b"\r\n\r\n")

    assert 0 < len(body) < int(head.split(b"content-length: ")[1])


async def test_not_http_sends_another_protocol(line: Line) -> None:
    """Bytes of another protocol, and the end."""
    line.ask("not_http")

    assert not (await line.reader.read()).startswith(b"HTTP/")


async def test_a_huge_body_arrives_complete(line: Line) -> None:
    """All the promised bytes come, and the connection serves on."""
    line.ask("huge_body", size=3_000_000)
    _, body = await line.answer()
    line.ask()

    assert len(body) == 3_000_000
    assert (await line.answer())[0].startswith(b"HTTP/1.1 200")


async def test_a_disconnect_ends_a_hanging_delivery(line: Line) -> None:
    """A hanging delivery ends when the other side closes."""
    line.ask("hang")
    await line.until_quiet()
    line.writer.close()
    await line.writer.wait_closed()
    tasks = {task for task in asyncio.all_tasks() if "Connection._deliver" in repr(task)}
    await asyncio.wait_for(asyncio.gather(*tasks), 5)

    assert all(task.done() for task in tasks)


async def test_each_socket_fault_has_a_test_here() -> None:
    """A new one without a test of its own is noticed."""
    tests = [name for name in globals() if name.startswith("test_")]

    assert [fault for fault in DELIVERIES if not any(fault in test for test in tests)] == []


async def test_a_body_above_the_cap_is_refused(line: Line) -> None:
    """413 and the end, long before the promised length."""
    line.writer.write(b"POST /x HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999\r\n\r\n" + bytes(2_000_000))

    assert (await line.reader.read(12)) == b"HTTP/1.1 413"


async def test_a_request_that_is_not_http_is_refused(line: Line) -> None:
    """400 and the end."""
    line.writer.write(b"\x16\x03\x01 hello\r\n\r\n")

    assert (await line.reader.read()).startswith(b"HTTP/1.1 400")


async def test_chunked_bodies_and_expect_continue_are_supported(line: Line) -> None:
    """100 Continue is sent, chunks are joined."""
    line.writer.write(
        b"POST /sysapi/enterprise/basic HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\n"
        b"transfer-encoding: chunked\r\nconnection: close\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n"
    )
    received = await line.reader.read()

    assert received.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK")
    assert line.agency.journal[-1].request.body == b"{}"
