"""
Saved searches: personal criteria, which must not stand in an address, stored sealed under a random token.

A token is valid for its owner, for eight hours.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from pydantic import TypeAdapter
from sqlalchemy import Connection, delete, insert, select

from gateway.audit_access import SearchRevealReason
from gateway.compliance.permissions import ComplianceItemNotFound
from gateway.database import Database
from gateway.database.tables import search_handle
from gateway.field_encryption import FieldEncryption
from gateway.organization.people import Member
from gateway.sign_on.pending_sign_ins import new_secret, secret_digest
from schemas.subject import Subject

LASTS: Final = timedelta(hours=8)


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivateCriteria:
    """
    The personal criteria of a search, and the reason to reveal people.
    """

    subject: Subject | None = field(default=None, repr=False)
    user: str | None = field(default=None, repr=False)
    work_order: str | None = field(default=None, repr=False)
    case_number: str | None = field(default=None, repr=False)
    reveal: SearchRevealReason | None = None
    note: str | None = field(default=None, repr=False)

    @property
    def empty(self) -> bool:
        """Whether there are no criteria."""
        return self == PrivateCriteria()


_CRITERIA: Final = TypeAdapter(PrivateCriteria)


@dataclass(frozen=True, slots=True)
class SavedSearches:
    """
    The sealed searches in the database.  Every method raises `DatabaseUnavailable`.
    """

    database: Database
    encryption: FieldEncryption
    clock: Callable[[], datetime]

    async def save(self, actor: Member, private: PrivateCriteria) -> str:
        """Saves the criteria, and returns their token."""
        token = new_secret()
        await self.database.run(self._insert, actor, secret_digest(token), private, self.clock())
        return token

    async def find(self, actor: Member, token: str) -> PrivateCriteria:
        """The criteria of a token.  Raises `ComplianceItemNotFound` for an expired or foreign one."""
        sealed = await self.database.run(_sealed, actor, secret_digest(token), self.clock())
        if sealed is None:
            raise ComplianceItemNotFound
        return _CRITERIA.validate_json(self.encryption.open(_context(secret_digest(token)), sealed))

    def _insert(
        self, connection: Connection, actor: Member, digest: bytes, private: PrivateCriteria, now: datetime
    ) -> None:
        connection.execute(delete(search_handle).where(search_handle.c.expires_at <= now))
        row = {
            "id": digest,
            "court": actor.court,
            "user": actor.user,
            "sealed": self.encryption.seal(_context(digest), _CRITERIA.dump_json(private)),
            "expires_at": now + LASTS,
        }
        connection.execute(insert(search_handle), [row])


def _sealed(connection: Connection, actor: Member, digest: bytes, now: datetime) -> bytes | None:
    c = search_handle.c
    own = select(c.sealed).where(c.id == digest, c.court == actor.court, c.user == actor.user, c.expires_at > now)
    sealed = connection.execute(own).scalar_one_or_none()
    return None if sealed is None else bytes(sealed)


def _context(digest: bytes) -> str:
    return f"search|{digest.hex()}"
