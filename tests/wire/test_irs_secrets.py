"""
Which secret is fetched when, at the IRS platform: 15 minutes, 48 hours, two clocks, two refusals.
"""

import asyncio
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
import respx

from adapters.errors import AgencyFault, AgencyTimeout, AnswerUnreadable, CredentialsRejected
from adapters.wire.irs_secrets import sign
from adapters.wire.secrets import CredentialPair, ProcessStore, Secret

pytestmark = pytest.mark.anyio

BY_KEY = "http://127.0.0.1:9/gateway/app/refreshTokenByKey.htm"
BY_SECRET = "http://127.0.0.1:9/gateway/app/refreshTokenBySec.htm"
REQUEST, REFRESH = "fedcba9876543210fedcba9876543210", "0123456789abcdef0123456789abcdef"


def steps(agency: respx.Router) -> list[str]:
    """The calls so far, in order, each by the last word of its path."""
    return [call.request.url.path.rpartition("/")[2].removesuffix(".htm") for call in agency.calls]


def form(call: Any) -> dict[str, str]:
    """The fields of a call's form body."""
    return form_of(call.request)


def form_of(request: httpx.Request) -> dict[str, str]:
    """The fields of a form body."""
    return {name: values[0] for name, values in parse_qs(request.content.decode()).items()}


async def test_the_first_question_fetches_the_secrets_with_the_application_secret(bench: Any) -> None:
    """Step 1, then the business call, each with the signature of the vectors."""
    bench.answers("irs", bench.irs_answer([{"AAC003": "甲"}]))

    await bench.wire("irs").ask(bench.question(), "lookup", bench.terms)

    first, business = map(form, bench.agency.calls)
    assert first == {
        "appKey": "DEMO_APP_KEY",
        "sign": "657d65126d3898ce91d1f8fd1b545c82",
        "requestTime": "1700000000000",
    }
    assert (business["sign"], business["requestTime"]) == ("99952b2da3d4b7efac002b529489e404", "1700000000000")


async def test_a_living_secret_is_used_again(bench: Any) -> None:
    """Two questions within the quarter of an hour need one refresh."""
    bench.answers("irs", bench.irs_answer([]))
    wire = bench.wire("irs")

    await wire.ask(bench.question(), "lookup", bench.terms)
    bench.hands.forward(minutes=13)
    await wire.ask(bench.question(), "lookup", bench.terms)

    assert steps(bench.agency).count("refreshTokenByKey") == 1
    assert "refreshTokenBySec" not in steps(bench.agency)


async def test_past_a_quarter_of_an_hour_the_refresh_secret_fetches_the_next(bench: Any) -> None:
    """Step 2, signed with the refresh secret as in the vectors."""
    bench.answers("irs", bench.irs_answer([]))
    renewal = bench.agency.post(BY_SECRET).mock(return_value=bench.irs_secrets("a" * 32, "b" * 32))
    wire = bench.wire("irs")
    await wire.ask(bench.question(), "lookup", bench.terms)

    bench.hands.forward(minutes=15)
    await wire.ask(bench.question(), "lookup", bench.terms)

    assert form(renewal.calls.last)["sign"] == "32801961175d217fef1e92a5b9be032d"
    assert form(bench.agency.calls.last)["sign"] == sign("DEMO_APP_KEY", "a" * 32, "1700000900000")


async def test_the_next_secret_is_fetched_while_a_minute_is_left(bench: Any) -> None:
    """No question starts with a secret that ends on the way."""
    bench.answers("irs", bench.irs_answer([]))
    bench.agency.post(BY_SECRET).mock(return_value=bench.irs_secrets("a" * 32, "b" * 32))
    wire = bench.wire("irs")
    await wire.ask(bench.question(), "lookup", bench.terms)

    bench.hands.forward(minutes=14, seconds=1)
    await wire.ask(bench.question(), "lookup", bench.terms)

    assert steps(bench.agency).count("refreshTokenBySec") == 1


async def test_after_two_idle_days_the_application_secret_is_used_again(bench: Any) -> None:
    """The refresh secret is looked at first: a hub that was off over the week-end recovers by itself."""
    bench.answers("irs", bench.irs_answer([]))
    wire = bench.wire("irs")
    await wire.ask(bench.question(), "lookup", bench.terms)

    bench.hands.forward(hours=48)
    await wire.ask(bench.question(), "lookup", bench.terms)

    assert steps(bench.agency).count("refreshTokenByKey") == 2
    assert "refreshTokenBySec" not in steps(bench.agency)


