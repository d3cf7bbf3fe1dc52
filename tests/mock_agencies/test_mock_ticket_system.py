"""
The mock ticket system counts loss and doubling from its ledger; each fault that it must find is shown to it here.
"""

import asyncio
import json
import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook

from mock_agencies.exchange import MockRequest
from mock_agencies.ticket_system.callback_receiver import CallbackReceiver, ResponseShares
from mock_agencies.ticket_system.ledger import ACCEPTED, CLOSED, RECEIVED, CallbackLedger, read_ledger
from mock_agencies.ticket_system.reconciliation import reconcile
from shuniu_client import AsyncClient

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)


def verdict(states: dict[str, str], *lines: dict[str, Any]) -> tuple[list[str], str]:
    """The faults and the sentence of a check against a hub at which requests stand so."""

    def hub(request: httpx.Request) -> httpx.Response:
        name = request.url.path.rpartition("/")[2]
        if name not in states:
            return httpx.Response(404, json={"type": "urn:shuniu:problem:not-found"})
        return httpx.Response(200, json={"id": name, "state": states[name]})

    async def run() -> tuple[list[str], str]:
        async with AsyncClient("http://hub", lambda: "t", transport=httpx.MockTransport(hub)) as client:
            result = await reconcile(client, lines)
            return result.faults, str(result)

    return asyncio.run(run())


def accepted(name: str, work_order: str = "TS-1") -> dict[str, Any]:
    """A request was accepted."""
    return {"at": 1.0, "what": ACCEPTED, "work_order": work_order, "autofill": name}


def received(name: str, *, at: float = 2.0, digest: str = "d", subject: str | None = None) -> dict[str, Any]:
    """A callback came."""
    line = {"at": at, "what": RECEIVED, "id": f"id-{name}", "digest": digest}
    return line | {"subject": subject or name}


def test_a_clean_ledger_has_no_fault() -> None:
    """Delivered once, delivered twice with the same content, cancelled, laid aside."""
    faults, sentence = verdict(
        {"a": "delivered", "b": "delivered", "c": "cancelled", "d": "dead_lettered"},
        *(accepted(name, f"TS-{name}") for name in "abcd"),
        received("a"),
        received("b"),
        received("b", at=3.0),
        {"at": 2.0, "what": CLOSED, "work_order": "TS-c"},
    )

    assert faults == []
    assert sentence == (
        "4 accepted: 1 cancelled, 1 dead_lettered, 2 delivered; 3 callbacks received, 1 of them again, 1 work orders "
        "closed halfway, 0 taken by the receiver and ended otherwise at the hub, 0 rejected, 0 faults"
    )


@pytest.mark.parametrize(
    ("states", "lines", "fault"),
    [
        ({}, [accepted("a")], "a has not ended: lost"),
        ({"a": "running"}, [accepted("a")], "a has not ended: running"),
        ({"a": "delivered"}, [accepted("a")], "a is delivered, and nothing came"),
        (
            {"a": "delivered"},
            [accepted("a"), received("a"), received("a", digest="e")],
            "a came with two contents",
        ),
        (
            {"a": "cancelled"},
            [accepted("a"), {"at": 1.5, "what": CLOSED, "work_order": "TS-1"}, received("a")],
            "a came after its work order was closed",
        ),
        (
            {"a": "delivered", "b": "delivered"},
            [accepted("a"), accepted("b"), received("a"), received("b")],
            "2 requests of TS-1 for one key",
        ),
        ({}, [received("x")], "id-x is about no request of the ledger"),
    ],
)
def test_each_fault_is_found(states: dict[str, str], lines: list[dict[str, Any]], fault: str) -> None:
    """Lost, not ended, delivered without a callback, two contents, after the closing, twice under a key, unasked."""
    assert fault in verdict(states, *lines)[0]


def test_an_incomplete_last_line_is_ignored(folder: Path) -> None:
    """A line that a killed process did not finish is not read."""
    with CallbackLedger(folder / "ledger", clock=lambda: 1.0) as ledger:
        ledger.write(ACCEPTED, work_order="TS-1", autofill="a")
    with (folder / "ledger").open("a") as file:
        file.write('{"at": 2.0, "wh')

    assert list(read_ledger(folder / "ledger")) == [accepted("a")]


def callback(id_: str, data: dict[str, Any], *, at: datetime = NOW) -> MockRequest:
    """A callback as the hub sends it."""
    event = {
        "specversion": "1.0",
        "id": id_,
        "source": "/courts/x",
        "type": "cn.shuniu.autofill.finished.v1",
        "subject": id_,
        "time": "2026-11-24T08:00:00Z",
        "data": data,
    }
    body = json.dumps(event)
    headers = {
        "webhook-id": id_,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(SECRET).sign(id_, at, body),
    }
    return MockRequest("POST", "/hooks", "", headers, body.encode())


def test_a_callback_is_recorded_before_it_is_answered(folder: Path) -> None:
    """Accepted, repeated, altered, late: each in the ledger before its answer."""
    with CallbackLedger(folder / "ledger") as ledger:
        receiver = CallbackReceiver(ledger, SECRET, clock=lambda: NOW)
        good = callback("a", {"n": 1})
        altered = MockRequest("POST", "/hooks", "", good.headers, good.body.replace(b"1}", b"2}"))
        late = callback("b", {}, at=datetime(2026, 11, 24, 7, 0, tzinfo=UTC))
        statuses = [receiver.respond(request).status for request in (good, good, altered, late)]

    assert statuses == [204, 204, 401, 401]
    noted = [(request["what"], request.get("again"), request.get("why")) for request in read_ledger(folder / "ledger")]
    assert noted == [
        ("received", False, None),
        ("received", True, None),
        ("rejected", None, "CallbackAltered"),
        ("rejected", None, "CallbackLate"),
    ]


def test_faulty_answers_come_in_the_given_shares(folder: Path) -> None:
    """The random choices follow from a seed, so that a run can be repeated."""
    with CallbackLedger(folder / "ledger") as ledger:
        shares = ResponseShares(failing=0.3, slow=0.2, dropping=0.2)
        receiver = CallbackReceiver(ledger, SECRET, shares, random.Random(7), clock=lambda: NOW)
        answers = [receiver.respond(callback(f"a{number}", {})) for number in range(300)]

    ways = [answer.status if answer.deliver is None else answer.deliver.__name__ for answer in answers]
    counts = {way: ways.count(way) for way in set(ways)}
    assert set(counts) == {204, 500, "_slow", "_dropped"}
    assert 60 < counts[500] < 120
    assert len(list(read_ledger(folder / "ledger"))) == 300
