"""
Searches whose criteria must not stand in an address: kept here, sealed, and continued under a random token.

The token works for the one who made it, for eight hours, and says nothing.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
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
    The part of a search that names somebody, and the reason for which people are shown.  Personal.
    """

    subject: Subject | None = field(default=None, repr=False)
    user: str | None = field(default=None, repr=False)
    work_order: str | None = field(default=None, repr=False)
    case_number: str | None = field(default=None, repr=False)
    reveal: SearchRevealReason | None = None
    note: str | None = field(default=None, repr=False)

    @property
    def empty(self) -> bool:
        """Whether nothing is asked for."""
        return self == PrivateCriteria()


class SavedSearches:
    """
    Keeps and finds them.  Every method raises `DatabaseUnavailable`.
    """

    def __init__(
        self,
        database: Database,
        encryption: FieldEncryption,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._database = database
        self._encryption = encryption
        self._clock = clock

    async def save(self, actor: Member, private: PrivateCriteria) -> str:
        """The token under which this search goes on."""
        token = new_secret()
        await self._database.run(self._insert, actor, secret_digest(token), private, self._clock())
        return token

    async def find(self, actor: Member, token: str) -> PrivateCriteria:
        """The search of a token.  Raises `ComplianceItemNotFound` for one that is over, or somebody else's."""
        sealed = await self._database.run(_sealed, actor, secret_digest(token), self._clock())
        if sealed is None:
            raise ComplianceItemNotFound
        return _private(json.loads(self._encryption.open(_context(secret_digest(token)), sealed)))

    def _insert(
        self, connection: Connection, actor: Member, digest: bytes, private: PrivateCriteria, now: datetime
    ) -> None:
        connection.execute(delete(search_handle).where(search_handle.c.expires_at <= now))
        row = {
            "id": digest,
            "court": actor.court,
            "user": actor.user,
            "sealed": self._encryption.seal(_context(digest), json.dumps(_plain(private), ensure_ascii=False).encode()),
            "expires_at": now + LASTS,
        }
        connection.execute(insert(search_handle), [row])


def _sealed(connection: Connection, actor: Member, digest: bytes, now: datetime) -> bytes | None:
    c = search_handle.c
    own = select(c.sealed).where(c.id == digest, c.court == actor.court, c.user == actor.user, c.expires_at > now)
    sealed = connection.execute(own).scalar_one_or_none()
    return None if sealed is None else bytes(sealed)


def subject_document(subject: Subject) -> dict[str, str | None]:
    """A subject as it is sealed."""
    return {"id_type": subject.id_type.value, "id_number": subject.id_number, "country": subject.country}


def subject_of(document: dict[str, Any]) -> Subject:
    """A subject as it was sealed."""
    id_type = IdType(document["id_type"])
    return Subject(kind=id_type.of, id_type=id_type, id_number=document["id_number"], country=document["country"])


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