@pytest.mark.parametrize("off", [timedelta(hours=-5), timedelta(hours=5)])
async def test_an_agency_whose_clock_is_off_neither_stops_nor_floods_us(bench: Any, off: timedelta) -> None:
    """Its end times are then nonsense; the agreed lifetime on our own clock decides."""
    bench.answers("irs", bench.irs_answer([]))
    bench.agency.post(BY_KEY).mock(return_value=bench.irs_secrets(REQUEST, REFRESH, off=off))
    renewal = bench.agency.post(BY_SECRET).mock(return_value=bench.irs_secrets(REQUEST, REFRESH, off=off))
    wire = bench.wire("irs")

    await wire.ask(bench.question(), "lookup", bench.terms)
    bench.hands.forward(minutes=10)
    await wire.ask(bench.question(), "lookup", bench.terms)
    assert renewal.call_count == 0

    bench.hands.forward(minutes=5)
    await wire.ask(bench.question(), "lookup", bench.terms)
    assert renewal.call_count == 1


async def test_the_earlier_end_wins_when_the_agency_states_a_shorter_life(bench: Any) -> None:
    """A secret that the agency ends after five minutes is renewed after four."""
    bench.answers("irs", bench.irs_answer([]))
    bench.agency.post(BY_KEY).mock(return_value=bench.irs_secrets(REQUEST, REFRESH, off=timedelta(minutes=-10)))
    renewal = bench.agency.post(BY_SECRET).mock(return_value=bench.irs_secrets("a" * 32, "b" * 32))
    wire = bench.wire("irs")
    await wire.ask(bench.question(), "lookup", bench.terms)

    bench.hands.forward(minutes=4, seconds=1)
    await wire.ask(bench.question(), "lookup", bench.terms)

    assert renewal.call_count == 1


async def test_a_time_of_day_that_was_set_back_does_not_make_a_secret_immortal(bench: Any) -> None:
    """The monotonic clock goes on when the other is corrected."""
    bench.answers("irs", bench.irs_answer([]))
    renewal = bench.agency.post(BY_SECRET).mock(return_value=bench.irs_secrets("a" * 32, "b" * 32))
    wire = bench.wire("irs")
    await wire.ask(bench.question(), "lookup", bench.terms)

    bench.hands.jump(hours=-3)
    bench.hands.forward(minutes=15)
    await wire.ask(bench.question(), "lookup", bench.terms)

    assert renewal.call_count == 1


async def test_a_secret_out_of_its_time_is_renewed_and_the_question_asked_once_more(bench: Any) -> None:
    """Code 11, refresh, answer: two attempts."""
    bench.answers("irs", bench.irs_answer("", code="11"), bench.irs_answer([{"AAC003": "甲"}]))
    bench.agency.post(BY_SECRET).mock(return_value=bench.irs_secrets("a" * 32, "b" * 32))
    question = bench.question()

    rows = await bench.wire("irs").ask(question, "lookup", bench.terms)

    assert rows.records == ({"AAC003": "甲"},)
    assert (question.evidence.attempts, len(question.evidence.answers)) == (2, 2)


async def test_a_second_code_11_means_that_our_credentials_are_rejected(bench: Any) -> None:
    """One refresh and no more."""
    bench.answers("irs", bench.irs_answer("", code="11"), bench.irs_answer("", code="11"))
    bench.agency.post(BY_SECRET).mock(return_value=bench.irs_secrets("a" * 32, "b" * 32))
    question = bench.question()

    with pytest.raises(CredentialsRejected):
        await bench.wire("irs").ask(question, "lookup", bench.terms)

    assert question.evidence.attempts == 2


async def test_a_wrong_signature_drops_the_secret_and_fetches_anew_with_the_application_secret(bench: Any) -> None:
    """Code 14 means that another holder refreshed: our refresh secret is dead as well."""
    bench.answers("irs", bench.irs_answer("", code="14"), bench.irs_answer([]))

    await bench.wire("irs").ask(bench.question(), "lookup", bench.terms)

    assert [step[:17] for step in steps(bench.agency)] == [
        "refreshTokenByKey",
        "socialPersonalPar",
        "refreshTokenByKey",
        "socialPersonalPar",
    ]


async def test_a_signature_is_tried_three_times_in_all(bench: Any) -> None:
    """Then our credentials are rejected, and nothing more is fetched."""
    bench.answers("irs", bench.irs_answer("", code="14"))
    question = bench.question()

    with pytest.raises(CredentialsRejected):
        await bench.wire("irs").ask(question, "lookup", bench.terms)

    assert question.evidence.attempts == 3
    assert steps(bench.agency).count("refreshTokenByKey") == 3


async def test_a_refresh_secret_that_is_refused_falls_back_to_the_application_secret(bench: Any) -> None:
    """Step 2 refused, step 1 accepted."""
    bench.answers("irs", bench.irs_answer([]))
    bench.agency.post(BY_SECRET).mock(return_value=bench.irs_answer("", code="14"))
    wire = bench.wire("irs")
    await wire.ask(bench.question(), "lookup", bench.terms)

    bench.hands.forward(minutes=20)
    await wire.ask(bench.question(), "lookup", bench.terms)

    assert steps(bench.agency)[2:4] == ["refreshTokenBySec", "refreshTokenByKey"]


