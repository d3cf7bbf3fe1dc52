"""
Secrets that agencies hand out and that expire: who holds them, and who fetches the next.

One refresher per key at a time.  A second refresh makes the first one's secret invalid at some agencies, so that two
refreshers of one application key would take the secret from each other for ever.
"""

import asyncio
import hashlib
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

from adapters.errors import AgencyTimeout
from adapters.wire.clock import CorrectedClock


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """
    One secret and until when it lives: `ends_at` in seconds since the epoch, `due` on our monotonic clock.

    The agency states an end by its own clock, which may be off; ours may jump.  So both are kept, the earlier wins.
    """

    text: str = field(repr=False)
    ends_at: float
    due: float

    @classmethod
    def issued(cls, text: str, *, ends_at: float, lifetime: float, clock: CorrectedClock) -> "Secret":
        """
        A secret that came just now: it lives until the stated end, and at most `lifetime` seconds.

        An end in the past says that the agency's clock is behind, not that it issues dead secrets: then only the
        lifetime counts, or every question would fetch a new one.
        """
        left = ends_at - clock.seconds()
        left = min(left, lifetime) if left > 0 else lifetime
        return cls(text=text, ends_at=clock.seconds() + left, due=clock.monotonic() + left)

    def lives(self, clock: CorrectedClock, *, margin: float) -> bool:
        """Whether it can still be used `margin` seconds from now, by both clocks."""
        return clock.monotonic() + margin < self.due and clock.seconds() + margin < self.ends_at


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialPair:
    """The secret of business calls and, where the agency has one, the secret that fetches the next."""

    secret: Secret
    refresh: Secret | None = None


Fetch = Callable[[CredentialPair | None, float], Awaitable[CredentialPair]]
"""Brings a newer ring, given the one held before and the end of its time on the event loop's clock."""


def holder(family: str, *identity: str) -> str:
    """The key of a ring: who we are at which address, as a digest that tells neither."""
    return f"{family}:{hashlib.sha256(chr(10).join(identity).encode()).hexdigest()[:16]}"


class SecretStore(Protocol):
    """
    Holds one ring per key.  Where several hubs share application keys, an implementation shares the ring among them.
    """

    def register(self, key: str, fetch: Fetch, *, margin: float) -> None:
        """
        Says how the ring of a key is fetched, once and before anything else; `fetch` raises `AgencyError`.

        With less than `margin` seconds left a ring is as good as dead.
        """
        ...

    def current(self, key: str) -> CredentialPair | None:
        """The ring that this process knows, without waiting; it may have expired."""
        ...

    async def renew(self, key: str, seen: CredentialPair | None, until: float, *, anew: bool = False) -> CredentialPair:
        """
        A newer ring than `seen`: the one that somebody else fetched meanwhile, or else what the key's `fetch` brings.

        At most one fetch per key runs at a time; it is given the ring held before, or with `anew` none, because all of
        that one is dead.  Raises what `fetch` raises, `AgencyUnavailable` if the store itself cannot be reached, and
        `AgencyTimeout` if there is no ring before `until` (event loop's clock).
        """
        ...


class ProcessStore:
    """Rings of one process, in memory only."""

    def __init__(self) -> None:
        self._rings: dict[str, CredentialPair] = {}
        self._fetches: dict[str, Fetch] = {}
        # One lock per key, kept for the life of the process: keys are configuration, not traffic.
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    def register(self, key: str, fetch: Fetch, *, margin: float) -> None:  # noqa: ARG002 - nothing is renewed ahead here
        self._fetches[key] = fetch

    def current(self, key: str) -> CredentialPair | None:
        return self._rings.get(key)

    async def renew(self, key: str, seen: CredentialPair | None, until: float, *, anew: bool = False) -> CredentialPair:
        try:
            async with asyncio.timeout_at(until), self._locks[key]:
                held = self._rings.get(key)
                if held is None or held is seen:
                    held = self._rings[key] = await self._fetches[key](None if anew else held, until)
                return held
        except TimeoutError:
            pass
        raise AgencyTimeout
