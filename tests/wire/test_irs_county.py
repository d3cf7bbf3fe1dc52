"""
The county variant of the IRS platform: two steps in clear, and a dead secret that is told only in words.
"""

import json
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
import respx

from adapters.contract import Rows
from adapters.errors import AnswerUnreadable, CredentialsRejected
from adapters.wire.irs_secrets import sign

pytestmark = pytest.mark.anyio

FIRST, SECOND = "http://127.0.0.1:9/appsecert", "http://127.0.0.1:9/interfaceSecurity"
BUSINESS = "http://127.0.0.1:9/gateway/api/001003085/dataSharing/socialPersonalParticipationInfo.htm"
COUNTY = {"secrets": "county"}


@pytest.fixture
def steps(bench: Any) -> tuple[respx.Route, respx.Route, respx.Route]:
    """The county's three calls, all willing."""

    def given(**data: Any) -> httpx.Response:
        return bench.irs_answer("", data=data)

    return (
        bench.agency.post(FIRST).mock(return_value=given(refreshSecret="r" * 32, requestTime=1_699_999_999_000)),
        bench.agency.post(SECOND).mock(return_value=given(requestSecret="q" * 32)),
        bench.agency.post(BUSINESS).mock(return_value=bench.irs_answer([{"AAC003": "甲"}])),
    )


async def ask(bench: Any, wire: Any = None) -> Rows:
    """One question to the mounted county."""
    wire = wire or bench.wire("irs", options=COUNTY)
    rows = await wire.ask(bench.question(), "lookup", bench.terms)
    assert isinstance(rows, Rows)
    return rows


async def test_two_steps_in_clear_lead_to_the_secret(bench: Any, steps: Any) -> None:
    """The second sends back the time of the first; the business call has `appkey`, its k small, in the query."""
    rows = await ask(bench)

    first, second, business = (step.calls.last.request for step in steps)
    form = parse_qs(business.content.decode())
    assert json.loads(first.content) == {"appKey": "DEMO_APP_KEY", "appSecret": "demo_app_secret"}
    assert json.loads(second.content) == {
        "appKey": "DEMO_APP_KEY",
        "refreshSecret": "r" * 32,
        "requestTime": "1699999999000",
    }
    assert business.url.query == b"appkey=DEMO_APP_KEY"
    assert form["sign"] == [sign("DEMO_APP_KEY", "q" * 32, "1700000000000")]
    assert "appKey" not in form
    assert rows.records == ({"AAC003": "甲"},)


async def test_the_refresh_secret_is_kept_for_two_days(bench: Any, steps: Any) -> None:
    """The county states no end: a quarter of an hour and 48 hours are taken, as at the platform."""
    wire = bench.wire("irs", options=COUNTY)
    for forward in ({"minutes": 0}, {"minutes": 13}, {"minutes": 3}, {"hours": 48}):
        bench.hands.forward(**forward)
        await ask(bench, wire)

    assert [step.call_count for step in steps] == [2, 3, 4]


async def test_a_secret_that_is_dead_in_words_is_renewed_once(bench: Any, steps: Any) -> None:
    """Whatever the code; at the platform such words mean nothing."""
    dead = bench.irs_answer("", code="99", msg="请求秘钥错误")
    steps[2].mock(side_effect=[dead, bench.irs_answer([])])

    assert (await ask(bench)).records == ()
    assert [step.call_count for step in steps] == [1, 2, 2]

    steps[2].mock(side_effect=None, return_value=dead)
    with pytest.raises(CredentialsRejected):
        await ask(bench)
    assert steps[2].call_count == 4


@pytest.mark.parametrize("step", [0, 1])
async def test_a_refused_step_means_rejected_credentials(bench: Any, steps: Any, step: int) -> None:
    """No question about a person was sent."""
    steps[step].mock(return_value=bench.irs_answer("", code="14"))

    with pytest.raises(CredentialsRejected):
        await ask(bench)

    assert steps[2].call_count == 0


@pytest.mark.parametrize("step", [0, 1])
@pytest.mark.parametrize("data", ["", None, [], {}, {"refreshSecret": "r"}, {"refreshSecret": True, "requestTime": 1}])
async def test_a_step_without_its_secret_is_unreadable(bench: Any, steps: Any, step: int, data: Any) -> None:
    """Half a ring is no ring."""
    steps[step].mock(return_value=bench.irs_answer("", data=data))

    with pytest.raises(AnswerUnreadable):
        await ask(bench)
