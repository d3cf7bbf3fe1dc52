"""
A ring as it lies in the database: sealed for its key and number, with the seconds that its secrets have left.

Seconds left, and not points in time: hubs whose clocks disagree then still agree on how long a secret lives, since
what has passed is told by the one clock of the database.
"""

import json
from typing import Any

from adapters.wire.clock import CorrectedClock
from adapters.wire.secrets import CredentialPair, Secret
from gateway.field_encryption import DecryptionFailed, FieldEncryption


def sealed(encryption: FieldEncryption, key: str, number: int, ring: CredentialPair, clock: CorrectedClock) -> bytes:
    """The ring in the form that is shared."""
    document = {
        "secret": _written(ring.secret, clock),
        "refresh": _written(ring.refresh, clock) if ring.refresh else None,
    }
    return encryption.seal(_context(key, number), json.dumps(document).encode())


def opened(
    encryption: FieldEncryption, key: str, number: int, blob: bytes, *, age: float, clock: CorrectedClock
) -> CredentialPair | None:
    """
    A ring that was written `age` seconds ago, on this process's clocks.

    None if it does not open: another hub's key, or a row that was changed or moved; then a new one must be fetched.
    """
    try:
        document = json.loads(encryption.open(_context(key, number), blob))
    except DecryptionFailed:
        return None
    refresh = document["refresh"]
    return CredentialPair(
        secret=_read(document["secret"], age, clock), refresh=_read(refresh, age, clock) if refresh else None
    )


def _written(secret: Secret, clock: CorrectedClock) -> list[str | float]:
    return [secret.text, left(secret, clock)]


def left(secret: Secret, clock: CorrectedClock) -> float:
    """The seconds until a secret ends, by the earlier of the two clocks."""
    return min(secret.due - clock.monotonic(), secret.ends_at - clock.seconds())


def _read(written: Any, age: float, clock: CorrectedClock) -> Secret:
    text, seconds = written
    return Secret(text=text, ends_at=clock.seconds() + seconds - age, due=clock.monotonic() + seconds - age)


def _context(key: str, number: int) -> str:
    return f"agency_secret:{key}:{number}"
