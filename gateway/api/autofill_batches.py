"""
Many forms at once: one request a line in, one answer a line out, in the same order, while the lines are still coming.

Each line is a request of its own: a bad one is answered with its rule and changes nothing, and the others go on.
"""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import StringConstraints, TypeAdapter, ValidationError
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from gateway.api.autofill import COMMON, PATH, AutofillRequest, AutofillStatus, accept
from gateway.api.dependencies import Signed, TheHub
from gateway.api.idempotency import PATTERN, key_of
from gateway.api.limits import LINES, MAX_LINES_BODY, ndjson_body
from gateway.api.problems import Problem, documented
from gateway.api.validation_errors import as_problem
from gateway.api.work_orders import require_scope
from gateway.database import DatabaseUnavailable
from gateway.hub import Hub
from gateway.sign_on import Caller

router = APIRouter(prefix=PATH, tags=["autofill"])

MOST_LINES: Final = 10_000
LONGEST_LINE: Final = 16 * 1024
AT_ONCE: Final = 16

_STATUS: Final = TypeAdapter(AutofillStatus)


class AutofillLine(AutofillRequest):
    """A request as it stands in one line; `key` does for the line what `Idempotency-Key` does for a call."""

    key: Annotated[str, StringConstraints(pattern=PATTERN)] | None = None

    def request(self) -> AutofillRequest:
        """The request as `POST /v1/autofill` takes it."""
        return AutofillRequest.model_validate(self.model_dump(exclude={"key"}))


@router.post(
    "/batches",
    operation_id="autofill_batch",
    dependencies=[Depends(ndjson_body)],
    response_class=Response,
    openapi_extra={"requestBody": {"required": True, "content": {LINES: {}}}},
    responses={
        200: {
            "content": {LINES: {"schema": {"type": "string"}}},
            "description": "a line for each line: `line`, and the accepted request or the `problem`",
        },
        **documented(*COMMON, "body-too-large", "wrong-content-type", "busy"),
    },
)
async def autofill_batch(request: Request, caller: Signed, hub: TheHub) -> Response:
    """
    Asks for up to 10,000 forms, a JSON object in each line: the body of `POST /v1/autofill`, and a `key` if it may be
    sent again.  Answers come in the order of the lines, as soon as each is accepted.

    What breaks the bounds of the whole batch ends it with a last line; the lines before it stand.
    """
    require_scope(caller)
    return _Streamed(_answers(request, hub, caller))


async def _answers(request: Request, hub: Hub, caller: Caller) -> AsyncIterator[bytes]:
    waiting: deque[tuple[str | None, asyncio.Task[dict[str, Any]]]] = deque()
    number = 0
    try:
        async for line in _lines(request):
            number += 1
            if isinstance(line, Problem):
                # It concerns the whole batch: the lines before it are answered first.
                while waiting:
                    yield _encoded(await waiting.popleft()[1])
                yield _encoded({"line": number, "problem": line.body()})
                return
            read = _read(line)
            key = read.key if isinstance(read, AutofillLine) else None
            # Of two lines with one key the second is answered with what the first has made.
            while len(waiting) >= AT_ONCE or (key is not None and any(key == other for other, _ in waiting)):
                yield _encoded(await waiting.popleft()[1])
            waiting.append((key, asyncio.create_task(_answered(hub, caller, number, read))))
        while waiting:
            yield _encoded(await waiting.popleft()[1])
    finally:
        for _, task in waiting:
            task.cancel()


async def _lines(request: Request) -> AsyncIterator[bytes | Problem]:
    """The lines of the body, empty ones left out; a problem in place of what breaks a bound ends them."""
    count, total, rest = 0, 0, b""
    async for part in request.stream():
        total += len(part)
        *whole, rest = (rest + part).split(b"\n")
        if len(rest) > LONGEST_LINE or total > MAX_LINES_BODY - LONGEST_LINE:
            whole.append(rest)
        for line in whole:
            if line.strip():
                count += 1
                if count > MOST_LINES or len(line) > LONGEST_LINE:
                    yield Problem("body-too-large")
                    return
                yield line
        if total > MAX_LINES_BODY - LONGEST_LINE:
            yield Problem("body-too-large")
            return
    if rest.strip():
        yield rest if count < MOST_LINES else Problem("body-too-large")


def _read(line: bytes) -> AutofillLine | Problem:
    try:
        return AutofillLine.model_validate_json(line)
    except ValidationError as error:
        errors = error.errors(include_url=False, include_context=False, include_input=False)
    return as_problem(RequestValidationError(errors))


async def _answered(hub: Hub, caller: Caller, number: int, read: AutofillLine | Problem) -> dict[str, Any]:
    said: dict[str, Any] = {"line": number}
    if isinstance(read, Problem):
        return said | {"problem": read.body()}
    body = read.request()
    key = key_of(hub.encryption, caller, read.key, "autofill", body.model_dump_json().encode())
    try:
        status = await accept(hub, caller, body, key)
    except Problem as problem:
        return said | {"problem": problem.body()}
    except DatabaseUnavailable:
        return said | {"problem": Problem("database-unavailable", retry_after=2).body()}
    done: dict[str, Any] = _STATUS.dump_python(status, mode="json", exclude={"result", "withheld"})
    return said | done


def _encoded(answer: dict[str, Any]) -> bytes:
    return json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


class _Streamed(Response):
    """
    A response that is sent while the request is still being read.

    Reading never waits for sending: a client that reads nothing before it has sent everything would wait for ever.  The
    answers that wait for such a client are bounded by the number of lines.
    """

    def __init__(self, answers: AsyncIterator[bytes]) -> None:
        super().__init__(media_type=LINES, headers={"Cache-Control": "no-store"})
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
            # Nobody reads what was left.
            pass
        finally:
            ready.put_nowait(None)
