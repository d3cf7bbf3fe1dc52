"""
The engine behind the port: pyreqwest (reqwest and hyper), one client per agency, configured once.
"""

import contextlib
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Final

import httpx
from pyreqwest.client import ClientBuilder
from pyreqwest.exceptions import (
    DecodeError,
    DetailedPyreqwestError,
    PoolTimeoutError,
    PyreqwestError,
    ReadError,
    RequestTimeoutError,
)
from pyreqwest.request import StreamRequest
from pyreqwest.response import Response

from adapters.errors import (
    AgencyError,
    AgencyFault,
    AgencyTimeout,
    AgencyUnavailable,
    AgencyUnreachable,
    AnswerUnreadable,
    CredentialsRejected,
)
from adapters.wire.tls import Trust
from schemas.codes import Reason

CONNECT_TIMEOUT: Final = timedelta(seconds=2)
POOL_TIMEOUT: Final = timedelta(milliseconds=500)

# What the engine says of an agency's certificate: unknown issuer, another name, out of its time, self-signed.
_NOT_TRUSTED: Final = "invalid peer certificate"
# What the agency's side says of ours, in the words of RFC 8446 (6.2).
_OURS_NOT_TRUSTED: Final = re.compile(
    "received fatal alert: (BadCertificate|UnsupportedCertificate|Certificate[A-Z][a-z]+|UnknownC[Aa]|AccessDenied)"
)

# Most answers fit into one piece, and one piece is one crossing into the engine.
_PIECE: Final = 65_536


class ReqwestTransport(httpx.AsyncBaseTransport):
    """
    One agency's connections: `connections` at most, no redirects, cookies, system proxy or compression; `resolve` is a
    host and the network address to take for it.

    It never repeats a request.  Raises the errors that the port promises; every text of this library's exceptions holds
    the address, so none is let out.

    Cancelling detaches a request from this engine but does not abort it: it holds its connection until it ends by
    itself.  So each has a total timeout of its own, or a silent agency would keep the connections of cancelled requests
    for ever.
    """

    def __init__(
        self,
        *,
        connections: int,
        https_only: bool,
        trust: Trust | None = None,
        resolve: tuple[str, str] | None = None,
    ) -> None:
        builder = (
            ClientBuilder()
            .max_connections(connections)
            .pool_max_idle_per_host(connections)
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_timeout(POOL_TIMEOUT)
            .follow_redirects(False)
            .referer(False)
            .default_cookie_store(False)
            .no_proxy()
            .gzip(False)
            .brotli(False)
            .zstd(False)
            .deflate(False)
            .https_only(https_only)
            .min_tls_version("TLSv1.2")
            .user_agent("shuniu")
            # Sockets and TLS are worked by the engine's own threads, beside the event loop.
            .runtime_multithreaded(True)
        )
        if resolve:
            host, address = resolve
            # The port is that of the address that is asked, whatever stands here.
            builder = builder.resolve(host, address, 0)
        self._client = (trust or Trust()).build_client(builder)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        failure: AgencyError
        try:
            exchange = (
                self._client.request(request.method, str(request.url))
                .headers([(name.decode("ascii"), value.decode("latin-1")) for name, value in request.headers.raw])
                .body_bytes(await request.aread())
                .timeout(timedelta(seconds=request.extensions["timeout"]["read"]))
                .build_streamed()
            )
            response = await exchange.__aenter__()
            return httpx.Response(
                response.status, headers=list(response.headers.items()), stream=_ResponseBody(exchange, response)
            )
        except PyreqwestError as error:
            failure = _to_agency_error(error)
        raise failure

    async def aclose(self) -> None:
        await self._client.close()


class _ResponseBody(httpx.AsyncByteStream):
    """A body in pieces; closing it, at any point, gives the connection back."""

    def __init__(self, exchange: StreamRequest, response: Response) -> None:
        self._exchange = exchange
        self._reader = response.body_reader

    async def __aiter__(self) -> AsyncIterator[bytes]:
        failure: AgencyError
        try:
            # A piece is filled up unless the body ends: a short one is the last.
            while (piece := await self._reader.read(_PIECE)) is not None:
                yield bytes(piece)
                if len(piece) < _PIECE:
                    break
        except PyreqwestError as error:
            failure = _to_agency_error(error)
        else:
            return
        raise failure

    async def aclose(self) -> None:
        with contextlib.suppress(PyreqwestError):
            await self._exchange.__aexit__(None, None, None)


def _to_agency_error(error: PyreqwestError) -> AgencyError:
    # The classes are coarse (a server that hangs up is a "ConnectError"); only the causes tell what was sent.
    causes: list[str] = []
    if isinstance(error, DetailedPyreqwestError):
        causes = [cause["message"] for cause in error.details["causes"] or ()]
    if any(_OURS_NOT_TRUSTED.match(cause) for cause in causes):
        return CredentialsRejected()
    if "client error (Connect)" in causes:
        untrusted = any(cause.startswith(_NOT_TRUSTED) for cause in causes)
        return AgencyFault(Reason.CERTIFICATE) if untrusted else AgencyUnreachable(sent=False)
    match error:
        case PoolTimeoutError():
            return AgencyUnavailable(Reason.OVERLOADED)
        case RequestTimeoutError():
            return AgencyTimeout()
        case DecodeError() | ReadError():
            # The answer began and did not end, or is not HTTP at all.
            return AnswerUnreadable(at="body")
        case _:
            return AgencyUnreachable(sent=True)
