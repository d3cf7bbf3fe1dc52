"""
The demo's sign-on server keeps the promises of OpenID Connect that the hub and its clients rely on.
"""

import base64
import hashlib
import json
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from gateway.sign_on import NotSignedIn, TokenVerifier
from mock_agencies import sign_on as sign_on_server
from mock_agencies.sign_on import make_assertion
from mock_agencies.sign_on.directory import STAFF
from tests.sign_on.court import ISSUER, NOW, Clock

pytestmark = pytest.mark.anyio

VERIFIER = "the-verifier-of-a-test-is-no-secret-and-is-long-enough"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
RETURN_TO = "http://127.0.0.1:8080/signed-in"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

ASKED = {
    "response_type": "code",
    "client_id": "shuniu-pages",
    "redirect_uri": RETURN_TO,
    "scope": "openid lookups",
    "state": "state-1",
    "nonce": "nonce-1",
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
}


async def code_for(server: httpx.AsyncClient, user: str = "li.ting") -> str:
    """The code with which the browser comes back."""
    answer = await server.post("/authorize", data=ASKED | {"user": user})
    return parse_qs(urlsplit(answer.headers["Location"]).query)["code"][0]


def exchange(code: str) -> dict[str, str]:
    """The form that exchanges a code."""
    return {
        "grant_type": "authorization_code",
        "code": code,
        "client_id": "shuniu-pages",
        "redirect_uri": RETURN_TO,
        "code_verifier": VERIFIER,
    }


def service(assertion: str) -> dict[str, str]:
    """The form by which a service asks for a token."""
    return {
        "grant_type": "client_credentials",
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": assertion,
    }


