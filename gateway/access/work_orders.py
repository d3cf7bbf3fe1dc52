"""
Work orders in the database: written by the ticket system, read for every decision, never cached.
"""

import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final
from uuid import uuid4

from sqlalchemy import Connection, select, text, update

from gateway.access.catalogue import Kind
from gateway.access.snapshot import GrantedWorkOrder
from gateway.database import Database, locks
from gateway.database.tables import work_order
from gateway.field_encryption import FieldEncryption
from schemas.identifiers import Identifier, parse
from schemas.work_order import PartyStatement, WorkOrderStatement, WorkOrderStatus


class VersionConflict(Exception):
    """
    The version is not newer than the one in force (`.current`), and differs from it.
    """

    def __init__(self, current: int) -> None:
        super().__init__("work order version is not newer than the one in force")
        self.current = current


# The comparison and the write are one statement: of two statements at once, exactly one wins.
UPSERT: Final = text("""
    INSERT INTO work_order (court, id, version, status, kind, case_number, holder, digest, document, recorded,
                            changed_at)
    VALUES (:court, :id, :version, :status, :kind, :case_number, :holder, :digest, :document, false, :changed_at)
    ON CONFLICT (court, id) DO UPDATE SET
        version = excluded.version, status = excluded.status, kind = excluded.kind,
        case_number = excluded.case_number, holder = excluded.holder,
        digest = excluded.digest, document = excluded.document, recorded = false, changed_at = excluded.changed_at
    WHERE work_order.version < excluded.version
""")

# The grants of an order are those of its parties.  A party keeps its grant, with what was asked, from version to
# version; the time begins anew with the first dispatch and with every reopening.
_GRANTS: Final = text("""
    INSERT INTO access_grant AS g (court, work_order, party, id, position, starts_at, ends_at, allowed)
    SELECT :court, :id, p.party, p.grant_id, p.position, t.now, t.now + :lasts, :questions
    FROM (SELECT access_now() AS now) t,
        unnest(CAST(:parties AS bytea[]), CAST(:grant_ids AS uuid[]), CAST(:positions AS smallint[]))
            AS p (party, grant_id, position)
    ORDER BY p.party -- the order in which questions are counted, so that neither waits for the other
    ON CONFLICT (court, work_order, party) DO UPDATE SET
        position = excluded.position, allowed = excluded.allowed,
        starts_at = CASE WHEN :anew THEN excluded.starts_at ELSE g.starts_at END,
        ends_at = CASE WHEN :anew THEN excluded.ends_at ELSE least(g.ends_at, g.starts_at + :lasts) END,
        asked = CASE WHEN :anew THEN 0 ELSE least(g.asked, excluded.allowed) END
""")
_UNNAMED: Final = text("""
    DELETE FROM access_grant WHERE court = :court AND work_order = :id AND party <> ALL (CAST(:parties AS bytea[]))
""")


# Called in the transaction that puts a new version in force, with the work order's number, the statement, the client
# that sent it, and the time.
ChangeListener = Callable[[Connection, str, WorkOrderStatement, str, datetime], None]


class WorkOrders:
    """
    The store of work orders and of the grants that follow from them.
    """

    def __init__(self, database: Database, encryption: FieldEncryption) -> None:
        self._database = database
        self._encryption = encryption
        self._listeners: list[ChangeListener] = []

    def subscribe(self, listener: ChangeListener) -> None:
        """Calls `listener` in every transaction that puts a new version in force."""
        self._listeners.append(listener)

    async def put(
        self,
        name: str,
        statement: WorkOrderStatement,
        parties: list[Identifier],
        kind: Kind,
        at: datetime,
        client: str = "",
    ) -> bool:
        """
        Stores a version.  True: it is new and must be recorded; False: exactly this is stored and recorded already.

        When it returns, the rights that the version ended have ended: no answer is released under them any more.  A new
        version grants nothing before `mark_recorded`.  Raises `VersionConflict`, `DatabaseUnavailable`.
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
            "digest": self._encryption.blind_index("work order", hashlib.sha256(document).hexdigest()),
            "document": self._encryption.seal(_context(statement.court, name, statement.version), document),
            "changed_at": at,
        }
        # A party that is named twice has one grant, at its first place.
        places: dict[bytes, int] = {}
        for place, party in enumerate(parties):
            places.setdefault(self.party_index(party), place)
        grants = {
            "court": statement.court,
            "id": name,
            "parties": list(places),
            "positions": list(places.values()),
            "grant_ids": [uuid4() for _ in places],
            "lasts": kind.lasts,
            "questions": kind.questions,
            "anew": statement.status is WorkOrderStatus.REOPENED,
        }
        return await self._database.run(self._state, row, grants, statement, client)

    def _state(
        self,
        connection: Connection,
        row: dict[str, Any],
        grants: dict[str, Any],
        statement: WorkOrderStatement,
        client: str,
    ) -> bool:
        locks.lock_exclusively(connection, locks.work_order_lock(row["court"], row["id"]))
        if connection.execute(UPSERT, row).rowcount:
            connection.execute(_UNNAMED, {name: grants[name] for name in ("court", "id", "parties")})
            connection.execute(_GRANTS, grants)
            for listener in self._listeners:
                listener(connection, row["id"], statement, client, row["changed_at"])
            return True
        return _is_unrecorded_repeat(connection, row)

    async def mark_recorded(self, court: str, name: str, version: int) -> None:
        """Notes that this version is in the audit log, so that it may grant."""
        await self._database.run(_recorded, court, name, version)

    def document(self, order: GrantedWorkOrder) -> WorkOrderStatement:
        """Decrypts the statement."""
        opened = self._encryption.open(_context(order.court, order.id, order.version), order.document)
        return WorkOrderStatement.model_validate_json(opened)

    def party_index(self, identifier: Identifier) -> bytes:
        """The blind index of a party, the same for every spelling of its identifier."""
        # Two countries may give the same number to a passport.
        kind = f"{identifier.id_type.value}|{identifier.country or ''}"
        return self._encryption.blind_index(kind, identifier.canonical_value)


def party_identifier(party: PartyStatement) -> Identifier:
    """A party's identifier, validated.  Raises `IdentifierError`."""
    return parse(party.id_type, party.id_number, country=party.country)


def _context(court: str, name: str, version: int) -> str:
    return f"work order|{court}|{name}|{version}"


def _is_unrecorded_repeat(connection: Connection, row: dict[str, Any]) -> bool:
    """Whether exactly this is stored already, and not recorded yet.  Raises `VersionConflict`."""
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
