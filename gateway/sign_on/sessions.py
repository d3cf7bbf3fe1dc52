"""
Sessions of people: stored in the database, read for every call, never cached.

The browser holds a random secret; the database holds its SHA-256.  A session that has ended is over for every replica
at once, whatever the browser still sends.
"""

import contextlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from pydantic import TypeAdapter, ValidationError

from audit.errors import AuditUnavailable, RecordRefused
from audit.store.log import Log
from gateway.database import Database, DatabaseUnavailable, batching
from gateway.field_encryption import DecryptionFailed, FieldEncryption
from gateway.sign_on import session_store
from gateway.sign_on.audit_events import session_ended, session_signed_in
from gateway.sign_on.caller import Caller
from gateway.sign_on.errors import NotSignedIn, SignInRule
from gateway.sign_on.pending_sign_ins import SECRET, new_secret, secret_digest
from gateway.sign_on.session_store import SessionRow
from gateway.sign_on.sign_in import SignedIn

_CALLER = TypeAdapter(Caller)

# The use of a session is written at most this often within the idle limit.
USES_PER_IDLE_LIMIT = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionLimits:
    """Seconds without use, seconds in all, and whether a session is bound to its network address."""

    idle: int
    absolute: int
    bound_to_address: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A session that is valid now.  Its pages must send `csrf_token` with an unsafe call."""

    caller: Caller
    started_at: datetime
    idle_at: datetime
    ends_at: datetime
    csrf_token: str = field(repr=False)


class Sessions:
    """
    Opens, finds and ends sessions.  `clock` gives Unix time.

    A sign-in is recorded before its session is valid.  An end takes effect before it is recorded; if it cannot be
    recorded then, a later sign-in records it.
    """

    def __init__(
        self,
        database: Database,
        encryption: FieldEncryption,
        log: Log,
        limits: SessionLimits,
        clock: Callable[[], float],
    ) -> None:
        self._database = database
        self._encryption = encryption
        self._log = log
        self._limits = limits
        self._clock = clock
        self._rows = batching.BatchedStatement(database, session_store.rows)

    async def open(self, who: SignedIn, address: str) -> str:
        """
        Opens a session under a new secret, and returns the secret.  Raises `AuditUnavailable`, `DatabaseUnavailable`.
        """
        secret, exchange, now = new_secret(), uuid4(), self._now()
        ends_at = now + timedelta(seconds=self._limits.absolute)
        caller = replace(who.caller, expires_at=ends_at.timestamp(), bound_to=None)
        await self._log.append(session_signed_in(exchange, now, who, address))
        digest = secret_digest(secret)
        row = {
            "id": digest,
            "exchange": exchange,
            "address": self._address_index(address),
            "caller": self._encryption.seal(_context(digest), _CALLER.dump_json(caller)),
            "started_at": now,
            "seen_at": now,
            "ends_at": ends_at,
        }
        await self._database.run(session_store.add, row)
        await self._end_expired(now)
        return secret

    async def find(self, secret: str, address: str, *, extend: bool = True) -> Session:
        """
        The session of this secret; `extend` counts this call as use, which extends the session.

        A session that is used from another network address is ended.  Raises `NotSignedIn`, `DatabaseUnavailable`,
        `AuditUnavailable`.
        """
        row = await self._rows.run(secret_digest(secret)) if SECRET.fullmatch(secret) else None
        if row is None or row.ended is not None:
            raise NotSignedIn(SignInRule.SESSION_OVER)
        now, caller = self._now(), self._caller(row)
        over = self._over(row, now, address)
        if over is not None or caller is None:
            await self._end(row.id, over or "expired", address)
            raise NotSignedIn(SignInRule.SESSION_MOVED if over == "moved" else SignInRule.SESSION_OVER)
        if extend and (now - row.seen_at).total_seconds() * USES_PER_IDLE_LIMIT >= self._limits.idle:
            await self._database.run(session_store.note_use, row.id, now)
            row = replace(row, seen_at=now)
        return Session(
            caller=caller,
            started_at=row.started_at,
            idle_at=min(row.seen_at + timedelta(seconds=self._limits.idle), row.ends_at),
            ends_at=row.ends_at,
            csrf_token=self.csrf_token(secret),
        )

    async def end(self, secret: str, how: str, address: str) -> None:
        """
        Ends the session of this secret, if it exists.  Raises `DatabaseUnavailable`, and `AuditUnavailable` if it has
        ended but that is not recorded yet.
        """
        if SECRET.fullmatch(secret):
            await self._end(secret_digest(secret), how, address)

    def csrf_token(self, secret: str) -> str:
        """The session's token against forged calls; it does not reveal the secret that it is derived from."""
        return self._encryption.blind_index("csrf", secret).hex()

    async def aclose(self) -> None:
        """Closes the connection for reads."""
        await self._rows.aclose()

    def _over(self, row: SessionRow, now: datetime, address: str) -> str | None:
        """How a session ends now or has ended before; None while it is valid."""
        if now >= row.ends_at:
            return "expired"
        if now >= row.seen_at + timedelta(seconds=self._limits.idle):
            return "idle"
        if self._limits.bound_to_address and not hmac.compare_digest(row.address, self._address_index(address)):
            return "moved"
        return None

    async def _end(self, digest: bytes, how: str, address: str) -> None:
        row = await self._database.run(session_store.end, digest, how)
        if row is not None:
            await self._record_end(row, address)

    async def _record_end(self, row: SessionRow, address: str | None) -> None:
        caller = self._caller(row)
        # Without a person there is nothing to record.  A repeat is refused by the log: one session has one end.
        with contextlib.suppress(RecordRefused):
            if caller is not None:
                await self._log.append(session_ended(row.exchange, self._now(), caller, row.ended or "", address))
        await self._database.run(session_store.remove, row.id)

    async def _end_expired(self, now: datetime) -> None:
        # Best effort: what fails now is done with a later sign-in.
        with contextlib.suppress(AuditUnavailable, DatabaseUnavailable):
            idle_since = now - timedelta(seconds=self._limits.idle)
            for row in await self._database.run(session_store.end_expired, now, idle_since):
                await self._record_end(row, None)

    def _caller(self, row: SessionRow) -> Caller | None:
        """The person, or None if the row was written with another key or by another version."""
        with contextlib.suppress(DecryptionFailed, ValidationError):
            return _CALLER.validate_json(self._encryption.open(_context(row.id), row.caller))
        return None

    def _address_index(self, address: str) -> bytes:
        return self._encryption.blind_index("network address", address)

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock(), UTC)


def _context(digest: bytes) -> str:
    return f"session|{digest.hex()}"
