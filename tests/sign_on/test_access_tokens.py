"""
What the hub accepts as an access token, and every known way to slip something else past it.
"""

import base64
import hmac
import json
import math
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

from gateway.sign_on import Caller, NotSignedIn, TokenVerifier
from tests.sign_on.court import ISSUER, NOW, Clock, Issuer

pytestmark = pytest.mark.anyio


async def refusal(sign_on: TokenVerifier, authorization: str | None) -> str:
    """The rule by which this header is refused."""
    with pytest.raises(NotSignedIn) as caught:
        await sign_on.caller(authorization)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    assert str(caught.value) == f"not signed in: {caught.value.rule.value}"
    return caught.value.rule.value


async def test_a_good_token_names_its_caller(sign_on: TokenVerifier, issuer: Issuer) -> None:
    """Every member of the caller comes from the token, and from nowhere else."""
    caller = await sign_on.caller(f"Bearer {issuer.token()}")

    assert caller == Caller(
        user="li.ting",
        client="shuniu-pages",
        court="浙0802",
        name="李婷",
        unit="演示法院",
        scopes=frozenset({"openid", "lookups"}),
        expires_at=NOW + 600,
        token_id="token-1",
    )


async def test_a_caller_does_not_show_their_name(sign_on: TokenVerifier, issuer: Issuer) -> None:
    """A caller in a log line or a traceback is known by the account alone."""
    caller = await sign_on.caller(f"Bearer {issuer.token()}")

    assert "李婷" not in repr(caller)


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [
        (ECKey.generate_key("P-256", {"kid": "other"}), "ES256"),
        (RSAKey.generate_key(2048, {"kid": "other"}), "RS256"),
        (OKPKey.generate_key("Ed25519", {"kid": "other"}), "EdDSA"),
    ],
    ids=["ES256", "RS256", "EdDSA"],
)
async def test_three_algorithms_are_accepted(sign_on: TokenVerifier, issuer: Issuer, key: Key, algorithm: str) -> None:
    """Each published key verifies with the one algorithm of its kind."""
    issuer.published.append(key.as_dict(private=False))
    token = issuer.token(key=key, header={"alg": algorithm, "kid": "other"})

    assert (await sign_on.caller(f"Bearer {token}")).user == "li.ting"


@pytest.mark.parametrize("authorization", [None, ""])
async def test_a_call_without_a_token_is_refused(sign_on: TokenVerifier, authorization: str | None) -> None:
    """Nobody is anonymous."""
    assert await refusal(sign_on, authorization) == "missing"


@pytest.mark.parametrize(
    "authorization",
    [
        "Bearer",
        "Bearer ",
        "Basic bGk6dGluZw==",
        "Bearer a.b",
        "Bearer a.b.c.d",
        "Bearer a.b.c",
        "Bearer é.b.c",
        "a.b.c",
        "Bearer e30.e30.e30",
        "Bearer W10.e30.e30",
        "Bearer ImFsZyI.e30.e30",
        "Bearer NDI.e30.e30",
        "Bearer bnVsbA.e30.x",
        "Bearer " + "a" * 9000 + ".b.c",
    ],
)
async def test_what_is_not_a_token_is_malformed(sign_on: TokenVerifier, authorization: str) -> None:
    """Other schemes, wrong shapes, headers that are no object, and oversize are one rule."""
    assert await refusal(sign_on, authorization) == "malformed"


@pytest.mark.parametrize("name", ["none", "None", "nOnE", "HS256", "ES512", "PS256", "RS1", ""])
async def test_an_unsigned_or_unlisted_algorithm_is_refused(sign_on: TokenVerifier, issuer: Issuer, name: str) -> None:
    """The list of algorithms is closed, and `none` is not on it in any spelling."""
    assert await refusal(sign_on, f"Bearer {issuer.unsigned(alg=name)}") == "algorithm_not_allowed"


async def test_an_unsigned_token_without_a_signature_is_malformed(sign_on: TokenVerifier, issuer: Issuer) -> None:
    """The empty third part of an unsigned token never reaches the check of algorithms."""
    assert await refusal(sign_on, f"Bearer {issuer.unsigned(alg='none', signature=b'')}") == "malformed"


