"""
Idempotency keys: a request that is sent twice with one key is executed once (Idempotency-Key, draft 07).

The key is stored in the transaction of the request that it belongs to.  Keys are separate for each client; of the body
only a fingerprint is stored.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Connection, text


class KeyInUse(Exception):
    """The first request with this key is still in progress."""


class KeyReused(Exception):
    """This key was used with another body before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A key as one client of one court sent it, with the fingerprint of the operation and the body."""

    court: str
    client: str
    key: str
    fingerprint: bytes = field(repr=False)


_LOCK: Final = text("SELECT pg_try_advisory_xact_lock(hashtextextended(:name, 0))")
_FIND: Final = text("""
    SELECT fingerprint, subject FROM idempotency WHERE court = :court AND client = :client AND key = :key
""")
_REMEMBER: Final = text("""
    INSERT INTO idempotency (court, client, key, fingerprint, subject, created_at)
    VALUES (:court, :client, :key, :fingerprint, :subject, :at)
""")


def find(connection: Connection, key: Key) -> UUID | None:
    """
    The result of an earlier request with this key; if there is none, the key is locked until the transaction ends.

    Raises `KeyInUse`, `KeyReused`.
    """
    row_key = {"court": key.court, "client": key.client, "key": key.key}
    if not connection.execute(_LOCK, {"name": "|".join(("idempotency", *row_key.values()))}).scalar_one():
        raise KeyInUse
    row = connection.execute(_FIND, row_key).one_or_none()
    if row is None:
        return None
    if bytes(row.fingerprint) != key.fingerprint:
        raise KeyReused
    subject: UUID = row.subject
    return subject


def remember(connection: Connection, key: Key, subject: UUID, at: datetime) -> None:
    """Stores the result of the request with this key."""
    row = {"court": key.court, "client": key.client, "key": key.key, "fingerprint": key.fingerprint}
    connection.execute(_REMEMBER, row | {"subject": subject, "at": at})