@pytest.mark.parametrize("code", ["11", "14"])
async def test_an_application_secret_that_is_refused_means_rejected_credentials(bench: Any, code: str) -> None:
    """There is nothing left to try with, and no question about a person was sent."""
    bench.agency.post(BY_KEY).mock(return_value=bench.irs_answer("", code=code))
    question = bench.question()

    with pytest.raises(CredentialsRejected):
        await bench.wire("irs").ask(question, "lookup", bench.terms)

    assert (question.evidence.attempts, question.evidence.answers) == (0, [])


async def test_an_unknown_code_to_a_refresh_is_a_fault(bench: Any) -> None:
    """It is not taken for anything else."""
    bench.agency.post(BY_KEY).mock(return_value=bench.irs_answer("", code="77"))

    with pytest.raises(AgencyFault):
        await bench.wire("irs").ask(bench.question(), "lookup", bench.terms)


@pytest.mark.parametrize(
    "datas",
    [
        "",
        [],
        {"requestSecret": "a"},
        {"requestSecret": "", "requestSecretEndTime": 1},
        {"requestSecret": "a", "requestSecretEndTime": "tomorrow"},
        {"requestSecret": "a", "requestSecretEndTime": True},
        {"requestSecret": "a", "requestSecretEndTime": -1},
    ],
)
async def test_a_refresh_without_readable_secrets_is_unreadable(bench: Any, datas: Any) -> None:
    """Half a ring is no ring."""
    bench.agency.post(BY_KEY).mock(return_value=bench.irs_answer(datas))

    with pytest.raises(AnswerUnreadable):
        await bench.wire("irs").ask(bench.question(), "lookup", bench.terms)


async def test_questions_that_arrive_together_share_one_refresh(bench: Any) -> None:
    """Twenty at once, one refresh: a second one would make the first one's secret invalid."""
    bench.answers("irs", bench.irs_answer([]))
    wire = bench.wire("irs")

    await asyncio.gather(*(wire.ask(bench.question(), "lookup", bench.terms) for _ in range(20)))

    assert steps(bench.agency).count("refreshTokenByKey") == 1


async def test_a_secret_that_somebody_else_fetched_is_used_before_fetching(bench: Any) -> None:
    """After code 14 the shared ring is looked at first."""
    store = ProcessStore()
    theirs = CredentialPair(
        secret=Secret.issued("c" * 32, ends_at=1_700_000_900, lifetime=900, clock=bench.hands.clock)
    )
    wire = bench.wire("irs", store=store)

    async def answer(request: httpx.Request) -> httpx.Response:
        if form_of(request)["sign"] == sign("DEMO_APP_KEY", "c" * 32, "1700000000000"):
            return bench.irs_answer([])
        store._rings[wire._secrets._key] = theirs
        return bench.irs_answer("", code="14")

    bench.answers("irs", bench.irs_answer([])).mock(side_effect=answer)

    await wire.ask(bench.question(), "lookup", bench.terms)

    assert steps(bench.agency).count("refreshTokenByKey") == 1


async def test_a_cancelled_refresher_hands_its_turn_on(bench: Any) -> None:
    """The question that waited fetches the secret itself."""
    store = ProcessStore()
    ring = CredentialPair(secret=Secret.issued("c" * 32, ends_at=1_700_000_900, lifetime=900, clock=bench.hands.clock))
    began = asyncio.Event()
    hangs = [True]

    async def fetch(_: CredentialPair | None, _until: float) -> CredentialPair:
        if hangs.pop():
            began.set()
            await asyncio.Event().wait()
        return ring

    store.register("key", fetch, margin=60)
    first = asyncio.create_task(store.renew("key", None, until=float("inf")))
    await began.wait()
    hangs.append(False)
    second = asyncio.create_task(store.renew("key", None, until=float("inf")))
    await asyncio.sleep(0)
    first.cancel()

    assert await second is ring


async def test_nobody_waits_for_a_turn_beyond_the_deadline(bench: Any) -> None:
    """A refresher that hangs costs the others their deadline and not more."""
    store = ProcessStore()
    began = asyncio.Event()

    async def hang(_: CredentialPair | None, _until: float) -> CredentialPair:
        began.set()
        await asyncio.Event().wait()
        raise AssertionError

    store.register("key", hang, margin=60)
    first = asyncio.create_task(store.renew("key", None, until=float("inf")))
    await began.wait()

    with pytest.raises(AgencyTimeout):
        await store.renew("key", None, until=asyncio.get_running_loop().time())
    first.cancel()
