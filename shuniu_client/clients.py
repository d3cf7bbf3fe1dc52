"""
The two clients: the same calls, blocking or awaited.

A client may be shared by threads (`Client`) or tasks (`AsyncClient`).  It follows no redirects and ignores the proxy of
the environment.
"""

import asyncio
import inspect
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx

from shuniu_client import calls
from shuniu_client.calls import ApiCall, AutofillReceipt, BatchLine, Conversation, Json, StepResult
from shuniu_client.retries import Patience

T = TypeVar("T")

TIMEOUT = httpx.Timeout(35.0, connect=5.0)
WORK_ORDERS, AUTOFILLS = "/v1/work-orders/batches", "/v1/autofill/batches"


class Client:
    """
    A blocking client of a hub.  `token` returns a valid access token and is called for every request.
    """

    def __init__(
        self,
        hub: str,
        token: Callable[[], str],
        *,
        patience: Patience | None = None,
        verify: ssl.SSLContext | bool = True,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._http = httpx.Client(
            base_url=hub, timeout=TIMEOUT, verify=verify, transport=transport, trust_env=False, follow_redirects=False
        )
        self._token = token
        self._patience = patience or Patience()
        self._sleep = sleep

    def put_work_order(self, work_order: str, statement: Mapping[str, Any]) -> Json:
        """States a work order at a version; repeating the same statement is harmless."""
        return self._run(calls.put_work_order(work_order, statement, self._patience))

    def look_up(self, question: Mapping[str, Any]) -> Json:
        """Asks about a party of a work order that the token's person holds."""
        return self._run(calls.look_up(question, self._patience))

    def autofill(self, request: Mapping[str, Any], *, key: str | None = None) -> AutofillReceipt:
        """Requests a work order's form.  `key` (a new one by default) makes repetitions the same request."""
        return self._run(calls.autofill(request, key, self._patience))

    def get_autofill(self, autofill_id: str) -> AutofillReceipt:
        """The state of a form, with the result as far as there is one."""
        return self._run(calls.get_autofill(autofill_id, self._patience))

    def cancel(self, autofill_id: str) -> AutofillReceipt:
        """Cancels a form: nothing more is asked or sent for it."""
        return self._run(calls.cancel(autofill_id, self._patience))

    def put_work_orders(self, statements: Iterable[Mapping[str, Any]]) -> Iterator[BatchLine]:
        """States many work orders, each with its `id`; answers come in the order of the lines."""
        return self._batch(WORK_ORDERS, statements)

    def autofill_all(self, requests: Iterable[Mapping[str, Any]]) -> Iterator[BatchLine]:
        """Requests many forms; answers come in the order of the lines.  A line without a `key` gets a new one."""
        return self._batch(AUTOFILLS, calls.keyed(requests))

    def close(self) -> None:
        """Closes the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _batch(self, path: str, lines: Iterable[Mapping[str, Any]]) -> Iterator[BatchLine]:
        for first, portion in calls.portions(lines):
            yield from self._run(calls.batch(path, portion, first, self._patience))

    def _run(self, conversation: Conversation[T]) -> T:
        try:
            step = next(conversation)
            while True:
                step = conversation.send(self._send(step) if isinstance(step, ApiCall) else self._pause(step.seconds))
        except StopIteration as end:
            value: T = end.value
            return value

    def _send(self, call: ApiCall) -> StepResult:
        try:
            return self._http.send(_request(self._http, call, self._token()))
        except httpx.TransportError as error:
            return error

    def _pause(self, seconds: float) -> float:
        self._sleep(seconds)
        return seconds


class AsyncClient:
    """
    An awaited client of a hub, otherwise as `Client`.  `token` returns a token or an awaitable of one.
    """

    def __init__(
        self,
        hub: str,
        token: Callable[[], str | Awaitable[str]],
        *,
        patience: Patience | None = None,
        verify: ssl.SSLContext | bool = True,
        transport: httpx.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._http = httpx.AsyncClient(
            base_url=hub, timeout=TIMEOUT, verify=verify, transport=transport, trust_env=False, follow_redirects=False
        )
        self._token = token
        self._patience = patience or Patience()
        self._sleep = sleep

    async def put_work_order(self, work_order: str, statement: Mapping[str, Any]) -> Json:
        """States a work order at a version; repeating the same statement is harmless."""
        return await self._run(calls.put_work_order(work_order, statement, self._patience))

    async def look_up(self, question: Mapping[str, Any]) -> Json:
        """Asks about a party of a work order that the token's person holds."""
        return await self._run(calls.look_up(question, self._patience))

    async def autofill(self, request: Mapping[str, Any], *, key: str | None = None) -> AutofillReceipt:
        """Requests a work order's form.  `key` (a new one by default) makes repetitions the same request."""
        return await self._run(calls.autofill(request, key, self._patience))

    async def get_autofill(self, autofill_id: str) -> AutofillReceipt:
        """The state of a form, with the result as far as there is one."""
        return await self._run(calls.get_autofill(autofill_id, self._patience))

    async def cancel(self, autofill_id: str) -> AutofillReceipt:
        """Cancels a form: nothing more is asked or sent for it."""
        return await self._run(calls.cancel(autofill_id, self._patience))

    def put_work_orders(self, statements: Iterable[Mapping[str, Any]]) -> AsyncIterator[BatchLine]:
        """States many work orders, each with its `id`; answers come in the order of the lines."""
        return self._batch(WORK_ORDERS, statements)

    def autofill_all(self, requests: Iterable[Mapping[str, Any]]) -> AsyncIterator[BatchLine]:
        """Requests many forms; answers come in the order of the lines.  A line without a `key` gets a new one."""
        return self._batch(AUTOFILLS, calls.keyed(requests))

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def _batch(self, path: str, lines: Iterable[Mapping[str, Any]]) -> AsyncIterator[BatchLine]:
        for first, portion in calls.portions(lines):
            for line in await self._run(calls.batch(path, portion, first, self._patience)):
                yield line

    async def _run(self, conversation: Conversation[T]) -> T:
        try:
            step = next(conversation)
            while True:
                reply = await self._send(step) if isinstance(step, ApiCall) else await self._pause(step.seconds)
                step = conversation.send(reply)
        except StopIteration as end:
            value: T = end.value
            return value

    async def _send(self, call: ApiCall) -> StepResult:
        token = self._token()
        bearer = await token if inspect.isawaitable(token) else token
        try:
            return await self._http.send(_request(self._http, call, bearer))
        except httpx.TransportError as error:
            return error

    async def _pause(self, seconds: float) -> float:
        await self._sleep(seconds)
        return seconds


def _request(http: httpx.Client | httpx.AsyncClient, call: ApiCall, token: str) -> httpx.Request:
    headers = {"Authorization": f"Bearer {token}", **call.headers}
    if call.lines is not None:
        return http.build_request(
            call.method, call.path, content=call.lines, headers={"Content-Type": calls.LINES, **headers}
        )
    return http.build_request(call.method, call.path, json=call.body, headers=headers)
