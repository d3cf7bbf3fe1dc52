"""
Where the hub gets the sign-on server's keys, how often it asks, and what it does while they cannot be had.
"""

import asyncio
from typing import Any

import httpx
import pytest
from joserfc.jwk import ECKey, OctKey

from adapters.errors import ConfigurationError
from gateway.sign_on import NotSignedIn, SignOnUnavailable, TokenVerifier
from tests.sign_on.court import ISSUER, Clock, Issuer

pytestmark = pytest.mark.anyio

JWKS = f"{ISSUER}/jwks"


async def test_keys_are_loaded_with_the_first_call_and_not_before(sign_on: TokenVerifier, issuer: Issuer) -> None:
    """A hub starts while the sign-on server is down."""
    before = dict(issuer.asked)
    for _ in range(3):
        await sign_on.caller(f"Bearer {issuer.token()}")

    assert before == {}
    assert issuer.asked == {f"{ISSUER}/.well-known/openid-configuration": 1, JWKS: 1}


async def test_without_keys_authentication_fails_closed_and_recovers(
    sign_on: TokenVerifier, issuer: Issuer, clock: Clock
) -> None:
    """The check fails closed, and recovers by itself."""
    issuer.down = True
    with pytest.raises(SignOnUnavailable) as caught:
        await sign_on.caller(f"Bearer {issuer.token()}")
    issuer.down = False
    clock.now += 1

    assert (await sign_on.caller(f"Bearer {issuer.token()}")).user == "li.ting"
    assert str(caught.value) == "the sign-on server's keys are not available"
    assert caught.value.__context__ is None


async def test_a_server_that_is_down_is_not_called_for_every_request(sign_on: TokenVerifier, issuer: Issuer) -> None:
    """After a failure callers are told at once; only one a second tries again."""
    issuer.down = True
    for _ in range(20):
        with pytest.raises(SignOnUnavailable):
            await sign_on.caller(f"Bearer {issuer.token()}")

    assert sum(issuer.asked.values()) == 1


async def test_concurrent_first_callers_share_one_fetch(sign_on: TokenVerifier, issuer: Issuer) -> None:
    """Keys are fetched once for all who wait."""
    token = f"Bearer {issuer.token()}"
    callers = await asyncio.gather(*(sign_on.caller(token) for _ in range(32)))

    assert {caller.user for caller in callers} == {"li.ting"}
    assert issuer.asked[JWKS] == 1


