"""
Pending sign-ins: each is bound to one browser and valid for one return within ten minutes.
"""

import hashlib
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from pydantic import TypeAdapter
from sqlalchemy import Connection, delete, insert, or_, select

from gateway.database import Database
from gateway.field_encryption import FieldEncryption
from gateway.sign_on.tables import sign_in_attempt

ATTEMPT_SECONDS = 600
MAX_PENDING = 20_000
SECRET = re.compile(r"[A-Za-z0-9_-]{43}")


def new_secret() -> str:
    """32 random bytes, base64url-encoded."""
    return secrets.token_urlsafe(32)


def secret_digest(secret: str) -> bytes:
    """The SHA-256 of a secret, which is all that the database stores of it."""
    return hashlib.sha256(secret.encode()).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingSignIn:
    """
    The state for the return of the browser.  `return_to` is our own address, `to` the page that was requested.
    """

    return_to: str
    to: str
    nonce: str = field(default_factory=new_secret, repr=False)
    verifier: str = field(default_factory=new_secret, repr=False)


_SEALED = TypeAdapter(PendingSignIn)


class PendingSignIns:
    """
    The store of pending sign-ins, shared by all replicas.  `clock` gives Unix time.
    """

    def __init__(self, database: Database, encryption: FieldEncryption, clock: Callable[[], float]) -> None:
        self._database = database
        self._encryption = encryption
        self._clock = clock

    async def keep(self, attempt: PendingSignIn) -> tuple[str, str]:
        """
        Stores a pending sign-in; returns the secret for the browser and the state for the sign-on server.

        Raises `DatabaseUnavailable`.
        """
        secret, state = new_secret(), new_secret()
        now = datetime.fromtimestamp(self._clock(), UTC)
        row = {
            "id": secret_digest(secret),
            "state": secret_digest(state),
            "sealed": self._encryption.seal(_context(secret_digest(secret)), _SEALED.dump_json(attempt)),
            "expires_at": now + timedelta(seconds=ATTEMPT_SECONDS),
        }
        await self._database.run(_keep, row, now)
        return secret, state

    async def take(self, secret: str | None, state: str) -> PendingSignIn | None:
        """
        Takes the pending sign-in of this browser and this state; None if there is none that is still valid.

        A state of another browser takes nothing, so that a sign-in cannot be ended from outside.  Raises
        `DatabaseUnavailable`.
        """
        if secret is None or not SECRET.fullmatch(secret) or not SECRET.fullmatch(state):
            return None
        digest = secret_digest(secret)
        sealed = await self._database.run(
            _take, digest, secret_digest(state), datetime.fromtimestamp(self._clock(), UTC)
        )
        return None if sealed is None else _SEALED.validate_json(self._encryption.open(_context(digest), sealed))


def _context(digest: bytes) -> str:
    return f"sign-in attempt|{digest.hex()}"


def _keep(connection: Connection, row: dict[str, object], now: datetime) -> None:
    # Sign-ins begin without authentication, so unfinished ones are bounded.  The oldest are deleted first: a flood must
    # be faster than a person who signs in.
    newest = sign_in_attempt.c.expires_at.desc()
    too_many = select(sign_in_attempt.c.id).order_by(newest).offset(MAX_PENDING - 1)
    over = or_(sign_in_attempt.c.expires_at <= now, sign_in_attempt.c.id.in_(too_many))
    connection.execute(delete(sign_in_attempt).where(over))
    connection.execute(insert(sign_in_attempt).values(row))


def _take(connection: Connection, digest: bytes, state: bytes, now: datetime) -> bytes | None:
    sealed = connection.execute(
        delete(sign_in_attempt)
        .where(sign_in_attempt.c.id == digest, sign_in_attempt.c.state == state, sign_in_attempt.c.expires_at > now)
        .returning(sign_in_attempt.c.sealed)
    ).scalar_one_or_none()
    return None if sealed is None else bytes(sealed)
