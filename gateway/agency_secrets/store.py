"""
The secret store of all hubs: one refresher per application key at a time, the other hubs read its row.

A second refresh makes the first one's secrets invalid at some agencies.  So a hub reads the shared row first and
fetches only if the row is not newer than its own credentials; the turn to fetch expires, so that a hub that dies
meanwhile delays the others and does not stop them.
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
from gateway.agency_secrets import repository
from gateway.agency_secrets.listener import SecretListener
from gateway.agency_secrets.refresh_ahead import EARLY_SECONDS, RefreshAhead, Sleep
from gateway.database import Database, DatabaseUnavailable
from gateway.field_encryption import FieldEncryption
from schemas.codes import Reason

P = ParamSpec("P")
T = TypeVar("T")

FETCH_SECONDS: Final = 4.0
# A turn outlasts the fetch and the writing of its result; the turn of a dead hub delays the others this long.
TURN_SECONDS: Final = 8.0
# How often the row is read while another hub has the turn.
POLL_SECONDS: Final = (0.05, 0.15)


@dataclass(slots=True, kw_only=True)
class _Entry:
    """The state of one key in this process; `number` is that of the row that `pair` was read from or written to."""

    fetch: Fetch
    margin: float
    number: int = 0
    pair: CredentialPair | None = None
    renewal: asyncio.Task[CredentialPair] | None = None


class SharedSecretStore:
    """
    The secret store of all hubs on one database.  Its creator closes it.

    A renewal that began is finished even if no question waits for it any more: what an agency has handed out must not
    be lost.  Credentials in use are renewed before their margin, so that no question waits.  Without the database,
    unexpired credentials still serve; a renewal raises `AgencyUnavailable`, reason `no_secret`.
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
        self._entries: dict[str, _Entry] = {}
        self._refresh_ahead = RefreshAhead(self._renew_ahead, sleep)
        self._listener = SecretListener(database.conninfo, self._load, sleep)

    def register(self, key: str, fetch: Fetch, *, margin: float) -> None:
        """See `adapters.wire.secrets.SecretStore`."""
        self._entries[key] = _Entry(fetch=fetch, margin=margin)

    def current(self, key: str) -> CredentialPair | None:
        """See `adapters.wire.secrets.SecretStore`."""
        entry = self._entries[key]
        if entry.pair is not None:
            self._refresh_ahead.note_use(key, repository.seconds_left(entry.pair.secret, self._clock) - entry.margin)
        return entry.pair

    async def renew(self, key: str, seen: CredentialPair | None, until: float, *, anew: bool = False) -> CredentialPair:
        """See `adapters.wire.secrets.SecretStore`."""
        entry = self._entries[key]
        if entry.pair is not None and entry.pair is not seen:
            return entry.pair
        if entry.renewal is None:
            self._listener.start()
            entry.renewal = asyncio.create_task(self._renewal(key, entry, anew=anew))
            # Reads the exception, in case every caller has left by then.
            entry.renewal.add_done_callback(lambda done: done.cancelled() or done.exception())
        renewal = entry.renewal
        await asyncio.wait({renewal}, timeout=until - asyncio.get_running_loop().time())
        if not renewal.done():
            raise AgencyTimeout
        if failure := renewal.exception():
            # Raised by every caller that waited: without its traceback, which would grow with each.
            raise failure.with_traceback(None)
        return renewal.result()

    async def aclose(self) -> None:
        """Cancels the refreshes ahead and waits for renewals under way, which are bounded."""
        await self._refresh_ahead.aclose()
        await self._listener.aclose()
        await asyncio.gather(
            *(entry.renewal for entry in self._entries.values() if entry.renewal), return_exceptions=True
        )

    async def _renewal(self, key: str, entry: _Entry, *, anew: bool) -> CredentialPair:
        try:
            return await self._renewed(key, entry, anew=anew)
        finally:
            entry.renewal = None

    async def _renewed(self, key: str, entry: _Entry, *, anew: bool) -> CredentialPair:
        # The number before the renewal: credentials loaded by a notification meanwhile count as newer.
        loop, turn, seen = asyncio.get_running_loop(), uuid4(), entry.number
        ends_at = loop.time() + TURN_SECONDS + FETCH_SECONDS
        while loop.time() < ends_at:
            row = await self._run(repository.read, key)
            pair = self._decode(key, row)
            if pair is not None and row.number != seen and self._is_valid(entry, pair):
                return self._store(entry, row.number, pair)
            if not row.taken and await self._run(repository.take_turn, key, row.number, turn, TURN_SECONDS):
                return await self._fetch_and_write(key, entry, None if anew else pair, row.number + 1, turn)
            await self._sleep(random.uniform(*POLL_SECONDS))  # noqa: S311 - no secret
        raise AgencyTimeout

    async def _fetch_and_write(
        self, key: str, entry: _Entry, before: CredentialPair | None, number: int, turn: UUID
    ) -> CredentialPair:
        until = asyncio.get_running_loop().time() + FETCH_SECONDS
        pair = None
        try:
            pair = await entry.fetch(before, until)
            written = await self._run(repository.write, key, number, turn, self._encode(key, number, pair))
        except AgencyError:
            if pair is None:
                await self._end_turn(key, turn)
                raise
            # The database failed after the agency had answered: the credentials serve here, other hubs fetch their own.
            written = False
        return self._store(entry, number if written else entry.number, pair)

    async def _end_turn(self, key: str, turn: UUID) -> None:
        try:
            await self._database.run(repository.end_turn, key, turn)
        except DatabaseUnavailable:
            # The turn expires by itself.
            return

    async def _renew_ahead(self, key: str) -> float | None:
        """Renews credentials before they expire; the seconds left if that failed and they are still valid."""
        entry = self._entries[key]
        seen = entry.pair
        if seen is None or repository.seconds_left(seen.secret, self._clock) - entry.margin > EARLY_SECONDS:
            # Renewed meanwhile.
            return None
        try:
            await self.renew(key, seen, asyncio.get_running_loop().time() + TURN_SECONDS + FETCH_SECONDS)
        except AgencyError:
            left = repository.seconds_left(seen.secret, self._clock)
            return left if left > 0 else None
        return None

    async def _load(self, key: str) -> None:
        """Loads the credentials that a hub has renewed."""
        entry = self._entries.get(key)
        if entry is None or entry.renewal is not None:
            return
        row = await self._database.run(repository.read, key)
        pair = self._decode(key, row)
        # Checked again: a question may have begun a renewal while the row was read.
        if entry.renewal is None and pair is not None and row.number > entry.number and self._is_valid(entry, pair):
            self._store(entry, row.number, pair)

    def _is_valid(self, entry: _Entry, pair: CredentialPair) -> bool:
        return pair.secret.lives(self._clock, margin=entry.margin)

    def _store(self, entry: _Entry, number: int, pair: CredentialPair) -> CredentialPair:
        entry.number, entry.pair = number, pair
        return pair

    def _encode(self, key: str, number: int, pair: CredentialPair) -> bytes:
        return repository.encode(self._encryption, key, number, pair, self._clock)

    def _decode(self, key: str, row: repository.SecretRow) -> CredentialPair | None:
        if row.sealed is None:
            return None
        return repository.decode(self._encryption, key, row.number, row.sealed, age=row.age, clock=self._clock)

    async def _run(self, statement: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return await self._database.run(statement, *args, **kwargs)
        except DatabaseUnavailable:
            pass
        raise AgencyUnavailable(Reason.NO_SECRET)