async def test_a_cancelled_caller_does_not_cancel_the_fetch(sign_on: TokenVerifier, issuer: Issuer) -> None:
    """Cancellation of one waiting call leaves the other one's answer."""
    first, second = (asyncio.create_task(sign_on.caller(f"Bearer {issuer.token()}")) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()

    assert (await second).user == "li.ting"
    assert issuer.asked[JWKS] == 1
    assert first.cancelled()


async def test_a_new_key_is_found_when_a_token_names_it(sign_on: TokenVerifier, issuer: Issuer) -> None:
    """Rotation needs no restart."""
    await sign_on.caller(f"Bearer {issuer.token()}")
    key = ECKey.generate_key("P-256", {"kid": "second"})
    issuer.published.append(key.as_dict(private=False))

    assert (await sign_on.caller(f"Bearer {issuer.token(key=key, header={'kid': 'second'})}")).user == "li.ting"
    assert (await sign_on.caller(f"Bearer {issuer.token()}")).user == "li.ting"
    assert issuer.asked[JWKS] == 2


async def test_invented_key_ids_cannot_make_the_hub_flood_the_issuer(
    sign_on: TokenVerifier, issuer: Issuer, clock: Clock
) -> None:
    """Whatever ids are invented, the issuer is asked at most once in ten seconds because of them."""
    await sign_on.caller(f"Bearer {issuer.token()}")
    for second in range(20):
        clock.now += 1
        for number in range(5):
            with pytest.raises(NotSignedIn, match="bad_signature"):
                await sign_on.caller(f"Bearer {issuer.token(header={'kid': f'{second}-{number}'})}")

    assert issuer.asked[JWKS] == 1 + 2


async def test_ageing_keys_are_refreshed_in_the_background(
    sign_on: TokenVerifier, issuer: Issuer, clock: Clock
) -> None:
    """Keys older than five minutes are renewed in the background; the call that notices is served meanwhile."""
    await sign_on.caller(f"Bearer {issuer.token()}")
    issuer.published = []
    clock.now += 300
    served = await sign_on.caller(f"Bearer {issuer.token()}")
    for _ in range(10):
        await asyncio.sleep(0)

    with pytest.raises(NotSignedIn, match="bad_signature"):
        await sign_on.caller(f"Bearer {issuer.token()}")
    assert served.user == "li.ting"


async def test_keys_that_cannot_be_refreshed_serve_for_an_hour(
    sign_on: TokenVerifier, issuer: Issuer, clock: Clock
) -> None:
    """An outage of the sign-on server does not sign people out at once, nor keep a stolen key alive for ever."""
    await sign_on.caller(f"Bearer {issuer.token()}")
    issuer.down = True
    clock.now += 3599
    assert (await sign_on.caller(f"Bearer {issuer.token(exp=int(clock.now) + 60)}")).user == "li.ting"
    clock.now += 1

    with pytest.raises(SignOnUnavailable):
        await sign_on.caller(f"Bearer {issuer.token(exp=int(clock.now) + 60)}")


@pytest.mark.parametrize(
    "discovery",
    [
        {"issuer": ISSUER, "jwks_uri": "http://127.0.0.1:9001/jwks"},
        {"issuer": ISSUER, "jwks_uri": "https://127.0.0.1:9000/jwks"},
        {"issuer": ISSUER, "jwks_uri": "http://127.0.0.1:9000@attacker.example/jwks"},
        {"issuer": ISSUER, "jwks_uri": "file:///etc/jwks"},
        {"issuer": ISSUER, "jwks_uri": 7},
        {"issuer": ISSUER},
        {"issuer": "https://sign-on.example", "jwks_uri": JWKS},
        {"jwks_uri": JWKS},
    ],
    ids=str,
)
async def test_discovery_cannot_lead_away_from_the_issuer(
    sign_on: TokenVerifier, issuer: Issuer, discovery: dict[str, Any]
) -> None:
    """Keys come from the issuer's own origin, under the name that it was configured with."""
    issuer.discovery = discovery
    with pytest.raises(SignOnUnavailable):
        await sign_on.caller(f"Bearer {issuer.token()}")

    assert list(issuer.asked) == [f"{ISSUER}/.well-known/openid-configuration"]


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(302, headers={"Location": "https://attacker.example/jwks"}),
        httpx.Response(500, json={"keys": []}),
        httpx.Response(200, text="<html>maintenance</html>"),
        httpx.Response(200, json=[]),
        httpx.Response(200, json={"keys": None}),
        httpx.Response(200, json={"keys": ["key"]}),
        httpx.Response(200, json={"keys": [{}] * 65}),
        httpx.Response(200, content=b"[" * 100_000),
        httpx.Response(200, content=b" " * 300_000 + b"{}"),
        httpx.Response(200, headers={"Content-Encoding": "deflate"}, content=b"x\x9c\x03\x00\x00\x00\x00\x01"),
    ],
    ids=["redirect", "error", "html", "list", "null", "text", "too-many", "deep", "too-large", "compressed"],
)
async def test_a_malformed_key_set_is_refused(sign_on: TokenVerifier, issuer: Issuer, answer: httpx.Response) -> None:
    """Redirects, errors, oversize and nonsense leave the hub without keys, and so closed."""
    issuer.answers["/jwks"] = answer
    with pytest.raises(SignOnUnavailable):
        await sign_on.caller(f"Bearer {issuer.token()}")

    assert set(issuer.asked) == {f"{ISSUER}/.well-known/openid-configuration", JWKS}


UNUSABLE = {
    "shared secret": OctKey.generate_key(256).as_dict(),
    "short RSA": {"kty": "RSA", "e": "AQAB", "n": "w" * 171},
    "other curve": ECKey.generate_key("P-384").as_dict(private=False),
    "for encryption": ECKey.generate_key("P-256", {"use": "enc"}).as_dict(private=False),
    "for another algorithm": ECKey.generate_key("P-256", {"alg": "ES512"}).as_dict(private=False),
    "private": ECKey.generate_key("P-256").as_dict(private=True),
    "broken": {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"},
    "of an unknown kind": {"kty": "AKP", "pub": "AA"},
}


@pytest.mark.parametrize("parameters", UNUSABLE.values(), ids=UNUSABLE.keys())
async def test_an_unusable_key_is_ignored_and_the_others_are_used(
    sign_on: TokenVerifier, issuer: Issuer, parameters: dict[str, Any]
) -> None:
    """A key set may hold keys for other purposes; none of them verifies a token."""
    issuer.published = [dict(parameters) | {"kid": "strange"}, *issuer.published]
    assert (await sign_on.caller(f"Bearer {issuer.token()}")).user == "li.ting"

    with pytest.raises(NotSignedIn, match="bad_signature"):
        await sign_on.caller(f"Bearer {issuer.token(header={'kid': 'strange'})}")


@pytest.mark.parametrize("address", ["http://sign-on.example", "sign-on.example", "ftp://127.0.0.1", "https://", ""])
def test_keys_never_travel_in_clear(address: str) -> None:
    """An issuer on another machine must be https, or the hub does not start."""
    with pytest.raises(ConfigurationError, match="SHUNIU_SIGN_ON_ISSUER"):
        TokenVerifier(address, audience="shuniu")
