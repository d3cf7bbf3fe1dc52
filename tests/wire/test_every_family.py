"""
What holds for every family: evidence first, the deadline kept, the official named, nothing sent that cannot be said.
"""

import asyncio
from dataclasses import replace
from typing import Any

import httpx
import pytest

from adapters.contract import RawAnswer
from adapters.errors import AgencyTimeout, AnswerUnreadable, UnsupportedLookup
from schemas.codes import Reason

pytestmark = pytest.mark.anyio

EVERY = pytest.mark.parametrize("family", ["irs", "national", "population", "rbsp"])
OTHER_LABEL = {"Content-Type": "text/html; charset=GBK"}


@EVERY
async def test_the_answer_is_kept_byte_for_byte_before_it_is_read(bench: Any, family: str) -> None:
    """A reader that fails leaves the evidence behind."""
    body = "不是答复".encode("gbk")
    bench.answers(family, httpx.Response(200, headers=OTHER_LABEL, content=body))
    question = bench.question()

    with pytest.raises(AnswerUnreadable):
        await bench.wire(family).ask(question, "lookup", bench.terms)

    assert question.evidence.attempts == 1
    assert question.evidence.answers == [
        RawAnswer(
            agency="synthetic",
            capability="lookup",
            asked_at=bench.hands.now,
            answered_at=bench.hands.now,
            status=200,
            content_type="text/html; charset=GBK",
            body=body,
        )
    ]


@EVERY
async def test_a_secret_never_stands_in_the_evidence(bench: Any, family: str) -> None:
    """Refresh answers hold living secrets and nothing about the person: they are not kept."""
    bench.answers(family, httpx.Response(200, content=b""))
    question = bench.question()

    with pytest.raises(AnswerUnreadable):
        await bench.wire(family).ask(question, "lookup", bench.terms)

    assert [raw.body for raw in question.evidence.answers] == [b""]


@EVERY
@pytest.mark.parametrize("field", ["name", "id_number", "unit_code", "unit_name", "terminal"])
async def test_a_question_without_the_whole_official_is_not_sent(bench: Any, family: str, field: str) -> None:
    """Shared accounts are impossible by design."""
    official = replace(bench.official, **{field: ""})

    with pytest.raises(UnsupportedLookup) as caught:
        await bench.wire(family).ask(bench.question(official=official), "lookup", bench.terms)

    assert (caught.value.reason, bench.agency.calls.call_count) == (Reason.OFFICIAL_INCOMPLETE, 0)


@EVERY
async def test_a_question_without_a_work_order_is_not_sent(bench: Any, family: str) -> None:
    """Nothing is asked outside a task."""
    matter = replace(bench.matter, work_order="")

    with pytest.raises(UnsupportedLookup) as caught:
        await bench.wire(family).ask(bench.question(matter=matter), "lookup", bench.terms)

    assert (caught.value.reason, bench.agency.calls.call_count) == (Reason.OFFICIAL_INCOMPLETE, 0)


@EVERY
@pytest.mark.parametrize(
    ("terms", "reason"),
    [
        ({}, Reason.NOT_EXPRESSIBLE),
        ({"name": "甲"}, Reason.NOT_EXPRESSIBLE),
        ({"id_number": "", "name": "甲"}, Reason.NOT_EXPRESSIBLE),
        ({"id_number": "33080219900307\x003X"}, Reason.NOT_EXPRESSIBLE),
        ({"id_number": "33080219900307123X", "name": "\udfff"}, Reason.NOT_EXPRESSIBLE),
        ({"id_number": "33080219900307123X", "birth": "1990"}, Reason.NOT_CONFIGURED),
        ({"uscc": "91330800MA00000000"}, Reason.NOT_CONFIGURED),
    ],
)
async def test_what_a_route_cannot_say_is_not_sent(
    bench: Any, family: str, terms: dict[str, str], reason: Reason
) -> None:
    """Nothing is left out quietly, and a name alone is never asked for: that would be browsing."""
    with pytest.raises(UnsupportedLookup) as caught:
        await bench.wire(family).ask(bench.question(), "lookup", terms)

    assert (caught.value.reason, bench.agency.calls.call_count) == (reason, 0)


@EVERY
@pytest.mark.parametrize(("seconds", "deadline"), [(0.1, 5.0), (30.0, 0.1)], ids=["attempt", "deadline"])
async def test_an_attempt_ends_by_its_timeout_or_by_the_deadline(
    bench: Any, family: str, seconds: float, deadline: float
) -> None:
    """Whichever is earlier, with the refresh of a secret inside."""

    async def hang(_: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError

    bench.answers(family, httpx.Response(200)).mock(side_effect=hang)
    question = bench.question(seconds=deadline)

    async with asyncio.timeout(3):
        with pytest.raises(AgencyTimeout):
            await bench.wire(family, timeout=seconds).ask(question, "lookup", bench.terms)

    assert (question.evidence.attempts, question.evidence.answers) == (1, [])


@EVERY
async def test_a_cancelled_question_is_cancelled(bench: Any, family: str) -> None:
    """Our own cancellation is no error of an agency."""
    asked = asyncio.Event()

    async def hang(_: httpx.Request) -> httpx.Response:
        asked.set()
        await asyncio.Event().wait()
        raise AssertionError

    bench.answers(family, httpx.Response(200)).mock(side_effect=hang)
    task = asyncio.create_task(bench.wire(family).ask(bench.question(), "lookup", bench.terms))
    await asked.wait()
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_large_answer_is_read_beside_the_event_loop(bench: Any) -> None:
    """One flooding agency does not hold up the others' answers."""
    rows = [{"AAC003": "甲" * 1000, "n": number} for number in range(100)]
    bench.answers("irs", bench.irs_answer(rows))

    found = await bench.wire("irs").ask(bench.question(), "lookup", bench.terms)

    assert found.records == tuple(rows)
