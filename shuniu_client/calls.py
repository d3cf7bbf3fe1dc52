"""
The calls of a hub without input and output: generators that yield requests and pauses and return the value.

Both clients run the same generators, one of them blocking, the other awaiting.
"""

import json
from collections.abc import Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import Any, TypeVar
from urllib.parse import quote
from uuid import uuid4

import httpx

from shuniu_client.problems import HubUnreachable, problem_from_answer
from shuniu_client.retries import Patience, parse_retry_after

T = TypeVar("T")
Json = dict[str, Any]
TransportFailure = httpx.TransportError

LINES = "application/x-ndjson"
# The client reads the answers of a call after it has written all lines, so they must fit into socket buffers.
LINES_PER_CALL = 500


@dataclass(frozen=True, slots=True)
class ApiCall:
    """One request to the hub.  `repeatable`: idempotent, so that it may be sent again."""

    method: str
    path: str
    body: Any = None
    lines: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    repeatable: bool = True


@dataclass(frozen=True, slots=True)
class Pause:
    """A pause in seconds."""

    seconds: float


Step = ApiCall | Pause
StepResult = httpx.Response | TransportFailure | float
Conversation = Generator[Step, StepResult, T]


@dataclass(frozen=True, slots=True, kw_only=True)
class AutofillReceipt:
    """
    The state of a form.  `answer` is the hub's whole answer; `repr` does not show it.
    """

    id: str
    state: str
    answer: Json = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchLine:
    """The answer to one line of a batch (lines count from 1 over the whole batch); `ok` is False for a problem."""

    line: int
    ok: bool
    answer: Json = field(repr=False)


def exchange(call: ApiCall, patience: Patience) -> Conversation[httpx.Response]:
    """
    Sends the call, and again as long as that is harmless.  Raises `HubProblem`, `HubUnreachable`.
    """
    attempts, waited = 0, 0.0
    while True:
        reply = yield call
        attempts += 1
        if isinstance(reply, httpx.Response):
            if reply.is_success:
                return reply
            retry_after = parse_retry_after(reply.headers.get("retry-after"), datetime.now(UTC))
            problem = problem_from_answer(reply.status_code, _json(reply), retry_after)
            # `retryable` in a problem promises that nothing was done.
            again = problem.retryable or (call.repeatable and reply.status_code in {429, 502, 503, 504})
            error: Exception = problem
        else:
            retry_after = None
            again = call.repeatable or isinstance(reply, httpx.ConnectError | httpx.ConnectTimeout)
            # The text of a transport error may quote an address, so it is not passed on.
            error = HubUnreachable("the hub did not answer")
        pause = patience.pause(attempts, waited, retry_after) if again else None
        if pause is None:
            raise error
        slept = yield Pause(pause)
        waited += slept if isinstance(slept, float) else pause


def put_work_order(work_order: str, statement: Mapping[str, Any], patience: Patience) -> Conversation[Json]:
    """States a work order."""
    answer = yield from exchange(ApiCall("PUT", f"/v1/work-orders/{_path_segment(work_order)}", statement), patience)
    return _object(answer)


def look_up(question: Mapping[str, Any], patience: Patience) -> Conversation[Json]:
    """Asks about a party.  A call without an answer is not repeated: agencies may have been asked already."""
    answer = yield from exchange(ApiCall("POST", "/v1/lookups", question, repeatable=False), patience)
    return _object(answer)


def autofill(request: Mapping[str, Any], key: str | None, patience: Patience) -> Conversation[AutofillReceipt]:
    """Requests a form; the key makes every repetition the same request."""
    call = ApiCall("POST", "/v1/autofill", request, headers={"Idempotency-Key": key or str(uuid4())})
    answer = yield from exchange(call, patience)
    return _autofill(answer)


def get_autofill(autofill_id: str, patience: Patience) -> Conversation[AutofillReceipt]:
    """The state of a form, with the result as far as there is one."""
    answer = yield from exchange(ApiCall("GET", f"/v1/autofill/{_path_segment(autofill_id)}"), patience)
    return _autofill(answer)


def cancel(autofill_id: str, patience: Patience) -> Conversation[AutofillReceipt]:
    """Cancels a form."""
    answer = yield from exchange(ApiCall("DELETE", f"/v1/autofill/{_path_segment(autofill_id)}"), patience)
    return _autofill(answer)


def batch(path: str, lines: list[Mapping[str, Any]], first: int, patience: Patience) -> Conversation[list[BatchLine]]:
    """One call of a batch whose first line has the number `first`."""
    body = "".join(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n" for line in lines)
    answer = yield from exchange(ApiCall("POST", path, lines=body.encode()), patience)
    return list(_answers(answer, first))


def portions(lines: Iterable[Mapping[str, Any]]) -> Iterator[tuple[int, list[Mapping[str, Any]]]]:
    """The lines in portions for one call each, with the number of the first line of the portion."""
    rest, first = iter(lines), 1
    while portion := list(islice(rest, LINES_PER_CALL)):
        yield first, portion
        first += len(portion)


def keyed(requests: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """The requests, each with an idempotency key, so that an unanswered portion may be sent again."""
    return ({"key": str(uuid4()), **request} for request in requests)


def _answers(answer: httpx.Response, first: int) -> Iterator[BatchLine]:
    for text in answer.text.splitlines():
        line = json.loads(text)
        yield BatchLine(line=first - 1 + int(line["line"]), ok="problem" not in line, answer=line)


def _autofill(answer: httpx.Response) -> AutofillReceipt:
    form = _object(answer)
    return AutofillReceipt(id=str(form.get("id", "")), state=str(form.get("state", "")), answer=form)


def _object(answer: httpx.Response) -> Json:
    document = _json(answer)
    if not isinstance(document, dict):
        raise HubUnreachable("the answer is not a hub's")
    return document


def _json(answer: httpx.Response) -> Any:
    try:
        return answer.json()
    except ValueError:
        return None


def _path_segment(value: str) -> str:
    return quote(value, safe="")
