"""
Attacks by name: on tokens, on sessions, on the way in, on the services' way in.  None of them gets anybody anywhere.
"""

import base64
import hmac
import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc import jws
from joserfc.jwk import ECKey

from mock_agencies.sign_on import make_assertion
from mock_agencies.sign_on.directory import client_key
from tests.sign_on.court import (
    ANY_ALGORITHM,
    ELSEWHERE,
    HOME,
    ISSUER,
    NOW,
    OUR_ADDRESS,
    Issuer,
    SignOnCourt,
    csrf_token,
    own_page,
    problem,
)

pytestmark = pytest.mark.anyio

COOKIE = "__Host-shuniu-session"


def holding(secret: str) -> dict[str, str]:
    """The header of whoever holds this session's secret."""
    return {"Cookie": f"{COOKIE}={secret}"}


def _encoded(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


def _key_confusion(issuer: Issuer) -> str:
    signed, _, _ = issuer.unsigned(alg="HS256").rpartition(".")
    return f"{signed}.{_encoded(hmac.digest(issuer.key.as_pem(private=False), signed.encode(), 'sha256'))}"


STRANGER = ECKey.generate_key("P-256", {"kid": "first"})

TOKENS: dict[str, tuple[Callable[[Issuer], str], str]] = {
    "forged": (lambda issuer: issuer.token(key=STRANGER), "bad_signature"),
    "unsigned": (lambda issuer: issuer.unsigned(alg="none"), "algorithm_not_allowed"),
    "public key as shared secret": (_key_confusion, "algorithm_not_allowed"),
    "key brought along": (
        lambda issuer: issuer.token(key=STRANGER, header={"jwk": STRANGER.as_dict(private=False)}),
        "malformed",
    ),
    "key fetched from the attacker": (
        lambda issuer: issuer.token(key=STRANGER, header={"jku": "https://attacker.example/jwks"}),
        "malformed",
    ),
    "expired": (lambda issuer: issuer.token(exp=NOW - 30), "expired"),
    "of another issuer": (lambda issuer: issuer.token(iss="https://sign-on.example"), "wrong_issuer"),
    "for another system": (lambda issuer: issuer.token(aud="another-system"), "wrong_audience"),
    "ID token as access token": (lambda issuer: issuer.id_token("nonce"), "wrong_type"),
}


@pytest.mark.parametrize("attack", TOKENS)
async def test_a_bad_token_is_refused_at_every_route(court: SignOnCourt, issuer: Issuer, attack: str) -> None:
    """Neither by the framework's way nor by the short one; nothing is fetched on a token's word."""
    make, rule = TOKENS[attack]
    bearer = {"Authorization": f"Bearer {make(issuer)}"}
    async with court.browser() as program:
        answers = [
            await program.get("/v1/session", headers=bearer),
            await program.post("/v1/lookups", json={}, headers=bearer),
            await program.put("/v1/work-orders/T-1", json={}, headers=bearer),
        ]

    # A body that is no work order is refused before anybody asks who sent it.
    assert [problem(answer) for answer in answers[:2]] == [(401, rule)] * 2
    assert answers[2].status_code in {401, 422}
    assert {urlsplit(address).hostname for address in issuer.asked} <= {"127.0.0.1"}


async def test_a_session_stolen_after_sign_out_is_refused(court: SignOnCourt) -> None:
    """Whoever copied the cookie before has a copy of nothing."""
    async with court.browser() as owner, court.browser() as thief:
        await court.signs_in(owner)
        stolen = owner.cookies[COOKIE]
        await owner.post("/sign-out", headers=own_page(await csrf_token(owner)))
        answer = await thief.get("/v1/session", headers=holding(stolen))

    assert problem(answer) == (401, "session_over")


async def test_an_old_session_is_refused_after_a_new_sign_in(court: SignOnCourt) -> None:
    """Every sign-in makes a new secret, and ends the one before."""
    async with court.browser() as owner, court.browser() as thief:
        await court.signs_in(owner)
        stolen = owner.cookies[COOKIE]
        await court.signs_in(owner)
        answers = [await thief.get("/v1/session", headers=holding(stolen)), await owner.get("/v1/session")]

    assert problem(answers[0]) == (401, "session_over")
    assert answers[1].status_code == 200


@pytest.mark.parametrize("name", ["X-Forwarded-For", "X-Real-IP", "Forwarded", "True-Client-IP", "CF-Connecting-IP"])
async def test_forwarded_headers_do_not_change_the_network_address(court: SignOnCourt, name: str) -> None:
    """The address is that of the connection, whatever a header says."""
    async with court.browser() as owner, court.browser(ELSEWHERE) as thief:
        await court.signs_in(owner)
        headers = holding(owner.cookies[COOKIE]) | {name: f"for={HOME}" if name == "Forwarded" else HOME}
        answer = await thief.get("/v1/session", headers=headers)

    assert problem(answer) == (401, "session_moved")


@pytest.mark.parametrize("planted", ["A" * 43, "", "x", "é", "a" * 5000, '"', "' OR 1=1 --"])
async def test_an_invented_session_is_refused(court: SignOnCourt, planted: str) -> None:
    """Whatever stands in the cookie, nobody is signed in by it."""
    async with court.browser() as browser:
        answer = await browser.get("/v1/session", headers=[(b"cookie", f"{COOKIE}={planted}".encode())])

    assert problem(answer) == (401, "session_over")


async def test_a_planted_session_is_replaced_at_sign_in(court: SignOnCourt, issuer: Issuer) -> None:
    """Fixation: the attacker's own session, planted in the victim's browser, ends when the victim signs in."""
    async with court.browser() as attacker, court.browser() as victim:
        await court.signs_in(attacker)
        planted = attacker.cookies[COOKIE]
        issuer.access = issuer.identity = {"sub": "wang.qiang"}
        victim.cookies.set(COOKIE, planted, domain="shuniu.court.example", path="/")
        await court.signs_in(victim)
        answers = [await attacker.get("/v1/session"), await victim.get("/v1/session")]

    assert problem(answers[0]) == (401, "session_over")
    assert answers[1].json()["user"] == "wang.qiang"
    assert victim.cookies[COOKIE] != planted


FORGED: dict[str, tuple[dict[str, str], str]] = {
    "no token": ({"Origin": OUR_ADDRESS}, "csrf_token"),
    "wrong token": ({"Origin": OUR_ADDRESS, "X-CSRF-Token": "0" * 64}, "csrf_token"),
    "odd token": ({"Origin": OUR_ADDRESS, "X-CSRF-Token": "\xe9"}, "csrf_token"),
    "another site": ({"Origin": "https://attacker.example", "X-CSRF-Token": "right"}, "cross_site"),
    "another port": ({"Origin": f"{OUR_ADDRESS}:8443", "X-CSRF-Token": "right"}, "cross_site"),
    "the same name in clear": ({"Origin": "http://shuniu.court.example", "X-CSRF-Token": "right"}, "cross_site"),
    "a name that begins alike": ({"Origin": f"{OUR_ADDRESS}.attacker.example", "X-CSRF-Token": "right"}, "cross_site"),
    "no origin to speak of": ({"Origin": "null", "X-CSRF-Token": "right"}, "cross_site"),
    "a sister site": ({"Sec-Fetch-Site": "same-site", "X-CSRF-Token": "right"}, "cross_site"),
    "a foreign frame": ({"Sec-Fetch-Site": "cross-site", "Origin": OUR_ADDRESS, "X-CSRF-Token": "right"}, "cross_site"),
    "typed by nobody": ({"Sec-Fetch-Site": "none", "X-CSRF-Token": "right"}, "cross_site"),
    "no word on where from": ({"X-CSRF-Token": "right"}, "cross_site"),
}


@pytest.mark.parametrize("forgery", FORGED)
async def test_a_forged_call_does_nothing(court: SignOnCourt, forgery: str) -> None:
    """By none of the ways in; the session neither ends nor lives longer by it."""
    headers, rule = FORGED[forgery]
    before = court.length()
    async with court.browser() as browser:
        await court.signs_in(browser)
        token = await csrf_token(browser)
        headers = {name: token if value == "right" else value for name, value in headers.items()}
        sent = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
        court.clock.now += 600
        answers = [
            await browser.post("/sign-out", headers=sent),
            await browser.post("/v1/session", headers=sent),
            await browser.post("/v1/lookups", headers=sent, json={}),
        ]
        afterwards = await browser.get("/v1/session")

    assert [problem(answer) for answer in answers] == [(403, rule)] * 3
    assert afterwards.json()["idle_at"] == "2027-01-15T08:15:00Z"
    assert [record["type"] for record in court.records(before)] == ["session.signed_in"]


async def test_every_unsafe_route_checks_the_csrf_token(court: SignOnCourt) -> None:
    """Every route that changes something, as OpenAPI lists them, but those that know nobody at all."""
    async with court.browser() as browser:
        await court.signs_in(browser)
        paths = (await browser.get("/openapi.json")).json()["paths"]
        answers = {
            f"{method} {path}": await browser.request(
                method,
                re.sub(r"\{[^}]+\}", "00000000-0000-4000-8000-000000000000", path),
                json={},
                headers={"Origin": "https://attacker.example"},
            )
            for path, methods in paths.items()
            for method in methods
            if method in {"post", "put", "patch", "delete"}
        }
    # What takes no JSON has said so before it asks who calls.
    accepted = {call: answer for call, answer in answers.items() if answer.status_code != 415}
    passed = {call for call, answer in accepted.items() if answer.status_code != 403}
    rules = {answer.json()["rule"] for call, answer in accepted.items() if call not in passed}

    assert len(accepted) > 4
    assert rules == {"cross_site"}
    assert passed == {"post /witness/add-checkpoint"}


async def test_another_sessions_csrf_token_is_refused(court: SignOnCourt) -> None:
    """An attacker has a session of their own, and its token fits nobody else's."""
    async with court.browser() as attacker, court.browser() as victim:
        await court.signs_in(attacker)
        await court.signs_in(victim)
        answer = await victim.post("/sign-out", headers=own_page(await csrf_token(attacker)))

    assert problem(answer) == (403, "csrf_token")


async def test_a_call_of_our_own_page_passes_on_the_fast_path(court: SignOnCourt) -> None:
    """What is refused above is refused for the reason that is given: this one reaches the check of its body."""
    async with court.browser() as browser:
        await court.signs_in(browser)
        headers = own_page(await csrf_token(browser))
        answer = await browser.post("/v1/lookups", headers=headers, json={})

    assert answer.status_code == 422


async def test_a_get_changes_nothing(court: SignOnCourt) -> None:
    """No link and no image signs anybody out, and no header turns one method into another."""
    async with court.browser() as browser:
        await court.signs_in(browser)
        answers = [
            await browser.get("/sign-out"),
            await browser.get("/sign-out", headers={"X-HTTP-Method-Override": "POST"}),
            await browser.get("/sign-out?_method=POST"),
        ]
        afterwards = await browser.get("/v1/session")

    assert [answer.status_code for answer in answers] == [405] * 3
    assert afterwards.status_code == 200


async def test_a_token_and_a_session_together_are_refused(court: SignOnCourt, issuer: Issuer) -> None:
    """Nobody can be two, by any way in, and a token is no way around the check of the page."""
    async with court.browser() as browser:
        await court.signs_in(browser)
        both = {"Authorization": f"Bearer {issuer.token()}"} | own_page(await csrf_token(browser))
        answers = [
            await browser.get("/v1/session", headers=both),
            await browser.post("/v1/lookups", headers=both, json={}),
            await browser.post("/sign-out", headers=both),
            await browser.post("/v1/session", headers={"Authorization": "Bearer a.b.c"}),
        ]

    assert [problem(answer) for answer in answers] == [(401, "two_callers")] * 4


@pytest.mark.parametrize(
    "to",
    [
        "https://attacker.example/",
        "//attacker.example",
        "///attacker.example",
        "/\\attacker.example",
        "\\\\attacker.example",
        "/\t/attacker.example",
        "/\n/attacker.example",
        "/\r\nSet-Cookie: a=b",
        "javascript:alert(1)",
        "attacker.example",
        "@attacker.example",
        ".attacker.example",
        " //attacker.example",
        "/ok /\\attacker.example",
        "/\N{FULLWIDTH SOLIDUS}attacker.example",
        "",
        "/" + "a" * 2000,
    ],
)
async def test_no_sign_in_leads_to_another_site(court: SignOnCourt, issuer: Issuer, to: str) -> None:
    """Open redirect: only a page of this hub can be wanted; the sign-on server is not even asked."""
    async with court.browser() as browser:
        answer = await browser.get("/sign-in", params={"to": to})

    assert answer.status_code == 422
    assert "Location" not in answer.headers
    assert not issuer.asked


@pytest.mark.parametrize("to", ["/", "/lookups", "/a/b?c=d#e", "/%2F%2Fattacker.example", "/.//attacker.example", "/@"])
async def test_pages_of_this_hub_stay_pages_of_this_hub(court: SignOnCourt, to: str) -> None:
    """What is allowed resolves to our own origin, as a browser resolves it."""
    async with court.browser() as browser:
        answer = await court.signs_in(browser, to)
    resolved = httpx.URL(OUR_ADDRESS).join(answer.headers["Location"])

    assert (resolved.scheme, resolved.host) == ("https", "shuniu.court.example")


async def test_a_forged_host_does_not_change_the_return_address(court: SignOnCourt) -> None:
    """The address for the return is the hub's setting, not the caller's word."""
    async with court.browser() as browser:
        answer = await browser.get("/sign-in", headers={"Host": "attacker.example", "X-Forwarded-Host": "x.example"})

    assert parse_qs(urlsplit(answer.headers["Location"]).query)["redirect_uri"] == [f"{OUR_ADDRESS}/signed-in"]


async def test_a_victim_cannot_be_signed_in_as_the_attacker(court: SignOnCourt, issuer: Issuer) -> None:
    """Login CSRF: a return that was begun in another browser opens no session and spends nobody's attempt."""
    async with court.browser() as attacker, court.browser() as victim:
        trap = issuer.returns(await court.goes_to_sign_on(attacker))
        own = await court.goes_to_sign_on(victim)
        answers = [await victim.get(trap), await victim.get("/v1/session")]
        afterwards = [await victim.get(issuer.returns(own)), await attacker.get(trap)]

    assert [problem(answer) for answer in answers] == [(403, "sign_in_not_begun_here"), (401, "missing")]
    assert [answer.status_code for answer in afterwards] == [303, 303]


async def test_a_return_works_once(court: SignOnCourt, issuer: Issuer) -> None:
    """Code replay: the second time neither the hub nor the sign-on server accepts it."""
    async with court.browser() as browser:
        back = issuer.returns(await court.goes_to_sign_on(browser))
        cookie = {"Cookie": f"__Host-shuniu-sign-in={browser.cookies['__Host-shuniu-sign-in']}"}
        first = await browser.get(back, headers=cookie)
        second = await browser.get(back, headers=cookie)

    assert first.status_code == 303
    assert problem(second) == (403, "sign_in_not_begun_here")
    assert issuer.asked[f"{ISSUER}/token"] == 1


async def test_a_stolen_code_fits_no_other_sign_in(court: SignOnCourt, issuer: Issuer) -> None:
    """Code injection: the verifier of the attacker's own attempt does not fit the victim's code."""
    async with court.browser() as victim, court.browser() as attacker:
        stolen = parse_qs(urlsplit(issuer.returns(await court.goes_to_sign_on(victim))).query)["code"][0]
        answer = await attacker.get(issuer.returns(await court.goes_to_sign_on(attacker), code=stolen))

    assert problem(answer) == (403, "sign_in_refused")


@pytest.mark.parametrize("iss", ["https://attacker.example", f"{ISSUER}/", "", None])
async def test_an_answer_of_another_issuer_is_refused(court: SignOnCourt, issuer: Issuer, iss: str | None) -> None:
    """Mix-up: the code is not shown to anybody unless the answer names our issuer."""
    async with court.browser() as browser:
        answer = await browser.get(issuer.returns(await court.goes_to_sign_on(browser), iss=iss))

    assert problem(answer) == (403, "sign_in_of_another_issuer")
    assert issuer.asked[f"{ISSUER}/token"] == 0


async def test_an_issuer_without_rfc_9207_may_omit_its_name(court: SignOnCourt, issuer: Issuer) -> None:
    """RFC 9207: what was not announced is not missed, but a wrong name is wrong all the same."""
    del issuer.discovery["authorization_response_iss_parameter_supported"]
    async with court.browser() as browser:
        silent = await browser.get(issuer.returns(await court.goes_to_sign_on(browser), iss=None))
        wrong = await browser.get(issuer.returns(await court.goes_to_sign_on(browser), iss="https://attacker.example"))

    assert silent.status_code == 303
    assert problem(wrong) == (403, "sign_in_of_another_issuer")


@pytest.mark.parametrize("name", ["state", "code", "iss"])
async def test_an_answer_with_a_repeated_parameter_is_refused(court: SignOnCourt, issuer: Issuer, name: str) -> None:
    """Parameter pollution: nobody argues about which of the two counts."""
    async with court.browser() as browser:
        back = issuer.returns(await court.goes_to_sign_on(browser))
        answer = await browser.get(f"{back}&{name}=another")

    assert problem(answer) == (403, "sign_in_not_trusted")


@pytest.mark.parametrize("methods", [["plain"], [], None])
async def test_the_hub_always_uses_s256(court: SignOnCourt, issuer: Issuer, methods: Any) -> None:
    """PKCE downgrade: discovery has no say in it, and every attempt has a challenge of its own."""
    issuer.discovery["code_challenge_methods_supported"] = methods
    async with court.browser() as browser:
        requests = [parse_qs(urlsplit(await court.goes_to_sign_on(browser)).query) for _ in range(2)]

    assert [request["code_challenge_method"] for request in requests] == [["S256"]] * 2
    assert requests[0]["code_challenge"] != requests[1]["code_challenge"]


async def test_the_sign_on_server_requires_pkce_with_s256(server: httpx.AsyncClient) -> None:
    """The demo's server refuses a request without a challenge, by another method, and a code without its verifier."""
    parameters = {
        "response_type": "code",
        "client_id": "shuniu-pages",
        "redirect_uri": "http://127.0.0.1:8080/signed-in",
        "user": "li.ting",
    }
    challenge = {"code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"}
    without = await server.post("/authorize", data=parameters)
    plain = await server.post("/authorize", data=parameters | challenge | {"code_challenge_method": "plain"})
    good = await server.post("/authorize", data=parameters | challenge | {"code_challenge_method": "S256"})
    code = parse_qs(urlsplit(good.headers["Location"]).query)["code"][0]
    form = {"grant_type": "authorization_code", "code": code, "client_id": "shuniu-pages"}
    exchanged = await server.post("/token", data=form | {"redirect_uri": parameters["redirect_uri"]})

    assert all("error=invalid_request" in answer.headers["Location"] for answer in (without, plain))
    assert (exchanged.status_code, exchanged.json()["error"]) == (400, "invalid_grant")


def _assertion(header: dict[str, Any], key: Any = None) -> str:
    claims = {"iss": "ticket-system", "sub": "ticket-system", "aud": ISSUER, "exp": NOW + 60, "jti": "1"}
    head = {"alg": "ES256", "kid": "ticket-system"} | header
    if head["alg"] == "ES256":
        return jws.serialize_compact(head, json.dumps(claims), key, registry=ANY_ALGORITHM)
    signed = ".".join(_encoded(json.dumps(part).encode()) for part in (head, claims))
    secret = client_key("ticket-system").as_pem(private=False)
    return f"{signed}.{_encoded(hmac.digest(secret, signed.encode(), 'sha256')) if head['alg'] == 'HS256' else ''}"


ASSERTIONS: dict[str, Callable[[], str]] = {
    "unsigned": lambda: _assertion({"alg": "none"}),
    "public key as shared secret": lambda: _assertion({"alg": "HS256"}),
    "key brought along": lambda: _assertion({"jwk": STRANGER.as_dict(private=False)}, STRANGER),
    "key fetched from the attacker": lambda: _assertion({"jku": "https://attacker.example/jwks"}, STRANGER),
    "another client's key": lambda: _assertion({}, client_key("ticket-system-0803")),
    "another client's name": lambda: make_assertion("ticket-system-0803", ISSUER, now=NOW, sub="ticket-system"),
    "for another server": lambda: make_assertion("ticket-system", "https://sign-on.example", now=NOW),
    "for the hub": lambda: make_assertion("ticket-system", OUR_ADDRESS, now=NOW),
}


@pytest.mark.parametrize("attack", ASSERTIONS)
async def test_a_bad_assertion_gets_a_service_no_token(server: httpx.AsyncClient, attack: str) -> None:
    """Knowing a service's name and its public key is not being that service."""
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": ASSERTIONS[attack](),
    }
    answer = await server.post("/token", data=form)

    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


async def test_a_replayed_assertion_gets_no_second_token(server: httpx.AsyncClient) -> None:
    """Whoever overheard it comes too late."""
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": make_assertion("ticket-system", ISSUER, now=NOW),
    }
    answers = [await server.post("/token", data=form) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 401]
