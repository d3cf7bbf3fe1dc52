"""
The tree in PostgreSQL: plain functions over a connection, each a part of one transaction.

Names and officials' particulars are encrypted for their row: moved to another row they do not decrypt.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any, Final

from sqlalchemy import Connection, Row, Table, func, select, text
from sqlalchemy.dialects.postgresql import insert

from gateway.database import Database, batching
from gateway.database.tables import org_person, org_unit
from gateway.field_encryption import FieldEncryption
from gateway.organization.people import Member, Particulars, StaffAccount
from gateway.organization.roles import Role
from gateway.organization.tree import Tree, Unit, UnitKind, UnitPosition
from schemas.subject import Official

_LOCK_TREE: Final = text("SELECT pg_advisory_xact_lock(hashtextextended('the tree', 0))")

MEMBERS: Final = """
    SELECT person.court, person."user", unit.kind, unit.court, unit.path, person.roles
    FROM org_person AS person
    JOIN unnest(%s::text[], %s::text[]) AS asked (court, "user")
        ON person.court = asked.court AND person."user" = asked."user"
    JOIN org_unit AS unit ON unit.id = person.unit
    WHERE person.active
"""


class Members:
    """
    Active people, read fresh every time: a change counts for the next question on every replica.
    """

    def __init__(self, database: Database) -> None:
        self._statements = batching.BatchedStatement(database, _members)

    async def get(self, court: str, user: str) -> Member | None:
        """The active person, or None.  Raises `DatabaseUnavailable`."""
        return await self._statements.run((court, user))

    async def aclose(self) -> None:
        """Closes the connection."""
        await self._statements.aclose()


async def _members(connection: batching.Connection, keys: list[tuple[str, str]]) -> dict[tuple[str, str], Member]:
    courts, users = zip(*keys, strict=True)
    cursor = await connection.execute(MEMBERS, (list(courts), list(users)), binary=True)
    return {(row[0], row[1]): _as_member(row) for row in await cursor.fetchall()}


def get_member(connection: Connection, court: str, user: str) -> Member | None:
    """The active person, or None, inside a transaction."""
    row = connection.exec_driver_sql(MEMBERS, ([court], [user])).one_or_none()
    return None if row is None else _as_member(tuple(row))


def _as_member(row: tuple[Any, ...]) -> Member:
    court, user, kind, of_court, path, roles = row
    position = UnitPosition(kind=UnitKind(kind), court=of_court, path=tuple(path))
    return Member(court=court, user=user, position=position, roles=frozenset(map(Role, roles)))


def lock_tree(connection: Connection) -> None:
    """Serializes changes of the tree until the commit."""
    connection.execute(_LOCK_TREE)


def list_units(connection: Connection, *, below: str | None = None) -> dict[str, Unit]:
    """All units, parents first; or one unit and what is below it."""
    query = select(org_unit).order_by(func.cardinality(org_unit.c.path), org_unit.c.id)
    if below is not None:
        query = query.where(org_unit.c.path.contains([below]))
    return {row.id: _as_unit(row) for row in connection.execute(query)}


def list_accounts(
    connection: Connection, encryption: FieldEncryption, *, below: str | None = None
) -> list[StaffAccount]:
    """All accounts, by court and user; or those of a unit and below it."""
    query = select(org_person).order_by(org_person.c.court, org_person.c.user)
    if below is not None:
        query = query.join(org_unit, org_unit.c.id == org_person.c.unit).where(org_unit.c.path.contains([below]))
    return [_as_person(row, encryption) for row in connection.execute(query)]


def get_account(connection: Connection, encryption: FieldEncryption, court: str, user: str) -> StaffAccount | None:
    """One account, active or not."""
    return get_accounts(connection, encryption, [(court, user)]).get((court, user))


def get_accounts(
    connection: Connection, encryption: FieldEncryption, keys: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], StaffAccount]:
    """The accounts of these courts and users, active or not."""
    c = org_person.c
    courts, users = {court for court, _ in keys}, {user for _, user in keys}
    # Two hashed lists, because a join is slow on a new table without statistics.  One user may be at two courts.
    query = select(org_person).where(c.court == func.any(sorted(courts)), c.user == func.any(sorted(users)))
    wanted = set(keys)
    rows = (row for row in connection.execute(query) if (row.court, row.user) in wanted)
    return {(row.court, row.user): _as_person(row, encryption) for row in rows}


def open_official(encryption: FieldEncryption, court: str, user: str, sealed: bytes) -> Official:
    """
    The acting official for agencies; particulars that the tree lacks are empty.
    """
    personal = json.loads(encryption.open(_context(court, user), sealed))
    known = personal["official"] or {"id_number": "", "unit_code": "", "unit_name": "", "terminal": ""}
    return Official(user=user, name=personal["name"], **known)


def write_units(connection: Connection, tree: Tree, units: Iterable[Unit]) -> None:
    """Writes units of a valid tree, and the new paths of all units below one that moved."""
    rows = [asdict(unit) | {"kind": unit.kind.value, "path": _path(tree, unit.id)} for unit in units]
    _upsert(connection, org_unit, sorted(rows, key=lambda row: len(row["path"])), ["id"])
    for name, before in connection.execute(select(org_unit.c.id, org_unit.c.path)).all():
        if list(before) != (path := _path(tree, name)):
            connection.execute(org_unit.update().where(org_unit.c.id == name).values(path=path))


def write_accounts(connection: Connection, encryption: FieldEncryption, people: Iterable[StaffAccount]) -> None:
    """Writes accounts whose units are stored already."""
    rows = []
    for person in people:
        personal = {"name": person.name, "official": asdict(person.official) if person.official else None}
        sealed = encryption.seal(_context(person.court, person.user), json.dumps(personal, ensure_ascii=False).encode())
        roles = sorted(role.value for role in person.roles)
        row = {"court": person.court, "user": person.user, "unit": person.unit, "roles": roles}
        rows.append(row | {"active": person.active, "sealed": sealed})
    _upsert(connection, org_person, rows, ["court", "user"])


def _upsert(connection: Connection, table: Table, rows: list[dict[str, Any]], key: Sequence[str]) -> None:
    statement = insert(table)
    rest = {column.name: statement.excluded[column.name] for column in table.columns if column.name not in key}
    if rows:
        connection.execute(statement.on_conflict_do_update(index_elements=key, set_=rest), rows)


def _path(tree: Tree, unit: str) -> list[str]:
    position = tree.position(unit)
    return [] if position is None else list(position.path)


def _as_unit(row: Row[Any]) -> Unit:
    return Unit(id=row.id, parent=row.parent, kind=UnitKind(row.kind), court=row.court, zh=row.zh, en=row.en)


def _as_person(row: Row[Any], encryption: FieldEncryption) -> StaffAccount:
    personal = json.loads(encryption.open(_context(row.court, row.user), bytes(row.sealed)))
    return StaffAccount(
        court=row.court,
        user=row.user,
        unit=row.unit,
        roles=frozenset(map(Role, row.roles)),
        active=row.active,
        name=personal["name"],
        official=Particulars(**personal["official"]) if personal["official"] else None,
    )


def _context(court: str, user: str) -> str:
    return f"person|{court}|{user}"
