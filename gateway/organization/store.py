"""
The tree in PostgreSQL: plain functions over a connection, each a part of one transaction.

Names and officials' particulars are sealed; a row that is moved to another person's place does not open.
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

_ONE_AT_A_TIME: Final = text("SELECT pg_advisory_xact_lock(hashtextextended('the tree', 0))")

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
    Who somebody is in the tree at this moment.  Never cached: a change counts for the next question on every replica.
    """

    def __init__(self, database: Database) -> None:
        self._read = batching.BatchedStatement(database, _members)

    async def get(self, court: str, user: str) -> Member | None:
        """The active person, or None.  Raises `DatabaseUnavailable`."""
        return await self._read.run((court, user))

    async def aclose(self) -> None:
        """Gives the connection back."""
        await self._read.aclose()


async def _members(connection: batching.Connection, keys: list[tuple[str, str]]) -> dict[tuple[str, str], Member]:
    courts, users = zip(*keys, strict=True)
    found = await connection.execute(MEMBERS, (list(courts), list(users)), binary=True)
    return {(row[0], row[1]): _as_member(row) for row in await found.fetchall()}


def get_member(connection: Connection, court: str, user: str) -> Member | None:
    """The same inside a transaction."""
    row = connection.exec_driver_sql(MEMBERS, ([court], [user])).one_or_none()
    return None if row is None else _as_member(tuple(row))


def _as_member(row: tuple[Any, ...]) -> Member:
    court, user, kind, of_court, path, roles = row
    place = UnitPosition(kind=UnitKind(kind), court=of_court, path=tuple(path))
    return Member(court=court, user=user, position=place, roles=frozenset(map(Role, roles)))


def lock_tree(connection: Connection) -> None:
    """Lets one transaction at a time change the tree: what it decided on stands until it is committed."""
    connection.execute(_ONE_AT_A_TIME)


def list_units(connection: Connection, *, below: str | None = None) -> dict[str, Unit]:
    """All units, parents first; or one unit and what is below it."""
    query = select(org_unit).order_by(func.cardinality(org_unit.c.path), org_unit.c.id)
    if below is not None:
        query = query.where(org_unit.c.path.contains([below]))
    return {row.id: _as_unit(row) for row in connection.execute(query)}


def list_accounts(
    connection: Connection, encryption: FieldEncryption, *, below: str | None = None
) -> list[StaffAccount]:
    """Everybody, by court and user; or who sits in a unit or below it."""
    query = select(org_person).order_by(org_person.c.court, org_person.c.user)
    if below is not None:
        query = query.join(org_unit, org_unit.c.id == org_person.c.unit).where(org_unit.c.path.contains([below]))
    return [_as_person(row, encryption) for row in connection.execute(query)]


def get_account(connection: Connection, encryption: FieldEncryption, court: str, user: str) -> StaffAccount | None:
    """One person, active or not."""
    return get_accounts(connection, encryption, [(court, user)]).get((court, user))


def get_accounts(
    connection: Connection, encryption: FieldEncryption, keys: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], StaffAccount]:
    """Those of these courts and users who stand in the tree, active or not."""
    c = org_person.c
    courts, users = {court for court, _ in keys}, {user for _, user in keys}
    # Both lists at once, each hashed: a join would be as slow as the table is new.  One user may be at two courts.
    query = select(org_person).where(c.court == func.any(sorted(courts)), c.user == func.any(sorted(users)))
    wanted = set(keys)
    found = (row for row in connection.execute(query) if (row.court, row.user) in wanted)
    return {(row.court, row.user): _as_person(row, encryption) for row in found}


def open_official(encryption: FieldEncryption, court: str, user: str, sealed: bytes) -> Official:
    """
    The acting official that a person of the tree is to agencies; what the tree does not know of them is empty.
    """
    personal = json.loads(encryption.open(_context(court, user), sealed))
    known = personal["official"] or {"id_number": "", "unit_code": "", "unit_name": "", "terminal": ""}
    return Official(user=user, name=personal["name"], **known)


def write_units(connection: Connection, tree: Tree, units: Iterable[Unit]) -> None:
    """Writes units of a sound tree, and the new way to whatever is below one that moved."""
    rows = [asdict(unit) | {"kind": unit.kind.value, "path": _path(tree, unit.id)} for unit in units]
    _upsert(connection, org_unit, sorted(rows, key=lambda row: len(row["path"])), ["id"])
    for name, before in connection.execute(select(org_unit.c.id, org_unit.c.path)).all():
        if list(before) != (path := _path(tree, name)):
            connection.execute(org_unit.update().where(org_unit.c.id == name).values(path=path))


def write_accounts(connection: Connection, encryption: FieldEncryption, people: Iterable[StaffAccount]) -> None:
    """Writes people whose units stand already."""
    rows = []
    for one in people:
        personal = {"name": one.name, "official": asdict(one.official) if one.official else None}
        sealed = encryption.seal(_context(one.court, one.user), json.dumps(personal, ensure_ascii=False).encode())
        roles = sorted(role.value for role in one.roles)
        row = {"court": one.court, "user": one.user, "unit": one.unit, "roles": roles}
        rows.append(row | {"active": one.active, "sealed": sealed})
    _upsert(connection, org_person, rows, ["court", "user"])


def _upsert(connection: Connection, table: Table, rows: list[dict[str, Any]], key: Sequence[str]) -> None:
    statement = insert(table)
    rest = {one.name: statement.excluded[one.name] for one in table.columns if one.name not in key}
    if rows:
        connection.execute(statement.on_conflict_do_update(index_elements=key, set_=rest), rows)


def _path(tree: Tree, unit: str) -> list[str]:
    place = tree.position(unit)
    return [] if place is None else list(place.path)


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
