"""
One refresher per application key over all hubs: who has the turn fetches the next secrets, the others read its row.

A second refresh makes the first one's secrets invalid at some agencies.  So a hub looks at the shared row first and
fetches only if that is no newer than what it holds; the turn to fetch ends by itself, so that a hub that dies in the
middle delays the others and does not stop them.
"""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Concatenate, Final, ParamSpec, TypeVar
from uuid import UUID, uuid4

from sqlalchemy import Connection

from adapters.errors import AgencyError, AgencyTimeout, AgencyUnavailable
from adapters.wire.clock import CorrectedClock
from adapters.wire.secrets import CredentialPair, Fetch
from gateway.agency_secrets import codec, repository
from gateway.agency_secrets.listener import SecretListener
from gateway.agency_secrets.refresh_ahead import EARLY_SECONDS, RefreshAhead, Sleep
from gateway.database import Database, DatabaseUnavailable
from gateway.field_encryption import FieldEncryption
from schemas.codes import Reason

P = ParamSpec("P")
T = TypeVar("T")

FETCH_SECONDS: Final = 4.0
# A turn outlasts the fetch and the writing of what it brought; a dead hub's turn costs the others this long.
TURN_SECONDS: Final = 8.0
# How often the row is looked at while another hub has the turn.
LOOK_SECONDS: Final = (0.05, 0.15)


@dataclass(slots=True, kw_only=True)
class _Kept:
    """What this process knows of one key; `number` is that of the row which `ring` was read from or written to."""

    fetch: Fetch
    margin: float
    number: int = 0
    ring: CredentialPair | None = None
    renewal: asyncio.Task[CredentialPair] | None = None


