"""
A hub in this process, with real PostgreSQL and a real log, an issuer under the test's control, and browsers before it.
"""

import base64
import hashlib
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
from fastapi import FastAPI
from joserfc import jws
from joserfc.jwa import JWSAlgModel
from joserfc.jwk import ECKey, Key

from gateway.application import create_app
from gateway.field_encryption import HUB_KEY, FieldEncryption
from gateway.hub import Hub
from gateway.settings import Settings
from gateway.sign_on import TokenVerifier
from gateway.sign_on.sign_in_service import SignInService

ISSUER = "http://127.0.0.1:9000"
NOW = 1_800_000_000
OUR_ADDRESS = "https://shuniu.court.example"
HOME, ELSEWHERE = "192.0.2.7", "192.0.2.8"


class _AnyAlgorithm(jws.JWSRegistry):
    """Signs whatever an attacker would sign, without advice."""

    def get_alg(self, name: str) -> JWSAlgModel:
        return self.algorithms[name]


ANY_ALGORITHM = _AnyAlgorithm(strict_check_header=False)


class Clock:
    """Unix time, and the monotonic clock as well; moves only by hand."""

    def __init__(self) -> None:
        self.now = float(NOW)

    def __call__(self) -> float:
        return self.now


def _without_none(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


class Issuer(httpx.AsyncBaseTransport):
    """
    An issuer under the test's control: `keys` are published, `discovery` is what it says, `down` makes it unreachable;
    `access` and `identity` change the claims of the tokens that it gives for a code, `tokens` the answer around them.
    """

    def __init__(self) -> None:
        self.key = ECKey.generate_key("P-256", {"kid": "first", "use": "sig", "alg": "ES256"})
        self.published: Any = [self.key.as_dict(private=False)]
        self.discovery: dict[str, Any] = {
            "issuer": ISSUER,
            "jwks_uri": f"{ISSUER}/jwks",
            "authorization_endpoint": f"{ISSUER}/authorize",
            "token_endpoint": f"{ISSUER}/token",
            "authorization_response_iss_parameter_supported": True,
        }
        self.answers: dict[str, httpx.Response] = {}
        self.down = False
        self.asked: Counter[str] = Counter()
        self.access: dict[str, Any] = {}
        self.identity: dict[str, Any] = {}
        self.identity_header: dict[str, Any] = {}
        self.tokens: dict[str, Any] = {}
        self.codes: dict[str, dict[str, str]] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked[str(request.url)] += 1
        if self.down:
            raise httpx.ConnectError("refused", request=request)
        if request.url.path in self.answers:
            return self.answers[request.url.path]
        if request.url.path == "/.well-known/openid-configuration":
            return httpx.Response(200, json=self.discovery)
        if request.url.path == "/token":
            return self._exchanged(dict(httpx.QueryParams((await request.aread()).decode())))
        return httpx.Response(200, json={"keys": self.published})

    def returns(self, location: str, **changes: Any) -> str:
        """The browser went to `location` and signed in there: where it is sent back to, with the answer changed."""
        parameters = {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
        code = f"code-{len(self.codes)}"
        self.codes[code] = parameters
        answer = _without_none({"code": code, "state": parameters["state"], "iss": ISSUER} | changes)
        return f"{parameters['redirect_uri']}?{urlencode(answer)}"

    def claims(self, **changes: Any) -> dict[str, Any]:
        """The claims of a good token; a change to None leaves the claim out."""
        good = {
            "iss": ISSUER,
            "sub": "li.ting",
            "aud": "shuniu",
            "client_id": "shuniu-pages",
            "iat": NOW,
            "exp": NOW + 600,
            "jti": "token-1",
            "scope": "openid lookups",
            "name": "李婷",
            "court": "浙0802",
            "unit": "演示法院",
            "roles": ["clerk"],
        }
        return _without_none(good | changes)

    def token(self, *, key: Key | None = None, header: dict[str, Any] | None = None, **changes: Any) -> str:
        """A token signed by `key` (the published one unless told) with its header and claims changed at will."""
        head = _without_none({"alg": "ES256", "typ": "at+jwt", "kid": "first"} | (header or {}))
        payload = json.dumps(self.claims(**changes))
        return jws.serialize_compact(head, payload, key or self.key, registry=ANY_ALGORITHM)

    def unsigned(self, *, alg: str, signature: bytes = b"nothing") -> str:
        """A token that claims the algorithm `alg` and carries `signature` as it is."""
        head = {"alg": alg, "typ": "at+jwt", "kid": "first"}
        parts = (json.dumps(head).encode(), json.dumps(self.claims()).encode(), signature)
        return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)

    def id_token(self, nonce: str, now: int = NOW) -> str:
        """The ID token of that person, with `identity` and `identity_header` changed."""
        claims = {
            "iss": ISSUER,
            "sub": "li.ting",
            "aud": "shuniu-pages",
            "iat": now,
            "exp": now + 600,
            "auth_time": now,
            "nonce": nonce,
            "acr": "urn:demo:acr:certificate",
            "amr": ["pin", "hwk"],
        }
        head = _without_none({"alg": "ES256", "typ": "JWT", "kid": "first"} | self.identity_header)
        payload = json.dumps(_without_none(claims | self.identity))
        return jws.serialize_compact(head, payload, self.key, registry=ANY_ALGORITHM)

    def _exchanged(self, form: dict[str, str]) -> httpx.Response:
        parameters = self.codes.pop(form.get("code", ""), None)
        verifier = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).rstrip(b"=")
        if parameters is None or verifier.decode() != parameters["code_challenge"]:
            return httpx.Response(400, json={"error": "invalid_grant"})
        now = int(self.identity.get("iat") or NOW)
        good = {
            "access_token": self.token(**({"iat": now, "exp": now + 600} | self.access)),
            "id_token": self.id_token(parameters["nonce"], now),
            "token_type": "Bearer",
        }
        return httpx.Response(200, json=_without_none(good | self.tokens))


