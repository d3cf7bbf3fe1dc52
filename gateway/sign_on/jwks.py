"""
The sign-on server's keys: found by discovery, loaded when first needed, renewed when they age or change.
"""

import asyncio
import math
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, JWKRegistry, Key, OKPKey, RSAKey

from gateway.sign_on.errors import SignOnUnavailable
from gateway.sign_on.oidc_client import FETCH_SECONDS, UNTRUSTED, Endpoints, OidcClient

MAX_KEYS = 64
SMALLEST_RSA_BITS = 2048

# Seconds.  Renewed in the background when older than FRESH, not used at all when older than USABLE: a key that was
# withdrawn after a theft dies here even if somebody keeps us from hearing of it.
FRESH_SECONDS = 300.0
USABLE_SECONDS = 3600.0
# Anybody can invent key ids, so an unknown one may make us ask again only this often.
UNKNOWN_KEY_SECONDS = 10.0
# After a failure callers are told so at once, and the first one after this pause tries again.
RETRY_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyingKey:
    """A published key with the one algorithm that it verifies; a token has no say in it."""

    algorithm: str
    key: Key


class KeyStore:
    """
    The keys of one issuer.  Fetches are never concurrent.
    """

    def __init__(
        self,
        issuer: OidcClient,
        *,
        clock: Callable[[], float] = time.monotonic,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        self._issuer = issuer
        self._clock = clock
        self._changed = changed
        self._keys: Mapping[str, VerifyingKey] = {}
        self._published: Any = None
        self._discovered: Mapping[str, Any] = {}
        self._loaded_at = self._failed_at = self._surprised_at = -math.inf
        self._failing = False
        self._fetching: asyncio.Task[None] | None = None

    async def find(self, key_id: str) -> VerifyingKey | None:
        """
        The key of this id, or None if the issuer publishes none such.  Raises `SignOnUnavailable`.
        """
        await self.keep_fresh()
        if key_id not in self._keys and self._clock() - self._surprised_at >= UNKNOWN_KEY_SECONDS:
            self._surprised_at = self._clock()
            await self._load()
        return self._keys.get(key_id)

    async def keep_fresh(self) -> None:
        """
        Sees to it that the keys may be used now; costs nothing while they are fresh.  Raises `SignOnUnavailable`.
        """
        age = self._clock() - self._loaded_at
        if age < FRESH_SECONDS:
            return
        if age >= USABLE_SECONDS:
            await self._load()
        elif self._may_try():
            self._fetch()

    async def endpoints(self) -> Endpoints:
        """Where people sign in, by the discovery document that came with the keys.  Raises `SignOnUnavailable`."""
        await self.keep_fresh()
        try:
            return self._issuer.endpoints(self._discovered)
        except UNTRUSTED:
            pass
        raise SignOnUnavailable

    async def aclose(self) -> None:
        """Ends a fetch that is under way."""
        if self._fetching is not None:
            self._fetching.cancel()
            await asyncio.wait([self._fetching])

    def _may_try(self) -> bool:
        return self._fetching is not None or self._clock() - self._failed_at >= RETRY_SECONDS

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
                discovered, published = await self._issuer.published()
            keys = _usable(published)
        except UNTRUSTED:
            self._failing, self._failed_at = True, self._clock()
        else:
            self._failing, self._loaded_at = False, self._clock()
            self._discovered = discovered
            if published != self._published:
                self._keys, self._published = keys, published
                self._changed()
        finally:
            self._fetching = None


def _usable(published: Any) -> dict[str, VerifyingKey]:
    if not isinstance(published, list) or len(published) > MAX_KEYS:
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
    algorithm = key_algorithm(key)
    if algorithm is None or parameters.get("alg", algorithm) != algorithm:
        return None
    return VerifyingKey(algorithm=algorithm, key=key)


def key_algorithm(key: Key) -> str | None:
    """The one algorithm of a key, or None for a key that is not wanted."""
    match key:
        case ECKey() if key.curve_name == "P-256":
            return "ES256"
        case OKPKey() if key.curve_name == "Ed25519":
            return "EdDSA"
        case RSAKey() if key.raw_value.key_size >= SMALLEST_RSA_BITS:
            return "RS256"
        case _:
            return None
