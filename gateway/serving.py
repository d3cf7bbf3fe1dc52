"""
Serving a hub over HTTP with uvicorn.
"""

import gc
import socket
import ssl

import uvicorn
from starlette.types import ASGIApp

from gateway.api.app import create_app
from gateway.hub import Hub
from gateway.settings import Settings
from gateway.sign_on.certificates import ClientCertificates

# Longer than any lookup's deadline: what is in flight when the hub is told to stop may still be answered.
DRAIN_SECONDS = 35

COLLECT_AFTER = (20_000, 20, 50)


def application(settings: Settings) -> ASGIApp:
    """The application of one hub; the hub itself is made when the server starts."""

    async def start() -> Hub:
        hub = await Hub.start(settings)
        _spare_the_collector()
        return hub

    return create_app(start, in_flight=settings.in_flight)


def bind(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes any free one.  Raises `OSError`."""
    listener = socket.create_server((host, port), backlog=2048)
    listener.set_inheritable(True)
    return listener


def make_server(app: ASGIApp, tls: ssl.SSLContext | None = None) -> uvicorn.Server:
    """
    A server without access log: what was asked stands in the audit log, and nowhere else.

    With `tls` it speaks HTTPS alone, and the application sees the certificates of its clients.
    """
    return uvicorn.Server(
        uvicorn.Config(
            app,
            http="auto" if tls is None else ClientCertificates,
            ssl_context_factory=None if tls is None else lambda _config, _default: tls,
            lifespan="on",
            access_log=False,
            log_level="warning",
            server_header=False,
            # What a proxy says of its callers is believed nowhere.
            proxy_headers=False,
            date_header=True,
            timeout_keep_alive=30,
            timeout_graceful_shutdown=DRAIN_SECONDS,
        )
    )


def _spare_the_collector() -> None:
    # Code and tables live as long as the process: the collector need not walk them, nor start after every few answers.
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)