async def claims_of(server: httpx.AsyncClient, token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims, verified with the published keys."""
    keys = KeySet.import_key_set((await server.get("/jwks")).json())
    decoded = jwt.decode(token, keys, ["ES256"])
    return decoded.header, decoded.claims


async def test_a_person_signs_in_by_code_and_pkce(server: httpx.AsyncClient) -> None:
    """The page offers staff, the browser returns with code, state and issuer, the code becomes tokens."""
    page = await server.get("/authorize", params=ASKED)
    back = await server.post("/authorize", data=ASKED | {"user": "li.ting"})
    query = parse_qs(urlsplit(back.headers["Location"]).query)
    tokens = (await server.post("/token", data=exchange(query["code"][0]))).json()
    header, claims = await claims_of(server, tokens["access_token"])
    id_header, id_claims = await claims_of(server, tokens["id_token"])

    assert re.findall(r'name="user" value="([a-z.]+)"', page.text) == list(STAFF)
    assert back.status_code == 303
    assert back.headers["Location"].startswith(RETURN_TO + "?")
    assert (query["state"], query["iss"]) == (["state-1"], [ISSUER])
    assert header["typ"] == "at+jwt"
    assert claims == {
        "iss": ISSUER,
        "sub": "li.ting",
        "aud": "shuniu",
        "client_id": "shuniu-pages",
        "iat": NOW,
        "exp": NOW + 600,
        "jti": claims["jti"],
        "scope": "openid lookups",
        "name": "李婷",
        "court": "浙0802",
        "unit": claims["unit"],
        "roles": ["clerk"],
    }
    assert id_header["typ"] == "JWT"
    assert (id_claims["aud"], id_claims["nonce"]) == ("shuniu-pages", "nonce-1")


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "another"},
        {"redirect_uri": "https://attacker.example/signed-in"},
        {"redirect_uri": ""},
        {"redirect_uri": "http://127.0.0.1:8080/elsewhere"},
        {"redirect_uri": "http://127.0.0.1@attacker.example/signed-in"},
        {"redirect_uri": RETURN_TO + "#"},
        {"redirect_uri": "http://x@127.0.0.1/signed-in"},
    ],
)
async def test_a_redirect_to_a_foreign_address_is_refused(server: httpx.AsyncClient, changes: dict[str, str]) -> None:
    """An unknown client or address ends on a page of this server."""
    answer = await server.get("/authorize", params=ASKED | changes)

    assert (answer.status_code, "Location" in answer.headers) == (400, False)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code_challenge": ""}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": ""}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": "work-orders:write"}, "invalid_scope"),
        ({"prompt": "none"}, "login_required"),
    ],
)
async def test_a_bad_request_is_reported_to_the_client(
    server: httpx.AsyncClient, changes: dict[str, str], error: str
) -> None:
    """Without PKCE by S256 nobody can sign in, whatever is chosen on the page."""
    answer = await server.post("/authorize", data=ASKED | {"user": "li.ting"} | changes)
    query = parse_qs(urlsplit(answer.headers["Location"]).query)

    assert (query["error"], query["state"], "code" in query) == ([error], ["state-1"], False)


async def test_the_page_escapes_its_parameters(server: httpx.AsyncClient) -> None:
    """What a request carries is text on the page."""
    answer = await server.get("/authorize", params=ASKED | {"state": '"><script>alert(1)</script>'})

    assert "<script" not in answer.text
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    "changes",
    [
        {"code_verifier": "x" * 43},
        {"code_verifier": CHALLENGE},
        {"client_id": "ticket-system"},
        {"code": "invented"},
        {"redirect_uri": "http://127.0.0.1:8081/signed-in"},
    ],
)
async def test_a_stolen_code_is_refused(server: httpx.AsyncClient, changes: dict[str, str]) -> None:
    """A code works only with the verifier, client and address of its request; a wrong try spends it."""
    code = await code_for(server)
    stolen = await server.post("/token", data=exchange(code) | changes)
    again = await server.post("/token", data=exchange(code))

    assert (stolen.status_code, stolen.json()["error"]) == (400, "invalid_grant")
    assert again.status_code == (200 if "code" in changes else 400)


async def test_a_code_works_once_and_for_a_minute(server: httpx.AsyncClient, clock: Clock) -> None:
    """A second exchange, and one after sixty seconds, are refused."""
    code, late = await code_for(server), await code_for(server)
    first = await server.post("/token", data=exchange(code))
    second = await server.post("/token", data=exchange(code))
    clock.now += 60
    third = await server.post("/token", data=exchange(late))

    assert [answer.status_code for answer in (first, second, third)] == [200, 400, 400]


async def test_a_service_signs_on_with_a_signed_assertion(server: httpx.AsyncClient) -> None:
    """The service acts for itself, at its court, with its scope."""
    assertion = make_assertion("ticket-system", f"{ISSUER}/token", now=NOW)
    tokens = (await server.post("/token", data=service(assertion))).json()
    _header, claims = await claims_of(server, tokens["access_token"])

    assert (claims["sub"], claims["client_id"]) == ("ticket-system", "ticket-system")
    assert (claims["scope"], claims["court"], claims["roles"]) == ("work-orders:write", "浙0802", [])
    assert "id_token" not in tokens


async def test_a_replayed_assertion_is_refused(server: httpx.AsyncClient, clock: Clock) -> None:
    """An assertion is good for one token, also when it comes again a little later."""
    assertion = make_assertion("ticket-system", ISSUER, now=NOW)
    first = await server.post("/token", data=service(assertion))
    clock.now += 45
    second = await server.post("/token", data=service(assertion))

    assert first.status_code == 200
    assert (second.status_code, second.json()["error"]) == (401, "invalid_client")


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "ticket-system-0803"},
        {"sub": "ticket-system-0803"},
        {"aud": "https://another.example/token"},
        {"exp": NOW - 31},
        {"exp": NOW + 3600},
        {"exp": None},
        {"nbf": NOW + 60},
        {"jti": None},
        {"jti": ""},
    ],
    ids=str,
)
async def test_every_claim_of_an_assertion_is_checked(server: httpx.AsyncClient, changes: dict[str, Any]) -> None:
    """Issuer, subject, audience, life and id must all be right."""
    assertion = make_assertion("ticket-system", ISSUER, now=NOW, **changes)
    answer = await server.post("/token", data=service(assertion))

    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


async def test_an_assertion_by_a_foreign_key_is_refused(server: httpx.AsyncClient) -> None:
    """Knowing a client's name is not having its key."""
    claims = {"iss": "ticket-system", "sub": "ticket-system", "aud": ISSUER, "exp": NOW + 60, "jti": "1"}
    header = {"alg": "ES256", "kid": "ticket-system"}
    forged = jwt.encode(header, claims, ECKey.generate_key("P-256"))
    unsigned = ".".join(
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()
        for part in ({"alg": "none", "kid": "ticket-system"}, claims)
    )
    answers = [await server.post("/token", data=service(shown)) for shown in (forged, unsigned + ".", "", "a.b.c")]

    assert [answer.status_code for answer in answers] == [401] * 4


@pytest.mark.parametrize(
    ("body", "kind", "error"),
    [
        ("grant_type=password&username=li.ting", "application/x-www-form-urlencoded", "unsupported_grant_type"),
        ("grant_type=a&grant_type=b", "application/x-www-form-urlencoded", "invalid_request"),
        ('{"grant_type": "client_credentials"}', "application/json", "invalid_request"),
        ("a=" + "b" * 20_000, "application/x-www-form-urlencoded", "invalid_request"),
    ],
    ids=["password", "repeated", "json", "large"],
)
async def test_other_grants_and_bodies_are_refused(server: httpx.AsyncClient, body: str, kind: str, error: str) -> None:
    """There is no password grant, no repeated parameter and no other body."""
    answer = await server.post("/token", content=body, headers={"Content-Type": kind})

    assert (answer.status_code, answer.json()["error"]) == (400, error)


async def test_discovery_describes_the_server(server: httpx.AsyncClient) -> None:
    """Issuer and endpoints are the base address; only S256 and signed assertions are offered."""
    discovery = (await server.get("/.well-known/openid-configuration")).json()

    assert (discovery["issuer"], discovery["jwks_uri"]) == (ISSUER, f"{ISSUER}/jwks")
    assert discovery["code_challenge_methods_supported"] == ["S256"]
    assert discovery["token_endpoint_auth_methods_supported"] == ["private_key_jwt", "none"]


async def test_only_public_parts_of_keys_are_published(server: httpx.AsyncClient) -> None:
    """The key set never holds what signs."""
    await server.post("/_control/rotate")
    keys = (await server.get("/jwks")).json()["keys"]

    assert [sorted(key) for key in keys] == [["alg", "crv", "kid", "kty", "use", "x", "y"]] * 2


async def test_the_hub_accepts_tokens_of_the_server(clock: Clock) -> None:
    """Server and check were written apart and meet here: staff, service, rotation, withdrawal."""
    transport = httpx.ASGITransport(sign_on_server.create(ISSUER, clock=clock))
    token_verifier = TokenVerifier(ISSUER, audience="shuniu", transport=transport, clock=clock, ticks=clock)
    async with httpx.AsyncClient(transport=transport, base_url=ISSUER) as server:

        async def token(**who: str) -> str:
            answer = await server.post("/_control/token", json=who)
            return f"Bearer {answer.json()['access_token']}"

        clerk, ticket = await token(user="li.ting"), await token(client="ticket-system-0803")
        callers = [await token_verifier.caller(shown) for shown in (clerk, ticket)]
        await server.post("/_control/rotate")
        after_rotation = [await token_verifier.caller(shown) for shown in (clerk, await token(user="wang.qiang"))]
        await server.post("/_control/rotate", json={"withdraw": True})
        clock.now += 10
        after_withdrawal = await token_verifier.caller(await token(user="chen.jing"))
        with pytest.raises(NotSignedIn, match="bad_signature"):
            await token_verifier.caller(clerk)
        id_token = (await server.post("/token", data=exchange(await code_for(server)))).json()["id_token"]
        with pytest.raises(NotSignedIn, match="wrong_type"):
            await token_verifier.caller(f"Bearer {id_token}")
    await token_verifier.aclose()

    assert [(caller.user, caller.court) for caller in callers] == [
        ("li.ting", "浙0802"),
        ("ticket-system-0803", "浙0803"),
    ]
    assert callers[1].scopes == {"work-orders:write"}
    assert [caller.user for caller in after_rotation] == ["li.ting", "wang.qiang"]
    assert after_withdrawal.user == "chen.jing"


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"{", b'{"user": "nobody"}', b'{"client": "shuniu-pages"}'])
async def test_the_token_shortcut_issues_tokens_for_staff_and_services_only(
    server: httpx.AsyncClient, body: bytes
) -> None:
    """A token is for somebody, also by the shortcut."""
    assert (await server.post("/_control/token", content=body)).status_code == 400


async def test_the_control_api_is_closed_to_other_machines(clock: Clock) -> None:
    """The shortcut exists for demo and tests on this machine alone."""
    app = sign_on_server.create(ISSUER, clock=clock)
    transport = httpx.ASGITransport(app, client=("192.0.2.7", 5000))
    async with httpx.AsyncClient(transport=transport, base_url=ISSUER) as stranger:
        answers = [
            await stranger.post("/_control/token", json={"user": "admin"}),
            await stranger.post("/_control/rotate"),
            await stranger.get("/_control/ledger"),
        ]

    assert [answer.status_code for answer in answers] == [403] * 3


async def test_the_ledger_counts_requests(server: httpx.AsyncClient) -> None:
    """Tests can see how often keys were fetched."""
    await server.get("/jwks")
    await server.get("/jwks")

    assert (await server.get("/_control/ledger")).json() == {"jwks": 2}
