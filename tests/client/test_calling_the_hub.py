"""
Calls of the client library: repeated only where that is harmless, as the hub asks, and with one key.
"""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from shuniu_client import (
    AsyncClient,
    AutofillReceipt,
    Client,
    Conflict,
    HubUnavailable,
    HubUnreachable,
    InvalidField,
    InvalidInput,
    Patience,
)

HUB = "https://hub.example"
ACCEPTED = {"id": "a-1", "state": "waiting"}
CALM = Patience(draw=lambda _low, high: high)


def problem(status: int, name: str, *, headers: dict[str, str] | None = None, **members: Any) -> httpx.Response:
    """A problem as the hub writes it."""
    return httpx.Response(status, headers=headers or {}, json={"type": f"urn:shuniu:problem:{name}", **members})


class Script:
    """A hub that answers as scripted, and the pauses that were made."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []
        self.pauses: list[float] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answers."""
        request.read()
        self.requests.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def client(self) -> Client:
        """A client of it."""
        transport = httpx.MockTransport(self)
        return Client(HUB, lambda: "token", patience=CALM, transport=transport, sleep=self.pauses.append)

    def run_async(self, ask: Callable[[AsyncClient], Any]) -> Any:
        """The same by the asynchronous client."""

        async def pause(seconds: float) -> None:
            self.pauses.append(seconds)

        async def run() -> Any:
            async def token() -> str:
                return "token"

            transport = httpx.MockTransport(self)
            async with AsyncClient(HUB, token, patience=CALM, transport=transport, sleep=pause) as client:
                return await ask(client)

        return asyncio.run(run())


def test_an_autofill_is_repeated_under_one_key_as_the_hub_asks() -> None:
    """A broken connection, a 503 with Retry-After, a 202: three calls, one key, one request."""
    script = Script(
        httpx.ReadError("gone"),
        problem(503, "database-unavailable", retryable=True, headers={"Retry-After": "7"}),
        httpx.Response(202, json=ACCEPTED),
    )

    receipt = script.client().autofill({"work_order": "W-1"})

    assert receipt == AutofillReceipt(id="a-1", state="waiting", answer=ACCEPTED)
    assert len({request.headers["Idempotency-Key"] for request in script.requests}) == 1
    assert {request.read() for request in script.requests} == {script.requests[0].content}
    assert script.pauses == [0.5, 8.0]


def test_both_clients_send_repeat_and_answer_alike() -> None:
    """Equal requests, pauses and values."""
    blocking, awaiting = (
        Script(problem(503, "busy", retryable=True), httpx.Response(202, json=ACCEPTED)) for _ in range(2)
    )

    waited = blocking.client().autofill({"work_order": "W-1"}, key="k")
    awaited = awaiting.run_async(lambda client: client.autofill({"work_order": "W-1"}, key="k"))

    assert waited == awaited
    assert blocking.pauses == awaiting.pauses
    assert [request.headers for request in blocking.requests] == [request.headers for request in awaiting.requests]


def test_a_lookup_without_an_answer_is_not_repeated() -> None:
    """Its questions may have gone out, and each is counted."""
    script = Script(httpx.ReadTimeout("late"))

    with pytest.raises(HubUnreachable):
        script.client().look_up({})

    assert len(script.requests) == 1


def test_a_lookup_with_a_refused_connection_is_repeated() -> None:
    """A refused connection has asked nothing."""
    script = Script(httpx.ConnectError("refused"), httpx.Response(200, json={"id": "l-1"}))

    assert script.client().look_up({}) == {"id": "l-1"}


def test_problems_are_exceptions_that_say_who_can_help() -> None:
    """The hub's rule and sentence, by fields; nothing that was sent."""
    wrong = {"field": "parties.0.id_number", "rule": "check_digit", "detail": "Check it."}
    script = Script(problem(422, "invalid-input", detail="The input breaks rules.", errors=[wrong]))

    with pytest.raises(InvalidInput) as caught:
        script.client().put_work_order("W-1", {"version": 1})

    assert caught.value.errors == (InvalidField("parties.0.id_number", "check_digit", "Check it."),)
    assert str(caught.value) == "urn:shuniu:problem:invalid-input"


def test_a_conflict_names_the_version_in_force() -> None:
    """And is not tried again."""
    script = Script(problem(409, "version-conflict", current=3))

    with pytest.raises(Conflict) as caught:
        script.client().put_work_order("W-1", {"version": 2})

    assert caught.value.current == 3
    assert script.pauses == []


def test_retries_end_when_patience_is_exhausted() -> None:
    """The last problem is raised once no further pause fits."""
    script = Script(*[problem(503, "busy", retryable=True)] * 50)

    with pytest.raises(HubUnavailable):
        script.client().get_autofill("a-1")

    assert sum(script.pauses) <= CALM.total
    assert script.pauses[:4] == [0.5, 1.0, 2.0, 4.0]


def test_a_slash_in_a_work_order_number_is_escaped() -> None:
    """A slash in it stays inside the number."""
    script = Script(httpx.Response(200, json={}))

    script.client().put_work_order("W/../../x", {})

    assert script.requests[0].url.raw_path == b"/v1/work-orders/W%2F..%2F..%2Fx"


def test_batches_go_in_portions_and_lines_are_counted_over_the_whole() -> None:
    """1,200 lines, three calls, 1,200 answers; bad lines are answered like the others."""

    keys: set[str] = set()

    def respond(request: httpx.Request) -> httpx.Response:
        lines = request.read().splitlines()
        keys.update(json.loads(line)["key"] for line in lines)
        answers = [
            {"line": number, "problem": {}} if b"wrong" in line else {"line": number, "id": "x"}
            for number, line in enumerate(lines, 1)
        ]
        return httpx.Response(200, text="".join(json.dumps(answer) + "\n" for answer in answers))

    client = Client(HUB, lambda: "token", transport=httpx.MockTransport(respond))
    rows = ({"work_order": "wrong" if number == 700 else "W"} for number in range(1, 1201))

    answers = list(client.autofill_all(rows))

    assert [answer.line for answer in answers] == list(range(1, 1201))
    assert [answer.line for answer in answers if not answer.ok] == [700]
    assert len(keys) == 1200
