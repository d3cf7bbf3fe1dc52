"""
How a person gets in: what the hub asks of the sign-on server, what it believes of the answer, and what follows.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from gateway.sign_on import SignInStep
from tests.sign_on.court import ISSUER, NOW, OUR_ADDRESS, Clock, Issuer, SignOnCourt, problem

pytestmark = pytest.mark.anyio


async def test_a_person_signs_in_and_gets_a_session_cookie(court: SignOnCourt, issuer: Issuer) -> None:
    """From the page that was wanted to the sign-on server and back; the cookie is the whole of it."""
    async with court.browser() as browser:
        location = await court.goes_to_sign_on(browser, "/lookups?page=2")
        back = await browser.get(issuer.returns(location))
        session = await browser.get("/v1/session")
    parameters = {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}

    assert location.startswith(f"{ISSUER}/authorize?")
    assert parameters == {
        "response_type": "code",
        "client_id": "shuniu-pages",
        "redirect_uri": f"{OUR_ADDRESS}/signed-in",
        "scope": "openid profile",
        "state": parameters["state"],
        "nonce": parameters["nonce"],
        "code_challenge": parameters["code_challenge"],
        "code_challenge_method": "S256",
        "max_age": "900",
    }
    assert {len(parameters[name]) for name in ("state", "nonce", "code_challenge")} == {43}
    assert (back.status_code, back.headers["Location"]) == (303, "/lookups?page=2")
    assert session.headers["Cache-Control"] == "no-store"
    assert session.json() == {
        "user": "li.ting",
        "name": "李婷",
        "court": "浙0802",
        "unit": "演示法院",
        "client": "shuniu-pages",
        "started_at": "2027-01-15T08:00:00Z",
        "idle_at": "2027-01-15T08:15:00Z",
        "ends_at": "2027-01-15T16:00:00Z",
        "csrf_token": session.json()["csrf_token"],
    }


async def test_the_cookie_is_for_this_host_alone_and_no_script_sees_it(court: SignOnCourt) -> None:
    """Every attribute is there, and the database does not know the secret."""
    async with court.browser() as browser:
        answer = await court.signs_in(browser)
    cookies = answer.headers.get_list("set-cookie")
    name, _, rest = cookies[0].partition("=")
    secret, _, attributes = rest.partition("; ")

    assert name == "__Host-shuniu-session"
    assert len(secret) == 43
    assert attributes == "HttpOnly; Path=/; SameSite=lax; Secure"
    assert cookies[1].startswith('__Host-shuniu-sign-in=""; ')
    assert "Max-Age=0" in cookies[1]


async def test_the_sign_in_is_recorded_before_its_session_works(court: SignOnCourt) -> None:
    """Who and from where are sealed; how strongly stands in clear."""
    before = court.length()
    async with court.browser() as browser:
        await court.signs_in(browser)
    recorded = court.records(before)

    assert recorded == [
        {
            "v": 1,
            "type": "session.signed_in",
            "xid": recorded[0]["xid"],
            "t": NOW * 1_000_000,
            "who": {
                "court": "浙0802",
                "unit": "演示法院",
                "client": "shuniu-pages",
                "c": recorded[0]["who"]["c"],
            },
            "outcome": "signed_in",
            "detail": {"acr": "urn:demo:acr:certificate", "method": "pin,hwk"},
        }
    ]


@pytest.mark.parametrize(
    ("identity", "rule"),
    [
        ({"iss": "https://sign-on.example"}, "sign_in_not_trusted"),
        ({"aud": "another-client"}, "sign_in_not_trusted"),
        ({"aud": ["shuniu-pages", "another-client"]}, "sign_in_not_trusted"),
        ({"aud": ["shuniu-pages", "another-client"], "azp": "another-client"}, "sign_in_not_trusted"),
        ({"azp": "another-client"}, "sign_in_not_trusted"),
        ({"exp": NOW - 30}, "sign_in_not_trusted"),
        ({"exp": None}, "sign_in_not_trusted"),
        ({"iat": NOW + 31, "auth_time": NOW}, "sign_in_not_trusted"),
        ({"nonce": "another"}, "sign_in_not_trusted"),
        ({"nonce": "é"}, "sign_in_not_trusted"),
        ({"nonce": None}, "sign_in_not_trusted"),
        ({"sub": "wang.qiang"}, "sign_in_not_trusted"),
        ({"sub": None}, "sign_in_not_trusted"),
        ({"auth_time": None}, "sign_in_not_trusted"),
        ({"auth_time": NOW + 31}, "sign_in_not_trusted"),
        ({"amr": "pin"}, "sign_in_not_trusted"),
        ({"amr": [1]}, "sign_in_not_trusted"),
        ({"auth_time": NOW - 931}, "sign_in_too_old"),
        ({"acr": 1}, "sign_in_too_weak"),
    ],
    ids=str,
)
async def test_every_claim_of_the_id_token_is_checked(
    court: SignOnCourt, issuer: Issuer, identity: dict[str, Any], rule: str
) -> None:
    """One claim wrong, and nobody is signed in; the answer names the rule and nothing of the token."""
    issuer.identity = identity
    async with court.browser() as browser:
        answer = await browser.get(issuer.returns(await court.goes_to_sign_on(browser)))
        afterwards = await browser.get("/v1/session")

    assert problem(answer) == (403, rule)
    assert "wang.qiang" not in answer.text
    assert problem(afterwards) == (401, "missing")


@pytest.mark.parametrize(
    "identity",
    [
        {"aud": ["shuniu-pages"]},
        {"aud": ["shuniu-pages", "another-client"], "azp": "shuniu-pages"},
        {"auth_time": NOW - 930},
        {"amr": None, "acr": None},
    ],
    ids=str,
)
async def test_optional_claims_of_the_standard_are_accepted(
    court: SignOnCourt, issuer: Issuer, identity: dict[str, Any]
) -> None:
    """Several audiences with us as the authorized party; a sign-in within the limit; no word on methods."""
    issuer.identity = identity
    async with court.browser() as browser:
        await court.signs_in(browser)


@pytest.mark.parametrize(
    ("access", "tokens"),
    [
        ({"aud": "another-system"}, {}),
        ({"client_id": "another-client"}, {}),
        ({"exp": NOW - 30}, {}),
        ({}, {"id_token": None}),
        ({}, {"access_token": 7}),
        ({}, {"id_token": "a.b.c"}),
        ({}, {"id_token": "é"}),
    ],
    ids=str,
)
async def test_the_access_token_is_checked_as_on_every_call(
    court: SignOnCourt, issuer: Issuer, access: dict[str, Any], tokens: dict[str, Any]
) -> None:
    """And both tokens must be there and speak of one person and one program."""
    issuer.access, issuer.tokens = access, tokens
    async with court.browser() as browser:
        answer = await browser.get(issuer.returns(await court.goes_to_sign_on(browser)))

    assert problem(answer) == (403, "sign_in_not_trusted")


async def test_the_class_of_authentication_is_requested_and_checked(
    open_court: Callable[..., Any], issuer: Issuer
) -> None:
    """A server that ignores the wish is caught by its own token, and the person is told what to use."""
    court = await open_court(sign_on_acr="urn:demo:acr:certificate urn:demo:acr:smart-card")
    async with court.browser() as browser:
        location = await court.goes_to_sign_on(browser)
        good = await browser.get(issuer.returns(location))
        issuer.identity = {"acr": "urn:demo:acr:password"}
        weak = await browser.get(issuer.returns(await court.goes_to_sign_on(browser)))

    assert parse_qs(urlsplit(location).query)["acr_values"] == ["urn:demo:acr:certificate urn:demo:acr:smart-card"]
    assert good.status_code == 303
    assert problem(weak) == (403, "sign_in_too_weak")
    assert weak.json()["detail"] == SignInStep.TOO_WEAK.en
    assert weak.json()["detail_zh"] == SignInStep.TOO_WEAK.zh


async def test_a_class_of_authentication_that_is_not_plain_is_not_written_in_clear(
    court: SignOnCourt, issuer: Issuer
) -> None:
    """What another server makes up never decides what stands in the log."""
    issuer.identity = {"acr": "330802199003071239", "amr": ["李婷"]}
    before = court.length()
    async with court.browser() as browser:
        await court.signs_in(browser)

    assert court.records(before)[0]["detail"] == {"acr": "not plain", "method": "not plain"}


async def test_a_sign_in_takes_ten_minutes_at_most(court: SignOnCourt, issuer: Issuer, clock: Clock) -> None:
    """A code that comes later is not even shown to the sign-on server."""
    async with court.browser() as browser:
        location = await court.goes_to_sign_on(browser)
        clock.now += 600
        answer = await browser.get(issuer.returns(location))

    assert problem(answer) == (403, "sign_in_not_begun_here")
    assert issuer.asked[f"{ISSUER}/token"] == 0


async def test_a_declined_sign_in_makes_no_session(court: SignOnCourt, issuer: Issuer) -> None:
    """An error of the sign-on server ends the attempt; its words are not repeated."""
    async with court.browser() as browser:
        location = await court.goes_to_sign_on(browser)
        answer = await browser.get(issuer.returns(location, code=None, error="access_denied", error_description="李婷"))
        again = await browser.get(issuer.returns(location))

    assert problem(answer) == (403, "sign_in_refused")
    assert "李婷" not in answer.text
    assert problem(again) == (403, "sign_in_not_begun_here")


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(500),
        httpx.Response(302, headers={"Location": "https://attacker.example/token"}),
        httpx.Response(200, content=b"<html>"),
        httpx.Response(200, json=["access_token"]),
        httpx.Response(200, json={"access_token": "x" * 300_000}),
    ],
    ids=["error", "redirect", "page", "list", "large"],
)
async def test_a_failing_token_endpoint_is_a_503(court: SignOnCourt, issuer: Issuer, answer: httpx.Response) -> None:
    """503, and the attempt is spent: the code may have been, too."""
    issuer.answers["/token"] = answer
    async with court.browser() as browser:
        response = await browser.get(issuer.returns(await court.goes_to_sign_on(browser)))

    assert (response.status_code, response.json()["type"]) == (503, "urn:shuniu:problem:sign-on-unavailable")


@pytest.mark.parametrize(
    "discovery",
    [
        {"authorization_endpoint": "https://attacker.example/authorize"},
        {"token_endpoint": "https://attacker.example/token"},
        {"authorization_endpoint": None},
        {"token_endpoint": 7},
    ],
    ids=str,
)
async def test_endpoints_outside_the_issuers_origin_are_refused(
    court: SignOnCourt, issuer: Issuer, discovery: dict[str, Any]
) -> None:
    """A discovery document cannot lead people, or their codes, elsewhere."""
    issuer.discovery |= discovery
    async with court.browser() as browser:
        answer = await browser.get("/sign-in")

    assert (answer.status_code, answer.json()["type"]) == (503, "urn:shuniu:problem:sign-on-unavailable")


async def test_signing_in_is_a_503_while_the_sign_on_server_is_down(court: SignOnCourt, issuer: Issuer) -> None:
    """The hub itself goes on."""
    issuer.down = True
    async with court.browser() as browser:
        answer = await browser.get("/sign-in")
        alive = await browser.get("/healthz")

    assert (answer.status_code, alive.status_code) == (503, 200)


async def test_without_a_public_address_people_sign_in_on_this_machine_only(
    open_court: Callable[..., Any], issuer: Issuer
) -> None:
    """There over plain HTTP, with a cookie that a browser accepts there; under any other name, not at all."""
    court = await open_court(public_address=None)
    async with (
        court.browser(address="http://127.0.0.1:8080") as here,
        court.browser(address="http://attacker.example") as rebound,
    ):
        location = await court.goes_to_sign_on(here)
        answer = await here.get(issuer.returns(location))
        session = await here.get("/v1/session")
        refused = await rebound.get("/sign-in")

    assert parse_qs(urlsplit(location).query)["redirect_uri"] == ["http://127.0.0.1:8080/signed-in"]
    assert answer.headers["set-cookie"].startswith("shuniu-session=")
    assert "Secure" not in answer.headers["set-cookie"]
    assert session.json()["user"] == "li.ting"
    assert problem(refused) == (403, "sign_in_address_unknown")


def test_every_step_that_can_fail_is_explained() -> None:
    """A refusal's word can be looked up."""
    document = Path("docs/problems.md").read_text(encoding="utf-8")

    assert [step for step in SignInStep if f"`{step.value}`" not in document] == []
