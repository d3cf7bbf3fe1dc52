"""
Refusals at the door, in the audit log: one record for each recognised caller whom a rule turns away, before the refusal
is answered; and one for each rule and minute for calls that nobody could be recognised from.

Strangers must not be able to fill the log: they are counted, and the count is written once a minute and when the hub
stops.  A hub that is killed loses the count of its last minute, and no record of a recognised caller.
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
    Records refusals in one log.  As a context manager it writes the counts every `every` seconds, and at the end.
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
        The index of the record that this caller was refused.  `operation` is the id of the call, never its address.

        Raises `AuditUnavailable`.
        """
        return await self._log.append(self._event(caller.actor(), {"rule": rule, "operation": operation}))

    def count(self, rule: str) -> None:
        """Takes note of a call that nobody could be recognised from."""
        self._counts[rule] += 1

    async def write(self) -> None:
        """Writes what was counted, one record for each rule; what cannot be written is kept for the next time."""
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
        # Never cancelled: a record that is on its way when the hub stops is neither lost nor counted twice.
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


async def respond(request: Request, error: Exception) -> Response:
    """Starlette's handler for `Problem`: a refusal by one of our rules is recorded first, or it is 503."""
    assert isinstance(error, Problem)  # noqa: S101 - registered for nothing else
    caller: Caller | None = getattr(request.state, "caller", None)
    # A refused lookup brings the index of its own record.
    if error.kind.name != "not-permitted" or "audit" in error.members or caller is None:
        return error.response()
    operation = getattr(request.scope.get("route"), "operation_id", None) or "unknown"
    try:
        error.members["audit"] = await _of(request).record(caller, str(error.members.get("rule", "")), operation)
    except AuditUnavailable:
        return Problem("audit-unavailable", retry_after=2).response()
    return error.response()


def count(request: Request, rule: str) -> None:
    """Takes note that this call was refused and nobody was recognised."""
    _of(request).count(str(rule))


def _of(request: Request) -> RefusalLog:
    refusals: RefusalLog = request.app.state.refusals
    return refusals