@pytest.mark.parametrize(
    "published",
    [RSAKey.generate_key(2048, {"kid": "first"}), ECKey.generate_key("P-256", {"kid": "first"})],
    ids=["RSA", "EC"],
)
async def test_a_public_key_is_never_used_as_a_shared_secret(
    sign_on: TokenVerifier, issuer: Issuer, published: RSAKey | ECKey
) -> None:
    """Key confusion: HS256 over the published key's own bytes."""
    issuer.published = [published.as_dict(private=False)]
    signed, _, _ = issuer.unsigned(alg="HS256").rpartition(".")
    forged = hmac.digest(published.as_pem(private=False), signed.encode(), "sha256")
    token = f"{signed}.{_encoded(forged)}"

    assert await refusal(sign_on, f"Bearer {token}") == "algorithm_not_allowed"


async def test_the_algorithm_belongs_to_the_key(sign_on: TokenVerifier, issuer: Issuer) -> None:
    """A token cannot have an elliptic key used as an RSA key, even a listed one."""
    token = issuer.token(key=RSAKey.generate_key(2048, {"kid": "first"}), header={"alg": "RS256"})

    assert await refusal(sign_on, f"Bearer {token}") == "algorithm_not_allowed"


async def test_a_foreign_key_under_a_known_id_is_refused(sign_on: TokenVerifier, issuer: Issuer) -> None:
    """Naming the issuer's key does not make a signature its own."""
    token = issuer.token(key=ECKey.generate_key("P-256", {"kid": "first"}))

    assert await refusal(sign_on, f"Bearer {token}") == "bad_signature"


@pytest.mark.parametrize("name", ["jwk", "jku", "x5u", "x5c", "crit", "b64"])
async def test_a_token_cannot_bring_its_own_key(sign_on: TokenVerifier, issuer: Issuer, name: str) -> None:
    """Headers that point at a key, or change how the token is read, refuse it; nothing is fetched for them."""
    attacker = ECKey.generate_key("P-256", {"kid": "theirs"})
    value: Any = {
        "jwk": attacker.as_dict(private=False),
        "jku": "https://attacker.example/jwks",
        "x5u": "https://attacker.example/chain",
        "x5c": ["MIIB"],
        "crit": ["exp"],
        "b64": True,
    }[name]
    header = {"kid": "first", name: value} | ({"exp": NOW} if name == "crit" else {})
    parts = issuer.token(key=attacker).split(".")
    head = {"alg": "ES256", "typ": "at+jwt"} | header

    assert await refusal(sign_on, f"Bearer {_encoded(json.dumps(head).encode())}.{parts[1]}.{parts[2]}") == "malformed"
    assert {urlsplit(address).netloc for address in issuer.asked} == {urlsplit(ISSUER).netloc}


@pytest.mark.parametrize("kind", ["JWT", "jwt", "dpop+jwt", None])
async def test_an_id_token_is_not_an_access_token(sign_on: TokenVerifier, issuer: Issuer, kind: str | None) -> None:
    """Only `at+jwt` opens the door (RFC 9068, section 4)."""
    assert await refusal(sign_on, f"Bearer {issuer.token(header={'typ': kind})}") == "wrong_type"


@pytest.mark.parametrize("kind", ["AT+JWT", "application/at+jwt"])
async def test_the_media_type_may_be_spelt_in_full(sign_on: TokenVerifier, issuer: Issuer, kind: str) -> None:
    """RFC 9068 allows both forms, in any case."""
    assert (await sign_on.caller(f"bearer {issuer.token(header={'typ': kind})}")).user == "li.ting"


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"iss": "https://sign-on.example"}, "wrong_issuer"),
        ({"iss": None}, "wrong_issuer"),
        ({"aud": "another-system"}, "wrong_audience"),
        ({"aud": ["shuniu-pages", "another"]}, "wrong_audience"),
        ({"aud": None}, "wrong_audience"),
        ({"exp": NOW - 30}, "expired"),
        ({"iat": NOW + 31}, "not_yet_valid"),
        ({"nbf": NOW + 31}, "not_yet_valid"),
        ({"exp": None}, "claim_missing"),
        ({"iat": None}, "claim_missing"),
        ({"exp": str(NOW + 600)}, "malformed"),
        ({"exp": math.nan}, "malformed"),
        ({"exp": math.inf}, "malformed"),
        ({"exp": True}, "malformed"),
        ({"nbf": "now"}, "malformed"),
        ({"sub": None}, "claim_missing"),
        ({"sub": ""}, "claim_missing"),
        ({"sub": 7}, "claim_missing"),
        ({"client_id": None}, "claim_missing"),
        ({"court": None}, "claim_missing"),
        ({"jti": None}, "claim_missing"),
        ({"scope": ["work-orders:write"]}, "malformed"),
    ],
    ids=str,
)
async def test_every_claim_is_checked(
    sign_on: TokenVerifier, issuer: Issuer, changes: dict[str, Any], rule: str
) -> None:
    """A well-signed token with one claim wrong is refused by that claim's rule."""
    assert await refusal(sign_on, f"Bearer {issuer.token(**changes)}") == rule


