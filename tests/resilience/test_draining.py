"""
The door of a hub that stops, on a small application and a loop whose time jumps.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.types import Receive, Scope, Send

from gateway.api.middleware import DrainMiddleware, DrainState
from tests.resilience.fakes import VirtualLoop

Said = list[dict[str, Any]]


async def knock(doorway: DrainMiddleware, path: str = "/v1/lookups") -> tuple[int, dict[bytes, bytes], bytes]:
    """One request: status, headers and body, or 0 for an answer that broke off before it began."""
    messages: Said = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request"}

    async def send(message: Any) -> None:
        messages.append(message)

    await doorway({"type": "http", "path": path, "method": "POST", "headers": []}, receive, send)
    body = b"".join(message.get("body", b"") for message in messages[1:])
    return messages[0]["status"], dict(messages[0]["headers"]), body


def answering(after: float, *, begin_at_once: bool = False) -> Callable[[Scope, Receive, Send], Awaitable[None]]:
    """An application that takes its time, before its answer or within it."""

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        if not begin_at_once:
            await asyncio.sleep(after)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"x", b"y")]})
        if begin_at_once:
            await asyncio.sleep(after)
        await send({"type": "http.response.body", "body": b"whole"})

    return app


def in_virtual_time(work: Callable[[], Awaitable[Any]]) -> Any:
    """Runs it on a loop of its own."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(work())  # type: ignore[arg-type]


def test_without_draining_requests_pass_unchanged() -> None:
    """Not even a header."""
    answer = in_virtual_time(lambda: knock(DrainMiddleware(answering(1), DrainState())))

    assert answer == (200, {b"x": b"y"}, b"whole")


def test_requests_in_flight_are_answered_with_connection_close() -> None:
    """And the hub waits for exactly that."""

    async def work() -> tuple[Any, Any, float]:
        door = DrainState()
        doorway = DrainMiddleware(answering(3), door)
        inside = asyncio.create_task(knock(doorway))
        await asyncio.sleep(1)
        door.close()
        late = await knock(doorway)
        await door.drained(15)
        return await inside, late, asyncio.get_running_loop().time()

    inside, late, now = in_virtual_time(work)

    assert inside == (200, {b"x": b"y", b"connection": b"close"}, b"whole")
    assert (late[0], late[1][b"retry-after"], late[1][b"connection"]) == (503, b"5", b"close")
    assert now == 3


def test_requests_in_flight_end_at_the_drain_limit() -> None:
    """503 instead of an answer that would have come too late."""

    async def work() -> tuple[Any, float]:
        door = DrainState()
        inside = asyncio.create_task(knock(DrainMiddleware(answering(100), door)))
        await asyncio.sleep(0)
        door.close()
        await door.drained(15)
        return await inside, asyncio.get_running_loop().time()

    (status, headers, _), now = in_virtual_time(work)

    assert (status, headers[b"retry-after"], now) == (503, b"5", 15)


def test_an_answer_that_has_begun_is_cut_and_not_followed_by_another() -> None:
    """One response to one request."""

    async def work() -> Any:
        door = DrainState()
        inside = asyncio.create_task(knock(DrainMiddleware(answering(100, begin_at_once=True), door)))
        await asyncio.sleep(1)
        door.cancel_requests()
        await door.drained(15)
        return await inside

    assert in_virtual_time(work) == (200, {b"x": b"y"}, b"")


def test_health_and_metrics_are_answered_while_draining() -> None:
    """Readiness is not: nobody is to be sent here."""

    async def work() -> list[int]:
        door = DrainState()
        door.close()
        return [
            (await knock(DrainMiddleware(answering(0), door), path))[0] for path in ("/healthz", "/metrics", "/readyz")
        ]

    assert in_virtual_time(work) == [200, 200, 503]


def test_an_applications_own_timeout_is_its_own() -> None:
    """Only the door's patience becomes a 503."""

    async def app(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise TimeoutError

    async def work() -> bool:
        try:
            await knock(DrainMiddleware(app, DrainState()))
        except TimeoutError:
            return True
        return False

    assert in_virtual_time(work)