@dataclass(frozen=True, slots=True, kw_only=True)
class SignOnCourt:
    """One hub, whose clock and whose issuer are the test's."""

    app: Any
    hub: Hub
    issuer: Issuer
    clock: Clock

    def browser(self, at: str = HOME, *, address: str = OUR_ADDRESS) -> httpx.AsyncClient:
        """A browser at a network address: keeps cookies as browsers do, follows nothing by itself."""
        transport = httpx.ASGITransport(self.app, client=(at, 50_000))
        return httpx.AsyncClient(transport=transport, base_url=address)

    async def goes_to_sign_on(self, browser: httpx.AsyncClient, to: str = "/") -> str:
        """Begins a sign-in; the address at the sign-on server to which the browser is sent."""
        answer = await browser.get("/sign-in", params={"to": to})
        assert answer.status_code == 303, answer.text
        return answer.headers["Location"]

    async def signs_in(self, browser: httpx.AsyncClient, to: str = "/") -> httpx.Response:
        """The whole way; the answer that opened the session."""
        answer = await browser.get(self.issuer.returns(await self.goes_to_sign_on(browser, to)))
        assert answer.status_code == 303, answer.text
        return answer

    def records(self, since: int = 0) -> list[dict[str, Any]]:
        """What stands in the audit log from this index on."""
        query = "SELECT body FROM {schema}.entry WHERE idx >= %s ORDER BY idx"
        return [json.loads(bytes(row[0])) for row in self.hub.log.reader.rows(query, (since,))]

    def length(self) -> int:
        """How many records the audit log has."""
        return len(self.records())


def own_page(csrf_token: str | None = None) -> dict[str, str]:
    """The headers of a call that one of the hub's own pages makes."""
    headers = {"Origin": OUR_ADDRESS, "Sec-Fetch-Site": "same-origin"}
    return headers | ({"X-CSRF-Token": csrf_token} if csrf_token is not None else {})


async def csrf_token(browser: httpx.AsyncClient) -> str:
    """The session's token against forged calls, as a page learns it."""
    token: str = (await browser.get("/v1/session")).json()["csrf_token"]
    return token


def problem(answer: httpx.Response) -> tuple[int, str]:
    """Status and rule of a refusal."""
    return answer.status_code, answer.json()["rule"]


@asynccontextmanager
async def opened(started: Hub, settings: Settings, issuer: Issuer, clock: Clock) -> AsyncIterator[SignOnCourt]:
    """A court with these settings over a running hub: its people, sign-on and clock are the test's."""
    sign_on = TokenVerifier(
        ISSUER,
        audience=settings.audience,
        bound=settings.bound_clients.split(),
        transport=issuer,
        clock=clock,
        ticks=clock,
    )
    encryption = FieldEncryption.load(settings.key_folder / HUB_KEY)
    people = SignInService.from_settings(settings, sign_on, started.database, encryption, started.log, clock=clock)
    hub = replace(started, settings=settings, token_verifier=sign_on, sign_in_service=people)

    async def start() -> Any:
        return _Lent(hub)

    app: Any = create_app(start, in_flight=64)
    inner: Any = app
    while not isinstance(inner, FastAPI):
        inner = inner._app
    async with inner.router.lifespan_context(inner):
        yield SignOnCourt(app=app, hub=hub, issuer=issuer, clock=clock)


class _Lent:
    """A hub of which only the replaced parts end with its application."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    async def __aenter__(self) -> Hub:
        return self._hub

    async def __aexit__(self, *_: object) -> None:
        await self._hub.sign_in_service.aclose()
        await self._hub.token_verifier.aclose()
