"""
An HTTP server on uvicorn that drains: from its start to the last answer.

When it is stopped (SIGTERM, Ctrl-C), readiness and new requests are 503 at once while requests in flight are answered;
then the port is closed, the log's queue written and everything released.  A second signal hastens that, and skips
nothing.
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

from gateway.api.middleware import DrainState
from gateway.sign_on.mtls import ClientCertificates

# A stopped hub still reads requests on open connections for so long, to answer that it is stopping.
LINGER_SECONDS: Final = 0.3
# A client may take so long to receive an answer that was begun in time.
SENDING_SECONDS: Final = 5
_STOP_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


class UvicornServer(uvicorn.Server):
    """
    uvicorn that drains, and returns from `run` instead of raising the signal again.

    `drain` (seconds) bounds the wait for requests in flight.
    """

    def __init__(self, config: uvicorn.Config, drain_state: DrainState, drain: float) -> None:
        super().__init__(config)
        self._drain_state = drain_state
        self._drain = drain
        self._listeners: list[socket.socket] = []
        self._loop: asyncio.AbstractEventLoop | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        # Duplicates, because connections that wait at them can still be accepted after the server has closed its own.
        self._listeners = [listener.dup() for listener in sockets or ()]
        await super().startup(sockets)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._drain_state.close()
        await self._drain_state.drained(self._drain)
        for server in self.servers:
            server.close()
        await self._accept_waiting()
        until = asyncio.get_running_loop().time() + LINGER_SECONDS
        while self.server_state.connections and asyncio.get_running_loop().time() < until:  # noqa: ASYNC110 - uvicorn's
            await asyncio.sleep(LINGER_SECONDS / 20)
        await super().shutdown(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002
        hasten = self.should_exit
        self.should_exit = True
        self._drain_state.close()
        if hasten and self._loop is not None:
            self._loop.call_soon_threadsafe(self._drain_state.cancel_requests)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self.handle_exit) for number in _STOP_SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    async def _accept_waiting(self) -> None:
        """Accepts the connections that wait in the backlog, which closing would reset without an answer."""
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


def server_config(app: ASGIApp, tls: ssl.SSLContext | None = None) -> uvicorn.Config:
    """
    The configuration of uvicorn for a server of ours.

    With `tls` it serves HTTPS alone, and the application sees the client certificates.
    """
    return uvicorn.Config(
        app,
        http="auto" if tls is None else ClientCertificates,
        ssl_context_factory=None if tls is None else lambda _config, _default: tls,
        lifespan="on",
        # Requests are recorded in the audit log only.
        access_log=False,
        # The program configures the log.
        log_config=None,
        log_level="warning",
        server_header=False,
        # Headers of proxies about their clients are not trusted.
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
