"""
The stored form of a credential pair: encrypted for its key and number, with the seconds that its secrets have left.

Seconds, and not points in time: hubs whose clocks disagree then still agree on how long a secret lives, since the
database's clock measures what has passed.
"""

import json
from typing import Any

from adapters.wire.clock import CorrectedClock
from adapters.wire.secrets import CredentialPair, Secret
from gateway.field_encryption import DecryptionFailed, FieldEncryption


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
