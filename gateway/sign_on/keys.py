"""
The sign-on server's keys: found by discovery, loaded when first needed, renewed when they age or change.
"""

import asyncio
import json
import math
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import ECKey, JWKRegistry, Key, OKPKey, RSAKey

from adapters.errors import ConfigurationError
from gateway.sign_on.errors import SignOnUnavailable

LARGEST_DOCUMENT = 262_144
MOST_KEYS = 64
FETCH_SECONDS = 5.0
SMALLEST_RSA_BITS = 2048

# Seconds.  Renewed in the background when older than FRESH, not used at all when older than USABLE: a key that was
# withdrawn after a theft dies here even if somebody keeps us from hearing of it.
FRESH = 300.0
USABLE = 3600.0
# Anybody can invent key ids, so an unknown one may make us ask again only this often.
BETWEEN_SURPRISES = 10.0
# After a failure callers are told so at once, and the first one after this pause tries again.
AFTER_FAILURE = 1.0

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
DEFAULT_PORTS = {"http": 80, "https": 443}

# Whatever a document that is not what it should be can cause.
UNTRUSTED = (
    httpx.HTTPError,
    JoseError,
    SecurityWarning,
    TimeoutError,
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    RecursionError,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyingKey:
    """A published key with the one algorithm that it verifies; a token has no say in it."""

    algorithm: str
    key: Key


class KeyStore:
    """
    The keys of one issuer.  Fetches are never concurrent, never follow a redirect and never leave the issuer's origin.
    """

    def __init__(
        self,
        issuer: str,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Callable[[], float] = time.monotonic,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        _require_trustworthy(issuer)
        self._issuer = issuer
        self._clock = clock
        self._changed = changed
        self._http = httpx.AsyncClient(
            transport=transport, timeout=FETCH_SECONDS, follow_redirects=False, trust_env=False
        )
        self._keys: Mapping[str, VerifyingKey] = {}
        self._published: Any = None
        self._loaded_at = self._failed_at = self._surprised_at = -math.inf
        self._failing = False
        self._fetching: asyncio.Task[None] | None = None

    async def find(self, key_id: str) -> VerifyingKey | None:
        """
        The key of this id, or None if the issuer publishes none such.  Raises `SignOnUnavailable`.
        """
        await self.keep_fresh()
        if key_id not in self._keys and self._clock() - self._surprised_at >= BETWEEN_SURPRISES:
            self._surprised_at = self._clock()
            await self._load()
        return self._keys.get(key_id)

    async def keep_fresh(self) -> None:
        """
        Sees to it that the keys may be used now; costs nothing while they are fresh.  Raises `SignOnUnavailable`.
        """
        age = self._clock() - self._loaded_at
        if age < FRESH:
            return
        if age >= USABLE:
            await self._load()
        elif self._may_try():
            self._fetch()

    async def aclose(self) -> None:
        """Ends a fetch that is under way and closes the connections."""
        if self._fetching is not None:
            self._fetching.cancel()
            await asyncio.wait([self._fetching])
        await self._http.aclose()

    def _may_try(self) -> bool:
        return self._fetching is not None or self._clock() - self._failed_at >= AFTER_FAILURE

    async def _load(self) -> None:
        if self._may_try():
            # Shielded: many callers wait for one fetch, and one who gives up must not end it for the others.
            await asyncio.shield(self._fetch())
        if self._failing:
            raise SignOnUnavailable

    def _fetch(self) -> asyncio.Task[None]:
        if self._fetching is None:
            self._fetching = asyncio.create_task(self._renew())
        return self._fetching

    async def _renew(self) -> None:
        try:
            async with asyncio.timeout(FETCH_SECONDS):
                published = await self._published_keys()
            keys = _usable(published)
        except UNTRUSTED:
            self._failing, self._failed_at = True, self._clock()
        else:
            self._failing, self._loaded_at = False, self._clock()
            if published != self._published:
                self._keys, self._published = keys, published
                self._changed()
        finally:
            self._fetching = None

    async def _published_keys(self) -> Any:
        discovered = await self._document(f"{self._issuer.rstrip('/')}/.well-known/openid-configuration")
        address = discovered["jwks_uri"]
        if discovered["issuer"] != self._issuer or _origin(address) != _origin(self._issuer):
            raise ValueError("discovery leads away from the issuer")
        return (await self._document(address))["keys"]

    async def _document(self, address: str) -> Any:
        body = bytearray()
        async with self._http.stream("GET", address, headers={"Accept-Encoding": "identity"}) as answer:
            if answer.status_code != httpx.codes.OK or answer.headers.get("content-encoding", "identity") != "identity":
                raise ValueError("not a plain answer")
            async for piece in answer.aiter_bytes():
                body += piece
                if len(body) > LARGEST_DOCUMENT:
                    raise ValueError("answer too large")
        return json.loads(body)


def _usable(published: Any) -> dict[str, VerifyingKey]:
    if not isinstance(published, list) or len(published) > MOST_KEYS:
        raise ValueError("not a key set")
    found = {parameters.get("kid"): _verifying(parameters) for parameters in published}
    return {key_id: verifying for key_id, verifying in found.items() if verifying and isinstance(key_id, str)}


def _verifying(parameters: dict[str, Any]) -> VerifyingKey | None:
    # A key that we cannot read or do not want is none of ours (RFC 7517, section 5); the others of the set stand.
    if parameters.get("use", "sig") != "sig" or "d" in parameters:
        return None
    try:
        with warnings.catch_warnings():
            # What the library merely warns of (a short key) is refused here.
            warnings.simplefilter("error", SecurityWarning)
            key = JWKRegistry.import_key(parameters)
    except UNTRUSTED:
        return None
    algorithm = _algorithm(key)
    if algorithm is None or parameters.get("alg", algorithm) != algorithm:
        return None
    return VerifyingKey(algorithm=algorithm, key=key)


def _algorithm(key: Key) -> str | None:
    match key:
        case ECKey() if key.curve_name == "P-256":
            return "ES256"
        case OKPKey() if key.curve_name == "Ed25519":
            return "EdDSA"
        case RSAKey() if key.raw_value.key_size >= SMALLEST_RSA_BITS:
            return "RS256"
        case _:
            return None


def _origin(address: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(address)
    return parts.scheme, parts.hostname, parts.port or DEFAULT_PORTS.get(parts.scheme)


def _require_trustworthy(issuer: str) -> None:
    parts = urlsplit(issuer)
    if parts.scheme == "https" and parts.hostname and not parts.query and not parts.fragment:
        return
    if parts.scheme == "http" and parts.hostname in LOOPBACK:
        return
    raise ConfigurationError(
        "SHUNIU_SIGN_ON_ISSUER: keys must not travel in clear; give the issuer's https:// address as its discovery "
        "document spells it (http:// is for a sign-on server on this machine only)"
    )
