"""
Many work orders at once: one JSON object a line in, one answer a line out, in the same order.

Each line is a statement of its own: a bad one is answered with its rule and changes nothing, and the others go on.
"""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import StringConstraints, TypeAdapter, ValidationError

from audit.errors import AuditUnavailable
from gateway.api.dependencies import Signed, TheHub
from gateway.api.limits import LINES, MAX_BODY, ndjson_body
from gateway.api.problems import Problem, documented
from gateway.api.validation_errors import as_problem
from gateway.api.work_orders import require_scope, take
from gateway.database import DatabaseUnavailable
from gateway.hub import Hub
from gateway.sign_on import Caller
from schemas.work_order import WORK_ORDER_ID, WorkOrderReceipt, WorkOrderStatement

router = APIRouter(prefix="/v1", tags=["work orders"])

MOST_LINES: Final = 10_000
AT_ONCE: Final = 16

_RECEIPT: Final = TypeAdapter(WorkOrderReceipt)


class LineStatement(WorkOrderStatement):
    """A statement with the number of its work order, as it stands in one line."""

    id: Annotated[str, StringConstraints(pattern=WORK_ORDER_ID)]

    def statement(self) -> WorkOrderStatement:
        """The statement as `PUT /v1/work-orders/{id}` takes it."""
        return WorkOrderStatement.model_validate(self.model_dump(exclude={"id"}))


@router.post(
    "/work-orders:batch",
    operation_id="state_work_orders",
    dependencies=[Depends(ndjson_body)],
    response_class=Response,
    openapi_extra={"requestBody": {"required": True, "content": {LINES: {}}}},
    responses={
        200: {
            "content": {LINES: {"schema": {"type": "string"}}},
            "description": "a line for each line: `line`, `id`, and the receipt or the `problem`",
        },
        **documented(
            "not-signed-in",
            "not-permitted",
            "body-too-large",
            "wrong-content-type",
            "invalid-input",
            "sign-on-unavailable",
            "audit-unavailable",
            "busy",
            "internal",
        ),
    },
)
async def state_work_orders(request: Request, caller: Signed, hub: TheHub) -> Response:
    """
    States up to 10,000 work orders, a JSON object in each line: the body of `PUT /v1/work-orders/{id}` with its `id`.

    Lines are answered in their order.  A line that could not be taken changed nothing; repeating the whole batch is
    harmless.  Statements of one work order keep their order.
    """
    require_scope(caller)
    answers: list[str] = []
    waiting: deque[tuple[str, asyncio.Task[dict[str, Any]]]] = deque()
    number = 0
    try:
        async for line in _lines(request):
            number += 1
            order, statement, refusal = _read(line, number)
            # One work order's statements are taken one after the other.
            while len(waiting) >= AT_ONCE or any(order == other for other, _ in waiting):
                answers.append(_encoded(await waiting.popleft()[1]))
            taking = _answered(hub, caller, number, order, statement, refusal)
            waiting.append((order, asyncio.create_task(taking)))
        while waiting:
            answers.append(_encoded(await waiting.popleft()[1]))
    finally:
        for _, task in waiting:
            task.cancel()
    return Response("".join(answers), media_type=LINES, headers={"Cache-Control": "no-store"})


async def _lines(request: Request) -> AsyncIterator[bytes]:
    """The lines of the body, of bounded length and number, empty ones left out."""
    count, rest = 0, b""
    async for part in request.stream():
        *whole, rest = (rest + part).split(b"\n")
        for line in (*whole, rest) if len(rest) > MAX_BODY else whole:
            if len(line) > MAX_BODY:
                raise Problem("body-too-large", headers={"Connection": "close"})
            if line.strip():
                count += 1
                if count > MOST_LINES:
                    raise Problem("body-too-large", headers={"Connection": "close"})
                yield line
    if rest.strip():
        yield rest


def _read(line: bytes, number: int) -> tuple[str, WorkOrderStatement | None, Problem | None]:
    errors: list[Any] = []
    try:
        read = LineStatement.model_validate_json(line)
    except ValidationError as error:
        errors = error.errors(include_url=False, include_context=False, include_input=False)
    if errors:
        return f"line {number}", None, as_problem(RequestValidationError(errors))
    return read.id, read.statement(), None


async def _answered(
    hub: Hub, caller: Caller, number: int, order: str, statement: WorkOrderStatement | None, refusal: Problem | None
) -> dict[str, Any]:
    said: dict[str, Any] = {"line": number}
    if statement is None or refusal is not None:
        return said | {"problem": (refusal or Problem("invalid-input")).body()}
    said["id"] = order
    try:
        receipt = await take(hub, caller, order, statement)
    except Problem as problem:
        return said | {"problem": problem.body()}
    except AuditUnavailable:
        return said | {"problem": Problem("audit-unavailable", retry_after=2).body()}
    except DatabaseUnavailable:
        return said | {"problem": Problem("database-unavailable", retry_after=2).body()}
    done: dict[str, Any] = _RECEIPT.dump_python(receipt, mode="json")
    return said | done


def _encoded(answer: dict[str, Any]) -> str:
    return json.dumps(answer, ensure_ascii=False, separators=(",", ":")) + "\n"
