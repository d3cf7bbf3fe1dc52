"""
HTTP/1.1 over a transport that faults can control; httptools parses the requests.
"""

import asyncio
import socket
import struct
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import httptools

from mock_agencies.exchange import Delivery, MockRequest, MockResponse

BODY_CAP: Final = 1 << 20
_RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)

Respond = Callable[[MockRequest], MockResponse]


class Connection(asyncio.Protocol):
    """
    One connection: answers requests in their order.  An ordinary answer is written within the callback that read its
    request; one that travels badly has a task of its own, and later requests wait for it.  It keeps itself in
    `open_ones` while it is open.
    """

    def __init__(self, respond: Respond, open_ones: "set[Connection]") -> None:
        self._respond = respond
        self._open_ones = open_ones
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport | None = None
        self._gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._room = asyncio.Event()
        self._room.set()
        self._waiting: deque[tuple[MockRequest, bool]] = deque()
        self._delivering: asyncio.Task[None] | None = None
        self._begin()

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # a stream server's transport is a Transport
        self._open_ones.add(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self._transport = None
        self._open_ones.discard(self)
        self._room.set()
        if not self._gone.done():
            self._gone.set_result(None)

    def pause_writing(self) -> None:
        self._room.clear()

    def resume_writing(self) -> None:
        self._room.set()

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserCallbackError:
            raise  # a defect of ours: let it be seen
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._refuse(400)

    # httptools

    def on_message_begin(self) -> None:
        self._begin()

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        if self._headers.get("expect", "").lower() == "100-continue":
            self.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        self._length += len(body)
        if self._length > BODY_CAP:
            self._refuse(413)
        else:
            self._body.append(body)

    def on_message_complete(self) -> None:
        if self._length > BODY_CAP:
            return
        path, _, query = self._url.decode("latin-1").partition("?")
        method = self._parser.get_method().decode("ascii")
        request = MockRequest(method, path, query, self._headers, b"".join(self._body))
        keep_alive = self._parser.should_keep_alive()
        if self._delivering is None:
            self._answer(request, keep_alive)
        else:
            self._waiting.append((request, keep_alive))

    # Line

    def write(self, piece: bytes) -> None:
        if self._transport is not None:
            self._transport.write(piece)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()
            self._transport = None

    def reset(self) -> None:
        if self._transport is not None:
            self._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            self._transport.abort()
            self._transport = None

    async def drain(self) -> None:
        # A full turn of the loop first, in which the other side's end is noticed.
        await asyncio.sleep(0)
        await self._room.wait()
        if self._transport is None:
            raise ConnectionResetError

    async def pause(self, seconds: float | None) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(self._gone), seconds)
        if self._transport is None:
            raise ConnectionResetError

    def abandon(self) -> None:
        """Ends the connection and whatever is still being delivered over it; the server is closing."""
        if self._delivering is not None:
            self._delivering.cancel()
        if self._transport is not None:
            self._transport.abort()

    def _begin(self) -> None:
        self._url = b""
        self._headers: dict[str, str] = {}
        self._body: list[bytes] = []
        self._length = 0

    def _refuse(self, status: int) -> None:
        self.write(MockResponse(b"", "text/plain", status, (("connection", "close"),)).wire)
        self.close()

    def _answer(self, request: MockRequest, keep_alive: bool) -> None:
        answer = self._respond(request)
        if answer.deliver is None:
            self.write(answer.wire)
            if not keep_alive:
                self.close()
        else:
            self._delivering = asyncio.create_task(self._deliver(answer.deliver, answer.wire, keep_alive))

    async def _deliver(self, deliver: Delivery, wire: bytes, keep_alive: bool) -> None:
        with suppress(ConnectionResetError):
            await deliver(self, wire)
        self._delivering = None
        if not keep_alive:
            self.close()
        while self._waiting and self._delivering is None and self._transport is not None:
            self._answer(*self._waiting.popleft())
