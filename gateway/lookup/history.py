"""
The history of a work order: its stored lookups and the address that was used; ids and places, no personal data.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, func, select
from sqlalchemy.dialects.postgresql import insert

from gateway.database import Database
from gateway.database.tables import lookup_made


@dataclass(frozen=True, slots=True, kw_only=True)
class UsedAddress:
    """The address that was used: its place in the list from 0, the time, and the index of the audit record."""

    place: int
    at: datetime
    record: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PastLookup:
    """One lookup that was answered on a page.  `party` is the blind index of its subject."""

    id: UUID
    work_order: str
    party: bytes
    at: datetime
    used: UsedAddress | None


class LookupHistory:
    """
    An index of the lookups that were made on pages; the audit log is their record.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, lookup: UUID, *, court: str, work_order: str, party: bytes, user: str) -> None:
        """Adds a lookup that was answered.  Raises `DatabaseUnavailable`."""
        row = {"id": lookup, "court": court, "work_order": work_order, "party": party, "made_by": user}
        await self._database.run(_insert, row)

    async def set_used_address(self, lookup: UUID, place: int, record: int) -> None:
        """Stores which address was used; the newest counts.  Raises `DatabaseUnavailable`."""
        await self._database.run(_set_used_address, lookup, place, record)

    async def list_for_work_order(self, court: str, work_order: str) -> list[PastLookup]:
        """The lookups of a work order, the newest first, 50 at most.  Raises `DatabaseUnavailable`."""
        return [_past_lookup(row) for row in await self._database.run(_select_for_work_order, court, work_order)]

    async def get(self, court: str, lookup: UUID) -> PastLookup | None:
        """One lookup of this court, or None.  Raises `DatabaseUnavailable`."""
        row = await self._database.run(_select_one, court, lookup)
        return None if row is None else _past_lookup(row)


def _insert(connection: Connection, row: dict[str, Any]) -> None:
    connection.execute(insert(lookup_made).values(row | {"made_at": func.now()}).on_conflict_do_nothing())


def _set_used_address(connection: Connection, lookup: UUID, place: int, record: int) -> None:
    values = {"used": place, "used_at": func.now(), "used_record": record}
    connection.execute(lookup_made.update().where(lookup_made.c.id == lookup).values(values))


def _select_for_work_order(connection: Connection, court: str, work_order: str) -> list[Row[Any]]:
    c = lookup_made.c
    query = select(lookup_made).where(c.court == court, c.work_order == work_order).order_by(c.made_at.desc()).limit(50)
    return list(connection.execute(query))


def _select_one(connection: Connection, court: str, lookup: UUID) -> Row[Any] | None:
    c = lookup_made.c
    return connection.execute(select(lookup_made).where(c.court == court, c.id == lookup)).one_or_none()


def _past_lookup(row: Row[Any]) -> PastLookup:
    used = None if row.used is None else UsedAddress(place=row.used, at=row.used_at, record=row.used_record)
    return PastLookup(id=row.id, work_order=row.work_order, party=bytes(row.party), at=row.made_at, used=used)
