"""
A clock that stands still, the demo's sign-on server in memory, and an issuer whose every word a test can twist.
"""

import base64
import json
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from joserfc import jws
from joserfc.jwa import JWSAlgModel
from joserfc.jwk import ECKey, Key

from gateway.sign_on import SignOn
from mock_agencies import sign_on as sign_on_server

ISSUER = "http://127.0.0.1:9000"
NOW = 1_800_000_000


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


class Issuer(httpx.AsyncBaseTransport):
    """
    An issuer under the test's control: `keys` are published, `discovery` is what it says, `down` makes it unreachable.
    """

    def __init__(self) -> None:
        self.key = ECKey.generate_key("P-256", {"kid": "first", "use": "sig", "alg": "ES256"})
        self.published: Any = [self.key.as_dict(private=False)]
        self.discovery: dict[str, Any] = {"issuer": ISSUER, "jwks_uri": f"{ISSUER}/jwks"}
        self.answers: dict[str, httpx.Response] = {}
        self.down = False
        self.asked: Counter[str] = Counter()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked[str(request.url)] += 1
        if self.down:
            raise httpx.ConnectError("refused", request=request)
        if request.url.path in self.answers:
            return self.answers[request.url.path]
        if request.url.path == "/.well-known/openid-configuration":
            return httpx.Response(200, json=self.discovery)
        return httpx.Response(200, json={"keys": self.published})

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
        return {name: value for name, value in (good | changes).items() if value is not None}

    def token(self, *, key: Key | None = None, header: dict[str, Any] | None = None, **changes: Any) -> str:
        """A token signed by `key` (the published one unless told) with its header and claims changed at will."""
        head = {"alg": "ES256", "typ": "at+jwt", "kid": "first"} | (header or {})
        head = {name: value for name, value in head.items() if value is not None}
        payload = json.dumps(self.claims(**changes))
        return jws.serialize_compact(head, payload, key or self.key, registry=ANY_ALGORITHM)

    def unsigned(self, *, alg: str, signature: bytes = b"nothing") -> str:
        """A token that claims the algorithm `alg` and carries `signature` as it is."""
        head = {"alg": alg, "typ": "at+jwt", "kid": "first"}
        parts = (json.dumps(head).encode(), json.dumps(self.claims()).encode(), signature)
        return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


@pytest.fixture
def clock() -> Clock:
    """The one clock of a test."""
    return Clock()


@pytest.fixture
def issuer() -> Issuer:
    """An issuer whose every word can be twisted."""
    return Issuer()


@pytest.fixture
async def sign_on(issuer: Issuer, clock: Clock) -> AsyncIterator[SignOn]:
    """The hub's check of that issuer's tokens."""
    desk = SignOn(ISSUER, audience="shuniu", transport=issuer, clock=clock, ticks=clock)
    yield desk
    await desk.aclose()


@pytest.fixture
async def server(clock: Clock) -> AsyncIterator[httpx.AsyncClient]:
    """A browser, or a program, in front of the demo's sign-on server."""
    app = sign_on_server.create(ISSUER, clock=clock)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ISSUER) as client:
        yield client
