"""
The application that one hub process serves: the API with the pages for people, and the server that starts the hub.
"""

import gc
import socket
import ssl
from collections.abc import Awaitable, Callable
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from adapters.errors import ConfigurationError
from audit.errors import AuditError, LogConfigurationError
from gateway.api import app as api
from gateway.api.middleware import DrainState
from gateway.hub import Hub
from gateway.server import UvicornServer, server_config
from gateway.settings import Settings
from gateway.web.error_pages import for_people
from gateway.web.routes import add_pages

GC_THRESHOLDS: Final = (20_000, 20, 50)
START_ERRORS: Final = (ConfigurationError, LogConfigurationError, AuditError)


def create_app(
    start: Callable[[], Awaitable[Hub]], *, in_flight: int, drain_state: DrainState | None = None
) -> ASGIApp:
    """The API and the pages.  `start` makes the hub when the server starts, in the server's event loop."""
    return api.create_app(
        start, in_flight=in_flight, drain_state=drain_state, add_pages=add_pages, error_page=for_people
    )


class HubServer(UvicornServer):
    """The server of one hub; `failure` is why it could not start."""

    failure: Exception | None = None
    _when_ready: Callable[[], None] = staticmethod(lambda: None)

    def __init__(self, settings: Settings, tls: ssl.SSLContext | None = None) -> None:
        drain_state = DrainState()

        async def start() -> Hub:
            hub = await Hub.start(settings)
            _freeze_startup_objects()
            return hub

        app = create_app(start, in_flight=settings.in_flight, drain_state=drain_state)
        super().__init__(server_config(self._catch_start_errors(app), tls), drain_state, settings.drain)

    def serve_at(self, listener: socket.socket, *, when_ready: Callable[[], None] = lambda: None) -> None:
        """
        Serves until it is stopped; calls `when_ready` once connections are accepted.  Raises what kept the hub
        from starting, one of `START_ERRORS`.
        """
        self._when_ready = when_ready
        try:
            self.run(sockets=[listener])
        except SystemExit:
            if self.failure is None:
                raise
        if self.failure is not None:
            raise self.failure

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._when_ready()

    def _catch_start_errors(self, app: ASGIApp) -> ASGIApp:
        async def catching(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "lifespan":
                await app(scope, receive, send)
                return

            async def without_traceback(message: Message) -> None:
                # What is known has a sentence of its own, told by the program.
                await send({**message, "message": ""} if message["type"] == "lifespan.startup.failed" else message)

            try:
                await app(scope, receive, without_traceback)
            except START_ERRORS as error:
                if self.started:
                    raise
                self.failure = error

        return catching


def _freeze_startup_objects() -> None:
    # Code and tables live as long as the process: the collector need not walk them, nor start after every few answers.
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