class SharedSecretStore:
    """
    The store of all hubs on one database.  Whoever makes it closes it.

    A renewal that began is finished even if nobody waits for it any more: what an agency has handed out must not be
    lost.  A ring that is in use is renewed before its margin, so that no question waits for it.  Without the database
    a living ring still serves; what needs a renewal is `AgencyUnavailable`, reason `no_secret`.
    """

    def __init__(
        self,
        database: Database,
        encryption: FieldEncryption,
        *,
        clock: CorrectedClock | None = None,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._database = database
        self._encryption = encryption
        self._clock = clock or CorrectedClock()
        self._sleep = sleep
        self._kept: dict[str, _Kept] = {}
        self._ahead = RefreshAhead(self._renewed_ahead, sleep)
        self._news = SecretListener(database.conninfo, self._heard, sleep)

    def keep(self, key: str, fetch: Fetch, *, margin: float) -> None:
        """As `adapters.wire.secrets.SecretStore` says."""
        self._kept[key] = _Kept(fetch=fetch, margin=margin)

    def held(self, key: str) -> CredentialPair | None:
        """As `adapters.wire.secrets.SecretStore` says."""
        kept = self._kept[key]
        if kept.ring is not None:
            self._ahead.used(key, codec.left(kept.ring.secret, self._clock) - kept.margin)
        return kept.ring

    async def renew(self, key: str, seen: CredentialPair | None, until: float, *, anew: bool = False) -> CredentialPair:
        """As `adapters.wire.secrets.SecretStore` says."""
        kept = self._kept[key]
        if kept.ring is not None and kept.ring is not seen:
            return kept.ring
        if kept.renewal is None:
            self._news.start()
            kept.renewal = asyncio.create_task(self._renewal(key, kept, anew=anew))
            # If everybody has gone by then, its failure is nobody's.
            kept.renewal.add_done_callback(lambda done: done.cancelled() or done.exception())
        renewal = kept.renewal
        await asyncio.wait({renewal}, timeout=until - asyncio.get_running_loop().time())
        if not renewal.done():
            raise AgencyTimeout
        if failure := renewal.exception():
            # Many may have waited: each raises it from here, and it does not grow by them.
            raise failure.with_traceback(None)
        return renewal.result()

    async def aclose(self) -> None:
        """Ends renewals ahead of time and waits for one under way, which is bounded."""
        await self._ahead.aclose()
        await self._news.aclose()
        await asyncio.gather(*(kept.renewal for kept in self._kept.values() if kept.renewal), return_exceptions=True)

    async def _renewal(self, key: str, kept: _Kept, *, anew: bool) -> CredentialPair:
        try:
            return await self._newer(key, kept, anew=anew)
        finally:
            kept.renewal = None

    async def _newer(self, key: str, kept: _Kept, *, anew: bool) -> CredentialPair:
        # What is heard meanwhile is as good as what is read: it must not pass for the ring that was refused.
        loop, turn, seen = asyncio.get_running_loop(), uuid4(), kept.number
        ends_at = loop.time() + TURN_SECONDS + FETCH_SECONDS
        while loop.time() < ends_at:
            row = await self._asked(repository.read, key)
            ring = self._opened(key, row)
            if ring is not None and row.number != seen and self._serves(kept, ring):
                return self._known(kept, row.number, ring)
            if not row.taken and await self._asked(repository.take_turn, key, row.number, turn, TURN_SECONDS):
                return await self._fetched(key, kept, None if anew else ring, row.number + 1, turn)
            await self._sleep(random.uniform(*LOOK_SECONDS))  # noqa: S311 - no secret
        raise AgencyTimeout

    async def _fetched(
        self, key: str, kept: _Kept, before: CredentialPair | None, number: int, turn: UUID
    ) -> CredentialPair:
        until = asyncio.get_running_loop().time() + FETCH_SECONDS
        ring = None
        try:
            ring = await kept.fetch(before, until)
            written = await self._asked(repository.write, key, number, turn, self._sealed(key, number, ring))
        except AgencyError:
            if ring is None:
                await self._give_back(key, turn)
                raise
            # The database went away after the agency had answered: the ring serves here, the others fetch their own.
            written = False
        return self._known(kept, number if written else kept.number, ring)

    async def _give_back(self, key: str, turn: UUID) -> None:
        try:
            await self._database.run(repository.end_turn, key, turn)
        except DatabaseUnavailable:
            # It ends by itself.
            return

    async def _renewed_ahead(self, key: str) -> float | None:
        """Renews a ring before its time; the seconds that are left if that failed and it still lives."""
        kept = self._kept[key]
        seen = kept.ring
        if seen is None or codec.left(seen.secret, self._clock) - kept.margin > EARLY_SECONDS:
            # Somebody renewed it meanwhile.
            return None
        try:
            await self.renew(key, seen, asyncio.get_running_loop().time() + TURN_SECONDS + FETCH_SECONDS)
        except AgencyError:
            left = codec.left(seen.secret, self._clock)
            return left if left > 0 else None
        return None

    async def _heard(self, key: str) -> None:
        """Some hub has renewed: its ring is taken over before a question finds ours refused."""
        kept = self._kept.get(key)
        if kept is None or kept.renewal is not None:
            return
        row = await self._database.run(repository.read, key)
        ring = self._opened(key, row)
        # Asked once more: a question may have begun a renewal while the row was read.
        if kept.renewal is None and ring is not None and row.number > kept.number and self._serves(kept, ring):
            self._known(kept, row.number, ring)

    def _serves(self, kept: _Kept, ring: CredentialPair) -> bool:
        return ring.secret.lives(self._clock, margin=kept.margin)

    def _known(self, kept: _Kept, number: int, ring: CredentialPair) -> CredentialPair:
        kept.number, kept.ring = number, ring
        return ring

    def _sealed(self, key: str, number: int, ring: CredentialPair) -> bytes:
        return codec.sealed(self._encryption, key, number, ring, self._clock)

    def _opened(self, key: str, row: repository.SecretRow) -> CredentialPair | None:
        if row.sealed is None:
            return None
        return codec.opened(self._encryption, key, row.number, row.sealed, age=row.age, clock=self._clock)

    async def _asked(self, statement: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return await self._database.run(statement, *args, **kwargs)
        except DatabaseUnavailable:
            pass
        raise AgencyUnavailable(Reason.NO_SECRET)
