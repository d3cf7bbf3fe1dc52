"""
Serving a hub over HTTP with uvicorn, from its start to the last answer.

When it is told to stop (SIGTERM, Ctrl-C), readiness and everything new are 503 at once while what is in flight is
answered; then the port is closed, the log's queue written and everything given back.  A second signal hastens that, and
skips nothing of it.
"""

import asyncio
import signal
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

import uvicorn
from starlette.types import ASGIApp

from gateway.api.draining import DrainState
from gateway.sign_on.mtls import ClientCertificates

# So long a stopped hub still reads what open connections are just sending, to answer that it is stopping.  Seconds.
LINGER_SECONDS: Final = 0.3
# So long a caller may take to receive an answer that was begun in time.
SENDING_SECONDS: Final = 5
_ENDINGS: Final = (signal.SIGINT, signal.SIGTERM)


class UvicornServer(uvicorn.Server):
    """
    uvicorn that ends in the order of this module, and comes back from `run` instead of dying of the signal.

    `drain` (seconds) bounds the waiting for what is in flight.
    """

    def __init__(self, config: uvicorn.Config, door: DrainState, drain: float) -> None:
        super().__init__(config)
        self._door = door
        self._drain = drain
        self._listeners: list[socket.socket] = []
        self._loop: asyncio.AbstractEventLoop | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        # The server's own are gone as soon as they are closed; what waits behind these can still be taken in.
        self._listeners = [one.dup() for one in sockets or ()]
        await super().startup(sockets)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._door.close()
        await self._door.emptied(self._drain)
        for server in self.servers:
            server.close()
        await self._take_in_the_last()
        until = asyncio.get_running_loop().time() + LINGER_SECONDS
        while self.server_state.connections and asyncio.get_running_loop().time() < until:  # noqa: ASYNC110 - uvicorn's
            await asyncio.sleep(LINGER_SECONDS / 20)
        await super().shutdown(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002
        hasten = self.should_exit
        self.should_exit = True
        self._door.close()
        if hasten and self._loop is not None:
            self._loop.call_soon_threadsafe(self._door.hasten)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {one: signal.signal(one, self.handle_exit) for one in _ENDINGS}
        try:
            yield
        finally:
            for one, handler in before.items():
                signal.signal(one, handler)

    async def _take_in_the_last(self) -> None:
        """Connections that the system has made for us and nobody has seen yet: they would be reset without a word."""
        loop = asyncio.get_running_loop()
        for listener in self._listeners:
            listener.setblocking(False)
            with listener:
                while (accepted := _accepted(listener)) is not None:
                    await loop.connect_accepted_socket(self._protocol, accepted, ssl=self.config.ssl)

    def _protocol(self) -> asyncio.Protocol:
        protocol: asyncio.Protocol = self.config.http_protocol_class(  # type: ignore[call-arg]
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )
        return protocol


def bind(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes any free one.  Raises `OSError`."""
    listener = socket.create_server((host, port), backlog=2048)
    listener.set_inheritable(True)
    return listener


def make_server(app: ASGIApp, tls: ssl.SSLContext | None = None) -> UvicornServer:
    """
    A server of any application.

    With `tls` it speaks HTTPS alone, and the application sees the certificates of its clients.
    """
    return UvicornServer(server_config(app, tls), DrainState(), drain=SENDING_SECONDS)


def server_config(app: ASGIApp, tls: ssl.SSLContext | None) -> uvicorn.Config:
    """How every server of ours runs uvicorn."""
    return uvicorn.Config(
        app,
        http="auto" if tls is None else ClientCertificates,
        ssl_context_factory=None if tls is None else lambda _config, _default: tls,
        lifespan="on",
        # What was asked stands in the audit log, and nowhere else.
        access_log=False,
        # Whoever runs this process says where its lines go.
        log_config=None,
        log_level="warning",
        server_header=False,
        # What a proxy says of its callers is believed nowhere.
        proxy_headers=False,
        date_header=True,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=SENDING_SECONDS,
    )


def _accepted(listener: socket.socket) -> socket.socket | None:
    try:
        accepted, _ = listener.accept()
    except OSError:
        return None
    accepted.setblocking(False)
    return accepted
