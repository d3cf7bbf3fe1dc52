"""
Refusals in the audit log: one record for each refusal of a recognised caller, before it is answered, and one for each
rule and minute for unrecognised callers.

Unrecognised callers must not be able to fill the log: they are counted, and the count is written once a minute and when
the hub stops.  A killed hub loses the count of its last minute, and no record of a recognised caller.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from types import TracebackType
from typing import Self
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import Response

from audit.errors import AuditUnavailable
from audit.format.event import Actor, Event, EventType
from audit.store.log import Log
from gateway.api.problems import Problem
from gateway.sign_on import Caller

EVERY_SECONDS = 60.0


class RefusalLog:
    """
    Records refusals.  As a context manager it writes the counts every `every` seconds, and at the end.
    """

    def __init__(
        self, log: Log, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC), every: float = EVERY_SECONDS
    ) -> None:
        self._log = log
        self._clock = clock
        self._every = every
        self._counts: Counter[str] = Counter()
        self._stop = asyncio.Event()
        self._writing: asyncio.Task[None] | None = None

    async def record(self, caller: Caller, rule: str, operation: str) -> int:
        """
        Records the refusal of this caller, and returns its index.  `operation` is the id of the route.

        Raises `AuditUnavailable`.
        """
        return await self._log.append(self._event(caller.actor(), {"rule": rule, "operation": operation}))

    def count(self, rule: str) -> None:
        """Counts a refused call of an unrecognised caller."""
        self._counts[rule] += 1

    async def write(self) -> None:
        """Writes the counts, one record for each rule; a count that cannot be written stays for the next time."""
        counts, self._counts = self._counts, Counter()
        for rule, count in sorted(counts.items()):
            try:
                await self._log.append(self._event(Actor(), {"rule": rule, "count": count}))
            except AuditUnavailable:
                self._counts[rule] += count

    async def __aenter__(self) -> Self:
        self._writing = asyncio.create_task(self._write_forever())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        if self._writing is not None:
            await self._writing

    async def _write_forever(self) -> None:
        # Never cancelled: a record in progress when the hub stops is neither lost nor counted twice.
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._every):
                    await self._stop.wait()
            await self.write()
            if self._stop.is_set():
                return

    def _event(self, who: Actor, detail: dict[str, str | int]) -> Event:
        return Event(
            type=EventType.ACCESS_REFUSED,
            exchange=uuid4(),
            at=self._clock(),
            who=who,
            outcome="refused",
            detail=detail,
        )


async def respond(request: Request, problem: Problem) -> Response:
    """The response to a problem; a refusal by one of our rules is recorded first, or the answer is 503."""
    caller: Caller | None = getattr(request.state, "caller", None)
    # A refused lookup has a record of its own.
    if problem.kind.name != "not-permitted" or "audit" in problem.members or caller is None:
        return problem.response()
    operation = getattr(request.scope.get("route"), "operation_id", None) or "unknown"
    try:
        index = await _refusal_log(request).record(caller, str(problem.members.get("rule", "")), operation)
    except AuditUnavailable:
        return Problem("audit-unavailable", retry_after=2).response()
    problem.members["audit"] = index
    return problem.response()


def count(request: Request, rule: str) -> None:
    """Counts this call as refused and unrecognised."""
    _refusal_log(request).count(str(rule))


def _refusal_log(request: Request) -> RefusalLog:
    refusals: RefusalLog = request.app.state.refusals
    return refusals
