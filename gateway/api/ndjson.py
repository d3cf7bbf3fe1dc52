"""
NDJSON batches: one JSON object a line in, one answer a line out, in the same order, while lines are still coming.

Each line is a request of its own: a bad line is answered with a problem and changes nothing, the others go on.  A line
or a body beyond the bounds ends the batch with one last problem; the lines before it stand.
"""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from audit.errors import AuditUnavailable
from gateway.api.middleware import MAX_LINES_BODY, NDJSON
from gateway.api.problems import Problem
from gateway.api.validation_errors import as_problem
from gateway.database import DatabaseUnavailable

MAX_LINES: Final = 10_000
CONCURRENT_LINES: Final = 16
OPENAPI_BODY: Final = {"requestBody": {"required": True, "content": {NDJSON: {}}}}
OPENAPI_ANSWER: Final[dict[str, Any]] = {
    "content": {NDJSON: {"schema": {"type": "string"}}},
    "description": "a line for each line: `line`, and the answer or the `problem`",
}

L = TypeVar("L", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Batch(Generic[L]):
    """
    How the lines of one batch are read and answered.

    `answer` may raise `Problem`, `AuditUnavailable` and `DatabaseUnavailable`.  Lines of one `key` are answered one
    after the other.  `echo` is repeated in the answer to a line that could be read.
    """

    model: type[L]
    answer: Callable[[L], Awaitable[dict[str, Any]]]
    key: Callable[[L], str | None]
    echo: Callable[[L], dict[str, Any]] = lambda _line: {}
    max_line: int = 16 * 1024

    def respond(self, request: Request) -> Response:
        """The response, which reads the request while it is sent."""
        return _StreamingResponse(self._answers(request))

    async def _answers(self, request: Request) -> AsyncIterator[bytes]:
        pending: deque[tuple[str | None, asyncio.Task[dict[str, Any]]]] = deque()
        number = 0
        try:
            async for content in self._lines(request):
                number += 1
                line = content if isinstance(content, Problem) else self._parse(content)
                key = None if isinstance(line, Problem) else self.key(line)
                while len(pending) >= CONCURRENT_LINES or (
                    key is not None and any(key == other for other, _ in pending)
                ):
                    yield _encode(await pending.popleft()[1])
                pending.append((key, asyncio.create_task(self._answer(number, line))))
            while pending:
                yield _encode(await pending.popleft()[1])
        finally:
            for _, task in pending:
                task.cancel()

    async def _lines(self, request: Request) -> AsyncIterator[bytes | Problem]:
        """The lines of the body that are not empty; at the first broken bound a problem, and no more lines."""
        # The application sees the end of a body beyond MAX_LINES_BODY as a hang-up: the batch ends before.
        max_body = MAX_LINES_BODY - self.max_line
        count, total, rest = 0, 0, b""
        async for part in request.stream():
            total += len(part)
            *lines, rest = (rest + part).split(b"\n")
            if len(rest) > self.max_line:
                lines.append(rest)
            for line in filter(bytes.strip, lines):
                count += 1
                if count > MAX_LINES or len(line) > self.max_line:
                    yield Problem("body-too-large")
                    return
                yield line
            if total > max_body:
                yield Problem("body-too-large")
                return
        if rest.strip():
            yield rest if count < MAX_LINES else Problem("body-too-large")

    def _parse(self, content: bytes) -> L | Problem:
        try:
            return self.model.model_validate_json(content)
        except ValidationError as error:
            errors = error.errors(include_url=False, include_context=False, include_input=False)
        return as_problem(RequestValidationError(errors))

    async def _answer(self, number: int, line: L | Problem) -> dict[str, Any]:
        if isinstance(line, Problem):
            return {"line": number, "problem": line.body()}
        answer = {"line": number} | self.echo(line)
        try:
            return answer | await self.answer(line)
        except Problem as problem:
            return answer | {"problem": problem.body()}
        except AuditUnavailable:
            name = "audit-unavailable"
        except DatabaseUnavailable:
            name = "database-unavailable"
        return answer | {"problem": Problem(name, retry_after=2).body()}


class _StreamingResponse(Response):
    """
    A response that is sent while the request is still being read.

    Reading never waits for sending: a client that reads nothing before it has sent everything would wait for ever.  The
    answers that wait for such a client are bounded by the number of lines.
    """

    def __init__(self, answers: AsyncIterator[bytes]) -> None:
        super().__init__(media_type=NDJSON, headers={"Cache-Control": "no-store"})
        del self.headers["content-length"]
        self._answers = answers

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """Sends every answer as soon as it is there."""
        ready: asyncio.Queue[bytes | None] = asyncio.Queue()
        reading = asyncio.create_task(self._read(ready))
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            while (answer := await ready.get()) is not None:
                await send({"type": "http.response.body", "body": answer, "more_body": True})
            await reading
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    async def _read(self, ready: asyncio.Queue[bytes | None]) -> None:
        try:
            async with aclosing(self._answers) as answers:  # type: ignore[type-var]
                async for answer in answers:
                    ready.put_nowait(answer)
        except ClientDisconnect:
            # The rest has no reader.
            pass
        finally:
            ready.put_nowait(None)


def _encode(answer: dict[str, Any]) -> bytes:
    return json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
