"""
Idempotency keys: a request that is sent twice under one key is made once (Idempotency-Key, draft 07).

The key stands in the transaction of what it made: there is never the one without the other.  Keys are each client's
own; of the body only a mark is kept.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Connection, text


class KeyInUse(Exception):
    """The first request under this key is still under way."""


class KeyReused(Exception):
    """This key came with another body before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A key as one client of one court sent it, with the mark of the operation and the body."""

    court: str
    client: str
    key: str
    fingerprint: bytes = field(repr=False)


_ALONE: Final = text("SELECT pg_try_advisory_xact_lock(hashtextextended(:name, 0))")
_FOUND: Final = text("""
    SELECT fingerprint, subject FROM idempotency WHERE court = :court AND client = :client AND key = :key
""")
_REMEMBER: Final = text("""
    INSERT INTO idempotency (court, client, key, fingerprint, subject, created_at)
    VALUES (:court, :client, :key, :fingerprint, :subject, :at)
""")


def found(connection: Connection, key: Key) -> UUID | None:
    """
    What was made under this key before; None holds the key until the end of the transaction.

    Raises `KeyInUse`, `KeyReused`.
    """
    which = {"court": key.court, "client": key.client, "key": key.key}
    if not connection.execute(_ALONE, {"name": "|".join(("idempotency", *which.values()))}).scalar_one():
        raise KeyInUse
    row = connection.execute(_FOUND, which).one_or_none()
    if row is None:
        return None
    if bytes(row.fingerprint) != key.fingerprint:
        raise KeyReused
    subject: UUID = row.subject
    return subject


def remember(connection: Connection, key: Key, subject: UUID, at: datetime) -> None:
    """Notes what a key has made."""
    row = {"court": key.court, "client": key.client, "key": key.key, "fingerprint": key.fingerprint}
    connection.execute(_REMEMBER, row | {"subject": subject, "at": at})
