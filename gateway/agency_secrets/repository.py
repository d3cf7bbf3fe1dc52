"""
The repository of shared secrets: each statement is one transaction, on the database's clock.

The turn to renew is written into the row and expires: a hub that dies while it renews delays the others until then, and
no transaction is open while an agency is called.

Credentials are stored with the seconds that they have left, and not with points in time: hubs whose clocks disagree
then still agree on their lifetime, since the database's clock measures what has passed.
"""

import json
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, extract, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert

from adapters.wire.clock import CorrectedClock
from adapters.wire.secrets import CredentialPair, Secret
from gateway.database.tables import agency_secret
from gateway.field_encryption import DecryptionFailed, FieldEncryption

CHANNEL: Final = "agency_secret"

_NOW: Final = func.clock_timestamp()


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretRow:
    """
    The row of one key: the `number` and encrypted form of its credentials (None before the first), their age in
    seconds, and whether a hub is renewing them now.
    """

    number: int
    sealed: bytes | None = field(repr=False)
    age: float
    taken: bool


NOTHING: Final = SecretRow(number=0, sealed=None, age=0.0, taken=False)


def read(connection: Connection, key: str) -> SecretRow:
    """The row of a key now."""
    columns = agency_secret.c
    row = connection.execute(
        select(
            columns.number,
            columns.sealed,
            func.coalesce(extract("epoch", _NOW - columns.renewed_at), 0),
            func.coalesce(columns.turn_ends_at > _NOW, False),
        ).where(columns.key == key)
    ).one_or_none()
    if row is None:
        return NOTHING
    number, sealed, age, taken = row
    # A clock that was set back makes no credentials younger.
    return SecretRow(
        number=number, sealed=None if sealed is None else bytes(sealed), age=max(float(age), 0.0), taken=taken
    )


def take_turn(connection: Connection, key: str, number: int, turn: UUID, seconds: float) -> bool:
    """Takes the turn to renew credentials `number` for so long, if it is free and they are still the newest."""
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
    """Writes the next credentials and ends the turn; False if another hub has the turn meanwhile."""
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
    """Ends the turn without new credentials."""
    columns = agency_secret.c
    connection.execute(
        update(agency_secret).where(columns.key == key, columns.turn == turn).values(turn=None, turn_ends_at=None)
    )


def encode(encryption: FieldEncryption, key: str, number: int, pair: CredentialPair, clock: CorrectedClock) -> bytes:
    """The pair in its stored form."""
    document = {
        "secret": _encode_secret(pair.secret, clock),
        "refresh": _encode_secret(pair.refresh, clock) if pair.refresh else None,
    }
    return encryption.seal(_context(key, number), json.dumps(document).encode())


def decode(
    encryption: FieldEncryption, key: str, number: int, blob: bytes, *, age: float, clock: CorrectedClock
) -> CredentialPair | None:
    """
    A pair that was written `age` seconds ago, on this process's clocks.

    None if it does not decrypt (another hub's key, or a row that was changed or moved): a new one must be fetched.
    """
    try:
        document = json.loads(encryption.open(_context(key, number), blob))
    except DecryptionFailed:
        return None
    refresh = document["refresh"]
    return CredentialPair(
        secret=_decode_secret(document["secret"], age, clock),
        refresh=_decode_secret(refresh, age, clock) if refresh else None,
    )


def _encode_secret(secret: Secret, clock: CorrectedClock) -> list[str | float]:
    return [secret.text, seconds_left(secret, clock)]


def seconds_left(secret: Secret, clock: CorrectedClock) -> float:
    """The seconds until a secret ends, by the earlier of the two clocks."""
    return min(secret.due - clock.monotonic(), secret.ends_at - clock.seconds())


def _decode_secret(encoded: Any, age: float, clock: CorrectedClock) -> Secret:
    text, seconds = encoded
    return Secret(text=text, ends_at=clock.seconds() + seconds - age, due=clock.monotonic() + seconds - age)


def _context(key: str, number: int) -> str:
    return f"agency_secret:{key}:{number}"