@pytest.mark.parametrize("changes", [{"exp": NOW - 29}, {"iat": NOW + 30}, {"nbf": NOW + 30}, {"aud": ["a", "shuniu"]}])
async def test_clocks_may_differ_by_half_a_minute(
    sign_on: TokenVerifier, issuer: Issuer, changes: dict[str, Any]
) -> None:
    """The skew is bounded, and an audience may be one of several."""
    assert (await sign_on.caller(f"Bearer {issuer.token(**changes)}")).user == "li.ting"


async def test_a_token_of_a_service_may_have_neither_roles_nor_scopes(sign_on: TokenVerifier, issuer: Issuer) -> None:
    """Roles and scopes are empty when the token names none."""
    caller = await sign_on.caller(f"Bearer {issuer.token(roles=None, scope=None)}")

    assert caller.scopes == frozenset()


async def test_a_cached_token_still_expires(sign_on: TokenVerifier, issuer: Issuer, clock: Clock) -> None:
    """The memory of verified tokens never outlives them, and forgets them for good."""
    authorization = f"Bearer {issuer.token()}"
    await sign_on.caller(authorization)
    clock.now = NOW + 629
    assert (await sign_on.caller(authorization)).user == "li.ting"
    clock.now = NOW + 630

    assert await refusal(sign_on, authorization) == "expired"
    assert await refusal(sign_on, authorization) == "expired"


async def test_a_cached_token_is_dropped_with_its_key(sign_on: TokenVerifier, issuer: Issuer, clock: Clock) -> None:
    """A key that is withdrawn takes every token with it, remembered or not."""
    old = f"Bearer {issuer.token()}"
    await sign_on.caller(old)
    key = ECKey.generate_key("P-256", {"kid": "second"})
    issuer.published = [key.as_dict(private=False)]
    clock.now += 10

    assert (await sign_on.caller(f"Bearer {issuer.token(key=key, header={'kid': 'second'})}")).user == "li.ting"
    assert await refusal(sign_on, old) == "bad_signature"


async def test_the_token_cache_is_bounded(
    sign_on: TokenVerifier, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The oldest verified token makes room, and is verified anew when it comes back."""
    monkeypatch.setattr("gateway.sign_on.token_verifier.MAX_CACHED_TOKENS", 2)
    tokens = [f"Bearer {issuer.token(jti=str(number))}" for number in range(5)]

    assert [(await sign_on.caller(token)).token_id for token in tokens + tokens] == ["0", "1", "2", "3", "4"] * 2
    assert len(sign_on._cache) == 2


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(authorization=st.text(max_size=80) | st.from_regex(r"Bearer [A-Za-z0-9_-]{1,40}(\.[A-Za-z0-9_-]{1,40}){2}\Z"))
async def test_any_malformed_header_is_refused_by_a_rule(sign_on: TokenVerifier, authorization: str) -> None:
    """Whatever stands in the header is refused by one of the closed rules."""
    await refusal(sign_on, authorization)


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.floats(0, 1, exclude_max=True), letter=st.sampled_from("ABCXYZabcxyz0189-_"))
async def test_a_token_with_any_changed_letter_is_refused(
    sign_on: TokenVerifier, issuer: Issuer, place: float, letter: str
) -> None:
    """Header, claims and signature are all under the signature."""
    token = issuer.token()
    # The last letter of a Base64 text carries bits that stand for nothing.
    at = int(place * (len(token) - 1))
    changed = token[:at] + letter + token[at + 1 :]
    if token[at] in (letter, ".") or token[at + 1] == ".":
        return

    await refusal(sign_on, f"Bearer {changed}")


def _encoded(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()
