"""
The transport port: the one narrow door through which bytes go to an agency and come back.

It knows only `handle_async_request` of an `httpx.AsyncBaseTransport`, so that the engine can be exchanged and tests can
mount a mock.  No redirect, cookie, proxy or authentication flow is here, because none is wanted.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, cast

import httpx

from adapters.errors import (
    AgencyError,
    AgencyFault,
    AgencyTimeout,
    AgencyUnavailable,
    AgencyUnreachable,
    AnswerUnreadable,
)
from schemas.codes import Reason

BODY_LIMIT: Final = 5_000_000

Headers = Sequence[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class WireResponse:
    """One HTTP answer, whole: status, the three headers that mean something here, body."""

    status: int
    content_type: str
    retry_after: str | None
    body: bytes = field(repr=False)


class AgencyTransport:
    """
    Sends one request to one agency and returns its whole answer, or raises one of six errors of ours.

    `AgencyTimeout`: not whole by the given time.  `AgencyUnreachable`: the connection failed or broke, `sent` is False
    only when surely nothing left the house.  `AgencyUnavailable(overloaded)`: no free connection, nothing was sent.
    `AnswerUnreadable`: not HTTP, cut short, encoded or larger than the limit (bytes).  `AgencyFault`: the agency's
    certificate is not to be trusted, or the request is for another place than scheme, host and port of `address`, and
    nothing was sent.  `CredentialsRejected`: it does not take our certificate.

    A cancelled request gives its connection back by the time given to it, at latest.
    """

    def __init__(
        self, transport: httpx.AsyncBaseTransport, *, address: str | None = None, body_limit: int = BODY_LIMIT
    ) -> None:
        self._transport = transport
        self._origin = None if address is None else _origin(httpx.URL(address))
        self._body_limit = body_limit

    async def send(self, url: httpx.URL, headers: Headers, body: bytes, until: float) -> WireResponse:
        """
        Posts `body`; `until` is a point on the event loop's clock that covers connecting, sending and the whole body.
        """
        if self._origin is not None and _origin(url) != self._origin:
            # Whatever made such an address: a question with a name in it goes where the configuration says.
            raise AgencyFault(Reason.NOT_CONFIGURED)
        left = until - asyncio.get_running_loop().time()
        if left <= 0:
            raise AgencyTimeout
        request = httpx.Request(
            "POST", url, headers=headers, stream=httpx.ByteStream(body), extensions={"timeout": {"read": left}}
        )
        failure: AgencyError
        try:
            async with asyncio.timeout_at(until):
                return await self._exchange(request)
        except TimeoutError:
            failure = AgencyTimeout()
        except (httpx.HTTPError, httpx.StreamError) as error:
            failure = _to_agency_error(error)
        # Raised here, after the handler, so that no library's exception hangs on as its context.
        raise failure

    async def aclose(self) -> None:
        """Closes every connection; requests in flight end as `AgencyUnreachable`."""
        await self._transport.aclose()

    async def _exchange(self, request: httpx.Request) -> WireResponse:
        response = await self._transport.handle_async_request(request)
        stream = cast("httpx.AsyncByteStream", response.stream)
        try:
            headers = {name.lower(): value.decode("latin-1") for name, value in response.headers.raw}
            if headers.get(b"content-encoding", "identity").strip().lower() != "identity":
                raise AnswerUnreadable(at="content-encoding")
            body = await self._read(stream)
        finally:
            await stream.aclose()
        return WireResponse(response.status_code, headers.get(b"content-type", ""), headers.get(b"retry-after"), body)

    async def _read(self, stream: httpx.AsyncByteStream) -> bytes:
        pieces: list[bytes] = []
        size = 0
        async for piece in stream:
            size += len(piece)
            if size > self._body_limit:
                raise AnswerUnreadable(at="body")
            pieces.append(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _origin(url: httpx.URL) -> tuple[str, str, int, bytes]:
    port = url.port or (443 if url.scheme == "https" else 80)
    return url.scheme, url.host, port, url.userinfo


def _to_agency_error(error: Exception) -> AgencyError:
    # For engines that speak httpx's own exceptions, as mounted mocks do.
    match error:
        case httpx.ConnectError() | httpx.ConnectTimeout() | httpx.UnsupportedProtocol():
            return AgencyUnreachable(sent=False)
        case httpx.PoolTimeout():
            return AgencyUnavailable(Reason.OVERLOADED)
        case httpx.TimeoutException():
            return AgencyTimeout()
        case httpx.ProtocolError() | httpx.DecodingError() | httpx.StreamError():
            return AnswerUnreadable(at="body")
        case _:
            return AgencyUnreachable(sent=True)
