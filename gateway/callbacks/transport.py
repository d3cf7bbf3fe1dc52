"""
One attempt: a connection to the pinned address, the right asked for once that stands, the body, and a status.

The right is held from just before the first byte until the receiver has answered, at most `HELD` seconds after the
last byte: so that a closing waits for what is on its way, and not for a slow receiver.  Redirects, cookies and proxies
do not exist here; what the receiver says besides its status is not read.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import httpx

from adapters.retry_after import parse_retry_after
from gateway.callbacks.outbox import Permit, Stop
from gateway.callbacks.states import Failure

CONNECT: Final = 5.0
SEND: Final = 2.0
ANSWER: Final = 15.0
HELD: Final = 0.5
LOOK_EVERY: Final = 0.02

Ask = Callable[[], Awaitable[Permit | Stop]]


@dataclass(frozen=True, slots=True)
class AttemptOutcome:
    """What came of an attempt: `failure` is None for a 2xx; `retry_after` in seconds."""

    failure: Failure | None = None
    retry_after: float | None = None


class GrantEnded(Exception):
    """The right had ended before anything was sent."""

    def __init__(self, reason: str) -> None:
        super().__init__("nothing was sent")
        self.reason = reason


class GuardedTransport:
    """
    Lets one body pass while its right is held.  The caller gives the right back with `close`, whatever has happened.
    """

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._permit: Permit | None = None
        self._until = 0.0
        self._sent = False

    async def trace(self, name: str, _info: Mapping[str, Any]) -> None:
        """httpx's `trace`: is told of each step of the exchange, and may stop it."""
        loop = asyncio.get_running_loop()
        if name == "http11.send_request_headers.started":
            said = await self._ask()
            if isinstance(said, Stop):
                raise GrantEnded(said.reason)
            self._permit = said
            self._until = loop.time() + SEND
        elif name == "http11.send_request_body.complete":
            self._sent = True
            loop.call_later(HELD, self.close)

    async def shut(self) -> None:
        """Returns when the body may not go on: it is not through, and its right is lost or its time is over."""
        loop = asyncio.get_running_loop()
        # A lease does not announce its end.
        while self._permit is None or self._sent or (self._permit.valid and loop.time() < self._until):  # noqa: ASYNC110
            await asyncio.sleep(LOOK_EVERY)

    def close(self) -> None:
        """Gives the right back.  Safe to repeat."""
        if self._permit is not None:
            self._permit.release()


async def attempt(
    url: httpx.URL,
    address: str,
    headers: Mapping[str, str],
    body: bytes,
    gate: GuardedTransport,
    tls: ssl.SSLContext,
    now: datetime,
) -> AttemptOutcome:
    """
    Sends the body once.  Raises `GrantEnded`, and whatever asking for the right raises.
    """
    request = httpx.Request(
        "POST",
        url.copy_with(host=address),
        headers={**headers, "Host": url.netloc.decode("ascii"), "Connection": "close"},
        content=body,
        extensions={
            "sni_hostname": url.host,
            "trace": gate.trace,
            "timeout": httpx.Timeout(ANSWER, connect=CONNECT, write=SEND).as_dict(),
        },
    )
    # A transport of its own: no connection is shared, so that none can be lost with an attempt that is broken off.
    async with httpx.AsyncHTTPTransport(verify=tls, trust_env=False) as transport:
        sending = asyncio.create_task(transport.handle_async_request(request))
        watching = asyncio.create_task(gate.shut())
        try:
            await asyncio.wait(
                {sending, watching}, timeout=CONNECT + SEND + ANSWER, return_when=asyncio.FIRST_COMPLETED
            )
            if not sending.done():
                return AttemptOutcome(Failure.LEASE_LOST if watching.done() else Failure.TIMED_OUT)
            try:
                answer = sending.result()
            except httpx.HTTPError as error:
                return AttemptOutcome(_failure(error))
            await answer.aclose()
            return _outcome(answer, now)
        finally:
            for task in (sending, watching):
                task.cancel()
            await asyncio.gather(sending, watching, return_exceptions=True)


def _outcome(answer: httpx.Response, now: datetime) -> AttemptOutcome:
    if answer.is_success:
        return AttemptOutcome()
    retry_after = parse_retry_after(answer.headers.get("retry-after"), now)
    if answer.status_code == httpx.codes.GONE:
        return AttemptOutcome(Failure.GONE)
    if answer.is_redirect or answer.is_informational or answer.status_code // 100 == 3:
        return AttemptOutcome(Failure.REDIRECTED)
    return AttemptOutcome(Failure.REFUSED if answer.is_client_error else Failure.FAILED, retry_after)


def _failure(error: httpx.HTTPError) -> Failure:
    if isinstance(error, httpx.ConnectError):
        cause: BaseException | None = error
        while cause is not None:
            if isinstance(cause, ssl.SSLError):
                return Failure.TLS_FAILED
            cause = cause.__cause__ or cause.__context__
        return Failure.UNREACHABLE
    if isinstance(error, httpx.ConnectTimeout):
        return Failure.UNREACHABLE
    return Failure.TIMED_OUT if isinstance(error, httpx.TimeoutException) else Failure.BROKEN_OFF
