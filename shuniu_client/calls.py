"""
The calls of a hub, without a network: each is a conversation that asks for requests and pauses and ends with a value.

Both clients hold the same conversations, one of them waiting, the other awaiting.
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
# Answers of one call are read once all its lines are written: they must fit into the buffers on the way.
LINES_PER_CALL = 500


@dataclass(frozen=True, slots=True)
class ApiCall:
    """One request as the hub takes it.  `repeatable`: made twice it does what it does once."""

    method: str
    path: str
    body: Any = None
    lines: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    repeatable: bool = True


@dataclass(frozen=True, slots=True)
class Pause:
    """Seconds to wait."""

    seconds: float


Step = ApiCall | Pause
StepResult = httpx.Response | TransportFailure | float
Conversation = Generator[Step, StepResult, T]


@dataclass(frozen=True, slots=True, kw_only=True)
class AutofillReceipt:
    """
    A form that is being filled, or is filled.  `answer` is the hub's whole answer; `repr` does not show it.
    """

    id: str
    state: str
    answer: Json = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchLine:
    """The answer to one line of a batch, counted from 1 over the whole batch; `ok` is False for a problem."""

    line: int
    ok: bool
    answer: Json = field(repr=False)


def exchange(call: ApiCall, patience: Patience) -> Conversation[httpx.Response]:
    """
    Makes the call until it is answered, as often as is harmless.  Raises `Problem`, `HubUnreachable`.
    """
    attempts, waited = 0, 0.0
    while True:
        heard = yield call
        attempts += 1
        if isinstance(heard, httpx.Response):
            if heard.is_success:
                return heard
            retry_after = parse_retry_after(heard.headers.get("retry-after"), datetime.now(UTC))
            problem = problem_from_answer(heard.status_code, _json(heard), retry_after)
            # The hub says of a retryable problem that nothing was done.
            again = problem.retryable or (call.repeatable and heard.status_code in {429, 502, 503, 504})
            error: Exception = problem
        else:
            retry_after = None
            again = call.repeatable or isinstance(heard, httpx.ConnectError | httpx.ConnectTimeout)
            # What the transport says may quote an address; it is not passed on.
            error = HubUnreachable("the hub did not answer")
        pause = patience.pause(attempts, waited, retry_after) if again else None
        if pause is None:
            raise error
        slept = yield Pause(pause)
        waited += slept if isinstance(slept, float) else pause


def put_work_order(work_order: str, statement: Mapping[str, Any], patience: Patience) -> Conversation[Json]:
    """States a work order."""
    answer = yield from exchange(ApiCall("PUT", f"/v1/work-orders/{_word(work_order)}", statement), patience)
    return _object(answer)


def look_up(question: Mapping[str, Any], patience: Patience) -> Conversation[Json]:
    """Asks about a party; an unheard call is not made again: its questions may have been asked."""
    answer = yield from exchange(ApiCall("POST", "/v1/lookups", question, repeatable=False), patience)
    return _object(answer)


def autofill(request: Mapping[str, Any], key: str | None, patience: Patience) -> Conversation[AutofillReceipt]:
    """Asks for a form; the key makes every repetition the same request."""
    call = ApiCall("POST", "/v1/autofill", request, headers={"Idempotency-Key": key or str(uuid4())})
    answer = yield from exchange(call, patience)
    return _autofill(answer)


def get_autofill(autofill_id: str, patience: Patience) -> Conversation[AutofillReceipt]:
    """How far it is, and the result as far as there is one."""
    answer = yield from exchange(ApiCall("GET", f"/v1/autofill/{_word(autofill_id)}"), patience)
    return _autofill(answer)


def cancel(autofill_id: str, patience: Patience) -> Conversation[AutofillReceipt]:
    """Gives a form up."""
    answer = yield from exchange(ApiCall("DELETE", f"/v1/autofill/{_word(autofill_id)}"), patience)
    return _autofill(answer)


def batch(path: str, lines: list[Mapping[str, Any]], first: int, patience: Patience) -> Conversation[list[BatchLine]]:
    """One call of a batch whose first line has the number `first`."""
    body = "".join(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n" for line in lines)
    answer = yield from exchange(ApiCall("POST", path, lines=body.encode()), patience)
    return list(_answers(answer, first))


def portions(lines: Iterable[Mapping[str, Any]]) -> Iterator[tuple[int, list[Mapping[str, Any]]]]:
    """The lines as many calls take them, each portion with the number of its first line."""
    rest, first = iter(lines), 1
    while portion := list(islice(rest, LINES_PER_CALL)):
        yield first, portion
        first += len(portion)


def keyed(requests: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """The requests, each under a key, so that a portion that was not answered may be sent again."""
    return ({"key": str(uuid4()), **request} for request in requests)


def _answers(answer: httpx.Response, first: int) -> Iterator[BatchLine]:
    for text in answer.text.splitlines():
        said = json.loads(text)
        yield BatchLine(line=first - 1 + int(said["line"]), ok="problem" not in said, answer=said)


def _autofill(answer: httpx.Response) -> AutofillReceipt:
    said = _object(answer)
    return AutofillReceipt(id=str(said.get("id", "")), state=str(said.get("state", "")), answer=said)


def _object(answer: httpx.Response) -> Json:
    said = _json(answer)
    if not isinstance(said, dict):
        raise HubUnreachable("the answer is not a hub's")
    return said


def _json(answer: httpx.Response) -> Any:
    try:
        return answer.json()
    except ValueError:
        return None


def _word(value: str) -> str:
    return quote(value, safe="")
