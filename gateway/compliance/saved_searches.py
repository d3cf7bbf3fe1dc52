"""
Saved searches: personal criteria, which must not stand in an address, stored sealed under a random token.

A token is valid for its owner, for eight hours.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, delete, insert, select

from gateway.audit_access import SearchRevealReason
from gateway.compliance.permissions import ComplianceItemNotFound
from gateway.database import Database
from gateway.database.tables import search_handle
from gateway.field_encryption import FieldEncryption
from gateway.organization.people import Member
from gateway.sign_on.pending_sign_ins import new_secret, secret_digest
from schemas.codes import IdType
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
        return _private(json.loads(self.encryption.open(_context(secret_digest(token)), sealed)))

    def _insert(
        self, connection: Connection, actor: Member, digest: bytes, private: PrivateCriteria, now: datetime
    ) -> None:
        connection.execute(delete(search_handle).where(search_handle.c.expires_at <= now))
        row = {
            "id": digest,
            "court": actor.court,
            "user": actor.user,
            "sealed": self.encryption.seal(_context(digest), json.dumps(_plain(private), ensure_ascii=False).encode()),
            "expires_at": now + LASTS,
        }
        connection.execute(insert(search_handle), [row])


def _sealed(connection: Connection, actor: Member, digest: bytes, now: datetime) -> bytes | None:
    c = search_handle.c
    own = select(c.sealed).where(c.id == digest, c.court == actor.court, c.user == actor.user, c.expires_at > now)
    sealed = connection.execute(own).scalar_one_or_none()
    return None if sealed is None else bytes(sealed)


def subject_document(subject: Subject) -> dict[str, str | None]:
    """A subject as JSON."""
    return {"id_type": subject.id_type.value, "id_number": subject.id_number, "country": subject.country}


def subject_of(document: dict[str, Any]) -> Subject:
    """A subject from JSON."""
    id_type = IdType(document["id_type"])
    return Subject(
        kind=id_type.subject_kind, id_type=id_type, id_number=document["id_number"], country=document["country"]
    )


def _plain(private: PrivateCriteria) -> dict[str, Any]:
    return {
        "subject": None if private.subject is None else subject_document(private.subject),
        "user": private.user,
        "work_order": private.work_order,
        "case_number": private.case_number,
        "reveal": None if private.reveal is None else private.reveal.value,
        "note": private.note,
    }


def _private(plain: dict[str, Any]) -> PrivateCriteria:
    return PrivateCriteria(
        subject=None if plain["subject"] is None else subject_of(plain["subject"]),
        user=plain["user"],
        work_order=plain["work_order"],
        case_number=plain["case_number"],
        reveal=None if plain["reveal"] is None else SearchRevealReason(plain["reveal"]),
        note=plain["note"],
    )


def _context(digest: bytes) -> str:
    return f"search|{digest.hex()}"
