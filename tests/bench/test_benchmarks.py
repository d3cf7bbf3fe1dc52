"""
The benchmark measures what it says: every answer is checked, and the gateways beside the hub really do the work.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from bench import handwritten
from bench.cpu_profile import ELSEWHERE, ROOT, Sampler
from bench.dataset import PARTIES_OF_ONE, parties, questions, work_orders
from bench.handwritten_upstreams import UpstreamTransport
from bench.load import Figures, prepare, run
from bench.lookups import _content, summarize
from bench.port_transport import HubTransport
from mock_agencies import credentials
from mock_agencies.serving import serving

pytestmark = pytest.mark.anyio

QUESTION = {"body": {"subject": "a person"}, "expected": "330802199003071239"}
GOOD = b'{"id_number":"330802199003071239"}'


def answer(status: str, body: bytes) -> bytes:
    """An HTTP answer."""
    return b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (
        status.encode(),
        len(body),
        body,
    )


@asynccontextmanager
async def server(reply: bytes) -> AsyncIterator[str]:
    """A server that gives the same bytes to every request, or hangs up if there are none."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := (await reader.readuntil(b"\r\n\r\n") if reply else b""):
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            await reader.readexactly(length)
            # In two pieces, as a network might.
            writer.write(reply[:30])
            await writer.drain()
            writer.write(reply[30:])
            if reader.at_eof():
                break
        writer.close()

    async def patient(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
        except asyncio.IncompleteReadError:
            writer.close()

    listening = await asyncio.start_server(patient, "127.0.0.1", 0)
    async with listening:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"


async def load(reply: bytes) -> Figures:
    """A short load of four clients on such a server."""
    async with server(reply) as address:
        return await run(address, prepare(address, {}, [QUESTION]), clients=4, warm_up=0.0, seconds=0.05)


async def test_right_answers_are_counted_without_failures() -> None:
    """A whole answer about the person that was asked for counts."""
    figures = await load(answer("200 OK", GOOD))

    assert figures.failures == {}
    assert figures.in_all >= figures.lookups > 0
    assert 0 < figures.p50_ms <= figures.p99_ms


@pytest.mark.parametrize(
    ("reply", "failure"),
    [
        (answer("403 Forbidden", GOOD), "status 403"),
        (answer("200 OK", b'{"id_number":"another"}'), "answer without the person"),
        (answer("200 OK", GOOD + b'{"state":"unavailable"}'), "an agency unavailable"),
        (b"", "connection lost"),
    ],
    ids=["refused", "empty", "partial", "closed"],
)
async def test_an_incomplete_answer_is_a_failure(reply: bytes, failure: str) -> None:
    """Each answer is checked, so that incomplete ones do not count."""
    assert list((await load(reply)).failures) == [failure]


@pytest.mark.parametrize("kind", ["httpx", "port"])
async def test_the_hand_written_gateway_answers_from_all_four_upstreams(kind: str, tmp_path: Path) -> None:
    """Over either transport its answer has the data of all four upstreams."""
    person = parties(1)[0]
    accounts = tmp_path / "credentials.toml"
    accounts.write_text(credentials.as_toml(), encoding="utf-8")
    async with serving() as servers:
        addresses = {name: server.address for name, server in servers.items()}
        net: UpstreamTransport = handwritten.HttpxTransport(addresses) if kind == "httpx" else HubTransport(addresses)
        app = handwritten.create_app(addresses, accounts, net)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway") as client:
            body = questions([person], under_work_orders=False)[0]["body"]
            content = _content((await client.post("/v1/lookups", json=body)).json())
        await net.aclose()

    assert (content["identity"]["id_number"], content["identity"]["full_name"]) == (person.id_number, person.name)
    assert ["household", str(person.household.text)] in content["addresses"]
    assert [(agency, capability) for agency, capability, state in content["agencies"] if state != "unavailable"] == [
        ("human_resources", "participation"),
        ("market_regulation", "positions"),
        ("public_security", "addresses"),
        ("public_security", "identity"),
    ]


def test_each_question_is_about_a_party_of_its_work_order() -> None:
    """The hub is asked only what it may answer, and about as many people as the others."""
    people = parties(3)
    stated = work_orders(people)
    bodies = [question["body"] for question in questions(people, under_work_orders=True)]

    assert len({person.id_number for person in people}) == 3 * PARTIES_OF_ONE == len(bodies)
    for question in bodies:
        named = {party["id_number"] for party in stated[question["work_order"]]["parties"]}
        assert question["subject"]["id_number"] in named


def test_summary_has_medians_and_ratios_over_the_rounds() -> None:
    """One slow round does not decide."""
    rounds: dict[str, list[dict[str, Any]]] = {
        name: [{"lookups_per_s": rate * factor, "p50_ms": 1.0, "p99_ms": 2.0} for factor in (1.0, 0.1, 1.0)]
        for name, rate in (("hub", 300.0), ("handwritten", 100.0), ("handwritten_on_port", 400.0))
    }
    results = summarize(rounds)

    assert results["ratios"] == {"hub/handwritten": 3.0, "hub/handwritten_on_port": 0.75}
    assert results["hub"] == {"lookups_per_s": 300.0, "p50_ms": 1.0, "p99_ms": 2.0}
    assert json.loads(json.dumps(results)) == results


@pytest.mark.parametrize(
    ("files", "room"),
    [
        (["adapters/wire/transport.py"], "wire"),
        (
            ["gateway/api/app.py", "gateway/lookup/service.py", "audit/store/log.py", "/usr/lib/python3/hmac.py"],
            "audit",
        ),
        (["/x/site-packages/uvicorn/server.py", "/x/site-packages/fastapi/routing.py"], "http and json"),
        (["gateway/access/authorization.py", "/x/site-packages/psycopg/cursor.py"], "access"),
        (["/usr/lib/python3/asyncio/events.py"], ELSEWHERE),
    ],
    ids=["one", "innermost", "library", "ours before a library's", "none"],
)
def test_cpu_time_is_attributed_to_the_innermost_room(files: list[str], room: str) -> None:
    """A stack belongs to the innermost frame of ours, or else to the library that serves the request."""
    frame = None
    for file in files:
        frame = _Frame(file if file.startswith("/") else str(ROOT / file), frame)

    assert Sampler()._room(frame) == room  # type: ignore[arg-type]


class _Frame:
    """What the sampler looks at in a frame."""

    def __init__(self, file: str, back: "_Frame | None") -> None:
        self.f_code = compile("", file, "exec")
        self.f_back = back
