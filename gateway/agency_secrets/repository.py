"""
The statements behind shared secrets: each is one transaction, and time is the database's own.

A turn is written into the row and ends by itself: a hub that dies while it renews holds the others up until then, and
no transaction is open while an agency is asked.
"""

from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from sqlalchemy import Connection, extract, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert

from gateway.database.tables import agency_secret

CHANNEL: Final = "agency_secret"

_NOW: Final = func.clock_timestamp()


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretRow:
    """
    What is shared under one key: the ring's `number` and sealed form (none before the first), how many seconds ago it
    was written, and whether somebody is renewing it now.
    """

    number: int
    sealed: bytes | None = field(repr=False)
    age: float
    taken: bool


NOTHING: Final = SecretRow(number=0, sealed=None, age=0.0, taken=False)


def read(connection: Connection, key: str) -> SecretRow:
    """The row as it stands now."""
    columns = agency_secret.c
    found = connection.execute(
        select(
            columns.number,
            columns.sealed,
            func.coalesce(extract("epoch", _NOW - columns.renewed_at), 0),
            func.coalesce(columns.turn_ends_at > _NOW, False),
        ).where(columns.key == key)
    ).one_or_none()
    if found is None:
        return NOTHING
    number, sealed, age, taken = found
    # A database whose clock was set back does not make a ring younger than it was.
    return SecretRow(
        number=number, sealed=None if sealed is None else bytes(sealed), age=max(float(age), 0.0), taken=taken
    )


def take_turn(connection: Connection, key: str, number: int, turn: UUID, seconds: float) -> bool:
    """Takes the turn to renew ring `number` for so long, if nobody has it and the ring is still that one."""
    columns = agency_secret.c
    ends_at = _NOW + func.make_interval(0, 0, 0, 0, 0, 0, seconds)
    first = insert(agency_secret).values(key=key, number=0, turn=turn, turn_ends_at=ends_at)
    taken = connection.execute(
        first.on_conflict_do_update(
            index_elements=[columns.key],
            set_={"turn": turn, "turn_ends_at": ends_at},
            where=(columns.number == number) & or_(columns.turn_ends_at.is_(None), columns.turn_ends_at <= _NOW),
        ).returning(columns.number)
    ).one_or_none()
    return taken is not None


def write(connection: Connection, key: str, number: int, turn: UUID, sealed: bytes) -> bool:
    """Puts in the next ring and ends the turn; False if the turn had passed to somebody else."""
    columns = agency_secret.c
    written = connection.execute(
        update(agency_secret)
        .where(columns.key == key, columns.number == number - 1, columns.turn == turn)
        .values(number=number, sealed=sealed, renewed_at=_NOW, turn=None, turn_ends_at=None)
    )
    if written.rowcount:
        connection.execute(text("SELECT pg_notify(:channel, :key)"), {"channel": CHANNEL, "key": key})
    return bool(written.rowcount)


def end_turn(connection: Connection, key: str, turn: UUID) -> None:
    """Gives the turn back without a new ring."""
    columns = agency_secret.c
    connection.execute(
        update(agency_secret).where(columns.key == key, columns.turn == turn).values(turn=None, turn_ends_at=None)
    )
