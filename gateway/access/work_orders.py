"""
Work orders in the database: stated by the ticket system, read for every decision, never cached.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, text, update

from gateway.database import Database, shared
from gateway.database.tables import work_order
from gateway.vault import Vault
from schemas.identifiers import Identifier, parse
from schemas.work_order import PartyStatement, WorkOrderStatement, WorkOrderStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """
    A work order as it stands now.  Holder's and parties' particulars stay sealed until `WorkOrders.document`; `parties`
    holds the marks of its parties in their order.
    """

    court: str
    id: str
    version: int
    status: WorkOrderStatus
    kind: str
    case_number: str
    holder: str
    recorded: bool
    parties: tuple[bytes, ...] = field(repr=False)
    document: bytes = field(repr=False)


class VersionConflict(Exception):
    """
    The stated version is not newer than the one in force (`.current`), and says something else.
    """

    def __init__(self, current: int) -> None:
        super().__init__("work order version is not newer than the one in force")
        self.current = current


# The comparison and the write are one statement: of two statements at once, exactly one wins.
UPSERT = text("""
    INSERT INTO work_order (court, id, version, status, kind, case_number, holder, parties, digest, document,
                            recorded, changed_at)
    VALUES (:court, :id, :version, :status, :kind, :case_number, :holder, :parties, :digest, :document,
            false, :changed_at)
    ON CONFLICT (court, id) DO UPDATE SET
        version = excluded.version, status = excluded.status, kind = excluded.kind,
        case_number = excluded.case_number, holder = excluded.holder, parties = excluded.parties,
        digest = excluded.digest, document = excluded.document, recorded = false, changed_at = excluded.changed_at
    WHERE work_order.version < excluded.version
""")


class WorkOrders:
    """
    The store of work orders.  Every read goes to PostgreSQL: a closed one is closed for every replica at once.
    """

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault
        self._standings = shared.SharedRead(database, _standings)

    async def state(self, name: str, statement: WorkOrderStatement, parties: list[Identifier], at: datetime) -> bool:
        """
        Takes a statement.  True: new, and it must be recorded; False: exactly this stands and is recorded already.

        Raises `VersionConflict`, `DatabaseUnavailable`.  A new statement grants nothing before `recorded`.
        """
        document = statement.model_dump_json().encode()
        row = {
            "court": statement.court,
            "id": name,
            "version": statement.version,
            "status": statement.status.value,
            "kind": statement.kind,
            "case_number": statement.case_number,
            "holder": statement.holder.user,
            "parties": [self.mark(party) for party in parties],
            "digest": self._vault.mark("work order", hashlib.sha256(document).hexdigest()),
            "document": self._vault.seal(_context(statement.court, name, statement.version), document),
            "changed_at": at,
        }
        return await self._database.run(_state, row)

    async def recorded(self, court: str, name: str, version: int) -> None:
        """Notes that this version stands in the audit log, and so may grant."""
        await self._database.run(_recorded, court, name, version)

    async def standing(self, court: str, name: str) -> Standing | None:
        """The work order as it stands at this moment."""
        return await self._standings.get((court, name))

    async def aclose(self) -> None:
        """Gives the connection for decisions back."""
        await self._standings.aclose()

    def document(self, standing: Standing) -> WorkOrderStatement:
        """Opens the sealed particulars."""
        opened = self._vault.open(_context(standing.court, standing.id, standing.version), standing.document)
        return WorkOrderStatement.model_validate_json(opened)

    def mark(self, identifier: Identifier) -> bytes:
        """The mark under which a party is known, whichever way its identifier is spelt."""
        # Two countries may give one number: a passport is known by both.
        kind = f"{identifier.id_type.value}|{identifier.country or ''}"
        return self._vault.mark(kind, identifier.asked_as)


def identifier_of(party: PartyStatement) -> Identifier:
    """A party's identifier, checked hard.  Raises `IdentifierError`."""
    return parse(party.id_type, party.id_number, country=party.country)


def _context(court: str, name: str, version: int) -> str:
    return f"work order|{court}|{name}|{version}"


def _state(connection: Connection, row: dict[str, Any]) -> bool:
    if connection.execute(UPSERT, row).rowcount:
        return True
    current = connection.execute(
        select(work_order.c.version, work_order.c.digest, work_order.c.recorded).where(
            work_order.c.court == row["court"], work_order.c.id == row["id"]
        )
    ).one()
    if current.version != row["version"] or bytes(current.digest) != row["digest"]:
        raise VersionConflict(current.version)
    return not current.recorded


def _recorded(connection: Connection, court: str, name: str, version: int) -> None:
    connection.execute(
        update(work_order)
        .where(work_order.c.court == court, work_order.c.id == name, work_order.c.version == version)
        .values(recorded=True)
    )


STANDINGS = """
    SELECT court, id, version, status, kind, case_number, holder, recorded, parties, document
    FROM work_order JOIN unnest(%s::text[], %s::text[]) AS asked (court, id) USING (court, id)
"""


async def _standings(connection: shared.Connection, keys: list[tuple[str, str]]) -> dict[tuple[str, str], Standing]:
    courts, ids = zip(*keys, strict=True)
    found = await connection.execute(STANDINGS, (list(courts), list(ids)), binary=True)
    return {(row[0], row[1]): _as_standing(row) for row in await found.fetchall()}


def _as_standing(row: tuple[Any, ...]) -> Standing:
    court, name, version, status, kind, case_number, holder, recorded, parties, document = row
    return Standing(
        court=court,
        id=name,
        version=version,
        status=WorkOrderStatus(status),
        kind=kind,
        case_number=case_number,
        holder=holder,
        recorded=recorded,
        parties=tuple(parties),
        document=document,
    )
